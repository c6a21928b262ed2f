// The RTP data header, RFC 3550 section 5.1, read into an object that the caller reuses. No allocation.

/** Without CSRC identifiers and extension. */
export const RTP_HEADER_BYTES = 12
/** MP2T, RFC 3551 table 5. */
export const PAYLOAD_MP2T = 33

const VERSION = 2
const PADDING_FLAG = 0x20
const EXTENSION_FLAG = 0x10
const CSRC_BYTES = 4
const EXTENSION_HEADER_BYTES = 4
const WORD = 4

export interface RtpHeader {
  payloadType: number
  /** 16 bits. */
  sequence: number
  /** 32 bits; 90 kHz for MP2T. */
  timestamp: number
  /** 32 bits. */
  ssrc: number
  /** Of the payload in the datagram. */
  start: number
  /** Behind the payload, without padding. */
  end: number
}

export function makeRtpHeader(): RtpHeader {
  return { payloadType: 0, sequence: 0, timestamp: 0, ssrc: 0, start: 0, end: 0 }
}

/** False, with `into` unchanged, if the datagram is not RTP version 2, or its header is longer than the datagram. */
export function parseRtp(bytes: Uint8Array, into: RtpHeader): boolean {
  const { length } = bytes
  if (length < RTP_HEADER_BYTES || bytes[0]! >> 6 !== VERSION) return false
  const flags = bytes[0]!
  let start = RTP_HEADER_BYTES + CSRC_BYTES * (flags & 0x0f)
  if ((flags & EXTENSION_FLAG) !== 0) {
    if (start + EXTENSION_HEADER_BYTES > length) return false
    start += EXTENSION_HEADER_BYTES + WORD * ((bytes[start + 2]! << 8) | bytes[start + 3]!)
  }
  const padding = (flags & PADDING_FLAG) === 0 ? 0 : bytes[length - 1]!
  // Padding counts itself, so it is never 0.
  if ((flags & PADDING_FLAG) !== 0 && padding === 0) return false
  const end = length - padding
  if (start > end) return false
  into.payloadType = bytes[1]! & 0x7f
  into.sequence = (bytes[2]! << 8) | bytes[3]!
  into.timestamp = read32(bytes, 4)
  into.ssrc = read32(bytes, 8)
  into.start = start
  into.end = end
  return true
}

/** Writes the first 12 bytes of a datagram; `start` and `end` are not used. */
export function renderRtpHeader(into: Uint8Array, { payloadType, sequence, timestamp, ssrc }: RtpHeader): void {
  into[0] = VERSION << 6
  into[1] = payloadType & 0x7f
  into[2] = (sequence >> 8) & 0xff
  into[3] = sequence & 0xff
  write32(into, 4, timestamp)
  write32(into, 8, ssrc)
}

function read32(bytes: Uint8Array, at: number): number {
  return bytes[at]! * 2 ** 24 + ((bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!)
}

function write32(into: Uint8Array, at: number, value: number): void {
  into[at] = (value >>> 24) & 0xff
  into[at + 1] = (value >>> 16) & 0xff
  into[at + 2] = (value >>> 8) & 0xff
  into[at + 3] = value & 0xff
}
