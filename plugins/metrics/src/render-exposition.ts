// Metric families as text in Prometheus' exposition format, version 0.0.4.
// https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
import type { MetricFamily, MetricRow } from '@millrace/engine/plugin'

export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** Called for each family that could not be rendered; the others are rendered. */
export type OnSkipped = (family: MetricFamily, error: unknown) => void

type Labels = Readonly<Record<string, string>>

export function renderExposition(families: readonly MetricFamily[], onSkipped: OnSkipped): string {
  let text = ''
  for (const family of families) {
    try {
      text += renderFamily(family)
    } catch (error) {
      onSkipped(family, error)
    }
  }
  return text
}

function renderFamily({ name, kind, help, rows }: MetricFamily): string {
  let text = `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${kind}\n`
  for (const row of rows) {
    const labels = renderLabels(row.labels)
    if (kind === 'histogram') text += renderHistogram(name, labels, row)
    else if (kind === 'counter' && row.value < 0) throw new RangeError(`the counter ${name} is ${row.value}`)
    else text += renderSample(name, labels, row.value)
  }
  return text
}

/** Every histogram has a bucket `+Inf` that equals its count. */
function renderHistogram(name: string, labels: string, { value, buckets = [], count = 0 }: MetricRow): string {
  const bucket = `${name}_bucket`
  const before = labels === '' ? '' : `${labels},`
  let text = ''
  for (const [upperBound, below] of buckets) {
    if (upperBound !== Infinity) text += renderSample(bucket, `${before}le="${upperBound}"`, below)
  }
  text += renderSample(bucket, `${before}le="+Inf"`, count)
  return text + renderSample(`${name}_sum`, labels, value) + renderSample(`${name}_count`, labels, count)
}

/** Without braces; empty where there are none. */
function renderLabels(labels: Labels): string {
  let text = ''
  for (const label in labels) text += `${text === '' ? '' : ','}${label}="${escapeLabel(labels[label] ?? '')}"`
  return text
}

function renderSample(name: string, labels: string, value: number): string {
  return `${name}${labels === '' ? '' : `{${labels}}`} ${renderValue(value)}\n`
}

/** As Go's ParseFloat accepts it. */
function renderValue(value: number): string {
  if (Number.isFinite(value)) return String(value)
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
}

function escapeHelp(text: string): string {
  return text.replace(/[\\\n]/g, escaped)
}

function escapeLabel(text: string): string {
  return /[\\\n"]/.test(text) ? text.replace(/[\\\n"]/g, escaped) : text
}

function escaped(character: string): string {
  return character === '\n' ? '\\n' : `\\${character}`
}
