// What has to be known of thousands of segments to find their files: some 30 bytes for each, and 4 more for each rendition.
// Rows are added at the end, and removed from the front.

export interface TableRow {
  readonly sequence: number
  readonly name: string
  readonly ticks: number
  readonly isNew: boolean
  readonly dateMs: number
  /** The files by rendition; none for a gap. */
  readonly media: ReadonlyMap<string, { readonly bytes: number }>
}

interface Column {
  readonly constructor: new (length: number) => Column
  readonly length: number
  [index: number]: number
  set(from: Column, at?: number): void
  copyWithin(target: number, start: number, end?: number): unknown
}

const FIRST_CAPACITY = 64
/** Audio renditions are named by PIDs, which a stream can change again and again. */
const MOST_RENDITIONS = 64
/** In the column of files: a gap. */
const GAP = 0xffff_ffff
/** A name is a number, or a number, `_` and the sequence. */
const NAME = /^(\d{1,15})(_\d{1,16})?$/

export class SegmentTable {
  #sequence: Column = new Float64Array(FIRST_CAPACITY) as unknown as Column
  #dateMs: Column = new Float64Array(FIRST_CAPACITY) as unknown as Column
  #name: Column = new Float64Array(FIRST_CAPACITY) as unknown as Column
  #ticks: Column = new Uint32Array(FIRST_CAPACITY) as unknown as Column
  #flags: Column = new Uint8Array(FIRST_CAPACITY) as unknown as Column
  readonly #files = new Map<string, Column>()
  /** Sequence number of the newest file of each rendition. */
  readonly #newest = new Map<string, number>()
  #from = 0
  #to = 0

  get length(): number {
    return this.#to - this.#from
  }

  /** Of all columns. */
  get memoryBytes(): number {
    const fixed = 3 * 8 + 4 + 1
    return this.#capacity * (fixed + 4 * this.#files.size)
  }

  get renditions(): readonly string[] {
    return [...this.#files.keys()]
  }

  append({ sequence, name, ticks, isNew, dateMs, media }: TableRow): void {
    this.#makeRoom()
    const at = this.#to++
    const [, number = '0', suffix] = NAME.exec(name) ?? []
    this.#sequence[at] = sequence
    this.#dateMs[at] = dateMs
    this.#name[at] = Number(number)
    this.#ticks[at] = ticks
    this.#flags[at] = (isNew ? 1 : 0) | (suffix === undefined ? 0 : 2)
    for (const rendition of media.keys()) {
      if (!this.#files.has(rendition)) this.#files.set(rendition, this.#newFiles())
      this.#newest.set(rendition, sequence)
    }
    if (this.#files.size > MOST_RENDITIONS) this.#forgetRenditions()
    for (const [rendition, column] of this.#files) column[at] = media.get(rendition)?.bytes ?? GAP
  }

  removeFirst(count = 1): void {
    this.#from = Math.min(this.#from + count, this.#to)
  }

  /** Its files are not there any more. */
  makeGap(index: number): void {
    for (const column of this.#files.values()) column[this.#from + index] = GAP
  }

  sequenceAt(index: number): number {
    return this.#sequence[this.#from + index]!
  }

  dateMsAt(index: number): number {
    return this.#dateMs[this.#from + index]!
  }

  ticksAt(index: number): number {
    return this.#ticks[this.#from + index]!
  }

  isNewAt(index: number): boolean {
    return (this.#flags[this.#from + index]! & 1) !== 0
  }

  nameAt(index: number): string {
    const at = this.#from + index
    return `${this.#name[at]}${(this.#flags[at]! & 2) === 0 ? '' : `_${this.#sequence[at]}`}`
  }

  /** Undefined for a gap. */
  bytesAt(index: number, rendition: string): number | undefined {
    const bytes = this.#files.get(rendition)?.[this.#from + index] ?? GAP
    return bytes === GAP ? undefined : bytes
  }

  /** Index of the row with that name, the newest if there are several; -1 if there is none. */
  find(name: string): number {
    const [, number, suffix] = NAME.exec(name) ?? []
    if (number === undefined) return -1
    if (suffix !== undefined) {
      const index = this.findSequence(Number(suffix.slice(1)))
      return index >= 0 && this.nameAt(index) === name ? index : -1
    }
    // By default names are sequence numbers.
    const likely = this.findSequence(Number(number))
    if (likely >= 0 && this.nameAt(likely) === name) return likely
    const wanted = Number(number)
    for (let at = this.#to - 1; at >= this.#from; at--) {
      if (this.#name[at] === wanted && (this.#flags[at]! & 2) === 0) return at - this.#from
    }
    return -1
  }

  findSequence(sequence: number): number {
    let [low, high] = [0, this.length - 1]
    while (low <= high) {
      const middle = (low + high) >>> 1
      const found = this.sequenceAt(middle)
      if (found === sequence) return middle
      if (found < sequence) low = middle + 1
      else high = middle - 1
    }
    return -1
  }

  /** Those of which nothing has come for the longest time. */
  #forgetRenditions(): void {
    const oldest = [...this.#newest].toSorted(([, a], [, b]) => a - b)
    for (const [rendition] of oldest.slice(0, -MOST_RENDITIONS)) {
      this.#newest.delete(rendition)
      this.#files.delete(rendition)
    }
  }

  get #capacity(): number {
    return this.#ticks.length
  }

  #newFiles(): Column {
    return new Uint32Array(this.#capacity).fill(GAP) as unknown as Column
  }

  #makeRoom(): void {
    if (this.#to < this.#capacity) return
    const { length } = this
    // What was removed makes room, if it is worth the copy.
    if (this.#from >= this.#capacity / 4) {
      for (const column of this.#columns()) column.copyWithin(0, this.#from, this.#to)
    } else {
      const grow = (column: Column): Column => {
        const larger = new column.constructor(Math.ceil(this.#capacity * 1.25))
        for (let index = 0; index < length; index++) larger[index] = column[this.#from + index]!
        return larger
      }
      const files = [...this.#files].map(([name, column]) => [name, grow(column)] as const)
      const [sequence, dateMs, name, flags] = [this.#sequence, this.#dateMs, this.#name, this.#flags].map(grow)
      this.#ticks = grow(this.#ticks)
      this.#sequence = sequence!
      this.#dateMs = dateMs!
      this.#name = name!
      this.#flags = flags!
      for (const [rendition, column] of files) this.#files.set(rendition, column)
    }
    this.#from = 0
    this.#to = length
  }

  #columns(): readonly Column[] {
    return [this.#sequence, this.#dateMs, this.#name, this.#ticks, this.#flags, ...this.#files.values()]
  }
}
