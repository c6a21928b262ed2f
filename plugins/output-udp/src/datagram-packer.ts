// Packs bytes into datagrams of one size, in memory that is used again when the system has taken it.
import { makeRtpHeader, PAYLOAD_MP2T, renderRtpHeader, RTP_HEADER_BYTES } from '@millrace/media/rtp'

/** The numbering of an RTP stream; it goes on when a reload replaces the output. */
export interface RtpNumbers {
  sequence: number
  readonly ssrc: number
  /** Of the timestamp at time 0. */
  readonly timestamp0: number
}

/** Bytes of an unfinished datagram, and when it was begun. */
export interface Rest {
  readonly bytes: Uint8Array
  readonly dueMs: number
}

const TICKS_PER_MS = 90
const RANGE_32 = 2 ** 32
const RANGE_16 = 2 ** 16
/** Datagrams that the system has not taken yet: more are dropped. */
const MAX_IN_FLIGHT = 4096
const MAX_IN_FLIGHT_BYTES = 8 * 1024 * 1024
const SLOTS_PER_BLOCK = 64

export class DatagramPacker {
  /** Datagrams that had no room. */
  dropped = 0
  readonly #size: number
  readonly #rtp: RtpNumbers | undefined
  readonly #send: (datagram: Uint8Array) => void
  readonly #header = makeRtpHeader()
  readonly #slotBytes: number
  readonly #slots: Uint8Array[] = []
  readonly #mostInFlight: number
  /** The next slot; in-flight slots are the ones before it. */
  #slot = 0
  #inFlight = 0
  /** Payload bytes of the datagrams in flight, by slot. */
  readonly #lengths: Uint32Array
  /** Of the datagram that is being filled. */
  #filled = 0
  #dueMs = 0
  #beganMs = 0

  /** `size`: payload bytes. `send`: the memory stays unchanged until `release`. */
  constructor(size: number, rtp: RtpNumbers | undefined, send: (datagram: Uint8Array) => void) {
    this.#size = size
    this.#rtp = rtp
    this.#send = send
    this.#slotBytes = size + (rtp === undefined ? 0 : RTP_HEADER_BYTES)
    this.#mostInFlight = Math.min(MAX_IN_FLIGHT, Math.floor(MAX_IN_FLIGHT_BYTES / this.#slotBytes))
    this.#lengths = new Uint32Array(this.#mostInFlight + 1)
  }

  /** `dueMs`: when the first byte is to be sent. */
  write(bytes: Uint8Array, start: number, end: number, dueMs: number, nowMs: number): void {
    for (let at = start; at < end;) {
      if (this.#filled === 0) {
        this.#dueMs = dueMs
        this.#beganMs = nowMs
      }
      const length = Math.min(end - at, this.#size - this.#filled)
      this.#current().set(bytes.subarray(at, at + length), this.#headBytes + this.#filled)
      this.#filled += length
      at += length
      if (this.#filled === this.#size) this.flush()
    }
  }

  get hasRest(): boolean {
    return this.#filled > 0
  }

  /** An unfinished datagram has waited so long for more bytes. */
  hasWaited(forMs: number, nowMs: number): boolean {
    return this.hasRest && nowMs - this.#beganMs >= forMs
  }

  /** Sends an unfinished datagram. */
  flush(): void {
    const filled = this.#filled
    const length = this.#headBytes + filled
    if (filled === 0) return
    this.#filled = 0
    if (this.#inFlight >= this.#mostInFlight) {
      this.dropped++
      // Receivers see a loss by the number that is missing.
      if (this.#rtp !== undefined) countUp(this.#rtp)
      return
    }
    const datagram = this.#current()
    if (this.#rtp !== undefined) this.#renderHeader(datagram, this.#rtp)
    this.#inFlight++
    this.#lengths[this.#slot] = filled
    // One slot more than can be in flight: the one that is being filled.
    this.#slot = (this.#slot + 1) % (this.#mostInFlight + 1)
    this.#send(length === datagram.length ? datagram : datagram.subarray(0, length))
  }

  /** So many of the oldest datagrams have been sent, or never will be. Returns their payload bytes. */
  release(count: number): number {
    const slots = this.#mostInFlight + 1
    let bytes = 0
    for (let left = this.#inFlight; left > this.#inFlight - count; left--) {
      bytes += this.#lengths[(this.#slot - left + slots) % slots]!
    }
    this.#inFlight -= count
    // The same few slots are used again and again, unless the system is slow.
    if (this.#inFlight === 0 && this.#filled === 0) this.#slot = 0
    return bytes
  }

  /** The bytes of the unfinished datagram, which are not in it any more. */
  takeRest(): Rest {
    const bytes = this.#current().slice(this.#headBytes, this.#headBytes + this.#filled)
    this.#filled = 0
    return { bytes, dueMs: this.#dueMs }
  }

  get #headBytes(): number {
    return this.#rtp === undefined ? 0 : RTP_HEADER_BYTES
  }

  #current(): Uint8Array {
    const slot = this.#slots[this.#slot]
    if (slot !== undefined) return slot
    // A slot is a view of a block: its memory is allocated for many at once.
    const block = new Uint8Array(this.#slotBytes * SLOTS_PER_BLOCK)
    const first = this.#slot - (this.#slot % SLOTS_PER_BLOCK)
    for (let at = 0; at < SLOTS_PER_BLOCK; at++) {
      this.#slots[first + at] = block.subarray(at * this.#slotBytes, (at + 1) * this.#slotBytes)
    }
    return this.#slots[this.#slot] as Uint8Array
  }

  /** RFC 2250 section 2: the time at which the first byte is to be sent, at 90 kHz. */
  #renderHeader(into: Uint8Array, rtp: RtpNumbers): void {
    const header = this.#header
    header.payloadType = PAYLOAD_MP2T
    header.sequence = rtp.sequence
    header.timestamp = (rtp.timestamp0 + Math.round(this.#dueMs * TICKS_PER_MS)) % RANGE_32
    header.ssrc = rtp.ssrc
    countUp(rtp)
    renderRtpHeader(into, header)
  }
}

function countUp(rtp: RtpNumbers): void {
  rtp.sequence = (rtp.sequence + 1) % RANGE_16
}
