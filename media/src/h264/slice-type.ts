// slice_type of a slice header, ITU-T H.264 7.3.3: the second value of it.

import { TRUNCATED, RbspBitReader } from './rbsp.js'

/** The bytes end before the value does. */
export const SLICE_TYPE_TRUNCATED = TRUNCATED

/** slice_type (table 7-6) of the slice whose header begins at `start`, behind the NAL unit's first byte; below 0 if there is none. */
export function readSliceType(bytes: Uint8Array, start: number, end: number): number {
  const bits = new RbspBitReader(bytes, start, end)
  const firstMacroblock = bits.readUe()
  return firstMacroblock < 0 ? firstMacroblock : bits.readUe()
}
