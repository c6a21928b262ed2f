// Opus in MPEG-TS: the extension descriptor that says how many channels there are ("Opus audio in MPEG-2 TS", 4.4). In
// elementary streams nothing says it.
import type { MediaFormat } from '../formats/media-format.js'
import { listDescriptors } from '../mpegts/descriptors.js'

const EXTENSION_DESCRIPTOR = 0x7f
const OPUS_EXTENSION = 0x80
/** channel_config_code of two channels without relation. */
const DUAL_MONO = 0
const MAX_CHANNELS = 8
const SAMPLE_RATE = 48_000

/** `descriptors`: the loop of the track in the PMT. */
export function parseOpusDescriptor(descriptors: Uint8Array): MediaFormat {
  for (const { tag, data } of listDescriptors(descriptors)) {
    if (tag !== EXTENSION_DESCRIPTOR || data.length < 2 || data[0] !== OPUS_EXTENSION) continue
    const code = data[1]!
    const channels = code === DUAL_MONO ? 2 : code <= MAX_CHANNELS ? code : undefined
    return { name: 'opus', sampleRate: SAMPLE_RATE, channels }
  }
  return { name: 'opus', sampleRate: SAMPLE_RATE }
}
