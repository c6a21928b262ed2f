// The graph with live rates on its edges: boxes where there is room, an indented tree where there is not.
import { drawBox } from '../draw/box.js'
import { piece, plain, type Line } from '../draw/line.js'
import { type EngineModel, megabits, type NodeModel, problemOf, sourceOf } from '@millrace/engine/model'
import { cleanText, padEnd, widthOf } from '../text/cells.js'
import { drawFlow, isBrokenEdge, readersOf } from './flow.js'
import { seenRange, selectable, stateWord } from './list.js'
import type { ViewContext } from './view.js'

export interface GraphRow {
  readonly id: string
  readonly node: NodeModel
  /** Bits per second on the edge that leads here; undefined for a source. */
  readonly edgeBits: number | undefined
  readonly isHeld: boolean
  /** It was shown above, as the reader of another node. */
  readonly isAgain: boolean
  /** Whether it, and each one above it, is the last reader of its source; empty for a source. */
  readonly lasts: readonly boolean[]
}

const MOST_ROWS = 2000
/** Nothing flows through them. */
const BESIDE = new Set(['services', 'listeners'])
const BOXES_FROM = 100

/** Each source with all its readers below it. */
export function graphRows(model: EngineModel, pattern: string | undefined): readonly GraphRow[] {
  const readers = readersOf(model)
  const rows: GraphRow[] = []
  const seen = new Set<string>()
  const visit = (node: NodeModel, edge: EngineModel['edges'][number] | undefined, lasts: readonly boolean[]): void => {
    if (rows.length >= MOST_ROWS) return
    const isAgain = seen.has(node.id)
    seen.add(node.id)
    rows.push({
      id: node.id,
      node,
      edgeBits: edge?.bitsPerSecond,
      isHeld: edge?.isHeld ?? false,
      isAgain,
      lasts,
    })
    if (isAgain) return
    const below = readers.get(node.id) ?? []
    for (const [at, each] of below.entries()) {
      const reader = model.nodes.get(each.to)
      if (reader !== undefined) visit(reader, each, [...lasts, at === below.length - 1])
    }
  }
  for (const node of rootsOf(model, pattern)) visit(node, undefined, [])
  return rows
}

/** `pattern`: of its copies. */
function rootsOf(model: EngineModel, pattern: string | undefined): readonly NodeModel[] {
  const targets = new Set(model.edges.map(({ to }) => to))
  return [...model.nodes.values()].filter(
    (node) => !targets.has(node.id) && !BESIDE.has(node.pipeline) && node.pattern === pattern,
  )
}

export function drawGraph(context: ViewContext): Line[] {
  return drawBoxes(context) ?? drawTree(context)
}

/** Undefined where the boxes do not fit. */
function drawBoxes(context: ViewContext): Line[] | undefined {
  const { model, ui, width, height, glyphs } = context
  if (width < BOXES_FROM) return undefined
  const list = ui.lists.graph
  const selected = list.selected ?? graphRows(model, ui.pattern)[0]?.id
  const pipelines = new Map<string, NodeModel[]>()
  for (const node of rootsOf(model, ui.pattern)) {
    const roots = pipelines.get(node.pipeline)
    if (roots === undefined) pipelines.set(node.pipeline, [node])
    else roots.push(node)
  }
  const [readers, broken] = [readersOf(model), brokenEdges(context)]
  const options = { isBoxed: true, selected, glyphs }
  let cursor = 0
  const lines: Line[] = []
  for (const [pipeline, roots] of pipelines) {
    const flow = drawFlow(model, roots, options, readers)
    if (flow.width > width - 4) return undefined
    lines.push([piece(` ${cleanText(pipeline, glyphs.ascii)}`, 'dim')])
    const at = flow.lines.findIndex((line) => line.some(({ text }) => text.startsWith(' > ')))
    if (at >= 0) cursor = lines.length + at
    lines.push(...flow.lines.map((line): Line => [plain('  '), ...line]))
    lines.push(...(broken.get(pipeline) ?? []))
  }
  const rows = height - 2
  const most = Math.max(0, lines.length - rows)
  // The selected box, and what is around it.
  if (cursor < list.top + 2) list.top = cursor - 2
  if (cursor > list.top + rows - 4) list.top = cursor - rows + 4
  list.top = Math.max(0, Math.min(list.top, most))
  list.seen = 0
  return drawBox(lines.slice(list.top), { title: titleOf(context), note: 'Mb/s on each edge', width, height, glyphs })
}

