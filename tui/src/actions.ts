// What each command does: one function for each name in the table of commands.
import type { Controls, Request } from './controls.js'
import { type CommandName, type View, VIEWS } from './input/commands.js'
import { readCommand } from './input/read-command.js'
import { type NodeModel, nodeRows, problemsOf } from '@millrace/engine/model'
import { shownEvents } from './views/events.js'
import { graphRows } from './views/graph.js'
import { shownNodes } from './views/nodes.js'
import { sortableTitles } from './views/list.js'
import { nodeColumns } from './views/node-columns.js'
import type { Spot } from './place-history.js'
import { differenceOf, LINES, PRESETS } from './views/view.js'
import { shownViewers, viewerColumns } from './views/viewers.js'

export type Action = (dashboard: Controls, nowMs: number) => Request | void

const INTERVALS_MS = [500, 1000, 2000, 5000, 10_000] as const

const views = Object.fromEntries(VIEWS.map((view) => [view, show(view)])) as Record<View, Action>

const commands: Readonly<Record<CommandName, Action>> = {
  ...views,
  help({ ui }) {
    ui.isHelp = !ui.isHelp
    ui.helpTop = 0
  },
  back,
  filter({ ui }) {
    ui.input = { kind: 'filter', text: ui.lists[ui.view].filter }
  },
  palette({ ui }) {
    ui.input = { kind: 'palette', text: '' }
  },
  problems({ ui }) {
    if (ui.view === 'viewers') ui.onlySlow = !ui.onlySlow
    else ui.onlyProblems = !ui.onlyProblems
  },
  open,
  up: (dashboard, nowMs) => move(dashboard, -1, nowMs),
  down: (dashboard, nowMs) => move(dashboard, 1, nowMs),
  'page-up': (dashboard, nowMs) => move(dashboard, -dashboard.pageRows, nowMs),
  'page-down': (dashboard, nowMs) => move(dashboard, dashboard.pageRows, nowMs),
  first: (dashboard, nowMs) => move(dashboard, -MANY, nowMs),
  last: (dashboard, nowMs) => move(dashboard, MANY, nowMs),
  'next-node': (dashboard, nowMs) => step(dashboard, 1, nowMs),
  'previous-node': (dashboard, nowMs) => step(dashboard, -1, nowMs),
  'last-place': (dashboard) => goTo(dashboard, dashboard.history.last),
  backward: (dashboard) => goTo(dashboard, dashboard.history.go(-1)),
  forward: (dashboard) => goTo(dashboard, dashboard.history.go(1)),
  sort({ ui }) {
    ui.input = { kind: 'sort', text: '' }
  },
  reverse({ ui }) {
    ui.lists[ui.view].isReversed = !ui.lists[ui.view].isReversed
  },
  wide({ ui }) {
    ui.isWide = !ui.isWide
  },
  preset({ ui }) {
    ui.preset = PRESETS[(PRESETS.indexOf(ui.preset) + 1) % PRESETS.length] ?? 'all'
  },
  follow({ ui }) {
    ui.isFollowing = true
  },
  level({ ui }) {
    ui.level = ui.level === 'all' ? 'warn' : ui.level === 'warn' ? 'error' : 'all'
  },
  lines({ ui }) {
    ui.lines = LINES[(LINES.indexOf(ui.lines) + 1) % LINES.length] ?? 'both'
  },
  copy,
  since: countFromNow,
  pause({ ui }) {
    ui.isPaused = !ui.isPaused
  },
  slower: ({ ui }) => changeInterval(ui, 1),
  faster: ({ ui }) => changeInterval(ui, -1),
  save: (dashboard, nowMs) => ({ do: 'save', text: dashboard.text(nowMs) }),
  redraw: () => ({ do: 'redraw' }),
  kick: askKick,
  label({ ui }) {
    ui.hasLabels = !ui.hasLabels
  },
  restart: (dashboard, nowMs) => askAct(dashboard, 'restart', nowMs),
  disable: (dashboard, nowMs) => askAct(dashboard, 'disable', nowMs),
  enable: (dashboard, nowMs) => askAct(dashboard, 'enable', nowMs),
  record,
  command(dashboard, nowMs) {
    const node = meantNode(dashboard, nowMs)
    if (node !== undefined) dashboard.ui.input = { kind: 'command', text: '', node: node.id }
  },
  plan: () => ({ do: 'plan' }),
  apply: askApply,
  later({ ui, model }) {
    ui.putOff = differenceOf(model)
    if (ui.view === 'reload') ui.view = 'nodes'
  },
  mistakes({ ui }) {
    ;[ui.view, ui.node, ui.isHelp] = ['reload', undefined, false]
    return ui.isReadOnly ? undefined : { do: 'plan' }
  },
  suspend: () => ({ do: 'suspend' }),
  quit: leave,
  interrupt: leave,
}

/** By name; the ids of the rows of a view, and the columns that it can be sorted by. */
export const ACTIONS = { commands, ids, columns: sortTitles, askCommand }

/** More rows than there are. */
const MANY = 1e9

