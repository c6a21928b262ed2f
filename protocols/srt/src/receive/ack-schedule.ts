// When acknowledgements are due (draft-sharabayko-srt-01, sections 4.8.1 and 4.10): a full ACK every 10 ms while the
// position advances, a light one every 64 packets between them. A position that the sender has confirmed (ACKACK) is not
// sent again; one that it has not is repeated once per round trip.
import type { RoundTrip } from '../rtt.js'
import { tickAfter } from '../tick.js'

const FULL_INTERVAL_US = 10_000
const LIGHT_PACKETS = 64
/** ACKs whose confirmation is awaited: 10 s of them. */
const WINDOW = 1024

export class AckSchedule {
  readonly #roundTrip: RoundTrip
  readonly #numbers = new Float64Array(WINDOW).fill(-1)
  readonly #positions = new Float64Array(WINDOW)
  readonly #sentUs = new Float64Array(WINDOW)
  #number = 0
  #lastPosition: number
  #lastUs = -Infinity
  #confirmed: number
  #wasFull = false
  #packets = 0

  constructor(position: number, roundTrip: RoundTrip) {
    this.#roundTrip = roundTrip
    this.#lastPosition = position
    this.#confirmed = position
  }

  /** Counts a data packet. Returns true if a light ACK is due. */
  countPacket(): boolean {
    return ++this.#packets >= LIGHT_PACKETS
  }

  sentLight(): void {
    this.#packets = 0
  }

  /** @param free how many packets there is room for: a sender that has waited for room is told at once */
  deadlineUs(position: number, free: number): number {
    if (position > this.#lastPosition || (this.#wasFull && free > 0)) return tickAfter(this.#lastUs, FULL_INTERVAL_US)
    if (position === this.#confirmed) return Infinity
    return this.#lastUs + Math.max(FULL_INTERVAL_US, this.#roundTrip.timeoutUs)
  }

  /** Returns the number of the full ACK that is sent now. */
  sentFull(position: number, free: number, nowUs: number): number {
    this.#number = (this.#number + 1) >>> 0
    const at = this.#number % WINDOW
    this.#numbers[at] = this.#number
    this.#positions[at] = position
    this.#sentUs[at] = nowUs
    this.#lastPosition = position
    this.#lastUs = nowUs
    this.#packets = 0
    this.#wasFull = free === 0
    return this.#number
  }

  /** Called with an ACKACK. Returns the round trip time, or undefined if that ACK is unknown. */
  confirm(number: number, nowUs: number): number | undefined {
    const at = number % WINDOW
    if (this.#numbers[at] !== number) return undefined
    this.#numbers[at] = -1
    this.#confirmed = Math.max(this.#confirmed, this.#positions[at]!)
    return nowUs - this.#sentUs[at]!
  }
}
