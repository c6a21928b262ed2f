// A frame of AAC without sound, ISO/IEC 14496-3 4.4.2.1: the elements of its channels without spectrum, behind the header
// of another frame of the stream.
import { BitField } from '../formats/bit-field.js'
import { ADTS_HEADER_SIZE, readAdtsConfiguration } from './adts-header.js'
import { SAMPLE_RATES } from './audio-specific-config.js'

/** id_syn_ele, table 4.85. */
const SINGLE = 0
const PAIR = 1
const LOW_FREQUENCY = 3
const END = 7
/** By channel_configuration, table 1.19; 0 is described in the stream. */
const ELEMENTS: readonly (readonly number[])[] = [
  [],
  [SINGLE],
  [PAIR],
  [SINGLE, PAIR],
  [SINGLE, PAIR, SINGLE],
  [SINGLE, PAIR, PAIR],
  [SINGLE, PAIR, PAIR, LOW_FREQUENCY],
  [SINGLE, PAIR, PAIR, PAIR, LOW_FREQUENCY],
]
const GAIN = 100
const FULLNESS_UNKNOWN = 0x7ff
const FRAME_SAMPLES = 1024
const TICKS_PER_SECOND = 90_000

export interface SilentFrame {
  readonly bytes: Uint8Array
  /** How long it lasts, 90 kHz. */
  readonly ticks: number
}

/** Like the frame whose header is at `at`. Undefined if there is none, or if the stream describes its channels itself. */
export function silentAdtsFrame(bytes: Uint8Array, at: number): SilentFrame | undefined {
  if (readAdtsConfiguration(bytes, at, bytes.length) < 0) return undefined
  const channels = ((bytes[at + 2]! & 1) << 2) | (bytes[at + 3]! >>> 6)
  const sampleRate = SAMPLE_RATES[(bytes[at + 2]! >>> 2) & 0x0f]
  if (channels === 0 || sampleRate === undefined) return undefined
  const body = renderSilence(ELEMENTS[channels]!)
  const length = ADTS_HEADER_SIZE + body.length
  const frame = new Uint8Array(length)
  // ID to channel_configuration as they are; protection_absent, so no CRC.
  frame.set([0xff, bytes[at + 1]! | 1, bytes[at + 2]!, bytes[at + 3]! & 0xf0])
  frame[3]! |= length >>> 11
  frame[4] = (length >>> 3) & 0xff
  frame[5] = ((length & 7) << 5) | (FULLNESS_UNKNOWN >>> 6)
  frame[6] = (FULLNESS_UNKNOWN & 0x3f) << 2
  frame.set(body, ADTS_HEADER_SIZE)
  return { bytes: frame, ticks: (FRAME_SAMPLES * TICKS_PER_SECOND) / sampleRate }
}

/** raw_data_block. */
function renderSilence(elements: readonly number[]): readonly number[] {
  const block = new BitField()
  const counts = new Map<number, number>()
  for (const element of elements) {
    const tag = counts.get(element) ?? 0
    counts.set(element, tag + 1)
    block.add([element, 3], [tag, 4])
    // common_window, ics_info without any scale factor band, ms_mask_present; then the channels.
    if (element === PAIR) block.add([1, 1], [0, 11], [0, 2], [GAIN, 8], [0, 3], [GAIN, 8], [0, 3])
    else block.add([GAIN, 8], [0, 11], [0, 3])
  }
  return block.add([END, 3]).bytes
}
