// Which form the audio of a track has in a transport stream.
import type { Track } from '../../elementary/track.js'
import { readAdtsFields } from './aac-config.js'
import { AdtsFormat, LatmFormat } from './aac-format.js'
import { Ac3Format } from './ac3-format.js'
import type { Ac3Standard, AudioFormat } from './audio-format.js'
import { MpegAudioFormat } from './mpeg-audio-format.js'
import { OpusFormat } from './opus-format.js'

/** A sentence that names the codec, if it has no place in a transport stream. */
export function chooseAudioFormat(track: Track, ac3: Ac3Standard): AudioFormat | string {
  switch (track.codec) {
    case 'aac': {
      const fields = readAdtsFields(track.config)
      if (fields === 'unreadable') return 'aac: the AudioSpecificConfig is missing or damaged'
      return fields === 'latm' ? new LatmFormat(track.config) : new AdtsFormat(fields)
    }
    case 'mp2':
    case 'mp3':
      return new MpegAudioFormat()
    case 'ac3':
    case 'eac3':
      return new Ac3Format(track.codec, ac3)
    case 'opus':
      return OpusFormat.of(track.config) ?? 'opus: the channel mapping of its OpusHead has no code in MPEG-TS'
    default:
      return `${track.codec}: no audio codec of MPEG-TS`
  }
}
