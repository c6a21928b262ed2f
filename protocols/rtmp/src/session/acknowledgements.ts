// Acknowledgements (RTMP 1.0, clause 5.4.3), by bytes modulo 2^32. Ours go out at half of the peer's window, and every 10 s
// while anything comes: some encoders close a quiet connection without them. Those of the peer are only looked at.

const DEFAULT_WINDOW = 2_500_000
const INTERVAL_MS = 10_000
const MODULUS = 2 ** 32

export class Acknowledgements {
  #window = DEFAULT_WINDOW
  #received = 0
  #acknowledged = 0
  #acknowledgedAtMs: number

  constructor(nowMs: number) {
    this.#acknowledgedAtMs = nowMs
  }

  get receivedBytes(): number {
    return this.#received
  }

  /** The peer's Window Acknowledgement Size. */
  setWindow(size: number): void {
    if (size > 0) this.#window = size
  }

  received(bytes: number): void {
    this.#received += bytes
  }

  /** The sequence number to send now; undefined if none is due. */
  due(nowMs: number): number | undefined {
    const open = this.#received - this.#acknowledged
    if (open === 0) return undefined
    if (open < this.#window / 2 && nowMs - this.#acknowledgedAtMs < INTERVAL_MS) return undefined
    this.#acknowledged = this.#received
    this.#acknowledgedAtMs = nowMs
    return this.#received % MODULUS
  }
}
