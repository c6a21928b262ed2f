// Bytes that say where they belong, and a check that they arrive whole and in order.
import assert from 'node:assert/strict'

/** Seven transport packets. */
export const CHUNK_BYTES = 1316

/** Returns `chunks` chunks of transport packets whose bytes all differ from those at other positions nearby. */
export function numberedStream(chunks: number): Uint8Array {
  const bytes = new Uint8Array(chunks * CHUNK_BYTES)
  const view = new DataView(bytes.buffer)
  for (let at = 0; at < bytes.length; at += 4) view.setUint32(at, (at * 2654435761) >>> 0)
  for (let at = 0; at < bytes.length; at += 188) bytes[at] = 0x47
  return bytes
}

/** Compares what comes with what was sent. */
export class StreamCheck {
  bytes = 0
  readonly #expected: Uint8Array

  constructor(expected: Uint8Array) {
    this.#expected = expected
  }

  push(bytes: Uint8Array): void {
    const { length } = bytes
    const expected = this.#expected.subarray(this.bytes, this.bytes + length)
    if (Buffer.compare(bytes, expected) !== 0) assert.fail(`other bytes than sent, from ${this.bytes} on`)
    this.bytes += length
  }
}
