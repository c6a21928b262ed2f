// Start codes of elementary streams: the prefix 00 00 01, then the byte that identifies what follows. The same in ITU-T
// H.264 and H.265 annex B and in ISO/IEC 13818-2 5.2.3.

/** The prefix, without the byte after it. */
export const START_CODE_SIZE = 3
/** Annex B: parameter sets have the long form of the prefix. */
export const LONG_PREFIX = Uint8Array.of(0, 0, 0, 1)

/**
 * Offset of the byte after the next prefix in `bytes[from, end)`; -1 if there is no prefix followed by a byte before
 * `end`.
 */
export function nextStartCode(bytes: Uint8Array, from: number, end: number): number {
  let at = from + 2
  while (at + 1 < end) {
    const byte = bytes[at]!
    if (byte > 1) at += 3
    else if (byte === 0) at += 1
    else if (bytes[at - 1] === 0 && bytes[at - 2] === 0) return at + 1
    else at += 3
  }
  return -1
}
