// The graph as boxes and lines, for a terminal.
import { LineGrid } from './line-grid.js'
import { entryRow, layOutPipeline } from './lay-out-pipeline.js'
import type { Layout, Net, PlacedItem } from './lay-out-pipeline.js'
import type { GraphOutline, PipelineOutline } from './outline-graph.js'

export interface BoxOptions {
  /** ASCII characters only. */
  readonly plain: boolean
  /** For the names of pipelines. */
  bold(text: string): string
}

/** Columns between two vertical lines. */
const TRACK = 2
/** Columns of an arrow and the line before it. */
const ARROW = 3

/** Ends with a newline. */
export function renderBoxes({ pipelines, services }: GraphOutline, { plain, bold }: BoxOptions): string {
  const drawn = pipelines.map((pipeline) => {
    const { name, description } = pipeline
    const title = description === '' ? bold(name) : `${bold(name)}  ${description}`
    return [
      title,
      ...drawPipeline(pipeline)
        .render(plain)
        .map((line) => `  ${line}`.trimEnd()),
    ].join('\n')
  })
  const beside = services.map(({ name, type }) => `  ${name}  ${type}`)
  const all = beside.length === 0 ? drawn : [...drawn, [bold('services'), ...beside].join('\n')]
  return `${all.join('\n\n')}\n`
}

function drawPipeline(pipeline: PipelineOutline): LineGrid {
  const layout = layOutPipeline(pipeline)
  const grid = new LineGrid()
  let left = 0
  layout.columns.forEach((column, index) => {
    const width = Math.max(...column.map(({ lines }) => Math.max(0, ...lines.map((line) => line.length)) + 4))
    for (const item of column) drawItem(grid, item, left, width)
    left = drawGap(grid, layout, index, left + width)
  })
  return grid
}

function drawItem(grid: LineGrid, { node, lines, top, height }: PlacedItem, left: number, width: number): void {
  const right = left + width - 1
  if (node === undefined) return grid.horizontal(top, left - 1, right + 1)
  const bottom = top + height - 1
  grid.horizontal(top, left, right)
  grid.horizontal(bottom, left, right)
  grid.vertical(left, top, bottom)
  grid.vertical(right, top, bottom)
  lines.forEach((line, index) => grid.text(left + 2, top + 1 + index, line))
}

/** Draws the lines between two columns. Returns where the right one begins. */
function drawGap(grid: LineGrid, { nets, columns }: Layout, index: number, left: number): number {
  const here = nets[index] ?? []
  if (columns[index + 1] === undefined) return left
  const longest = Math.max(0, ...here.map(({ label }) => label.length))
  const tracks = trackOrder(here.filter((net) => net.to.some((item) => entryRow(item, net.source) !== net.fromRow)))
  const firstTrack = left + longest + (longest === 0 ? 1 : 2)
  const next = firstTrack + Math.max(0, tracks.length * TRACK - 1) + ARROW
  for (const net of here) {
    const at = tracks.indexOf(net)
    drawNet(grid, net, left, at === -1 ? next - ARROW : firstTrack + at * TRACK, next)
  }
  // After all lines, because text covers them.
  for (const { label, fromRow } of here) if (label !== '') grid.text(left + 1, fromRow, label)
  return next
}

function drawNet(grid: LineGrid, { source, from, fromRow, to }: Net, left: number, track: number, next: number): void {
  // On a border or beside it, so that the line does not join the box.
  grid.horizontal(fromRow, from.node === undefined ? left - 1 : left, track)
  for (const item of to) {
    const row = entryRow(item, source)
    grid.vertical(track, fromRow, row)
    grid.horizontal(row, track, next - 1)
    if (item.node !== undefined) grid.text(next - 1, row, '▶')
  }
}

/**
 * From left to right: a line that leaves at a row must turn before a line that arrives at that row reaches it. Where no
 * such order exists, lines overlap in part.
 */
function trackOrder(nets: readonly Net[]): readonly Net[] {
  const left = [...nets]
  const order: Net[] = []
  while (left.length > 0) {
    const index = left.findIndex((net) => !left.some((other) => other !== net && mustPrecede(other, net)))
    order.push(...left.splice(Math.max(0, index), 1))
  }
  return order
}

function mustPrecede(first: Net, second: Net): boolean {
  return second.to.some((item) => entryRow(item, second.source) === first.fromRow)
}
