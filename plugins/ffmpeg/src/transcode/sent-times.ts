// The newest time that has been passed on of any rendition: where the next run of the encoder may begin without repeating
// anything, which is earlier than what the last one was given.
import { difference33, isUnitStart, PACKET_SIZE, payloadOffset, readPts } from '@millrace/media/mpegts'

/** Further back, and the clock of the source has jumped: tracks of one stream are closer. */
const JUMP_90K = 10 * 90_000

interface Partial {
  readonly packet: Uint8Array
  length: number
}

export class SentTimes {
  /** Of each output, the beginning of a packet. */
  readonly #partials = new Map<number, Partial>()
  #newest90k = -1

  /** -1 if there is none. */
  get newest90k(): number {
    return this.#newest90k
  }

  /** The next bytes of an output, which begins with a packet. */
  note(output: number, bytes: Uint8Array): void {
    const partial = this.#partials.get(output) ?? { packet: new Uint8Array(PACKET_SIZE), length: 0 }
    this.#partials.set(output, partial)
    let at = partial.length === 0 ? 0 : this.#complete(partial, bytes)
    for (; at + PACKET_SIZE <= bytes.length; at += PACKET_SIZE) this.#look(bytes, at)
    if (at >= bytes.length) return
    partial.packet.set(bytes.subarray(at))
    partial.length = bytes.length - at
  }

  /** Returns how many bytes it takes. */
  #complete(partial: Partial, bytes: Uint8Array): number {
    const part = bytes.subarray(0, PACKET_SIZE - partial.length)
    partial.packet.set(part, partial.length)
    partial.length += part.length
    if (partial.length === PACKET_SIZE) {
      this.#look(partial.packet, 0)
      partial.length = 0
    }
    return part.length
  }

  #look(bytes: Uint8Array, at: number): void {
    if (!isUnitStart(bytes, at)) return
    const pts90k = readPts(bytes, payloadOffset(bytes, at), at + PACKET_SIZE)
    if (pts90k < 0) return
    const later90k = this.#newest90k < 0 ? 1 : difference33(pts90k, this.#newest90k)
    if (later90k > 0 || later90k < -JUMP_90K) this.#newest90k = pts90k
  }
}
