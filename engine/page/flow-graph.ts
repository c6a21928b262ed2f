// The graph of a pipeline as a drawing: a box for each node, with its state, the live rate on each edge, and a cross where
// nothing comes. It is drawn anew when the graph or the room for it changes; otherwise only texts change.
import { drawing, element, setAttributes, setText } from './dom.js'
import { BOX, type GraphLayout, layoutGraph, type PlacedNode } from './graph-layout.js'
import { type EdgeStatus, megabits, type NodeModel, problemOf, shortBytes, sourceOf } from './model/index.js'
import { hrefOfId } from './routes.js'
import { markOf, stateText } from './state-word.js'

const MOST_NODES = 120
const MOST_SHRUNK = 1.2
const NAME_CHARACTERS = 17
const LINE = { name: 20, type: 37, state: 54 } as const

interface DrawnNode {
  readonly element: SVGElement
  update(node: NodeModel, nowMs: number): void
}

export class FlowGraph {
  readonly element = element('div', { class: 'graph' })
  #shape = ''
  #nodes = new Map<string, DrawnNode>()
  #edges = new Map<string, (edge: EdgeStatus, reader: NodeModel) => void>()

  update(nodes: readonly NodeModel[], edges: readonly EdgeStatus[], nowMs: number): void {
    const shown = nodes.slice(0, MOST_NODES)
    const byId = new Map(shown.map((node) => [node.id, node]))
    const between = edges.filter(({ from, to }) => byId.has(sourceOf(from)) && byId.has(to))
    this.#draw(shown, between, nodes.length)
    for (const node of shown) this.#nodes.get(node.id)?.update(node, nowMs)
    for (const edge of between) {
      const reader = byId.get(edge.to)
      if (reader !== undefined) this.#edges.get(keyOf(edge))?.(edge, reader)
    }
  }

