// Writes messages as chunks (RTMP 1.0, clause 5.3): a header of type 0, which depends on no earlier message, and type 3 for
// the rest. So the bytes of a message are the same for every receiver with the same chunk size and message stream id.

export interface OutgoingMessage {
  readonly type: number
  readonly chunkStreamId: number
  readonly messageStreamId: number
  /** Taken modulo 2^32. */
  readonly timestampMs: number
  readonly body: Uint8Array
}

const EXTENDED = 0xff_ffff
const EXTENDED_BYTES = 4
const FIRST_HEADER_BYTES = 12
const MAX_CHUNK_STREAM_ID = 63

/** @throws RangeError if the chunk stream id has more than one byte: we use none of those */
export function renderChunks(message: OutgoingMessage, chunkSize: number): Uint8Array {
  const { type, chunkStreamId, messageStreamId, body } = message
  if (chunkStreamId < 2 || chunkStreamId > MAX_CHUNK_STREAM_ID) throw new RangeError('chunk stream id out of range')
  const timestampMs = message.timestampMs >>> 0
  const isExtended = timestampMs >= EXTENDED
  const continuations = Math.max(0, Math.ceil(body.length / chunkSize) - 1)
  const extendedBytes = isExtended ? EXTENDED_BYTES : 0
  const size = FIRST_HEADER_BYTES + extendedBytes + body.length + continuations * (1 + extendedBytes)
  const bytes = Buffer.allocUnsafe(size)
  bytes[0] = chunkStreamId
  bytes.writeUIntBE(isExtended ? EXTENDED : timestampMs, 1, 3)
  bytes.writeUIntBE(body.length, 4, 3)
  bytes[7] = type
  bytes.writeUInt32LE(messageStreamId, 8)
  let at = FIRST_HEADER_BYTES
  for (let from = 0; from === 0 || from < body.length; from += chunkSize) {
    if (from > 0) bytes[at++] = 0xc0 | chunkStreamId
    if (isExtended) at = bytes.writeUInt32BE(timestampMs, at)
    const end = Math.min(from + chunkSize, body.length)
    copy(body, from, end, bytes, at)
    at += end - from
  }
  return bytes
}

function copy(from: Uint8Array, start: number, end: number, to: Uint8Array, at: number): void {
  if (start === 0 && end === from.length) to.set(from, at)
  else to.set(from.subarray(start, end), at)
}
