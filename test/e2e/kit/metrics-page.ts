// Parses the text of a scrape: Prometheus text format 0.0.4, with the rules that tests enforce.
// https://prometheus.io/docs/instrumenting/exposition_formats/
import { httpRequest } from './http-request.js'

const COMMENT = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? ([-+0-9.eE]+|[-+]?Inf|[Nn]a[Nn])$/
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\["\\n])*)"/g
const TYPES = ['counter', 'gauge', 'histogram', 'summary', 'untyped']

export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export class MetricsPage {
  readonly samples: Sample[] = []
  /** Violations of the format, including duplicates. */
  readonly faults: string[] = []
  /** TYPE by metric family. */
  readonly types = new Map<string, string>()
  readonly #helps = new Set<string>()
  readonly #series = new Set<string>()

  constructor(text: string) {
    if (!text.endsWith('\n')) this.faults.push('the last line does not end')
    for (const line of text.split('\n')) {
      const [, keyword, family = '', rest = ''] = COMMENT.exec(line) ?? []
      if (keyword === 'HELP') this.#help(line, family)
      else if (keyword === 'TYPE') this.#type(line, family, rest)
      else if (line !== '') this.#sample(line)
    }
  }

  /** The value of the single series with these labels, and possibly more; undefined if there is none. */
  value(name: string, labels: Readonly<Record<string, string>> = {}): number | undefined {
    return this.all(name, labels)[0]?.value
  }

  all(name: string, labels: Readonly<Record<string, string>> = {}): readonly Sample[] {
    return this.samples.filter(
      (sample) =>
        sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
    )
  }

  #help(line: string, family: string): void {
    if (this.#helps.has(family)) this.faults.push(`twice: ${line}`)
    this.#helps.add(family)
  }

  #type(line: string, family: string, type: string): void {
    if (this.types.has(family)) this.faults.push(`twice: ${line}`)
    if (!TYPES.includes(type)) this.faults.push(`no such type: ${line}`)
    this.types.set(family, type)
  }

  #sample(line: string): void {
    const sample = parseSample(line)
    if (sample === undefined) {
      this.faults.push(`no sample: ${line}`)
      return
    }
    const labels = Object.entries(sample.labels).map(([label, value]) => `${label}=${value}`)
    const series = [sample.name, ...labels.sort((a, b) => (a < b ? -1 : 1))].join('\n')
    if (this.#series.has(series)) this.faults.push(`twice: ${line}`)
    this.#series.add(series)
    const family = familyOf(sample.name, this.types)
    if (family === undefined || !this.#helps.has(family)) this.faults.push(`without HELP and TYPE before it: ${line}`)
    this.samples.push(sample)
  }
}

/** Scrapes an engine that was started with the metrics service of engine-yaml.ts. */
export async function scrape(api: string): Promise<MetricsPage> {
  return new MetricsPage(await scrapeText(api))
}

export async function scrapeText(api: string): Promise<string> {
  const { status, text, headers } = await httpRequest(`${api}/metrics`)
  if (status !== 200) throw new Error(`/metrics answered ${status}: ${text}`)
  if (headers['content-type']?.startsWith('text/plain') !== true) throw new Error('the scrape is not text')
  return text
}

function parseSample(line: string): Sample | undefined {
  const [, name, inside = '', value = ''] = SAMPLE.exec(line) ?? []
  if (name === undefined) return undefined
  const pairs = [...inside.matchAll(LABEL)]
  if (inside.replace(LABEL, '').replaceAll(',', '') !== '') return undefined
  const labels = Object.fromEntries(pairs.map(([, label = '', text = '']) => [label, text]))
  return { name, labels, value: Number(value.replace('Inf', 'Infinity')) }
}

/** The family name: without the suffixes `_bucket`, `_sum` and `_count` of a histogram. */
function familyOf(name: string, types: ReadonlyMap<string, string>): string | undefined {
  if (types.has(name)) return name
  const base = name.replace(/_(?:bucket|sum|count)$/, '')
  return types.get(base) === 'histogram' ? base : undefined
}
