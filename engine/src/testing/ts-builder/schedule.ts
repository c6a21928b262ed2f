// The order in which packets are sent: by time, and by rank at equal times.

const RANKS = { psi: 0, pcr: 1, unit: 2 } as const

interface Slot {
  readonly at90k: number
  readonly rank: number
  readonly send: (at90k: number) => void
}

export class Schedule {
  readonly #slots: Slot[] = []

  /** `send` writes one packet; it is called by `run` in order of time with the time at which the packet leaves. */
  add(at90k: number, rank: keyof typeof RANKS, send: (at90k: number) => void): void {
    this.#slots.push({ at90k, rank: RANKS[rank], send })
  }

  /** With `packet90k`, the time that a packet takes, packets leave at a constant rate and `idle` fills the gaps. */
  run(packet90k: number | undefined, idle: () => void): void {
    this.#slots.sort((a, b) => a.at90k - b.at90k || a.rank - b.rank)
    const start = this.#slots[0]?.at90k ?? 0
    for (let index = 0, sent = 0; index < this.#slots.length; sent++) {
      const slot = this.#slots[index]
      if (slot === undefined) return
      const now90k = packet90k === undefined ? slot.at90k : start + sent * packet90k
      if (slot.at90k > now90k) {
        idle()
        continue
      }
      slot.send(now90k)
      index++
    }
  }
}
