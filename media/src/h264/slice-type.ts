// slice_type of a slice header, ITU-T H.264 7.3.3: its second value.

import { RbspBitReader } from './rbsp.js'

/**
 * slice_type (table 7-6) of the slice whose header begins at `start`, after the first byte of the NAL unit; negative if
 * it cannot be read.
 */
export function readSliceType(bytes: Uint8Array, start: number, end: number): number {
  const bits = new RbspBitReader(bytes, start, end)
  const firstMacroblock = bits.readUe()
  return firstMacroblock < 0 ? firstMacroblock : bits.readUe()
}
