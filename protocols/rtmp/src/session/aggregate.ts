// Aggregate messages (RTMP 1.0, clause 7.1.6): FLV tags in one body. Their times are relative to the first one's.

const TAG_HEADER_BYTES = 11
const BACK_POINTER_BYTES = 4

/** Calls `onTag` for each whole tag. What is cut off at the end is ignored. */
export function readAggregate(
  body: Uint8Array,
  timestampMs: number,
  onTag: (type: number, timestampMs: number, body: Uint8Array) => void,
): void {
  let first: number | undefined
  for (let at = 0; at + TAG_HEADER_BYTES <= body.length;) {
    const type = body[at]!
    const length = readU24(body, at + 1)
    const time = ((body[at + 7]! << 24) | readU24(body, at + 4)) >>> 0
    first ??= time
    const from = at + TAG_HEADER_BYTES
    if (from + length > body.length) return
    onTag(type, (timestampMs + time - first) >>> 0, body.subarray(from, from + length))
    at = from + length + BACK_POINTER_BYTES
  }
}

function readU24(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!
}
