// How long the data packets of one direction took to come through when they were lost at first.

/** Set in control packets. */
const CONTROL = 0x80
const HEADER_BYTES = 16

export class SrtRecovery {
  readonly #lostMs = new Map<number, number>()
  readonly #passed = new Set<number>()
  readonly #tookMs: number[] = []

  /** Called with every datagram of both directions. */
  note(datagram: Uint8Array, isLost: boolean): void {
    if (datagram.length < HEADER_BYTES || (datagram[0]! & CONTROL) !== 0) return
    const sequence = new DataView(datagram.buffer, datagram.byteOffset).getUint32(0)
    const [nowMs, lostMs] = [performance.now(), this.#lostMs.get(sequence)]
    if (this.#passed.has(sequence)) return
    if (isLost) this.#lostMs.set(sequence, lostMs ?? nowMs)
    else {
      this.#passed.add(sequence)
      if (lostMs !== undefined) this.#tookMs.push(nowMs - lostMs)
    }
  }

  /** Infinity if none was lost and came through. */
  get medianMs(): number {
    const sorted = this.#tookMs.toSorted((one, other) => one - other)
    return sorted[sorted.length >> 1] ?? Infinity
  }
}
