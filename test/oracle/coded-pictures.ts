// The coded pictures of a clip whose PES packets hold one picture each, as ffmpeg writes them, to be packed otherwise.
import type { CodedPicture } from '@millrace/engine/testing'
import { isKeyPicture } from './key-picture.js'
import { parseTsPacket } from './ts-packet.js'

const PACKET_SIZE = 188

/** `streamType` as in the PMT. Times count from the first DTS; a wrap is not expected. */
export function codedPictures(bytes: Uint8Array, pid: number, streamType: number): CodedPicture[] {
  const list: Uint8Array[][] = []
  for (let at = 0; at < bytes.length; at += PACKET_SIZE) {
    const packet = parseTsPacket(bytes.subarray(at, at + PACKET_SIZE), at / PACKET_SIZE)
    if (packet.pid !== pid || !packet.hasPayload) continue
    if (packet.unitStart) list.push([])
    list.at(-1)?.push(packet.payload)
  }
  const units = list.map((parts) => new Uint8Array(Buffer.concat(parts)))
  const first90k = units[0] === undefined ? 0 : timesOf(units[0]).dts90k
  return units.map((pes) => {
    const { pts90k, dts90k } = timesOf(pes)
    const key = isKeyPicture([...pes], streamType) === true
    return { bytes: pes.slice(9 + pes[8]!), pts90k: pts90k - first90k, dts90k: dts90k - first90k, key }
  })
}

function timesOf(pes: Uint8Array): { pts90k: number; dts90k: number } {
  const pts90k = stampAt(pes, 9)
  return { pts90k, dts90k: (pes[7]! & 0x40) === 0 ? pts90k : stampAt(pes, 14) }
}

function stampAt(pes: Uint8Array, at: number): number {
  const [a = 0, b = 0, c = 0, d = 0, e = 0] = pes.subarray(at, at + 5)
  return (a & 0x0e) * 2 ** 29 + b * 2 ** 22 + (c & 0xfe) * 2 ** 14 + d * 2 ** 7 + (e >> 1)
}
