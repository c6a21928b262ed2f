// A part of the graph from left to right: nodes as words or boxes, the live rate on each edge, `x` where nothing comes.
import type { Glyphs } from '../draw/box.js'
import { piece, plain, textOf, type Line, type Piece } from '../draw/line.js'
import type { EdgeStatus } from '../api/shapes.js'
import { type EngineModel, isBadState, megabits, type NodeModel, sourceOf } from '@millrace/engine/model'
import { cleanText, padEnd, widthOf } from '../text/cells.js'
import { stateWord } from './list.js'

export interface FlowOptions {
  readonly isBoxed: boolean
  readonly selected: string | undefined
  readonly glyphs: Glyphs
}

interface Block {
  readonly rows: readonly Line[]
  readonly width: number
  /** The row at which an edge arrives. */
  readonly at: number
}

interface Drawing extends FlowOptions {
  readonly model: EngineModel
  readonly readers: ReadonlyMap<string, readonly EdgeStatus[]>
  readonly seen: Set<string>
}

const MOST_NODES = 300

/** By node: the edges to its readers. */
export function readersOf({ edges }: EngineModel): ReadonlyMap<string, readonly EdgeStatus[]> {
  const readers = new Map<string, EdgeStatus[]>()
  for (const edge of edges) {
    const source = sourceOf(edge.from)
    const list = readers.get(source)
    if (list === undefined) readers.set(source, [edge])
    else list.push(edge)
  }
  return readers
}

/** The trees that begin with these nodes, one below another. */
export function drawFlow(
  model: EngineModel,
  roots: readonly NodeModel[],
  options: FlowOptions,
  readers = readersOf(model),
): { readonly lines: readonly Line[]; readonly width: number } {
  const drawing: Drawing = { ...options, model, readers, seen: new Set() }
  const blocks = roots.slice(0, MOST_NODES).map((node) => drawNode(drawing, node))
  return {
    lines: blocks.flatMap(({ rows }) => rows),
    width: Math.max(0, ...blocks.map(({ width }) => width)),
  }
}

function drawNode(drawing: Drawing, node: NodeModel): Block {
  drawing.seen.add(node.id)
  const label = drawing.isBoxed ? boxOf(drawing, node) : wordOf(drawing, node)
  const below = (drawing.readers.get(node.id) ?? []).flatMap((edge) => {
    const reader = drawing.model.nodes.get(edge.to)
    if (reader === undefined) return []
    const isAgain = drawing.seen.has(reader.id) || drawing.seen.size >= MOST_NODES
    const name = `(${shortName(reader.id, drawing.glyphs.ascii)})`
    const block: Block = isAgain
      ? { rows: [[piece(name, 'dim')]], width: widthOf(name), at: 0 }
      : drawNode(drawing, reader)
    return [{ edge, reader, block }]
  })
  return below.length === 0 ? label : join(drawing, label, below)
}

interface Branch {
  readonly edge: EdgeStatus
  readonly reader: NodeModel
  readonly block: Block
}

/** The label in the row of its first reader, and the others below. */
function join({ glyphs: { ascii } }: Drawing, label: Block, below: readonly Branch[]): Block {
  const first = below[0]?.block.at ?? 0
  const lift = Math.max(0, label.at - first)
  const rows: Line[] = Array.from({ length: lift }, () => [])
  const connectors: (readonly Piece[])[] = Array.from({ length: lift }, () => [plain(' '.repeat(EDGE_CELLS))])
  for (const [index, { edge, reader, block }] of below.entries()) {
    const isLast = index === below.length - 1
    for (const [at, row] of block.rows.entries()) {
      const isPast = at > block.at
      const isThrough = isPast ? !isLast : index > 0
      connectors.push(at === block.at ? edgeOf(edge, reader, index, isLast, ascii) : through(isThrough, ascii))
      rows.push(row)
    }
  }
  const start = first + lift - label.at
  const height = Math.max(rows.length, start + label.rows.length)
  const joined = Array.from({ length: height }, (_, at): Line => {
    const own = label.rows[at - start] ?? []
    const pad = plain(' '.repeat(label.width - widthOf(textOf(own))))
    return [...own, pad, ...(connectors[at] ?? []), ...(rows[at] ?? [])]
  })
  const width = label.width + EDGE_CELLS + Math.max(0, ...below.map(({ block }) => block.width))
  return { rows: joined, width, at: start + label.at }
}

const EDGE_CELLS = 12

/** ` ─┬─ 6.24 ─▶ `, with `x` for an edge of which nothing comes. */
function edgeOf(
  { bitsPerSecond }: EdgeStatus,
  reader: NodeModel,
  index: number,
  isLast: boolean,
  ascii: boolean,
): readonly Piece[] {
  const [line, arrow] = ascii ? ['-', '>'] : ['─', '▶']
  const corner = index === 0 && isLast ? line : ascii ? '+' : index === 0 ? '┬' : isLast ? '└' : '├'
  const isBroken = isBrokenEdge(bitsPerSecond, reader)
  const rate = isBroken ? ' x ' : ` ${megabits(bitsPerSecond)} `
  const start = index === 0 ? line : ' '
  return [
    plain(` ${start}${corner}`),
    isBroken ? piece(rate, 'warn') : plain(rate),
    plain(`${line.repeat(Math.max(0, EDGE_CELLS - 5 - rate.length))}${arrow} `),
  ]
}

/** Nothing comes, and something should. */
export function isBrokenEdge(bitsPerSecond: number, { status, isResting }: NodeModel): boolean {
  return bitsPerSecond === 0 && status.kind !== 'service' && !isResting
}

function through(isThrough: boolean, ascii: boolean): readonly Piece[] {
  return [plain(padEnd(isThrough ? `  ${ascii ? '|' : '│'}` : '', EDGE_CELLS))]
}

function wordOf({ glyphs: { ascii }, selected }: Drawing, node: NodeModel): Block {
  const { id, status } = node
  const viewers = status.clients === undefined ? '' : ` ${status.clients}v`
  const mark = isBadState(status.state) ? '!' : ''
  const text = `${shortName(id, ascii)}${mark}${viewers}`
  const meaning = id === selected ? 'strong' : mark === '' ? 'plain' : 'warn'
  return { rows: [[piece(text, meaning)]], width: widthOf(text), at: 0 }
}

function boxOf({ glyphs: { ascii, box }, selected }: Drawing, node: NodeModel): Block {
  const { id, status, queuedBytes } = node
  const isSelected = id === selected
  const name = `${isSelected ? '> ' : ''}${shortName(id, ascii)}`
  const state = stateWord(status.state)
  const viewers = status.clients === undefined ? '' : ` ${status.clients}v`
  const queued = queuedBytes === 0 ? '' : ` q${Math.ceil(queuedBytes / 1024)}k`
  const inner = Math.max(widthOf(name), widthOf(state.text + viewers + queued)) + 2
  const side = piece(box.down, 'dim')
  const rest = inner - 1 - widthOf(state.text + viewers + queued)
  return {
    rows: [
      [piece(box.topLeft + box.across.repeat(inner) + box.topRight, 'dim')],
      [side, piece(` ${padEnd(name, inner - 1)}`, isSelected ? 'strong' : 'plain'), side],
      [side, plain(' '), state, plain(viewers + queued + ' '.repeat(rest)), side],
      [piece(box.bottomLeft + box.across.repeat(inner) + box.bottomRight, 'dim')],
    ],
    width: inner + 2,
    at: 1,
  }
}

function shortName(id: string, ascii: boolean): string {
  return cleanText(id.slice(id.indexOf('/') + 1), ascii)
}
