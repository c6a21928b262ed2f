// Where the elementary stream of a PES packet begins, if its header may go on in later transport packets: adaptation
// fields can leave room for a few bytes of it only.
import { hasOptionalHeader, pesHeaderEnd } from './pes.js'

const FIXED_HEADER_SIZE = 6
/** Offset of PES_header_data_length, ISO/IEC 13818-1 2.4.3.6. */
const LENGTH_POSITION = 8

export class PesPayload {
  /** Bytes of the header that have been seen; -1: all of them. */
  #seen = -1
  #size = 0
  #isDamaged = false

  /** A PES packet begins in the next packet. */
  begin(): void {
    this.#seen = 0
    this.#size = LENGTH_POSITION + 1
    this.#isDamaged = false
  }

  /** Takes the payload of the next packet; returns where its elementary stream begins, `end` if it has none. */
  next(bytes: Uint8Array, payload: number, end: number): number {
    if (this.#isDamaged) return end
    if (this.#seen < 0) return payload
    if (this.#seen === 0) {
      const header = pesHeaderEnd(bytes, payload, end)
      if (header < end) {
        this.#seen = -1
        return header
      }
    }
    let at = payload
    for (; at < end && this.#seen < this.#size; at++) {
      this.#note(bytes[at]!)
      if (this.#isDamaged) return end
      this.#seen++
    }
    if (this.#seen < this.#size) return end
    this.#seen = -1
    return at
  }

  #note(byte: number): void {
    const at = this.#seen
    // packet_start_code_prefix
    if (at < 3) this.#isDamaged = byte !== (at === 2 ? 1 : 0)
    else if (at === 3 && !hasOptionalHeader(byte)) this.#size = FIXED_HEADER_SIZE
    else if (at === LENGTH_POSITION) this.#size = LENGTH_POSITION + 1 + byte
  }
}
