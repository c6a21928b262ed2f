// How long the longest list was that a segment has been in: so long players may ask for it (RFC 8216, 6.2.2), also when
// `window` or `dvr` have been shortened meanwhile.
export class LongestListing {
  #ticks = 0
  /** Number of the newest segment in it. */
  #through = -Infinity

  /** The list has this length, and these segments at its ends. */
  note(ticks: number, first: number, last: number): void {
    if (ticks < this.#ticks && first <= this.#through) return
    this.#ticks = ticks
    this.#through = last
  }

  /** `now`: length of the list that the segment leaves. */
  ticksOf(sequence: number, now: number): number {
    return sequence <= this.#through ? Math.max(this.#ticks, now) : now
  }
}
