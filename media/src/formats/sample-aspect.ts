// The shape of samples, as streams state it.

const MOST = 16

/** 1 for what no picture has, 0:1 and 1:0 included: a stream that states 65535:1 is damaged. */
export function plausibleAspect(ratio: number): number {
  return ratio >= 1 / MOST && ratio <= MOST ? ratio : 1
}
