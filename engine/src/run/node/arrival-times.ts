// When bytes arrived: what the node says, if it says something, within what is possible. Times never go back, so that
// those of chunks and marks do not either.

export class ArrivalTimes {
  #lastMs = -Infinity

  /** `receivedAtMs`: what the node says; by default `nowMs`. Both monotonic. */
  of(receivedAtMs: number | undefined, nowMs: number): number {
    const saidMs = receivedAtMs !== undefined && receivedAtMs <= nowMs ? receivedAtMs : nowMs
    this.#lastMs = Math.max(this.#lastMs, saidMs)
    return this.#lastMs
  }
}
