// The video parameter set of H.265, ITU-T H.265 7.3.2.1: the picture rate, for streams whose SPS does not have it.
import { RbspBitReader } from '../h264/rbsp.js'
import { readProfileName } from './profile-tier-level.js'
import { readPictureRate } from './sequence-parameter-set.js'

const NAL_HEADER_SIZE = 2
/** vps_num_layer_sets_minus1, 7.4.3.1. */
const MAX_LAYER_SETS = 1023

/** Pictures a second; undefined if it does not say, or is damaged. */
export function parseH265VpsRate(nal: Uint8Array, start: number, end: number): number | undefined {
  const bits = new RbspBitReader(nal, start + NAL_HEADER_SIZE, end)
  bits.skip(12) // vps_video_parameter_set_id to vps_max_layers_minus1
  const subLayers = bits.readBits(3)
  bits.skip(17)
  readProfileName(bits, subLayers)
  const listed = bits.readFlag() ? subLayers + 1 : 1
  for (let left = 3 * listed; left > 0 && !bits.hasFailed; left--) bits.readUe()
  const layers = bits.readBits(6) + 1
  const sets = Math.min(bits.readUe(), MAX_LAYER_SETS)
  for (let set = 0; set < sets && !bits.hasFailed; set++) bits.skip(layers)
  if (!bits.readFlag()) return undefined
  const rate = readPictureRate(bits)
  return bits.hasFailed ? undefined : rate
}