  #draw(nodes: readonly NodeModel[], edges: readonly EdgeStatus[], total: number): void {
    const ids = nodes.map(({ id }) => id)
    const links = edges.map(({ from, to }) => ({ from: sourceOf(from), to }))
    const room = this.element.clientWidth
    const across = layoutGraph(ids, links, false)
    const down = layoutGraph(ids, links, true)
    const isDown = room > 0 && across.width > room && down.width < across.width
    const shape = JSON.stringify([ids, edges.map(keyOf), isDown])
    if (shape === this.#shape) return
    this.#shape = shape
    const layout = isDown ? down : across
    const places = new Map(layout.nodes.map((place) => [place.id, place]))
    const [lines, labels] = [drawing('g'), drawing('g')]
    this.#edges = new Map()
    for (const edge of edges) {
      const [from, to] = [places.get(sourceOf(edge.from)), places.get(edge.to)]
      if (from !== undefined && to !== undefined)
        this.#edges.set(keyOf(edge), drawEdge(from, to, isDown, lines, labels))
    }
    this.#nodes = new Map(nodes.map((node) => [node.id, drawNode(node, places.get(node.id))]))
    const svg = makeFrame(layout, room)
    svg.append(lines, labels, ...[...this.#nodes.values()].map((each) => each.element))
    const note = total > nodes.length ? [element('p', { class: 'quiet' }, `${nodes.length} of ${total} nodes`)] : []
    this.element.replaceChildren(svg, ...note)
  }
}

/** One that is a little too wide is drawn smaller; a much wider one scrolls. */
function makeFrame({ width, height }: GraphLayout, room: number): SVGSVGElement {
  const scale = width > room && width <= room * MOST_SHRUNK ? room / width : 1
  const arrow = drawing('path', { d: 'M0 0 8 4 0 8z', class: 'arrow' })
  const box = { id: 'arrow', viewBox: '0 0 8 8', refX: 8, refY: 4, markerWidth: 8, markerHeight: 8, orient: 'auto' }
  const marker = drawing('marker', { ...box, markerUnits: 'userSpaceOnUse' }, arrow)
  const size = { viewBox: `0 0 ${width} ${height}`, width: width * scale, height: height * scale }
  return drawing('svg', { ...size, role: 'group', 'aria-label': 'Graph of the pipeline' }, drawing('defs', {}, marker))
}

function keyOf({ from, to }: EdgeStatus): string {
  return JSON.stringify([from, to])
}

function drawEdge(
  from: PlacedNode,
  to: PlacedNode,
  isDown: boolean,
  lines: SVGElement,
  labels: SVGElement,
): (edge: EdgeStatus, reader: NodeModel) => void {
  const start = isDown ? [from.x + BOX.width / 2, from.y + BOX.height] : [from.x + BOX.width, from.y + BOX.height / 2]
  const end = isDown ? [to.x + BOX.width / 2, to.y - 2] : [to.x - 2, to.y + BOX.height / 2]
  const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = [...start, ...end]
  const [middleX, middleY] = [(x1 + x2) / 2, (y1 + y2) / 2]
  const bend = isDown ? `${x1} ${middleY} ${x2} ${middleY}` : `${middleX} ${y1} ${middleX} ${y2}`
  const path = drawing('path', { class: 'edge', d: `M${x1} ${y1}C${bend} ${x2} ${y2}`, 'marker-end': 'url(#arrow)' })
  // Near its reader: there edges of one source are apart.
  const at = isDown ? [x2, y2 - 16] : [x2 - 44, y2 - 6]
  const text = drawing('text', { class: 'rate', x: at[0], y: at[1], 'text-anchor': 'middle' })
  const title = drawing('title')
  lines.append(path)
  path.append(title)
  labels.append(text)
  return ({ bitsPerSecond, drops, queuedBytes }, { status, isResting }) => {
    const isBroken = bitsPerSecond === 0 && status.kind !== 'service' && !isResting
    const tone = isBroken ? 'bad' : drops > 0 ? 'warn' : undefined
    setText(text, isBroken ? '✕ 0' : megabits(bitsPerSecond))
    setAttributes(text, { 'data-tone': tone })
    setAttributes(path, { 'data-tone': tone })
    setText(title, `${megabits(bitsPerSecond)} Mb/s, ${drops} drops, ${shortBytes(queuedBytes)}B waiting`)
  }
}

function drawNode({ id, status }: NodeModel, place: PlacedNode = { id, x: 0, y: 0 }): DrawnNode {
  const box = drawing('rect', { class: 'box', width: BOX.width, height: BOX.height, rx: 10 })
  const name = drawing('text', { class: 'name', x: 12, y: LINE.name }, shorten(id.slice(id.indexOf('/') + 1)))
  const type = drawing('text', { class: 'type', x: 12, y: LINE.type }, shorten(status.type))
  const state = drawing('text', { class: 'node-state', x: 12, y: LINE.state })
  const viewers = drawing('text', { class: 'type', x: BOX.width - 12, y: LINE.state, 'text-anchor': 'end' })
  const title = drawing('title')
  const link = drawing('a', { href: hrefOfId(id), transform: `translate(${place.x} ${place.y})` }, title, box, name)
  link.append(type, state, viewers)
  return {
    element: link,
    update(node, nowMs) {
      const problem = problemOf(node, nowMs)
      const { word, tone } = stateText(node.status.state, problem)
      const count = node.status.clients
      setText(state, `${markOf(tone)} ${word}`)
      setText(viewers, count === undefined ? '' : `${count} viewer${count === 1 ? '' : 's'}`)
      setText(title, `${id}: ${problem ?? node.status.state}`)
      for (const each of [box, state]) setAttributes(each, { 'data-tone': tone })
    },
  }
}

function shorten(text: string): string {
  const characters = Array.from(text)
  return characters.length <= NAME_CHARACTERS ? text : `${characters.slice(0, NAME_CHARACTERS - 1).join('')}…`
}
