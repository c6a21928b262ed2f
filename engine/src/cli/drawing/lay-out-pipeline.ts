// The positions of the boxes of a drawn pipeline: columns by the distance of a node from its inputs, rows chosen to keep
// lines straight where possible. A line that passes through a column has a place of its own in it.
import { labelOf } from './outline-graph.js'
import type { EdgeOutline, NodeOutline, PipelineOutline } from './outline-graph.js'

/** A box, or the place in a column where a line passes through. */
export interface PlacedItem {
  readonly key: string
  readonly column: number
  /** Undefined where a line passes through. */
  readonly node: NodeOutline | undefined
  /** The text of the box, line by line. */
  readonly lines: readonly string[]
  /** Ports that it reads, as `node.port`, in the order in which their lines enter. */
  readonly entries: readonly string[]
  /** The first row. */
  readonly top: number
  /** Rows, including the borders. */
  readonly height: number
}

/** A port with all its readers in the next column. */
export interface Net {
  /** `node.port`. */
  readonly source: string
  readonly label: string
  readonly from: PlacedItem
  readonly fromRow: number
  readonly to: readonly PlacedItem[]
}

export interface Layout {
  readonly columns: readonly (readonly PlacedItem[])[]
  /** Between two columns, by the index of the left one. */
  readonly nets: readonly (readonly Net[])[]
}

/** The row at which the line of a port enters an item. */
export function entryRow({ node, top, entries }: PlacedItem, source: string): number {
  return node === undefined ? top : top + 1 + Math.max(0, entries.indexOf(source))
}

interface Segment {
  readonly source: string
  readonly from: string
  readonly to: string
  readonly label: string
}

interface Item {
  readonly key: string
  readonly node: NodeOutline | undefined
  readonly lines: readonly string[]
  /** Ports in the order in which their lines leave the box. */
  readonly ports: readonly string[]
  readonly entries: readonly string[]
}

export function layOutPipeline({ nodes, edges }: PipelineOutline): Layout {
  const depths = depthsOf(nodes, edges)
  const items: Item[][] = []
  for (const node of nodes) {
    const ports = [...new Set(edges.filter(({ from }) => from === node.id).map((edge) => edge.port))]
    const entries = [...new Set(edges.filter(({ to }) => to === node.id).map(sourceOf))]
    const more = Math.max(0, ports.length - 2, entries.length - 2)
    const lines = [node.name, node.type, ...Array.from({ length: more }, () => '')]
    ;(items[depths.get(node.id) ?? 0] ??= []).push({ key: node.id, node, lines, ports, entries })
  }
  const gaps = segmentsOf(edges, depths, items)
  const columns = placeColumns(items, gaps)
  const nets = gaps.map((segments, index) => {
    return netsOf(segments, columns[index] ?? [], columns[index + 1] ?? [], items[index] ?? [])
  })
  return { columns, nets }
}

function depthsOf(nodes: readonly NodeOutline[], edges: readonly EdgeOutline[]): ReadonlyMap<string, number> {
  const depths = new Map<string, number>()
  for (const { id } of nodes) {
    const above = edges.filter(({ to }) => to === id).map(({ from }) => depths.get(from) ?? 0)
    depths.set(id, above.length === 0 ? 0 : Math.max(...above) + 1)
  }
  return depths
}

/** The segments of each edge, one per gap between columns; adds the places where edges pass through to the items. */
function segmentsOf(
  edges: readonly EdgeOutline[],
  depths: ReadonlyMap<string, number>,
  items: Item[][],
): readonly (readonly Segment[])[] {
  const gaps: Segment[][] = items.slice(1).map(() => [])
  for (const edge of edges) {
    const source = sourceOf(edge)
    const last = depths.get(edge.to) ?? 0
    let from = edge.from
    for (let column = (depths.get(edge.from) ?? 0) + 1; column <= last; column++) {
      const to = column === last ? edge.to : `${source}@${column}`
      const isThere = items[column]?.some(({ key }) => key === to) === true
      if (!isThere) items[column]?.push({ key: to, node: undefined, lines: [], ports: [edge.port], entries: [source] })
      const gap = gaps[column - 1]
      const label = from === edge.from ? labelOf(edge) : ''
      if (gap?.every((segment) => segment.from !== from || segment.to !== to || segment.source !== source) === true) {
        gap.push({ source, from, to, label })
      }
      from = to
    }
  }
  return gaps
}

function placeColumns(
  items: readonly (readonly Item[])[],
  gaps: readonly (readonly Segment[])[],
): readonly (readonly PlacedItem[])[] {
  const columns: PlacedItem[][] = []
  items.forEach((column, index) => {
    const before = columns[index - 1] ?? []
    const segments = gaps[index - 1] ?? []
    const rows = column.map((item) => {
      const above = segments
        .filter(({ to }) => to === item.key)
        .map((segment) => rowOf(segment, before, items[index - 1] ?? []))
      const mean = above.reduce((sum, row) => sum + row, 0) / Math.max(1, above.length)
      return { item, wanted: above[0] ?? 0, mean }
    })
    let free = 0
    columns[index] = rows
      .sort((a, b) => a.mean - b.mean)
      .map(({ item, wanted }) => {
        const { key, node, lines, entries } = item
        const top = Math.max(free, node === undefined ? wanted : wanted - 1)
        const height = node === undefined ? 1 : lines.length + 2
        free = top + height + (node === undefined ? 0 : 1)
        return { key, column: index, node, lines, entries, top, height }
      })
  })
  return columns
}

function netsOf(
  segments: readonly Segment[],
  from: readonly PlacedItem[],
  to: readonly PlacedItem[],
  items: readonly Item[],
): readonly Net[] {
  return [...new Set(segments.map(({ source }) => source))].flatMap((source) => {
    const own = segments.filter((segment) => segment.source === source)
    const [first] = own
    const start = from.find(({ key }) => key === first?.from)
    if (first === undefined || start === undefined) return []
    const targets = own.flatMap((segment) => to.find(({ key }) => key === segment.to) ?? [])
    return [{ source, label: first.label, from: start, fromRow: rowOf(first, from, items), to: targets }]
  })
}

/** The row at which a segment leaves its first item. */
function rowOf({ from, source }: Segment, placed: readonly PlacedItem[], items: readonly Item[]): number {
  const item = placed.find(({ key }) => key === from)
  if (item === undefined) return 0
  const ports = items.find(({ key }) => key === from)?.ports ?? []
  const port = ports.findIndex((name) => source === `${from}.${name}`)
  return (item.node === undefined ? item.top : item.top + 1) + Math.max(0, port)
}

function sourceOf({ from, port }: EdgeOutline): string {
  return `${from}.${port}`
}
