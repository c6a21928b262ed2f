// The node table, and around it, where there is room, what is known of the selected node, the viewers, and the events.
import { beside, besideLine, drawBox, drawPanes, type Pane } from '../draw/box.js'
import { piece, plain, type Line } from '../draw/line.js'
import {
  checkingNode,
  keyFrameAge,
  type NodeModel,
  type NodeRow,
  nodeRows,
  shortBytes,
  shortFigures,
} from '@millrace/engine/model'
import { cleanText, cutMiddle, widthOf } from '../text/cells.js'
import { drawEventRows, filterText, shownEvents } from './events.js'
import { drawFlow } from './flow.js'
import { drawLamps, drawTightLamps } from './lamps.js'
import { drawColumns, filterRows, seenRange, selectable, sortRows, sortTitle, stateWord, type Column } from './list.js'
import { nodeColumns, shownNodeColumns, WIDE_FROM } from './node-columns.js'
import { countSince, sinceText, type ViewContext } from './view.js'
import { viewersPane } from './viewers.js'

const BELOW_ROWS = 7
const BELOW_FROM = 18
/** From here on, the selected node and the viewers have panes of their own. */
const PANES_FROM = { width: 110, height: 30 } as const
const SELECTED_ROWS = 5
const FEWEST_EVENTS = 5
const MOST_VIEWERS = 8
const TITLE = 'TR 101 290'

/** The rows that are shown, in their order. */
export function shownNodes(context: ViewContext): readonly NodeRow[] {
  const { model, ui, nowMs } = context
  const list = ui.lists.nodes
  const rows = nodeRows(model, ui.pattern, nowMs).filter((row) => {
    if ((ui.onlyProblems || ui.preset === 'problems') && row.problem === undefined) return false
    return ui.preset !== 'outputs' || row.kind === 'output' || row.copies !== undefined
  })
  const filtered = filterRows(rows, list.filter, ({ id, type, state, problem }) => ({
    state: problem === undefined ? stateWord(state).text : `warn ${stateWord(state).text}`,
    text: `${id} ${type}`,
  }))
  return sortRows(filtered, nodeColumns(context), list)
}

/** Whether the nodes have a pane of viewers beside them. */
export function hasViewersPane(width: number, height: number): boolean {
  return width >= PANES_FROM.width && height >= PANES_FROM.height
}

export function drawNodes(context: ViewContext): Line[] {
  const { width, height, glyphs } = context
  const rows = shownNodes(context)
  if (hasViewersPane(width, height)) return drawPanes(panesOf(context, rows), width, glyphs)
  if (height < BELOW_FROM) return drawPanes([tablePane(context, rows, height - 2)], width, glyphs)
  const table = drawPanes([tablePane(context, rows, height - BELOW_ROWS - 2)], width, glyphs)
  return [...table, ...drawBelow(context, rows)]
}

/** For `--once`. */
export function drawTable(context: ViewContext): Line[] {
  const table = tablePane(context, shownNodes(context), context.height - 2)
  // What keys would do, and how often it is drawn, is of no use on paper.
  return drawPanes([{ ...table, note: '' }], context.width, context.glyphs)
}

function panesOf(context: ViewContext, rows: readonly NodeRow[]): Pane[] {
  const { height, model } = context
  // Four borders between and around, and one at the bottom.
  const room = height - 5 - SELECTED_ROWS
  const viewers = 1 + Math.max(1, Math.min(MOST_VIEWERS, model.clients.length, Math.floor(room / 5)))
  const table = Math.min(rows.length + 1, room - viewers - FEWEST_EVENTS)
  const events = room - viewers - Math.max(2, table)
  return [
    tablePane(context, rows, Math.max(2, table)),
    selectedPane(context, rows),
    viewersPane(context, viewers, false),
    eventsPane(context, events),
  ]
}

function tablePane(context: ViewContext, rows: readonly NodeRow[], paneRows: number): Pane {
  const { width, ui, glyphs } = context
  const columns = shownNodeColumns(context)
  const seen = Math.max(0, paneRows - 1)
  const { at, top } = seenRange(
    ui.lists.nodes,
    rows.map(({ id }) => id),
    seen,
  )
  const drawn = drawColumns(columns, rows.slice(top, top + seen), width - 2, glyphs)
  const body = drawn.rows.map((row, index) => selectable(row, top + index === at))
  const empty: Line[] = rows.length === 0 ? [[piece(emptyText(context), 'dim')]] : []
  const good = rows.filter(({ problem }) => problem === undefined).length
  const title = `${ui.pattern === undefined ? '' : `copies of ${cleanText(ui.pattern, glyphs.ascii)}: `}nodes ${good}/${rows.length}`
  return { title, note: noteOf(context, columns), lines: [drawn.head, ...body, ...empty], rows: paneRows }
}

function emptyText({ ui, model }: ViewContext): string {
  if (ui.pattern !== undefined && model.patterns.has(ui.pattern)) return '  reading ...'
  if (model.nodes.size === 0) return '  no nodes'
  return ui.onlyProblems || ui.preset === 'problems' ? '  no problems; f shows all nodes' : '  no node fits the filter'
}

