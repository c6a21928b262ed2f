// 32-bit FNV-1a: a cheap way to tell contents apart; not for anything an attacker could exploit.

export const FNV_BASIS = 0x811c9dc5
const FNV_PRIME = 0x01000193

/** The hash after one more byte. */
export function hashByte(hash: number, byte: number): number {
  return Math.imul(hash ^ byte, FNV_PRIME) >>> 0
}

/** The hash after the bytes of `bytes[start, end)`. */
export function hashBytes(hash: number, bytes: Uint8Array, start: number, end: number): number {
  let result = hash
  for (let at = start; at < end; at++) result = Math.imul(result ^ bytes[at]!, FNV_PRIME)
  return result >>> 0
}
