// program_config_element, ISO/IEC 14496-3 4.4.1.1: describes the channels of a stream whose channel_configuration is 0. ADTS
// has it in the first frames, AudioSpecificConfig behind its own fields.
import { BitReader } from '../formats/bit-reader.js'

/** id_syn_ele of the element, table 4.85. */
const PROGRAM_CONFIG = 5
const ID_BITS = 3
/** AudioSpecificConfig up to here: object type, rate, channels, and GASpecificConfig. */
const HEAD_BITS = 16
const NO_BYTES = new Uint8Array(0)

export class ProgramConfig {
  /** Counts those that differ; 0: there was none so far. */
  version = 0
  /** As the stream has it, and its fields as they follow those of AudioSpecificConfig. */
  #given: Uint8Array = NO_BYTES
  #config: Uint8Array = NO_BYTES

  /** Takes the one with which raw_data_block at `start` begins, if it does. An unchanged one costs nothing. */
  read(bytes: Uint8Array, start: number, end: number): void {
    if (bytes[start]! >>> (8 - ID_BITS) !== PROGRAM_CONFIG || this.#isKnown(bytes, start, end)) return
    const bits = new BitReader(bytes, start, end)
    bits.skip(ID_BITS)
    const from = bits.position
    skipFields(bits)
    const count = bits.position - from
    bits.skip((8 - (bits.position % 8)) % 8)
    bits.skip(8 * bits.bits(8)) // comment_field_data
    if (bits.hasFailed) return
    this.#given = bytes.slice(start, bits.position >>> 3)
    this.#config = copied(bytes, from, count)
    this.version++
  }

  /** AudioSpecificConfig with the element, without its comment. `head`: the first 16 bits. */
  render(head: number): Uint8Array {
    const config = this.#config.slice()
    config[0] = head >>> 8
    config[1] = head & 0xff
    return config
  }

  #isKnown(bytes: Uint8Array, start: number, end: number): boolean {
    const given = this.#given
    if (given.length === 0 || start + given.length > end) return false
    for (let at = 0; at < given.length; at++) if (bytes[start + at] !== given[at]) return false
    return true
  }
}

/** Up to the alignment. */
function skipFields(bits: BitReader): void {
  bits.skip(4 + 2 + 4) // element_instance_tag, object_type, sampling_frequency_index
  const withKind = bits.bits(4) + bits.bits(4) + bits.bits(4) // front, side, back
  const [lowFrequency, data, coupling] = [bits.bits(2), bits.bits(3), bits.bits(4)]
  for (const mixdownBits of [4, 4, 3]) if (bits.flag()) bits.skip(mixdownBits)
  bits.skip(5 * (withKind + coupling) + 4 * (lowFrequency + data))
}

/** The fields behind room for what comes first, aligned there, and an empty comment. */
function copied(bytes: Uint8Array, from: number, count: number): Uint8Array {
  const config = new Uint8Array(((HEAD_BITS + count + 7) >>> 3) + 1)
  for (let bit = 0; bit < count; bit++) {
    const [at, to] = [from + bit, HEAD_BITS + bit]
    const value = (bytes[at >>> 3]! >>> (7 - (at & 7))) & 1
    config[to >>> 3]! |= value << (7 - (to & 7))
  }
  return config
}
