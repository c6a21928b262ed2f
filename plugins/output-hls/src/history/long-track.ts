// The long playlist of one rendition: its text, and what its head says of the first segment.
import { LongText } from './long-text.js'

/** Tags that hold for all segments behind them. */
const LASTING = ['#EXT-X-MAP:', '#EXT-X-KEY:']
const DISCONTINUITY = '#EXT-X-DISCONTINUITY\n'
const DATE = '#EXT-X-PROGRAM-DATE-TIME:'
const GAP = '#EXT-X-GAP\n'
const DURATION = '#EXTINF:'

export interface TrackRow {
  readonly sequence: number
  /** Number of its discontinuity, its own tag included. */
  readonly discontinuity: number
}

export interface LongHead {
  /** Of the first segment. */
  readonly sequence: number
  readonly discontinuitySequence: number
  /** Lines in front of those of the first segment. */
  readonly lines: string
}

export class LongTrack {
  readonly text = new LongText()
  #sequence = 0
  /** EXT-X-DISCONTINUITY-SEQUENCE. */
  #discontinuity = 0
  readonly #lasting = new Map<string, string>()

  /** Sequence number of its first segment. */
  get sequence(): number {
    return this.#sequence
  }

  /** `lines`: its lines in the playlist. */
  append({ sequence, discontinuity }: TrackRow, hasMedia: boolean, lines: string): void {
    if (this.text.length === 0) {
      // No playlist begins with a gap.
      if (!hasMedia) return this.#note(lines)
      this.#sequence = sequence
      this.#discontinuity = discontinuity - (lines.includes(DISCONTINUITY) ? 1 : 0)
    }
    this.text.append(lines)
  }

  /** Removes the segments before this one, and the gaps in front of what is left; at most `most` of them. */
  removeBefore(sequence: number, most: number): void {
    for (let count = 0; this.text.length > 0 && count < most; count++) {
      if (this.#sequence >= sequence && !this.#beginsWithGap) return
      this.#removeFirst()
    }
  }

  /** The file of this segment is not there any more. */
  makeGap(sequence: number): void {
    const row = sequence - this.#sequence
    // No playlist begins with a gap.
    if (row === 0) return this.removeBefore(sequence + 1, Infinity)
    this.text.replace(row, (lines) => (lines.includes(GAP) ? lines : lines.replace(DURATION, `${GAP}${DURATION}`)))
  }

  /** `dateMs`: Unix time of its first segment. Undefined if it has none. */
  head(dateMs: number): LongHead | undefined {
    if (this.text.length === 0) return undefined
    const { first } = this.text
    const lines = LASTING.flatMap((tag) => (first.includes(tag) ? [] : (this.#lasting.get(tag) ?? [])))
    if (!first.includes(DATE)) lines.push(`${DATE}${new Date(dateMs).toISOString()}\n`)
    return { sequence: this.#sequence, discontinuitySequence: this.#discontinuity, lines: lines.join('') }
  }

  get #beginsWithGap(): boolean {
    return this.text.first.includes(GAP)
  }

  #removeFirst(): void {
    const lines = this.text.removeFirst()
    this.#sequence++
    if (lines.includes(DISCONTINUITY)) this.#discontinuity++
    this.#note(lines)
  }

  #note(lines: string): void {
    for (const line of lines.split('\n')) {
      const tag = LASTING.find((each) => line.startsWith(each))
      if (tag === undefined) continue
      if (line.endsWith('METHOD=NONE')) this.#lasting.delete(tag)
      else this.#lasting.set(tag, `${line}\n`)
    }
  }
}
