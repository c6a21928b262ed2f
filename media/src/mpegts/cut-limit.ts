// How often a stream may begin a new chunk at a random access point: each chunk costs work that a stream with a key frame
// in every packet must not multiply. Counted in bytes and in time of arrival, with a reserve for streams that arrive
// faster than they play.

/** With this many bytes since the last cut, another one costs little in proportion. */
const BYTES_PER_CUT = 32 * 1024
/** The pictures of 50 Hz are 20 ms apart. */
const MS_PER_CUT = 20
/** Cuts closer to each other: the key frames of a start-up burst, or of a file that is read without pace. */
const MOST_IN_RESERVE = 256

export class CutLimit {
  #reserve = MOST_IN_RESERVE
  #lastMs = 0

  /** Called for each random access point. `pendingBytes`: those that the cut would make a chunk of. */
  allows(pendingBytes: number, nowMs: number): boolean {
    this.#earn((nowMs - this.#lastMs) / MS_PER_CUT)
    this.#lastMs = nowMs
    return this.#reserve + pendingBytes / BYTES_PER_CUT >= 1
  }

  /** A cut that was allowed is made. */
  spend(): void {
    this.#reserve--
  }

  /** A chunk of this many bytes has been made, for whatever reason. */
  noteChunk(bytes: number): void {
    this.#earn(bytes / BYTES_PER_CUT)
  }

  #earn(cuts: number): void {
    this.#reserve = Math.min(MOST_IN_RESERVE, this.#reserve + cuts)
  }
}