function noteOf({ ui, glyphs, width }: ViewContext, columns: readonly Column<NodeRow>[]): string {
  const { filter } = ui.lists.nodes
  const parts = [
    sortTitle(columns, ui.lists.nodes),
    filter === '' ? (width >= WIDE_FROM ? 'filter -' : '') : `filter ${cleanText(filter, glyphs.ascii)}`,
    ui.onlyProblems ? 'problems only' : ui.preset === 'all' ? (width >= WIDE_FROM ? '' : 'f problems') : ui.preset,
    `${1000 / ui.intervalMs} Hz`,
  ]
  return parts.filter((part) => part !== '').join('  ')
}

function selectedOf({ ui }: ViewContext, rows: readonly NodeRow[]): NodeModel | undefined {
  return (rows.find(({ id }) => id === ui.lists.nodes.selected) ?? rows[0])?.node
}

/** Checks and figures at the left; the graph around the node at the right. */
function selectedPane(context: ViewContext, rows: readonly NodeRow[]): Pane {
  const { model, width, glyphs } = context
  const node = selectedOf(context, rows)
  const note = sinceText(context)
  if (node === undefined) {
    const text = rows.length === 0 ? '' : ' enter lists the copies, worst first'
    return { title: 'selected', note, lines: [[piece(text, 'dim')]], rows: SELECTED_ROWS }
  }
  const left = Math.floor(width / 2) - 1
  const checking = checkingNode(model, node)
  const lamps = drawTightLamps(context, checking)
  const stream = shortFigures((checking ?? node).details)
  const targets = new Set(model.edges.map(({ to }) => to))
  const roots = [...model.nodes.values()].filter(({ id, pipeline }) => pipeline === node.pipeline && !targets.has(id))
  const flow = drawFlow(model, roots, { isBoxed: false, selected: node.id, glyphs })
  const lines = besideLine(
    [...lamps, figures(context, node), [plain(` ${stream}`)]],
    flow.lines.map((line): Line => [plain(' '), ...line]),
    { width: left, rows: SELECTED_ROWS, glyphs },
  )
  return { title: titleOf(context, node), note, lines, rows: SELECTED_ROWS }
}

function titleOf({ model, glyphs }: ViewContext, node: NodeModel): string {
  const clean = (text: string): string => cleanText(text, glyphs.ascii)
  const checking = checkingNode(model, node)
  const checks = checking === undefined || checking === node ? '' : `  checks of ${clean(checking.id)}`
  return `${clean(node.id)}  ${clean(node.status.type)}${checks}`
}

function figures({ nowMs, ui }: ViewContext, { id, details, queuedBytes, drops, status }: NodeModel): Line {
  const key = keyFrameAge(details, nowMs)
  const parts = [
    ...(key === undefined ? [] : [`key ${key}`]),
    ...(details.gopSeconds === undefined ? [] : [`GOP ${details.gopSeconds.toFixed(2)}s`]),
    ...(details.rttMs === undefined ? [] : [`RTT ${details.rttMs}ms`]),
    ...[
      `queue ${shortBytes(queuedBytes)}`,
      `drops ${countSince(drops, ui.since.get(id)?.drops)}`,
      `restarts ${status.restarts}`,
    ],
  ]
  return [plain(` ${parts.join('  ')}`)]
}

/** Checks and events beside each other, for 80 columns. */
function drawBelow(context: ViewContext, rows: readonly NodeRow[]): Line[] {
  const { width, model, glyphs } = context
  const node = selectedOf(context, rows)
  const checking = checkingNode(model, node)
  const left = Math.floor(width / 2)
  const options = { height: BELOW_ROWS, glyphs }
  const since = sinceText(context)
  const room = left - 6 - TITLE.length - widthOf(since)
  const name = cutMiddle(cleanText((checking ?? node)?.id ?? '', glyphs.ascii), room, glyphs.ellipsis)
  const stream = checking === undefined ? '' : shortFigures(checking.details)
  const last: Line[] = node === undefined ? [] : [stream === '' ? figures(context, node) : [plain(` ${stream}`)]]
  const lamps = [...drawLamps(context, checking, { priorities: 2, perRow: 3 }), ...last]
  const level = context.ui.level === 'all' ? '' : `level ${context.ui.level}`
  const note = `${filterText(context)}${level}`.trim()
  const events = shownEvents(context)
    .slice(-(BELOW_ROWS - 2))
    .toReversed()
  return beside(
    drawBox(lamps, { ...options, title: `${TITLE}  ${name}  ${since}`, width: left }),
    drawBox(drawEventRows(context, events, width - left - 2), {
      ...options,
      title: 'events',
      note,
      width: width - left,
    }),
  )
}

/** The newest first. */
function eventsPane(context: ViewContext, rows: number): Pane {
  const { width, ui } = context
  const events = shownEvents(context).slice(-rows).toReversed()
  const lines = drawEventRows(context, events, width - 4).map((line): Line => [plain(' '), ...line])
  return { title: 'events', note: `${filterText(context)}level ${ui.level}`, lines, rows }
}
