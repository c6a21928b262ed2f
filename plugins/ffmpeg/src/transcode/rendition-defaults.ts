// What a rendition has if its settings do not say it: an encoder for its codec, and a bit rate for its name or its height.
import type { Hardware } from './hardware.js'
import { STEPS } from './ladder.js'
import type { Ladder } from './ladder.js'

interface GivenRate {
  readonly video?: number | undefined
  readonly height?: number | undefined
}

export function encoderOf(codec: 'h264' | 'h265' | 'copy', hardware: Hardware | 'none'): string {
  if (codec === 'copy') return 'copy'
  const family = codec === 'h264' ? 'h264' : 'hevc'
  if (hardware !== 'none') return `${family}_${hardware}`
  return codec === 'h264' ? 'libx264' : 'libx265'
}

/** Bits per second. */
export function videoRateOf(name: string, { video, height }: GivenRate, ladder: Ladder): number {
  return video ?? STEPS[ladder][name]?.videoRate ?? guessedRate(height)
}

/** For a name that is no step: about 0.1 bit per pixel at 25 pictures a second, in 16 to 9. */
function guessedRate(height = 720): number {
  return Math.max(100_000, Math.round((height * height * (16 / 9) * 25 * 0.1) / 1000) * 1000)
}
