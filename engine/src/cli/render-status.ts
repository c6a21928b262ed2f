// The status of an engine for people: the engine, its listeners, and a line per node.
import type { EngineStatus, ListenerStatus, NodeState, NodeStatus } from '../observe/status.js'
import { printable } from '../observe/printable.js'
import { renderBitRate, renderUptime } from '../observe/human-amounts.js'
import { renderViewers } from './print-reload.js'
import { type Cell, renderTable } from './render-table.js'
import type { Paint, TerminalStyle } from './terminal-style.js'

const NODE_COLUMNS = ['node', 'kind', 'type', 'state', 'rate', 'viewers', 'url or reason'] as const

/** Ends with a newline. */
export function renderStatus(status: EngineStatus, style: TerminalStyle): string {
  const { state, ready, version, nodeVersion, pid, uptimeSeconds, files } = status
  const readiness = ready ? style.green('ready') : style.yellow('not ready')
  const sections = [
    [
      ...renderDifference(status.reload, style),
      `${style.bold('engine')}  ${state}, ${readiness}, up ${renderUptime(uptimeSeconds)}`,
      `  ${printable(files.join(', '))}`,
      style.dim(printable(`  version ${version}, Node ${nodeVersion.replace(/^v/, '')}, process ${pid}`)),
      ...renderReloads(status.reload, style),
    ],
    ...(status.listeners.length > 0 ? [renderListeners(status.listeners, style)] : []),
    ...status.pipelines.map(({ name, description, nodes }) => [
      heading(`pipeline ${name}`, description, style),
      ...renderNodes(nodes, style),
    ]),
    ...(status.services.length > 0 ? [[style.bold('services'), ...renderNodes(status.services, style)]] : []),
  ]
  return `${sections.map((lines) => lines.join('\n')).join('\n\n')}\n`
}

function renderDifference(reload: EngineStatus['reload'], style: TerminalStyle): readonly string[] {
  if (reload === undefined) return []
  const { runningId, reason = 'for an unknown reason', inProgress, retryAt } = reload
  const lines: string[] = []
  if (inProgress !== undefined) {
    lines.push(style.yellow(`a reload is in progress since ${timeOf(inProgress.since)}, by ${inProgress.by}`))
  }
  if (reload.inSync) return lines
  const again = retryAt === undefined ? '' : `; it is tried again at ${timeOf(retryAt)}`
  const text = printable(`disk differs from running ${runningId}: ${reason}${again}`).replaceAll('\n', ' ')
  return [...lines, style.red(text)]
}

/** The configuration that runs, and how the last reload went. */
function renderReloads(reload: EngineStatus['reload'], style: TerminalStyle): readonly string[] {
  if (reload === undefined) return []
  const { runningId, probation, last, reason = '' } = reload
  const trial = probation === undefined ? '' : `, on probation until ${timeOf(probation.until)}`
  const lines = [style.dim(printable(`  configuration ${runningId}${trial}`))]
  if (last === undefined) return lines
  const { result, by, at, why, viewersBefore, viewersLost } = last
  const isChange = result === 'applied' || result === 'rolled-back'
  // Viewers are counted where something has changed.
  const effect = isChange ? renderViewers(viewersBefore, viewersLost) : 'nothing was changed'
  // What the first line says is not said again.
  const cause = why === '' || reason.includes(why) ? '' : `: ${why}`
  const text = printable(`  last reload ${result} at ${timeOf(at)}, by ${by}; ${effect}${cause}`).replaceAll('\n', ' ')
  const isDone = result === 'applied' || result === 'unchanged' || result === 'superseded'
  return [...lines, isDone ? style.dim(text) : style.yellow(text)]
}

/** Without fractions of a second. */
function timeOf(time: string): string {
  return time.replace(/\.\d+(?=Z$)/, '')
}

function heading(title: string, description: string, style: TerminalStyle): string {
  const more = description === '' ? '' : `  ${printable(description)}`
  return style.bold(printable(title)) + more
}

function renderListeners(listeners: readonly ListenerStatus[], style: TerminalStyle): readonly string[] {
  const rows = listeners.map(({ name, protocol, address, why, node }) => [
    cell(name),
    cell(protocol),
    cell(address),
    ...(why === undefined ? stateCells(node, style) : [cell('not bound', style.red), cell(why)]),
  ])
  return [style.bold('listeners'), ...renderTable(rows, '  ')]
}

function stateCells(node: NodeStatus | undefined, style: TerminalStyle): readonly Cell[] {
  if (node === undefined) return [cell(''), cell('')]
  return [cell(node.state, paintOf(node.state, style)), cell(remarkOf(node))]
}

function renderNodes(nodes: readonly NodeStatus[], style: TerminalStyle): readonly string[] {
  const head = NODE_COLUMNS.map((title) => cell(title, style.dim))
  return renderTable([head, ...nodes.map((node) => nodeCells(node, style))], '  ')
}

function nodeCells(node: NodeStatus, style: TerminalStyle): readonly Cell[] {
  const { id, kind, type, state, bitsPerSecond, clients } = node
  return [
    cell(id.slice(id.indexOf('/') + 1)),
    cell(kind),
    cell(type),
    cell(state, paintOf(state, style)),
    cell(bitsPerSecond === undefined ? '-' : renderBitRate(bitsPerSecond)),
    cell(clients === undefined ? '-' : String(clients)),
    cell(remarkOf(node)),
  ]
}

function remarkOf({ why, restarts, stalls, urls = [], aliases = [], details }: NodeStatus): string {
  const restarted = restarts > 0 ? `restarted ${timesOf(restarts)}` : ''
  const stalled =
    stalls === undefined
      ? ''
      : `blocked the event loop ${timesOf(stalls.count)}, ${stalls.seconds.toFixed(1)} s in total`
  const former = aliases.map(
    ({ url, viewers, until }) =>
      `until ${timeOf(until)} also ${url}, ${viewers} ${viewers === 1 ? 'viewer' : 'viewers'}`,
  )
  return [why, urls.join(' '), ...former, errorsOf(details), restarted, stalled]
    .filter((text) => text !== '')
    .join('; ')
}

/** What a node that checks the stream has counted, in `details.checks`: the errors by their short names. */
function errorsOf(details: NodeStatus['details']): string {
  if (typeof details !== 'object' || details === null || !('checks' in details)) return ''
  const { checks } = details
  if (typeof checks !== 'object' || checks === null) return ''
  const found = Object.entries(checks).flatMap(([name, count]: [string, unknown]) =>
    typeof count === 'number' && count > 0 ? [`${name} ${count}`] : [],
  )
  return found.length === 0 ? '' : `errors: ${found.join(', ')}`
}

function timesOf(count: number): string {
  return count === 1 ? 'once' : `${count} times`
}

function paintOf(state: NodeState, style: TerminalStyle): Paint {
  if (state === 'ready') return style.green
  if (state === 'idle') return style.cyan
  if (state === 'failed') return style.red
  return state === 'ended' || state === 'stopped' ? style.dim : style.yellow
}

function cell(text: string, paint?: Paint): Cell {
  const safe = printable(text).replaceAll('\n', ' ')
  return paint === undefined ? { text: safe } : { text: safe, paint }
}
