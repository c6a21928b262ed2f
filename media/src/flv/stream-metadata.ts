// onMetaData of a stream that we send: what the tracks' configurations say.
import { readAudioSpecificConfig } from '../aac/audio-specific-config.js'
import type { Codec, Track } from '../elementary/index.js'
import { BitReader } from '../formats/bit-reader.js'
import type { MediaFormat } from '../formats/media-format.js'
import { parseH264Sps } from '../h264/sequence-parameter-set.js'
import { parseH265Sps } from '../h265/sequence-parameter-set.js'
import { FOURCC_BY_CODEC, packFourCc } from './codec-names.js'
import { AAC_ID, AVC_ID, MP3_ID } from './tag-format.js'

const LEGACY_IDS: Readonly<Partial<Record<Codec, number>>> = { h264: AVC_ID, aac: AAC_ID, mp3: MP3_ID }
/** The first SPS of avcC, behind its length; the arrays of hvcC. */
const AVC_SPS = 8
const HEVC_ARRAYS = 23
const H265_SPS = 33

/** The object that follows the text `onMetaData`. */
export function renderMetadata(tracks: readonly Track[], encoder: string): Record<string, number | string | boolean> {
  const fields: Record<string, number | string | boolean> = { duration: 0, encoder }
  for (const track of tracks) {
    const id = LEGACY_IDS[track.codec] ?? packFourCc(FOURCC_BY_CODEC[track.codec] ?? '    ')
    fields[`${track.kind}codecid`] = id
    if (track.kind === 'video') addVideo(fields, formatOf(track))
    else addAudio(fields, track)
  }
  return fields
}

function addVideo(fields: Record<string, number | string | boolean>, format: MediaFormat | undefined): void {
  if (format?.width !== undefined) fields['width'] = format.width
  if (format?.height !== undefined) fields['height'] = format.height
  if (format?.frameRate !== undefined) fields['framerate'] = format.frameRate
}

function addAudio(fields: Record<string, number | string | boolean>, { codec, config }: Track): void {
  if (codec !== 'aac' || config.length < 2) return
  const { sampleRate, channels } = readAudioSpecificConfig(new BitReader(config, 0, config.length))
  if (sampleRate !== undefined) fields['audiosamplerate'] = sampleRate
  fields['audiosamplesize'] = 16
  if (channels === undefined) return
  fields['audiochannels'] = channels
  fields['stereo'] = channels > 1
}

function formatOf({ codec, config }: Track): MediaFormat | undefined {
  if (codec === 'h264' && config.length > AVC_SPS) {
    const end = AVC_SPS + ((config[AVC_SPS - 2]! << 8) | config[AVC_SPS - 1]!)
    return end <= config.length ? parseH264Sps(config, AVC_SPS, end) : undefined
  }
  return codec === 'h265' ? formatOfHevc(config) : undefined
}

function formatOfHevc(config: Uint8Array): MediaFormat | undefined {
  let at = HEVC_ARRAYS
  while (at + 5 <= config.length) {
    const type = config[at]! & 0x3f
    let left = (config[at + 1]! << 8) | config[at + 2]!
    at += 3
    for (; left > 0 && at + 2 <= config.length; left--) {
      const end = at + 2 + ((config[at]! << 8) | config[at + 1]!)
      if (type === H265_SPS && end <= config.length) return parseH265Sps(config, at + 2, end)
      at = end
    }
  }
  return undefined
}
