// The pixel format that a profile needs: without it an encoder takes 8 bits and 4:2:0, whatever profile it is told.

/** `overlay`: what the filter of that name calls it. */
interface PixelFormat {
  readonly name: 'yuv420p' | 'yuv420p10le' | 'yuv422p10le' | 'yuv444p'
  readonly overlay: string
}

const PLAIN: PixelFormat = { name: 'yuv420p', overlay: 'yuv420' }
const TEN_BIT: PixelFormat = { name: 'yuv420p10le', overlay: 'yuv420p10' }
const TEN_BIT_422: PixelFormat = { name: 'yuv422p10le', overlay: 'yuv422p10' }
const FULL_CHROMA: PixelFormat = { name: 'yuv444p', overlay: 'yuv444' }

type Profiles = Readonly<Record<string, PixelFormat>>

/** Rec. ITU-T H.264 annex A, as libx264 names them. */
const H264: Profiles = {
  ...{ baseline: PLAIN, main: PLAIN, high: PLAIN },
  ...{ high10: TEN_BIT, high422: TEN_BIT_422, high444: FULL_CHROMA },
}
/** Rec. ITU-T H.265 annex A, as libx265 names them. */
const H265: Profiles = { main: PLAIN, main10: TEN_BIT, 'main422-10': TEN_BIT_422, 'main444-8': FULL_CHROMA }
const H264_HARDWARE: Profiles = { baseline: PLAIN, main: PLAIN, high: PLAIN }
const H264_VAAPI: Profiles = { ...H264_HARDWARE, constrained_baseline: PLAIN }
const H265_HARDWARE: Profiles = { main: PLAIN, main10: TEN_BIT }

/** Of an encoder that is not known here: it may have any that needs no other pixel format. */
const OTHER_FORMAT = /(?<!\d)(?:10|12)(?!\d)|4[0-4][024]|rext|scc/

interface Encoder {
  readonly encoder: string
  readonly profile?: string | undefined
}

export function pixelFormat({ encoder, profile }: Encoder): PixelFormat {
  return (profile === undefined ? undefined : profilesOf(encoder)?.[profile]) ?? PLAIN
}

/** Undefined if the encoder gets the pictures that the profile needs; else what is wrong, for `must ...`. */
export function faultOfProfile(encoder: string, profile: string): string | undefined {
  const known = profilesOf(encoder)
  if (known === undefined) {
    return OTHER_FORMAT.test(profile) ? `must be a profile of 8 bits and 4:2:0 with ${encoder}` : undefined
  }
  return Object.hasOwn(known, profile) ? undefined : `must be one of ${Object.keys(known).join(', ')} with ${encoder}`
}

function profilesOf(encoder: string): Profiles | undefined {
  if (encoder === 'libx264') return H264
  if (encoder === 'libx265') return H265
  const [, family, kind] = /^(h264|hevc)_(nvenc|qsv|vaapi)$/.exec(encoder) ?? []
  if (family === undefined) return undefined
  if (family === 'hevc') return H265_HARDWARE
  return kind === 'vaapi' ? H264_VAAPI : H264_HARDWARE
}
