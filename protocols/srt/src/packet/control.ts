// The bodies of control packets other than handshakes (draft-sharabayko-srt-01, sections 3.2.3 to 3.2.9). Parsers return
// undefined for packets that are too short.
import { HEADER_BYTES, readU32, writeU32 } from './header.js'

/** Set in a loss list on the first number of a range; the next word is its last number. */
const RANGE = 0x8000_0000
const FULL_ACK_BYTES = HEADER_BYTES + 28
/** Shortest ACK that carries RTT, variance and free buffer. */
const ACK_WITH_BUFFER_BYTES = HEADER_BYTES + 16
const DROP_REQUEST_BYTES = HEADER_BYTES + 8
/** libsrt sends control packets that have no body with one empty word, and so do we. */
export const EMPTY_CONTROL_BYTES = HEADER_BYTES + 4
export const LIGHT_ACK_BYTES = HEADER_BYTES + 4

export interface FullAck {
  readonly sequence: number
  readonly rttUs: number
  readonly rttVarianceUs: number
  /** Packets for which the receiver has room. */
  readonly freePackets: number
  readonly packetsPerSecond: number
  /** Estimated capacity of the path, in packets per second. */
  readonly capacity: number
  readonly bytesPerSecond: number
}

/** What a sender needs of an ACK; `rttUs` is 0 and `freePackets` undefined in a light one. */
export interface ReceivedAck {
  readonly sequence: number
  readonly rttUs: number
  readonly rttVarianceUs: number
  readonly freePackets: number | undefined
}

/** Returns a packet with an empty header, and the ACK as its body. */
export function renderFullAck(ack: FullAck): Uint8Array {
  const packet = new Uint8Array(FULL_ACK_BYTES)
  const words = [
    ...[ack.sequence, ack.rttUs, ack.rttVarianceUs, ack.freePackets],
    ...[ack.packetsPerSecond, ack.capacity, ack.bytesPerSecond],
  ]
  for (const [at, word] of words.entries()) writeU32(packet, HEADER_BYTES + at * 4, Math.min(word, 0xffff_ffff))
  return packet
}

export function parseAck(packet: Uint8Array): ReceivedAck | undefined {
  if (packet.length < LIGHT_ACK_BYTES) return undefined
  const sequence = readU32(packet, HEADER_BYTES) & 0x7fff_ffff
  if (packet.length < ACK_WITH_BUFFER_BYTES) return { sequence, rttUs: 0, rttVarianceUs: 0, freePackets: undefined }
  return {
    sequence,
    rttUs: readU32(packet, HEADER_BYTES + 4),
    rttVarianceUs: readU32(packet, HEADER_BYTES + 8),
    freePackets: readU32(packet, HEADER_BYTES + 12),
  }
}

/**
 * Returns a packet with an empty header that reports `count` ranges: pairs of first and last sequence number in
 * `ranges`, from pair `from` on.
 */
export function renderNak(ranges: readonly number[], from: number, count: number): Uint8Array {
  const packet = new Uint8Array(HEADER_BYTES + count * 8)
  let at = HEADER_BYTES
  for (let pair = from; pair < from + count; pair++) {
    const first = ranges[pair * 2]!
    const last = ranges[pair * 2 + 1]!
    const isRange = first !== last
    writeU32(packet, at, isRange ? (first | RANGE) >>> 0 : first)
    if (isRange) writeU32(packet, at + 4, last)
    at += isRange ? 8 : 4
  }
  return packet.subarray(0, at)
}

/** Calls `lost` for each range of a loss report; a range without its last number ends the list. */
export function readNak(packet: Uint8Array, lost: (first: number, last: number) => void): void {
  for (let at = HEADER_BYTES; at + 4 <= packet.length; at += 4) {
    const word = readU32(packet, at)
    if (word < RANGE) {
      lost(word, word)
      continue
    }
    at += 4
    if (at + 4 > packet.length) return
    lost(word - RANGE, readU32(packet, at) & 0x7fff_ffff)
  }
}

export function renderDropRequest(first: number, last: number): Uint8Array {
  const packet = new Uint8Array(DROP_REQUEST_BYTES)
  writeU32(packet, HEADER_BYTES, first)
  writeU32(packet, HEADER_BYTES + 4, last)
  return packet
}

export function parseDropRequest(packet: Uint8Array): { first: number; last: number } | undefined {
  if (packet.length < DROP_REQUEST_BYTES) return undefined
  return { first: readU32(packet, HEADER_BYTES) & 0x7fff_ffff, last: readU32(packet, HEADER_BYTES + 4) & 0x7fff_ffff }
}
