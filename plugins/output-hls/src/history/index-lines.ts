// The lines of the index for what is written to a folder. Each folder can be read alone.
import type { LongEntry, LongLife } from './long-list.js'
import type { SpliceRange } from '../playlist/splice-range.js'
import type { SpliceRanges } from '../playlist/splice-ranges.js'
import { renderRecord, type SegmentRecord } from './segment-record.js'

/** What an index says of one segment. */
interface SegmentLines {
  readonly lines: string
  /** Where its files are lost: it is a gap. */
  readonly gap: string
}

export type WrittenRanges = Pick<SpliceRanges, 'version' | 'changedSince' | 'lasting'>

export class IndexLines {
  readonly #initOf: (name: string) => Uint8Array | undefined
  readonly #ranges: WrittenRanges
  /** The newest text of the multivariant playlist. */
  multivariant: string | undefined
  #written: string | undefined
  #period = ''
  /** Bytes of the files in the folder. */
  #total = 0
  /** Initialisation sections that its index has. */
  #inits = new Set<string>()
  /** Of the date ranges that it has. */
  #rangesVersion = 0

  constructor(initOf: (name: string) => Uint8Array | undefined, ranges: WrittenRanges) {
    this.#initOf = initOf
    this.#ranges = ranges
  }

  /** What an earlier process has written to the folder. */
  goOn(period: string, total: number): void {
    if (this.#period === period) this.#total += total
    else if (period > this.#period) [this.#period, this.#total] = [period, total]
  }

  /** `floor`: of `Losses`; what is lost can be gone from the index when it is read. */
  segment(period: string, { id, targetSeconds }: LongLife, { media, ...entry }: LongEntry, floor = 0): SegmentLines {
    const ranges = new Set<SpliceRange>(this.#ranges.changedSince(this.#rangesVersion))
    this.#rangesVersion = this.#ranges.version
    if (period !== this.#period) {
      for (const range of this.#ranges.lasting(entry.dateMs)) ranges.add(range)
      this.#period = period
      this.#total = 0
      this.#inits = new Set()
      this.#written = undefined
    }
    const lines = [...ranges].map((range) => renderRecord({ kind: 'range', ...range }))
    if (this.multivariant !== undefined && this.multivariant !== this.#written) {
      lines.push(renderRecord({ kind: 'multivariant', text: this.multivariant }))
      this.#written = this.multivariant
    }
    for (const { bytes, iframe } of media.values()) {
      this.#total += bytes
      if (iframe === undefined || this.#inits.has(iframe.init)) continue
      this.#inits.add(iframe.init)
      const init = this.#initOf(iframe.init)
      if (init === undefined) continue
      lines.push(renderRecord({ kind: 'init', bytes: Buffer.from(init).toString('base64') }))
    }
    const record = { ...entry, kind: 'segment', life: id, target: targetSeconds, total: this.#total } as const
    const withMedia = (files: object, more: object): string => {
      return [...lines, renderRecord({ ...record, ...more, media: files } as unknown as SegmentRecord)].join('')
    }
    const whole = withMedia(Object.fromEntries(media), floor > 0 ? { floor } : {})
    return { lines: whole, gap: withMedia({}, { lost: true }) }
  }

  end(life: string): string {
    return renderRecord({ kind: 'end', life })
  }
}
