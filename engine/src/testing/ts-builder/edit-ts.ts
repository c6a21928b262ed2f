// Streams as faulty multiplexers write them: made from a clean one, packet by packet.
import {
  hasPcr,
  isUnitStart,
  mod33,
  readDts,
  readPcrBase,
  readPts,
  writeDts,
  writePcrBase,
  writePts,
} from '@millrace/media/mpegts'
import { concatBytes } from './nal-units.js'

const PACKET_SIZE = 188
const CRC_SIZE = 4

/** The packets for which `keep` returns true. */
function keepPackets(bytes: Uint8Array, keep: (packet: Uint8Array, pid: number) => boolean): Uint8Array {
  const kept: Uint8Array[] = []
  for (let at = 0; at + PACKET_SIZE <= bytes.length; at += PACKET_SIZE) {
    const packet = bytes.subarray(at, at + PACKET_SIZE)
    if (keep(packet, pidOf(packet))) kept.push(packet)
  }
  return concatBytes(kept)
}

export function withoutPids(bytes: Uint8Array, ...pids: readonly number[]): Uint8Array {
  return keepPackets(bytes, (_packet, pid) => !pids.includes(pid))
}

/** Only packets without payload are left of the PID: its clock. */
export function onlyClockOf(bytes: Uint8Array, clockPid: number): Uint8Array {
  return keepPackets(bytes, (packet, pid) => pid !== clockPid || (packet[3]! & 0x10) === 0)
}

/** Every section of the PID that fits into one packet has the CRC 0. */
export function withoutCrc(bytes: Uint8Array, pid: number): Uint8Array {
  return changed(bytes, (packet) => {
    if (pidOf(packet) !== pid || (packet[1]! & 0x40) === 0) return
    const payload = payloadOf(packet)
    const section = payload + 1 + packet[payload]!
    const end = section + 3 + (((packet[section + 1]! & 0x0f) << 8) | packet[section + 2]!)
    if (end <= PACKET_SIZE) packet.fill(0, end - CRC_SIZE, end)
  })
}

/** PCR_flag is 0, and the clock is stuffing. */
export function withoutPcr(bytes: Uint8Array): Uint8Array {
  return changed(bytes, (packet) => {
    const hasField = (packet[3]! & 0x20) !== 0 && packet[4]! > 0
    if (!hasField || (packet[5]! & 0x10) === 0) return
    packet[5] = packet[5]! & ~0x10
    packet.fill(0xff, 6, 12)
  })
}

/** PCR, PTS and DTS differ by so much from the byte `from` on, a multiple of the packet size. */
export function withJump(bytes: Uint8Array, from: number, ticks: number): Uint8Array {
  let offset = 0
  return changed(bytes, (packet) => {
    if (offset >= from) moveClocks(packet, ticks)
    offset += PACKET_SIZE
  })
}

function moveClocks(packet: Uint8Array, ticks: number): void {
  if (hasPcr(packet, 0)) writePcrBase(packet, 0, mod33(readPcrBase(packet, 0) + ticks))
  if (!isUnitStart(packet, 0)) return
  const payload = payloadOf(packet)
  const dts = readDts(packet, payload, PACKET_SIZE)
  const pts = readPts(packet, payload, PACKET_SIZE)
  if (pts < 0) return
  writePts(packet, payload, PACKET_SIZE, mod33(pts + ticks))
  writeDts(packet, payload, PACKET_SIZE, mod33(dts + ticks))
}

function changed(bytes: Uint8Array, change: (packet: Uint8Array) => void): Uint8Array {
  const copy = bytes.slice()
  for (let at = 0; at + PACKET_SIZE <= copy.length; at += PACKET_SIZE) change(copy.subarray(at, at + PACKET_SIZE))
  return copy
}

function pidOf(packet: Uint8Array): number {
  return ((packet[1]! & 0x1f) << 8) | packet[2]!
}

function payloadOf(packet: Uint8Array): number {
  return (packet[3]! & 0x20) === 0 ? 4 : 5 + packet[4]!
}
