// One family of metrics, as prom-client renders it: an object with `name` and `get()`. Its members are plain numbers of
// the data path, read at scrape time.
import type { MetricDeclaration, MetricRead } from '../plugin/contract.js'
import type { Histogram } from './histogram.js'

/** The most rows that `get()` returns: rendering them takes one to two milliseconds of the event loop. */
export const ROWS_PER_TURN = 500
/** Rows that one member can return; further ones are left out and counted. */
export const MAX_ROWS_PER_MEMBER = 1000
/** Separates label values in the key of a row; none of our label values contains it. */
const SEPARATOR = '\u0000'
const NO_LABELS: Labels = Object.freeze({})

export type Labels = Readonly<Record<string, string>>
type Kind = MetricDeclaration['kind']

/** The rows of one owner. */
export interface Member {
  /** On each row; they take precedence over those of the row. */
  readonly labels: Labels
  /** Label names that rows can have in addition to those. */
  readonly rowLabels: ReadonlySet<string>
  readonly read: MetricRead | Histogram
}

/** A member that a reading left out, in whole or in part. */
export interface ReadFailure {
  readonly error: unknown
  /** The labels of the member. */
  readonly labels: Labels
  /** The reading before failed too. */
  readonly isRepeated: boolean
}

/** One line of the text. prom-client renders shared labels once for all rows of a member. */
interface Row {
  readonly metricName: string
  readonly labels: Labels
  readonly sharedLabels: Labels
  readonly value: number
}

export class MetricFamily {
  readonly name: string
  readonly kind: Kind
  readonly help: string
  /** Each with the key of its labels. */
  readonly #members = new Map<Member, string>()
  /** The last reading, and how many of its rows `get()` has returned. */
  #rows: Row[] = []
  #returned = 0
  readonly #keys = new Set<string>()
  /** Members that the last reading left out. */
  #failing: ReadonlySet<Member> = new Set()
  /** Labels of the buckets of histograms. */
  readonly #bounds = new Map<number, Labels>()

  constructor(name: string, kind: Kind, help: string) {
    this.name = name
    this.kind = kind
    this.help = help
  }

  get isEmpty(): boolean {
    return this.#members.size === 0
  }

  /** Members that are histograms, with their labels. */
  get histograms(): readonly (readonly [Labels, Histogram])[] {
    return [...this.#members.keys()].flatMap(({ labels, read }) =>
      typeof read === 'function' ? [] : [[labels, read] as const],
    )
  }

  add(member: Member): void {
    this.#members.set(member, keyOf(member.labels))
  }

  delete(member: Member): void {
    this.#members.delete(member)
  }

  /** Rows of the last reading that `get()` has not returned yet. */
  get waiting(): number {
    return this.#rows.length - this.#returned
  }

  /**
   * Reads all members at once: all rows are from the same moment, however long the rendering takes. If two rows have the
   * same labels, the one of the member added later counts: it is the node that takes over.
   */
  read(onFailure: (failure: ReadFailure) => void): void {
    this.#returned = 0
    this.#keys.clear()
    this.#rows = []
    const failing = new Set<Member>()
    for (const [member, key] of [...this.#members].reverse()) {
      const fail = (error: unknown): void => {
        failing.add(member)
        onFailure({ error, labels: member.labels, isRepeated: this.#failing.has(member) })
      }
      try {
        this.#rows.push(...this.#readMember(member, key, fail))
      } catch (error) {
        // The rows before a failure may be half of a result.
        fail(error)
      }
    }
    this.#failing = failing
  }

  /** Called by prom-client: the next rows of the last reading, at most ROWS_PER_TURN. */
  get(): { name: string; help: string; type: Kind; values: readonly Row[] } {
    const values = this.#rows.slice(this.#returned, this.#returned + ROWS_PER_TURN)
    this.#returned += values.length
    return { name: this.name, help: this.help, type: this.kind, values }
  }

  #readMember(
    { labels: sharedLabels, rowLabels, read }: Member,
    key: string,
    onError: (error: unknown) => void,
  ): Row[] {
    if (typeof read !== 'function') return this.#isNew(key) ? this.#histogramRows(sharedLabels, read) : []
    const now = read()
    if (typeof now === 'number') {
      this.#checkValue(now)
      return this.#isNew(key) ? [{ metricName: this.name, labels: NO_LABELS, sharedLabels, value: now }] : []
    }
    const rows: Row[] = []
    for (const [labels, value] of now) {
      if (rows.length === MAX_ROWS_PER_MEMBER) {
        onError(new RangeError(`more than ${MAX_ROWS_PER_MEMBER} rows`))
        break
      }
      checkLabels(labels, sharedLabels, rowLabels)
      this.#checkValue(value)
      rows.push({ metricName: this.name, labels, sharedLabels, value })
    }
    return rows.filter(({ labels }) => this.#isNew(key + keyOf(labels, sharedLabels)))
  }

  /** Cumulative buckets; the last one, `+Inf`, equals the count. */
  #histogramRows(sharedLabels: Labels, histogram: Histogram): Row[] {
    const rows: Row[] = histogram.buckets().map(([bound, value]) => {
      return { metricName: `${this.name}_bucket`, labels: this.#labelsOf(bound), sharedLabels, value }
    })
    const ofAll = { labels: NO_LABELS, sharedLabels }
    rows.push({ metricName: `${this.name}_sum`, ...ofAll, value: histogram.sum })
    rows.push({ metricName: `${this.name}_count`, ...ofAll, value: histogram.count })
    return rows
  }

  #labelsOf(bound: number): Labels {
    const labels = this.#bounds.get(bound) ?? { le: bound === Infinity ? '+Inf' : String(bound) }
    this.#bounds.set(bound, labels)
    return labels
  }

  /** Whether it is the first row of this reading with these labels. */
  #isNew(key: string): boolean {
    const { size } = this.#keys
    return this.#keys.add(key).size > size
  }

  #checkValue(value: unknown): void {
    if (typeof value !== 'number') throw new TypeError(`the value ${JSON.stringify(value)} is not a number`)
    if (this.kind === 'counter' && value < 0) throw new RangeError(`the counter is ${value}`)
  }
}

function checkLabels(labels: Labels, sharedLabels: Labels, rowLabels: ReadonlySet<string>): void {
  for (const name in labels) {
    if (!rowLabels.has(name) && !(name in sharedLabels)) throw new TypeError(`label ${name} is not declared`)
    if (typeof labels[name] !== 'string') throw new TypeError(`label ${name} is not text`)
  }
}

/** Equal for equal labels; those in `except` are left out. */
function keyOf(labels: Labels, except = NO_LABELS): string {
  let key = ''
  const names = Object.keys(labels)
  for (const name of names.length > 1 ? names.sort() : names) {
    if (!(name in except)) key += `${name}${SEPARATOR}${labels[name]}${SEPARATOR}`
  }
  return key
}
