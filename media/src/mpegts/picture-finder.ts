// Decides whether the access unit that just began is a random access point, for streams without
// random_access_indicator: collects the elementary stream of the unit until its first coded picture appears.
import { classifyH264 } from '../h264/random-access.js'
import { classifyH265 } from '../h265/random-access.js'
import { classifyMpeg2 } from '../mpeg2/random-access.js'
import { PACKET_SIZE, payloadOffset } from './packet.js'
import { pesHeaderEnd } from './pes.js'
import { NOT_RANDOM_ACCESS, UNDECIDED } from './picture.js'

/** A unit without a picture within this many of its packets does not count as a random access point. */
const MAX_PACKETS = 64
const MAX_BYTES = MAX_PACKETS * PACKET_SIZE

export class PictureFinder {
  readonly #bytes = new Uint8Array(MAX_BYTES)
  #filled = 0
  #packets = 0

  /** Takes the first packet of a unit with that codec; after UNDECIDED, `more` must be called with the next packet. */
  begin(codec: string, bytes: Uint8Array, offset: number): number {
    const end = offset + PACKET_SIZE
    const start = pesHeaderEnd(bytes, payloadOffset(bytes, offset), end)
    const decision = classify(codec, bytes, start, end)
    if (decision !== UNDECIDED) return decision
    this.#filled = 0
    this.#packets = 1
    this.#keep(bytes, start, end)
    return UNDECIDED
  }

  /** Takes the next packet of the same unit. */
  more(codec: string, bytes: Uint8Array, offset: number): number {
    if (++this.#packets > MAX_PACKETS) return NOT_RANDOM_ACCESS
    const end = offset + PACKET_SIZE
    this.#keep(bytes, payloadOffset(bytes, offset), end)
    return classify(codec, this.#bytes, 0, this.#filled)
  }

  #keep(bytes: Uint8Array, start: number, end: number): void {
    for (let at = start; at < end && this.#filled < MAX_BYTES; at++) this.#bytes[this.#filled++] = bytes[at] ?? 0
  }
}

function classify(codec: string, bytes: Uint8Array, start: number, end: number): number {
  switch (codec) {
    case 'h264':
      return classifyH264(bytes, start, end, false)
    case 'h265':
      return classifyH265(bytes, start, end, false)
    case 'mpeg2video':
    case 'mpeg1video':
      return classifyMpeg2(bytes, start, end, false)
    default:
      return NOT_RANDOM_ACCESS
  }
}
