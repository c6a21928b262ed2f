// A strict parser of the text format 0.0.4 for tests. It shares no code with the renderer.
// https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
import assert from 'node:assert/strict'

interface ParsedSample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface ParsedFamily {
  readonly help: string
  readonly type: string
  readonly samples: ParsedSample[]
}

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"(?:,|$)/
const SUFFIX = /_(?:bucket|sum|count)$/

/** Fails the test at anything that the format does not allow. */
export function parseExposition(text: string): ReadonlyMap<string, ParsedFamily> {
  assert.ok(text.endsWith('\n'), 'the last line must end')
  const families = new Map<string, ParsedFamily>()
  const helps = new Map<string, string>()
  const seen = new Set<string>()
  for (const line of text.split('\n')) {
    if (line === '') continue
    const [, keyword, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) ?(.*)$/.exec(line) ?? []
    if (keyword === 'HELP') {
      assert.ok(!helps.has(name), `HELP of ${name} appears twice`)
      helps.set(name, unescape(rest))
    } else if (keyword === 'TYPE') {
      assert.ok(!families.has(name), `TYPE of ${name} appears twice`)
      families.set(name, { help: helps.get(name) ?? '', type: rest, samples: [] })
    } else {
      assert.ok(!seen.has(line.slice(0, line.lastIndexOf(' '))), `the series appears twice: ${line}`)
      seen.add(line.slice(0, line.lastIndexOf(' ')))
      addSample(families, parseSample(line))
    }
  }
  return families
}

function addSample(families: ReadonlyMap<string, ParsedFamily>, sample: ParsedSample): void {
  const family = families.get(sample.name) ?? families.get(sample.name.replace(SUFFIX, ''))
  assert.ok(family !== undefined, `${sample.name} comes before its TYPE`)
  family.samples.push(sample)
}

function parseSample(line: string): ParsedSample {
  const match = SAMPLE.exec(line)
  assert.ok(match !== null, `not a sample: ${line}`)
  const labels: Record<string, string> = {}
  let rest = match[2] ?? ''
  while (rest !== '') {
    const label = LABEL.exec(rest)
    assert.ok(label !== null, `not a label: ${rest}`)
    labels[label[1] ?? ''] = unescape(label[2] ?? '')
    rest = rest.slice(label[0].length)
  }
  return { name: match[1] ?? '', labels, value: parseValue(match[3] ?? '') }
}

function parseValue(text: string): number {
  if (/^[+-]Inf$/.test(text)) return text.startsWith('-') ? -Infinity : Infinity
  if (/^nan$/i.test(text)) return NaN
  const value = Number(text)
  assert.ok(!Number.isNaN(value), `not a number: ${text}`)
  return value
}

function unescape(text: string): string {
  return text.replace(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped))
}
