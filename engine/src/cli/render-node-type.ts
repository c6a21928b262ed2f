// A node type for people: what it consumes and produces, its options, metrics, errors and examples.
import type { Offered } from '../plugin/catalogue.js'
import type { DescribedOption } from '../plugin/manifest.js'
import { printable } from '../observe/printable.js'
import { renderTable } from './render-table.js'
import type { Cell } from './render-table.js'
import type { TerminalStyle } from './terminal-style.js'
import { wrapText } from './wrap-text.js'

const WIDTH = 100
const INDENT = '  '
const FRAMED = 'ts (bytes that the engine frames)'

/** What happens to the node, by the reaction of an error. */
const REACTIONS = {
  retry: 'the node is retried',
  end: 'the node ends',
  config: 'the node does not start, or stops',
  bug: 'the node stops; a bug',
}

/** Ends with a newline. */
export function renderNodeTypes(offered: readonly Offered[], style: TerminalStyle): string {
  if (offered.length === 0) return 'no plugins are installed\n'
  const head = ['kind', 'type', 'package', 'what it does'].map((text) => cell(text, style.dim))
  const rows = offered.map(({ definition: { kind, type, summary }, plugin }) => [
    cell(kind),
    cell(type, style.bold),
    cell(plugin.name),
    cell(summary),
  ])
  return `${renderTable([head, ...rows]).join('\n')}\n`
}

/** Ends with a newline. */
export function renderNodeType({ definition, plugin }: Offered, style: TerminalStyle): string {
  const { kind, type, summary, options, metrics, commands, examples } = definition
  const errors = plugin.manifest?.errors ?? []
  const sections: readonly (readonly [string, readonly string[]])[] = [
    [`${style.bold(printable(`${kind} ${type}`))}  ${printable(summary)}`, aboutLines({ definition, plugin })],
    [style.bold('Options'), options.length === 0 ? ['none'] : options.flatMap((row) => optionLines(row, style))],
    [style.bold('Metrics'), metrics.length === 0 ? ['none of its own'] : metrics.flatMap(metricLines)],
    ...(commands.length === 0
      ? []
      : ([[style.bold('Commands'), commands.flatMap((each) => commandLines(each, style))]] as const)),
    [
      style.bold('Errors'),
      errors.length === 0
        ? ['none of its own']
        : errors.flatMap(({ code, sentence, hint, reaction }) => [
            `${code}  ${style.dim(REACTIONS[reaction])}`,
            ...wrapText(printable(`${sentence} What to do: ${hint.replace(/\.$/, '')}.`), WIDTH, INDENT),
          ]),
    ],
    [style.bold('Examples'), examples.flatMap(({ title, yaml }) => [`# ${title}`, ...yaml.trim().split('\n')])],
  ]
  return sections.map(([title, lines]) => [title, ...lines.map((line) => `${INDENT}${line}`), ''].join('\n')).join('\n')
}

function aboutLines({ definition, plugin }: Offered): readonly string[] {
  const { consumes, produces, inlets, transport, ports, publishers } = definition
  const rows: (readonly [string, string])[] = [['package', `${plugin.name} ${plugin.version}`.trim()]]
  if (transport !== undefined)
    rows.push(['transport', `${transport}; the keys of every such listener are in docs/listeners.md`])
  if (consumes !== undefined)
    rows.push(['consumes', `${consumes.join(' or ')}, from ${inlets === 'many' ? 'one or more nodes' : 'one node'}`])
  if (produces !== undefined) rows.push(['produces', produces === 'bytes' ? FRAMED : produces])
  if (publishers === true)
    rows.push(['publishers', 'with streams: "*", each published stream gets a copy of the pipeline'])
  if (ports !== undefined) rows.push(['ports', portsText(ports)])
  return renderTable(rows.map((row) => row.map((text) => cell(text))))
}

function portsText(ports: NonNullable<Offered['definition']['ports']>): string {
  if (ports === 'by options') return 'by its options'
  return ports.map(({ name, kind }) => `${name}: ${kind === 'bytes' ? FRAMED : kind}`).join(', ')
}

/** `isOption`: of a node, not of a command: it has a reload class. */
function optionLines(row: DescribedOption, style: TerminalStyle, isOption = true): readonly string[] {
  const { path, kind, unit, range, default: value, required, reload, description } = row
  const isGroup = kind === 'group'
  const facts = [
    kind,
    ...(unit === '' ? [] : [unit]),
    ...(range === '' ? [] : [range]),
    ...(required ? ['required'] : []),
    ...(value === undefined ? [] : [`default ${value === '' ? '""' : value}`]),
    ...(isGroup || !isOption ? [] : [`reload: ${reload}`]),
  ]
  const head = `${style.cyan(printable(path))}  ${style.dim(printable(facts.join('; ')))}`
  return [head, ...wrapText(printable(description), WIDTH, INDENT)]
}

function commandLines(
  { name, summary, input }: Offered['definition']['commands'][number],
  style: TerminalStyle,
): readonly string[] {
  const values = input.flatMap((row) => optionLines(row, style, false).map((line) => `${INDENT}${line}`))
  return [style.cyan(printable(name)), ...wrapText(printable(summary), WIDTH, INDENT), ...values]
}

function metricLines(metric: Offered['definition']['metrics'][number]): readonly string[] {
  const { name, kind, help, labels } = metric
  const labelled = labels.length === 0 ? '' : `{${labels.join(',')}}`
  return [printable(`millrace_${name}${labelled}  ${kind}`), ...wrapText(printable(help), WIDTH, INDENT)]
}

function cell(text: string, paint?: Cell['paint']): Cell {
  const safe = printable(text).replaceAll('\n', ' ')
  return paint === undefined ? { text: safe } : { text: safe, paint }
}