/** Each edge of which nothing comes, and the reason, by pipeline; those behind another one have the same. */
function brokenEdges({ model, glyphs: { ascii }, nowMs }: ViewContext): ReadonlyMap<string, readonly Line[]> {
  const lines = new Map<string, Line[]>()
  const broken = model.edges.flatMap(({ from, to, bitsPerSecond }) => {
    const [source, reader] = [model.nodes.get(sourceOf(from)), model.nodes.get(to)]
    const isBroken = source !== undefined && reader !== undefined && isBrokenEdge(bitsPerSecond, reader)
    return isBroken ? [{ source, reader }] : []
  })
  const starved = new Set(broken.map(({ reader }) => reader.id))
  for (const { source, reader } of broken) {
    if (starved.has(source.id)) continue
    const why = problemOf(source, nowMs) ?? problemOf(reader, nowMs) ?? 'nothing comes'
    const ids = [source, reader].map(({ id }) => cleanText(id, ascii)).join(ascii ? ' -> ' : ' → ')
    const line: Line = [piece(`  x ${ids}: ${cleanText(why, ascii)}`, 'warn')]
    lines.set(reader.pipeline, [...(lines.get(reader.pipeline) ?? []), line])
  }
  return lines
}

function drawTree(context: ViewContext): Line[] {
  const { model, ui, width, height, glyphs, nowMs } = context
  const rows = graphRows(model, ui.pattern)
  const list = ui.lists.graph
  const seen = Math.max(0, height - 2)
  const { at, top } = seenRange(
    list,
    rows.map(({ id }) => id),
    seen,
  )
  const nameWidth = Math.min(
    width - 34,
    Math.max(20, ...rows.map(({ id, lasts }) => widthOf(id) + lasts.length * 4 + 2)),
  )
  const body = rows.slice(top, top + seen).map((row, index) => {
    const isSelected = top + index === at
    return selectable(drawRow(row, nameWidth, glyphs.ascii, nowMs), isSelected)
  })
  const empty: Line[] = rows.length === 0 ? [[piece('  no nodes', 'dim')]] : []
  return drawBox([...body, ...empty], {
    title: titleOf(context),
    note: 'Mb/s on each edge',
    width,
    height,
    glyphs,
  })
}

function titleOf({ ui, glyphs }: ViewContext): string {
  return ui.pattern === undefined ? 'graph' : `graph of ${cleanText(ui.pattern, glyphs.ascii)}`
}

function drawRow(
  { id, node, edgeBits, isHeld, isAgain, lasts }: GraphRow,
  nameWidth: number,
  ascii: boolean,
  nowMs: number,
): Line {
  const problem = problemOf(node, nowMs)
  const isBroken = node.status.state === 'failed' || (edgeBits === 0 && problem !== undefined)
  const branches = ascii ? ['`-- ', '|-- '] : ['└─▶ ', '├─▶ ']
  const above = lasts.slice(0, -1).map((isLast) => (isLast ? '    ' : ascii ? '|   ' : '│   '))
  const own = lasts.length === 0 ? '' : isBroken ? '  x ' : (branches[lasts.at(-1) === true ? 0 : 1] ?? '')
  const branch = above.join('') + own
  const rate = edgeBits === undefined ? megabits(node.received.latest || node.sent.latest) : megabits(edgeBits)
  const viewers = node.status.clients === undefined ? '' : ` ${node.status.clients}v`
  const name = padEnd(branch + cleanText(id, ascii), nameWidth)
  return [
    plain(name),
    plain(` ${rate.padStart(6)} `),
    isAgain ? piece('(above)', 'dim') : stateWord(node.status.state),
    plain(`${viewers}${isHeld ? ' queue' : ''}`),
    piece(problem === undefined || isAgain ? '' : `  ${cleanText(problem, ascii)}`, 'warn'),
  ]
}
