// The status of an engine for people: the engine, its listeners, and a line per node.
import type { EngineStatus, ListenerStatus, NodeState, NodeStatus } from '../observe/status.js'
import { printable } from '../observe/printable.js'
import { renderBitRate, renderUptime } from '../observe/human-amounts.js'
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
  if (reload === undefined || reload.inSync) return []
  const { runningId, reason = 'for an unknown reason' } = reload
  return [style.red(printable(`disk differs from running ${runningId}: ${reason}`).replaceAll('\n', ' '))]
}

function heading(title: string, description: string, style: TerminalStyle): string {
  const more = description === '' ? '' : `  ${printable(description)}`
  return style.bold(printable(title)) + more
}

function renderListeners(listeners: readonly ListenerStatus[], style: TerminalStyle): readonly string[] {
  const rows = listeners.map(({ name, protocol, address, node }) => [
    cell(name),
    cell(protocol),
    cell(address),
    ...(node === undefined
      ? [cell(''), cell('')]
      : [cell(node.state, paintOf(node.state, style)), cell(remarkOf(node))]),
  ])
  return [style.bold('listeners'), ...renderTable(rows, '  ')]
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

function remarkOf({ why, restarts, stalls, urls = [] }: NodeStatus): string {
  const restarted = restarts > 0 ? `restarted ${timesOf(restarts)}` : ''
  const stalled =
    stalls === undefined
      ? ''
      : `blocked the event loop ${timesOf(stalls.count)}, ${stalls.seconds.toFixed(1)} s in total`
  return [why, urls.join(' '), restarted, stalled].filter((text) => text !== '').join('; ')
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
