// The size at which a picture is shown, with square samples: RESOLUTION, draft-pantos-hls-rfc8216bis 4.4.6.2.
import type { MediaFormat } from './media-format.js'

export interface DisplaySize {
  readonly width: number
  readonly height: number
}

/** As high as it is coded, and as wide as its samples make it. Undefined if the size is not known. */
export function displaySizeOf({ width, height, sampleAspect = 1 }: Partial<MediaFormat>): DisplaySize | undefined {
  if (width === undefined || height === undefined) return undefined
  return { width: Math.round(width * sampleAspect), height }
}
