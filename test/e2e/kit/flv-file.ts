// Files of FLV, tag by tag.

export interface FlvTag {
  readonly type: number
  readonly timestampMs: number
  readonly body: Buffer
}

const FILE_HEADER_BYTES = 13
const TAG_HEADER_BYTES = 11
const BACK_POINTER_BYTES = 4

export function readFlv(bytes: Buffer): FlvTag[] {
  const tags: FlvTag[] = []
  for (let at = FILE_HEADER_BYTES; at + TAG_HEADER_BYTES <= bytes.length;) {
    const length = bytes.readUIntBE(at + 1, 3)
    const timestampMs = ((bytes[at + 7]! << 24) | bytes.readUIntBE(at + 4, 3)) >>> 0
    const from = at + TAG_HEADER_BYTES
    tags.push({ type: bytes[at]!, timestampMs, body: bytes.subarray(from, from + length) })
    at = from + length + BACK_POINTER_BYTES
  }
  return tags
}
