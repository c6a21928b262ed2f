// Which closed captions a video has: channels of CEA-608 and services of CEA-708, called as INSTREAM-ID calls them.
import { readCaptionData } from './caption-data.js'

/** cc_type, CEA-708 table 3. */
const FIELD_2 = 1
const DTVCC_DATA = 2
const DTVCC_START = 3
const TRIPLE_SIZE = 3
/** Commands that begin captions of a channel, CEA-608 table 52: RCL, RU2, RU3, RU4, RDC. */
const BEGINNINGS: readonly number[] = [0x20, 0x25, 0x26, 0x27, 0x29]
/** service_number of services above 6, CEA-708 6.2. */
const EXTENDED_SERVICE = 7
const MAX_SERVICE = 63

export class CaptionChannels {
  readonly #used = new Set<string>()
  #hasPlace = false
  #list: readonly string[] = []

  /** `CC1` to `CC4`, then `SERVICE1` and so on: those that are used, and `CC1` where there is a place for it. */
  get list(): readonly string[] {
    return this.#list
  }

  /** Those in which captions have been seen. */
  get used(): readonly string[] {
    return this.#list.filter((channel) => this.#used.has(channel))
  }

  /** The beginning of an access unit, up to its first slice. */
  push(codec: string, unit: Uint8Array): void {
    readCaptionData(codec, unit, (bytes, at, triples) => this.#take(bytes, at, triples))
  }

  clear(): void {
    this.#used.clear()
    this.#hasPlace = false
    this.#list = []
  }

  #take(bytes: Uint8Array, start: number, triples: number): void {
    for (let at = start; at < start + triples * TRIPLE_SIZE; at += TRIPLE_SIZE) {
      const isValid = (bytes[at]! & 4) !== 0
      const type = bytes[at]! & 3
      if (!isValid) continue
      if (type <= FIELD_2) this.#takePair(type, bytes[at + 1]! & 0x7f, bytes[at + 2]! & 0x7f)
      else if (type === DTVCC_START) this.#takePacket(bytes, at, start + triples * TRIPLE_SIZE)
    }
  }

  /**
   * The first field is the place of captions, so they may follow where there are none yet. The other channels exist once
   * they are used.
   */
  #takePair(field: number, first: number, second: number): void {
    if (field !== FIELD_2 && !this.#hasPlace) {
      this.#hasPlace = true
      this.#sort()
    }
    // Miscellaneous control codes: 14 and 15 hex, in the second channel of a field 1c and 1d.
    if ((first & 0x76) !== 0x14 || !BEGINNINGS.includes(second)) return
    this.#add(`CC${1 + field * 2 + ((first >>> 3) & 1)}`)
  }

  /** The blocks of a DTVCC packet, as far as they are in the same picture: the first one always begins there. */
  #takePacket(bytes: Uint8Array, start: number, end: number): void {
    const packet: number[] = []
    for (let at = start; at < end; at += TRIPLE_SIZE) {
      const type = bytes[at]! & 3
      if (at !== start && (type !== DTVCC_DATA || (bytes[at]! & 4) === 0)) break
      packet.push(bytes[at + 1]!, bytes[at + 2]!)
    }
    const code = packet[0]! & 0x3f
    const length = Math.min(packet.length, code === 0 ? 128 : code * 2)
    for (let at = 1; at < length;) {
      const size = packet[at]! & 0x1f
      const number = packet[at]! >>> 5
      const isExtended = number === EXTENDED_SERVICE && size > 0
      const service = isExtended ? (packet[at + 1] ?? 0) & 0x3f : number
      if (size > 0 && service >= 1 && service <= MAX_SERVICE) this.#add(`SERVICE${service}`)
      if (number === 0) return
      at += (isExtended ? 2 : 1) + size
    }
  }

  #add(channel: string): void {
    if (this.#used.has(channel)) return
    this.#used.add(channel)
    this.#sort()
  }

  #sort(): void {
    const all = new Set(this.#hasPlace ? ['CC1', ...this.#used] : this.#used)
    this.#list = [...all].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
  }
}