function show(view: View): Action {
  return ({ ui }) => {
    ui.view = view
    ui.node = undefined
    ui.isHelp = false
  }
}

function goTo({ ui }: Controls, spot: Spot | undefined): void {
  if (spot === undefined) return
  ;[ui.view, ui.node, ui.pattern] = [spot.view, spot.node, spot.pattern]
  ;[ui.isHelp, ui.nodeTop] = [false, 0]
}

/** Closes what is open, from the inside out; never quits. */
function back({ ui }: Controls): void {
  if (ui.isHelp) ui.isHelp = false
  else if (ui.node !== undefined) ui.node = undefined
  else if (ui.lists[ui.view].filter !== '') ui.lists[ui.view].filter = ''
  else if (ui.view !== 'nodes') ui.view = 'nodes'
  else if (ui.pattern !== undefined) ui.pattern = undefined
  else [ui.onlyProblems, ui.preset] = [false, 'all']
}

function open(dashboard: Controls, nowMs: number): void {
  const { ui, model } = dashboard
  const list = ui.lists[ui.view]
  const all = ids(dashboard, nowMs)
  const selected = all.find((id) => id === list.selected)
  ui.nodeTop = 0
  if (ui.view === 'viewers') {
    const viewer = model.clients.find(({ id }) => id === (selected ?? all[0]))
    ui.node = viewer?.node
    return
  }
  // Nothing was chosen yet: the worst problem is what people look for.
  const isUnchosen = selected === undefined && ui.view === 'nodes'
  const worst = isUnchosen ? problemsOf(model, dashboard.context(nowMs).nowMs)[0]?.id : undefined
  const id = selected ?? worst ?? all[0] ?? ''
  if (model.nodes.has(id)) ui.node = id
  else if (model.patterns.has(id.replace(/@\*$/, ''))) {
    ui.pattern = id.replace(/@\*$/, '')
    list.selected = undefined
  }
}

function move(dashboard: Controls, rows: number, nowMs: number): void {
  const { ui } = dashboard
  if (ui.isHelp) ui.helpTop = Math.max(0, ui.helpTop + rows)
  else if (ui.node !== undefined) ui.nodeTop = Math.max(0, ui.nodeTop + rows)
  else if (ui.view === 'events') scrollEvents(dashboard, rows, nowMs)
  else if (ui.view === 'reload') ui.lists.reload.top = Math.max(0, ui.lists.reload.top + rows)
  else {
    const all = ids(dashboard, nowMs)
    const list = ui.lists[ui.view]
    const at = list.selected === undefined ? 0 : Math.max(0, all.indexOf(list.selected))
    list.selected = all[Math.min(all.length - 1, Math.max(0, at + rows))]
  }
}

function scrollEvents(dashboard: Controls, rows: number, nowMs: number): void {
  const { ui } = dashboard
  ui.isFollowing = false
  const most = shownEvents(dashboard.context(nowMs)).length
  ui.lists.events.top = Math.max(0, Math.min(most, ui.lists.events.top + rows))
}

/** Of the rows of the view, in their order. */
function ids(dashboard: Controls, nowMs: number): readonly string[] {
  const context = dashboard.context(nowMs)
  const { ui, model } = dashboard
  if (ui.view === 'viewers') return shownViewers(context).map(({ id }) => id)
  if (ui.view === 'graph') return [...new Set(graphRows(model, ui.pattern).map(({ id }) => id))]
  return shownNodes(context).map(({ id }) => id)
}

/** In the order of the menu. */
function sortTitles(dashboard: Controls, view: View): readonly string[] {
  const context = dashboard.context(0)
  return view === 'viewers' ? sortableTitles(viewerColumns(context)) : sortableTitles(nodeColumns(context))
}

function copy(dashboard: Controls, nowMs: number): Request | undefined {
  const { ui } = dashboard
  const rows = ui.view === 'events' || ui.view === 'reload' ? [] : ids(dashboard, nowMs)
  const text = ui.node ?? rows.find((id) => id === ui.lists[ui.view].selected) ?? rows[0]
  if (text === undefined) return undefined
  dashboard.notify(`copied ${text}, if the terminal allows it`, false, nowMs)
  return { do: 'copy', text }
}

function step(dashboard: Controls, by: number, nowMs: number): void {
  const { ui, model } = dashboard
  const pattern = model.nodes.get(ui.node ?? '')?.pattern
  const all = nodeRows(model, pattern, dashboard.context(nowMs).nowMs).flatMap(({ id, node }) =>
    node === undefined ? [] : [id],
  )
  const at = all.indexOf(ui.node ?? '')
  ui.node = all[(at + by + all.length) % Math.max(1, all.length)] ?? ui.node
  ui.nodeTop = 0
}

