// One pipeline: its graph and its nodes; in a view of its own also its viewers and events.
import { element, setText } from './dom.js'
import { EventList, linesOf } from './event-list.js'
import { FlowGraph } from './flow-graph.js'
import { isBadState, nodeRows, problemOf, worstState } from './model/index.js'
import { nodeTable } from './node-table.js'
import { hrefOf } from './routes.js'
import { StateWord, stateText } from './state-word.js'
import { isReadingCopies, type View, type ViewContext } from './view.js'
import { viewersTable } from './viewers-table.js'

export class PipelineSection {
  readonly element: HTMLElement
  readonly #name: string
  readonly #state = new StateWord()
  readonly #description = element('p', { class: 'quiet' })
  readonly #graph = new FlowGraph()
  readonly #table
  #context: ViewContext | undefined

  constructor(name: string) {
    this.#name = name
    this.#table = nodeTable(`Nodes of ${name}`, () => this.#context ?? { model: missing(), nowMs: 0 })
    const link = element('a', { href: hrefOf({ view: 'pipeline', name }) }, name)
    const head = element('div', { class: 'head' }, element('h2', {}, link), this.#state.element)
    this.element = element('section', {}, head, this.#description, this.#graph.element, this.#table.element)
  }

  update(context: ViewContext): void {
    this.#context = context
    const { model, nowMs } = context
    const nodes = [...model.nodes.values()].filter(({ pipeline }) => pipeline === this.#name)
    const states = nodes.map(({ status }) => status.state).filter((state) => isBadState(state))
    const problem = nodes.map((node) => problemOf(node, nowMs)).find((text) => text !== undefined)
    this.#state.update(stateText(worstState(states), problem))
    const described = model.status?.pipelines.find(({ name }) => name === this.#name)?.description ?? ''
    setText(this.#description, described)
    this.#description.hidden = described === ''
    this.#graph.update(nodes, model.edges, nowMs)
    const pattern = nodes[0]?.pattern
    this.#table.show(nodeRows(model, pattern, nowMs).filter(({ node }) => node?.pipeline === this.#name))
  }
}

export function pipelineView(name: string): View {
  let context: ViewContext | undefined
  const section = new PipelineSection(name)
  const viewers = viewersTable(() => context ?? { model: missing(), nowMs: 0 })
  const events = new EventList(`Events of ${name}`, 'No events yet.')
  const gone = element('p', { class: 'banner', hidden: true }, 'There is no such pipeline any more.')
  const all = element(
    'div',
    {},
    gone,
    section.element,
    element('section', {}, element('h2', {}, 'Viewers'), viewers.element),
    element('section', {}, element('h2', {}, 'Events'), events.element),
  )
  return {
    title: name,
    needsViewers: true,
    // A copy of a pattern pipeline.
    needsCopies: name.includes('@'),
    element: all,
    update(next) {
      context = next
      const { model } = next
      const isThere = [...model.nodes.values()].some(({ pipeline }) => pipeline === name)
      gone.hidden = isThere || isReadingCopies(model, name)
      all.classList.toggle('gone', !gone.hidden)
      section.update(next)
      const own = model.clients.filter(({ node }) => node.startsWith(`${name}/`))
      viewers.show(own.toSorted((a, b) => b.behindBytes - a.behindBytes))
      events.show(linesOf(model.events.filter(({ node }) => node.startsWith(`${name}/`))))
    },
  }
}

function missing(): never {
  throw new Error('a cell was drawn before the first update')
}
