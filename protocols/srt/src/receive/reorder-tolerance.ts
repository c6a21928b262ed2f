// How many packets late a reordered one may be before it counts as lost: grows to what is seen, up to the option, and
// shrinks while packets come in order.

const SHRINK_AFTER = 50

export class ReorderTolerance {
  readonly #max: number
  #ordered = 0
  /** The tolerance in force. */
  packets = 0

  constructor(maxPackets: number) {
    this.#max = maxPackets
  }

  /** A packet that was not sent again has come this many packets late. */
  add(distance: number): void {
    this.#ordered = 0
    this.packets = Math.max(this.packets, Math.min(distance, this.#max))
  }

  countOrdered(): void {
    if (this.packets === 0 || ++this.#ordered < SHRINK_AFTER) return
    this.#ordered = 0
    this.packets--
  }
}
