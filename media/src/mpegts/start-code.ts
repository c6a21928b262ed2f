// Start codes of elementary streams: the prefix 00 00 01 and the byte that says what follows. The same in ITU-T H.264
// and H.265 annex B and in ISO/IEC 13818-2 5.2.3.

/** The prefix; the byte behind it is not counted. */
export const START_CODE_SIZE = 3

/**
 * Offset of the byte behind the next prefix that begins in `bytes[from, end)`, or -1 if there is none whose next byte
 * stands before `end` as well.
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
