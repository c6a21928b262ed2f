// The report of a probe, for people: a line for each broken rule, then a summary.
import type { ReportedFinding, RuleClass } from '@millrace/media/hls'
import { printable } from '../observe/printable.js'
import type { ProbeReport } from '../probe/probe-report.js'
import type { Paint, TerminalStyle } from './terminal-style.js'

const CLASSES: readonly RuleClass[] = ['must', 'should', 'apple']

export function renderProbe({ playlists, findings }: ProbeReport, style: TerminalStyle): string {
  const paints: Readonly<Record<RuleClass, Paint>> = { must: style.red, should: style.yellow, apple: style.cyan }
  const lines = findings.map((finding) => renderFinding(finding, paints[finding.class], style))
  const loads = playlists.reduce((sum, one) => sum + one.loads, 0)
  const segments = playlists.reduce((sum, one) => sum + one.segments, 0)
  const counts = CLASSES.map((each) => `${findings.filter((one) => one.class === each).length} ${each}`).join(', ')
  const loaded = `${amount(playlists.length, 'media playlist')}, loaded ${amount(loads, 'time')}`
  const seen = playlists.length === 0 ? '1 text checked' : `${loaded}, ${amount(segments, 'segment')} read`
  const verdict = findings.length === 0 ? style.green('no broken rule') : `broken rules: ${counts}`
  return `${[...lines, `${seen}; ${verdict}`].join('\n')}\n`
}

function renderFinding(finding: ReportedFinding, paint: Paint, style: TerminalStyle): string {
  const { class: ofClass, rule, section, sentence, where, line, seen, count } = finding
  const place = printable(`${where}${line === undefined ? '' : `:${line}`}`)
  const times = count > 1 ? ` (${count} times)` : ''
  return [
    `${paint(ofClass)} ${style.bold(rule)} ${style.dim(`[${section}]`)} ${place}`,
    `  ${sentence}`,
    `  seen: ${printable(seen).replaceAll('\n', ' ')}${times}`,
  ].join('\n')
}

function amount(count: number, unit: string): string {
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}