function countFromNow(dashboard: Controls, nowMs: number): void {
  const { ui, model } = dashboard
  ui.since.clear()
  ui.sinceMs = model.engineMs(nowMs)
  for (const { id, details, drops } of model.nodes.values()) {
    const checks = new Map(details.checks.map(([name, count]) => [name, count ?? 0]))
    const streams = new Map(details.streams.map(({ pid, errors }) => [pid, errors]))
    ui.since.set(id, { errors: details.continuityErrors ?? 0, drops, checks, streams })
  }
  for (const { pattern, drops, continuityErrors = 0 } of [...model.patterns.values()].map(({ summary }) => summary)) {
    ui.since.set(`${pattern}@*`, { errors: continuityErrors, drops, checks: new Map(), streams: new Map() })
  }
  dashboard.notify('counters of this dashboard start now; those of the engine stay', false, nowMs)
}

function changeInterval(ui: Controls['ui'], by: number): void {
  const at = INTERVALS_MS.findIndex((each) => each === ui.intervalMs)
  ui.intervalMs = INTERVALS_MS[Math.min(INTERVALS_MS.length - 1, Math.max(0, at + by))] ?? 1000
}

function askKick(dashboard: Controls, nowMs: number): void {
  const rows = shownViewers(dashboard.context(nowMs))
  const viewer = rows.find(({ id }) => id === dashboard.ui.lists.viewers.selected) ?? rows[0]
  if (viewer === undefined) return
  const { id, client, node } = viewer
  dashboard.ask(`disconnect viewer ${id} (${client}) of ${node}: 1 viewer`, YES_OR_NO, { y: { do: 'kick', id } })
}

/** The node that is open, or selected in the table or the graph; where there is none, that is said. */
function meantNode(dashboard: Controls, nowMs: number): NodeModel | undefined {
  const { ui, model } = dashboard
  const hasNodes = ui.view === 'nodes' || ui.view === 'graph'
  const rows = ui.node !== undefined || !hasNodes ? [] : ids(dashboard, nowMs)
  const id = ui.node ?? rows.find((row) => row === ui.lists[ui.view].selected) ?? rows[0] ?? ''
  const node = model.nodes.get(id)
  if (node !== undefined) return node
  const missing = id.endsWith('@*') ? `${id} is no node; enter lists its copies` : `there is no node ${id} any more`
  const why = id === '' ? 'no node is open or selected' : missing
  dashboard.notify(`nothing was done: ${why}`, true, nowMs)
  return undefined
}

function askAct(dashboard: Controls, action: 'restart' | 'enable' | 'disable', nowMs: number): void {
  const node = meantNode(dashboard, nowMs)
  if (node === undefined) return
  const isBeside = node.pipeline === 'services' || node.pipeline === 'listeners'
  const hit = isBeside ? 'who uses it waits for it' : viewersText(node.viewersHit)
  dashboard.ask(`${action} ${node.id}: ${hit}`, YES_OR_NO, {
    y: { do: action, node: node.id },
  })
}

/** Nobody loses anything by it: no question. */
function record(dashboard: Controls, nowMs: number): Request | undefined {
  const { ui, model } = dashboard
  const rows = ui.node === undefined ? shownNodes(dashboard.context(nowMs)) : []
  const id = ui.node ?? (rows.find((row) => row.id === ui.lists.nodes.selected) ?? rows[0])?.id ?? ''
  const status = model.nodes.get(id)?.status
  if (status === undefined) return undefined
  if (status.recorder === undefined) {
    const why = status.kind === 'input' ? 'it has no recorder: {}' : 'it is no input'
    dashboard.notify(`${id} records nothing: ${why}`, true, nowMs)
    return undefined
  }
  return { do: 'command', node: id, name: 'record', input: {} }
}

/** `text`: as typed. */
function askCommand(dashboard: Controls, id: string | undefined, text: string, nowMs: number): void {
  const node = dashboard.model.nodes.get(id ?? '')
  if (node === undefined || text.trim() === '') return
  const command = readCommand(text)
  if (typeof command === 'string') return dashboard.notify(command, true, nowMs)
  const question = `run ${text.trim()} of ${node.id}: ${viewersText(node.viewersHit)}`
  dashboard.ask(question, YES_OR_NO, { y: { do: 'command', node: node.id, ...command } })
}

function viewersText(count: number): string {
  return `${count} viewer${count === 1 ? '' : 's'} behind it`
}

/** Its answer is no key that asks for it: one that is held down repeats. */
function askApply(dashboard: Controls): void {
  const { ui, model } = dashboard
  const lost = ui.report?.viewers === undefined ? 'not planned yet' : `${ui.report.viewers.lost} would be lost`
  dashboard.ask(`apply what is on disk to ${model.clientTotal} viewers (${lost})`, 'a apply   any other key no', {
    a: { do: 'apply' },
  })
}

/** Quits at once, unless the engine was started with this dashboard. */
function leave(dashboard: Controls): Request | undefined {
  if (!dashboard.isOwner) return { do: 'quit' }
  const text = `stop the engine too, with ${dashboard.model.clientTotal} viewers`
  dashboard.ask(text, 'y stop   n only close the dashboard   esc stay', { y: { do: 'stop' }, n: { do: 'quit' } })
  return undefined
}

const YES_OR_NO = 'y yes   any other key no'
