/** All parts in one new array. */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const part of parts) length += part.length
  const whole = new Uint8Array(length)
  length = 0
  for (const part of parts) {
    whole.set(part, length)
    length += part.length
  }
  return whole
}
