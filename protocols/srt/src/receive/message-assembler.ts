// Puts messages together that the sender has split over several packets: one whose MTU is smaller than its payloads does
// that. Live mode has one packet per message otherwise.
import { POSITION } from '../packet/header.js'

const MAX_MESSAGE_BYTES = 64 * 1024

export class MessageAssembler {
  #parts: Uint8Array[] = []
  #bytes = 0
  /** Packets of messages that could not be put together. */
  dropped = 0

  /** Takes the next packet. Returns a whole message, or undefined. */
  push(payload: Uint8Array, position: number): Uint8Array | undefined {
    if (position === POSITION.solo) {
      if (this.#parts.length > 0) this.interrupt()
      return payload
    }
    if (position === POSITION.first) this.interrupt()
    else if (this.#parts.length === 0) {
      this.dropped++
      return undefined
    }
    this.#parts.push(payload)
    this.#bytes += payload.length
    if (this.#bytes > MAX_MESSAGE_BYTES) {
      this.interrupt()
      return undefined
    }
    if (position !== POSITION.last) return undefined
    const message = this.#join()
    this.#parts = []
    this.#bytes = 0
    return message
  }

  /** A packet is missing here: what there is of a message is dropped. */
  interrupt(): void {
    this.dropped += this.#parts.length
    this.#parts = []
    this.#bytes = 0
  }

  #join(): Uint8Array {
    const message = new Uint8Array(this.#bytes)
    let at = 0
    for (const part of this.#parts) {
      message.set(part, at)
      at += part.length
    }
    return message
  }
}
