// The short-term reference picture sets of an SPS of H.265, ITU-T H.265 7.3.7: each may be predicted from the one before
// it, so that even to skip them they are counted.
import type { RbspBitReader } from '../h264/rbsp.js'

/** num_short_term_ref_pic_sets, 7.4.3.2.1; num_negative_pics and num_positive_pics, 7.4.8. */
const MAX_SETS = 64
const MAX_PICTURES = 16

export function skipReferenceSets(bits: RbspBitReader): void {
  const sets = Math.min(bits.readUe(), MAX_SETS)
  let pictures = 0
  for (let set = 0; set < sets && !bits.hasFailed; set++) {
    pictures = set > 0 && bits.readFlag() ? skipPredicted(bits, pictures) : skipExplicit(bits)
  }
}

/** Returns the number of pictures in the set, NumDeltaPocs. */
function skipPredicted(bits: RbspBitReader, before: number): number {
  bits.readBit() // delta_rps_sign
  bits.readUe() // abs_delta_rps_minus1
  let pictures = 0
  for (let at = 0; at <= before; at++) {
    const isUsed = bits.readFlag()
    if (isUsed || bits.readFlag()) pictures++
  }
  return Math.min(pictures, MAX_PICTURES)
}

function skipExplicit(bits: RbspBitReader): number {
  const before = Math.min(bits.readUe(), MAX_PICTURES)
  const after = Math.min(bits.readUe(), MAX_PICTURES)
  for (let left = before + after; left > 0 && !bits.hasFailed; left--) {
    bits.readUe()
    bits.readBit()
  }
  return Math.max(0, before) + Math.max(0, after)
}
