// Formats that this browser cannot play, in a sentence.

export interface StreamTrack {
  readonly media: string
  readonly codec: string
}

interface Format {
  readonly name: string
  /** What Media Source Extensions call it; undefined if no browser has it in transport streams. */
  readonly type?: string
}

const FORMATS: Readonly<Record<string, Format>> = {
  h264: { name: 'H.264', type: 'video/mp4; codecs="avc1.640028"' },
  h265: { name: 'HEVC (H.265)', type: 'video/mp4; codecs="hvc1.1.6.L120.B0"' },
  h266: { name: 'VVC (H.266)' },
  mpeg1video: { name: 'MPEG-1 video' },
  mpeg2video: { name: 'MPEG-2 video' },
  mpeg4video: { name: 'MPEG-4 part 2 video' },
  jpeg2000: { name: 'JPEG 2000' },
  avs: { name: 'AVS' },
  vc1: { name: 'VC-1' },
  aac: { name: 'AAC', type: 'audio/mp4; codecs="mp4a.40.2"' },
  'aac-latm': { name: 'AAC in LATM' },
  mp2: { name: 'MPEG audio layer 2' },
  ac3: { name: 'AC-3', type: 'audio/mp4; codecs="ac-3"' },
  eac3: { name: 'E-AC-3', type: 'audio/mp4; codecs="ec-3"' },
  ac4: { name: 'AC-4' },
  dts: { name: 'DTS' },
  opus: { name: 'Opus', type: 'audio/mp4; codecs="opus"' },
}

/** Undefined if all of them can be played, as far as is known. `canPlay`: asks the browser about a type. */
export function refusedFormats(tracks: readonly StreamTrack[], canPlay: (type: string) => boolean): string | undefined {
  const refused = (media: string): readonly string[] => {
    const formats = tracks
      .filter((track) => track.media === media)
      .map(({ codec }) => FORMATS[codec] ?? { name: codec })
    // One that it can play is enough.
    if (formats.some(({ type }) => type !== undefined && canPlay(type))) return []
    return [...new Set(formats.map(({ name }) => name))]
  }
  const [video, audio] = [refused('video'), refused('audio')]
  const parts = [
    ...(video.length === 0 ? [] : [`the picture is ${video.join(' or ')}`]),
    ...(audio.length === 0 ? [] : [`the sound is ${audio.join(' or ')}`]),
  ]
  if (parts.length === 0) return undefined
  return `This browser cannot play the channel: ${parts.join(', and ')}. VLC and other players can.`
}
