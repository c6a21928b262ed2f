// Which audio tracks ffmpeg cannot decode, by what it says: an output begins when each of its tracks has given something, so
// one that is damaged from the start would hold up all renditions.

/** Fewer errors are those of a stream that is joined in the middle. */
const LEAST_ERRORS = 8
/** More tracks than the tables of the feed can have. */
const MOST_STREAMS = 64

/** FFmpeg 5 and 6 name the stream, since FFmpeg 7 `[aist#0:1/aac] ... Error submitting packet to decoder`. */
const DECODING = /Error while decoding stream #0:(\d+)/
const SUBMITTING = /#0:(\d+)\/.*Error submitting packet to decoder/
const FATAL =
  /Error while processing the decoded data for stream #0:(\d+)|#0:(\d+)\/.*Error while processing the decoded/
const NO_PARAMETERS = /Could not find codec parameters for stream (\d+) \(Audio/

export class DecodingFaults {
  readonly #errors = new Map<number, number>()
  #unknown: readonly number[] = []

  /** A line of the log, without its level. */
  note(line: string): void {
    const [, decoding = SUBMITTING.exec(line)?.[1]] = DECODING.exec(line) ?? []
    if (decoding !== undefined) return this.#add(Number(decoding), 1)
    const [, one, other, fatal = one ?? other] = FATAL.exec(line) ?? []
    if (fatal !== undefined) return this.#add(Number(fatal), LEAST_ERRORS)
    const [, unknown] = NO_PARAMETERS.exec(line) ?? []
    if (unknown !== undefined) this.#unknown = [...this.#unknown, Number(unknown)].slice(-MOST_STREAMS)
  }

  /** It says so often enough of this stream of its input. `isMute`: an output waits for one. */
  has(stream: number, isMute: boolean): boolean {
    return (this.#errors.get(stream) ?? 0) >= LEAST_ERRORS || (isMute && this.#unknown.includes(stream))
  }

  #add(stream: number, errors: number): void {
    if (stream < MOST_STREAMS) this.#errors.set(stream, (this.#errors.get(stream) ?? 0) + errors)
  }
}
