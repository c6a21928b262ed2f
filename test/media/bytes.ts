// Joins and compares byte arrays.
import assert from 'node:assert/strict'

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** Like deepEqual, but fast, and with a readable message. */
export function assertSameBytes(actual: Uint8Array, expected: Uint8Array, what = 'bytes'): void {
  if (Buffer.compare(actual, expected) === 0) return
  const first = expected.findIndex((byte, at) => actual[at] !== byte)
  const packet = Math.floor(first / 188)
  assert.fail(
    `${what}: ${actual.length} bytes, ${expected.length} expected, first difference at ${first} (packet ${packet})`,
  )
}
