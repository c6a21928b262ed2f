// All metrics of the engine and its nodes. The data path only changes plain numbers; this registry knows how to read
// them, and does so at the time of a scrape. What is disposed is gone from the next scrape.
import type { MetricDeclaration, MetricRead } from '../plugin/contract.js'
import type { MetricFamily, MetricRow, MetricsSource } from '../plugin/tokens.js'
import type { Histogram } from './histogram.js'

const PREFIX = 'millrace_'
/** Names as Prometheus takes them; its data model also allows colons, which are for recording rules. */
const NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/
/** Rows that one read may give; further ones are left out and counted. */
const MAX_ROWS_PER_READ = 1000
/** Between label values in the key of a row; no label value of ours contains it. */
const SEPARATOR = '\u0000'

const READ_ERRORS: MetricDeclaration = {
  name: 'metric_read_errors_total',
  kind: 'counter',
  help: 'Metrics left out of a scrape because reading them failed.',
}

type Labels = Readonly<Record<string, string>>

interface Member {
  readonly labels: Labels
  /** Of a row with no other labels. */
  readonly key: string
  /** Label names that rows may have beside those of `labels`. */
  readonly rowLabels: ReadonlySet<string>
  read(): Iterable<MetricRow>
}

interface Family {
  readonly name: string
  readonly kind: MetricFamily['kind']
  readonly help: string
  readonly members: Set<Member>
}

type OnReadError = (metric: string, error: unknown, labels: Labels) => void

export class MetricsRegistry implements MetricsSource {
  readonly #families = new Map<string, Family>()
  readonly #onReadError: OnReadError
  /** Members that the last scrape has left out. */
  readonly #failing = new WeakSet<Member>()
  #readErrors = 0

  /**
   * `onReadError` is called for a metric that a scrape leaves out, once until it can be read again. By default it is only
   * counted.
   */
  constructor(onReadError: OnReadError = () => undefined) {
    this.#onReadError = onReadError
    this.add(READ_ERRORS, {}, () => this.#readErrors)
  }

  /**
   * Adds a metric under the prefix `millrace_` until disposed. `labels` are constant and win over those of a row.
   * Throws TypeError for a malformed name, and where the name is taken with another kind or help text.
   */
  add(declaration: MetricDeclaration, labels: Labels, read: MetricRead): Disposable {
    return this.#addNumbers(PREFIX + declaration.name, declaration, labels, read)
  }

  /** As `add`, for names that Prometheus' conventions fix, as `process_cpu_seconds_total`. */
  addUnprefixed(declaration: MetricDeclaration, labels: Labels, read: MetricRead): Disposable {
    return this.#addNumbers(declaration.name, declaration, labels, read)
  }

  addHistogram(name: string, help: string, labels: Labels, histogram: Histogram): Disposable {
    return this.#join(PREFIX + name, 'histogram', help, {
      labels,
      rowLabels: new Set(),
      read: () => [{ labels, value: histogram.sum, count: histogram.count, buckets: histogram.buckets() }],
    })
  }

  /** Families by name. Where two members give the same labels, the one added later counts: a node that takes over. */
  collect(): readonly MetricFamily[] {
    const families = [...this.#families.values()].filter((family) => family.name !== PREFIX + READ_ERRORS.name)
    const collected = families.map((family) => this.#collectFamily(family))
    const errors = this.#families.get(PREFIX + READ_ERRORS.name)
    if (errors !== undefined) collected.push(this.#collectFamily(errors))
    return collected.filter((family) => family.rows.length > 0).sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  #addNumbers(name: string, declaration: MetricDeclaration, labels: Labels, read: MetricRead): Disposable {
    if (declaration.kind === 'counter' && !name.endsWith('_total')) {
      throw new TypeError(`the counter ${name} must end in _total`)
    }
    return this.#join(name, declaration.kind, declaration.help, {
      labels,
      rowLabels: new Set(declaration.labels),
      read: () => {
        const now = read()
        if (typeof now === 'number') return [{ labels, value: now }]
        return withLabels(now, labels)
      },
    })
  }

  #join(name: string, kind: Family['kind'], help: string, joining: Omit<Member, 'key'>): Disposable {
    const member: Member = { ...joining, key: keyOf(joining.labels) }
    for (const each of [name, ...Object.keys(member.labels), ...member.rowLabels]) {
      if (!NAME.test(each)) throw new TypeError(`${JSON.stringify(each)} is no name for a metric or a label`)
    }
    const family = this.#families.get(name) ?? { name, kind, help, members: new Set<Member>() }
    if (family.kind !== kind || family.help !== help) {
      throw new TypeError(`the metric ${name} exists as a ${family.kind} with the help text "${family.help}"`)
    }
    this.#families.set(name, family)
    family.members.add(member)
    return {
      [Symbol.dispose]: () => {
        family.members.delete(member)
        if (family.members.size === 0 && this.#families.get(name) === family) this.#families.delete(name)
      },
    }
  }

  #collectFamily(family: Family): MetricFamily {
    const rows = new Map<string, MetricRow>()
    for (const member of family.members) {
      for (const row of this.#readMember(family, member)) {
        rows.set(row.labels === member.labels ? member.key : keyOf(row.labels), row)
      }
    }
    const { name, kind, help } = family
    return { name, kind, help, rows: [...rows.values()] }
  }

  #readMember(family: Family, member: Member): readonly MetricRow[] {
    const rows: MetricRow[] = []
    try {
      for (const row of member.read()) {
        if (rows.length === MAX_ROWS_PER_READ) {
          this.#leaveOut(family, member, new RangeError(`more than ${MAX_ROWS_PER_READ} rows`))
          return rows
        }
        checkRow(row, member)
        rows.push(row)
      }
    } catch (error) {
      this.#leaveOut(family, member, error)
      // The rows before a ceiling are right; those before a failure may be half of the truth.
      return []
    }
    this.#failing.delete(member)
    return rows
  }

  #leaveOut(family: Family, member: Member, error: unknown): void {
    this.#readErrors++
    if (this.#failing.has(member)) return
    this.#failing.add(member)
    this.#onReadError(family.name, error, member.labels)
  }
}

function* withLabels(rows: Iterable<readonly [Labels, number]>, labels: Labels): Iterable<MetricRow> {
  for (const [own, value] of rows) yield { labels: { ...own, ...labels }, value }
}

function checkRow(row: MetricRow, member: Member): void {
  if (typeof row.value !== 'number') throw new TypeError(`the value ${JSON.stringify(row.value)} is no number`)
  if (row.labels === member.labels) return
  for (const name in row.labels) {
    if (!member.rowLabels.has(name) && !(name in member.labels)) throw new TypeError(`label ${name} is not declared`)
    if (typeof row.labels[name] !== 'string') throw new TypeError(`label ${name} is no text`)
  }
}

function keyOf(labels: Labels): string {
  return Object.entries(labels)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}${SEPARATOR}${value}`)
    .join(SEPARATOR)
}
