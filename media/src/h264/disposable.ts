/** nal_ref_idc is 0, ITU-T H.264 7.4.1: no other picture refers to the one of this slice. */
export function isH264Disposable(first: number): boolean {
  return (first & 0x60) === 0
}
