// CRC_32 of sections, ISO/IEC 13818-1 annex A: polynomial 0x04c11db7, most significant bit first, initial value all
// ones, no final inversion.

const POLYNOMIAL = 0x04c11db7
const INITIAL = -1

const TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte << 24
  for (let bit = 0; bit < 8; bit++) remainder = (remainder << 1) ^ (remainder < 0 ? POLYNOMIAL : 0)
  return remainder
})

/** CRC of `bytes[start, end)`, unsigned. Over a whole section including its CRC_32 field the result is 0. */
export function crc32Mpeg(bytes: Uint8Array, start: number, end: number): number {
  let crc = INITIAL
  for (let at = start; at < end; at++) crc = (crc << 8) ^ TABLE[(crc >>> 24) ^ bytes[at]!]!
  return crc >>> 0
}

/**
 * What to XOR into a CRC when one byte changes by `xorByte` and `bytesAfter` bytes lie between that byte and the CRC
 * field. The CRC is linear, so the rest of the section is not needed; several changes are XORed together. Unsigned.
 */
export function crc32Delta(xorByte: number, bytesAfter: number): number {
  let crc = TABLE[xorByte & 0xff]!
  for (let left = bytesAfter; left > 0; left--) crc = (crc << 8) ^ TABLE[crc >>> 24]!
  return crc >>> 0
}
