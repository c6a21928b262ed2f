/** Highest type of the sub-layer non-reference pictures, which are even: TRAIL_N to RSV_VCL_N14. */
const LAST_NON_REFERENCE = 14

/**
 * A sub-layer non-reference picture, ITU-T H.265 table 7-1: no other picture of its temporal sub-layer refers to it. In
 * streams of one sub-layer, which is what RTMP encoders send, no other picture does.
 */
export function isH265Disposable(first: number): boolean {
  const type = (first >>> 1) & 0x3f
  return type <= LAST_NON_REFERENCE && type % 2 === 0
}
