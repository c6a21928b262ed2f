// profile_tier_level( ) of H.265, ITU-T H.265 7.3.3, and its name in CODECS, ISO/IEC 14496-15 E.3.
import type { RbspBitReader } from '../h264/rbsp.js'

const SPACES = ['', 'A', 'B', 'C']
const CONSTRAINT_BYTES = 6
/** general_profile_space to the last constraint flag; the level. */
const PROFILE_BITS = 88
const LEVEL_BITS = 8
const MAX_SUB_LAYERS = 8

/** Reads it for the whole stream, and skips those of the sub-layers. Returns `hvc1.1.6.L93.B0` and the like. */
export function readProfileName(bits: RbspBitReader, subLayers: number): string {
  const space = SPACES[bits.readBits(2)] ?? ''
  const tier = bits.readFlag() ? 'H' : 'L'
  const profile = bits.readBits(5)
  const compatibility = reverse32(bits.readBits(32))
  const constraints = Array.from({ length: CONSTRAINT_BYTES }, () => bits.readBits(8))
  const level = bits.readBits(8)
  skipSubLayers(bits, subLayers)
  const used = constraints.slice(0, constraints.findLastIndex((byte) => byte !== 0) + 1)
  return ['hvc1', `${space}${profile}`, hex(compatibility), `${tier}${level}`, ...used.map(hex)].join('.')
}

function skipSubLayers(bits: RbspBitReader, subLayers: number): void {
  if (subLayers <= 0) return
  let left = 0
  for (let layer = 0; layer < MAX_SUB_LAYERS; layer++) {
    const [hasProfile, hasLevel] = [bits.readFlag(), bits.readFlag()]
    if (layer < subLayers) left += (hasProfile ? PROFILE_BITS : 0) + (hasLevel ? LEVEL_BITS : 0)
  }
  bits.skip(left)
}

/** The flags are written from profile 0 on; their name has profile 31 first. */
function reverse32(value: number): number {
  let reversed = 0
  for (let bit = 0; bit < 32; bit++) reversed = reversed * 2 + (Math.floor(value / 2 ** bit) % 2)
  return reversed
}

function hex(value: number): string {
  return value.toString(16).toUpperCase()
}
