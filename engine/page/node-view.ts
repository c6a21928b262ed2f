// One node: what it does, how well, for whom, what it says of itself, and why there is no picture.
import { ask } from './api-client.js'
import { element, setText } from './dom.js'
import { EventList, linesOf } from './event-list.js'
import {
  type EngineModel,
  keyFrameAge,
  megabits,
  type NodeModel,
  problemOf,
  shortBytes,
  shortSpan,
  sourceOf,
} from './model/index.js'
import { Figures } from './figures.js'
import { nodeActions } from './node-actions.js'
import { hrefOf, hrefOfId } from './routes.js'
import { Sparkline } from './sparkline.js'
import { StateWord, stateText } from './state-word.js'
import { saidSections } from './said-sections.js'
import { redraw, section } from './section.js'
import { streamSections } from './stream-sections.js'
import { isReadingCopies, type View, type ViewContext } from './view.js'
import { viewersTable } from './viewers-table.js'

const WEB = /^https?:\/\//

export function nodeView(id: string): View {
  const parts = makeParts(id)
  return {
    title: id,
    needsViewers: true,
    needsCopies: id.includes('@'),
    element: parts.element,
    update: (context) => parts.update(context),
  }
}

function makeParts(id: string): { readonly element: HTMLElement; update(context: ViewContext): void } {
  let context: ViewContext | undefined
  const state = new StateWord()
  const why = element('p', { class: 'why' })
  const figures = new Figures()
  const received = new Sparkline()
  const sent = new Sparkline()
  const links = element('ul', { class: 'links' })
  const stream = streamSections(id)
  const said = saidSections(id)
  const actions = nodeActions(() => context?.model.nodes.get(id))
  const neighbours = element('ul', { class: 'links' })
  const events = new EventList(`Events of ${id}`, 'No events yet.')
  const viewers = viewersTable(() => context ?? missing())
  const viewersSection = section('Viewers', viewers.element)
  const sections = {
    links: section('Addresses', links),
    neighbours: section('Neighbours', neighbours),
  }
  const head = element('div', { class: 'head' }, element('h2', {}, id), state.element)
  const rates = element('div', { class: 'rates' }, labelled('In', received.element), labelled('Out', sent.element))
  const gone = element('p', { class: 'banner', hidden: true }, 'There is no such node any more.')
  const first = element('section', {}, head, why, figures.element, rates, actions.element, explainer(id))
  const all = element('div', {}, gone, pipelineLink(id), first)
  all.append(
    sections.links,
    ...stream.elements,
    sections.neighbours,
    ...said.elements,
    viewersSection,
    section('Events', events.element),
  )
  return {
    element: all,
    update(next) {
      context = next
      const { model, nowMs } = next
      const node = model.nodes.get(id)
      gone.hidden = node !== undefined || model.status === undefined || isReadingCopies(model, id)
      all.classList.toggle('gone', !gone.hidden)
      events.show(linesOf(model.events.filter((event) => event.node === id)))
      if (node === undefined) return
      const { status } = node
      const problem = problemOf(node, nowMs)
      state.update(stateText(status.state, problem))
      setText(why, status.why === '' ? (problem ?? '') : status.why)
      figures.update(figuresOf(node, nowMs))
      received.update(node.received.samples())
      sent.update(node.sent.samples())
      sections.links.hidden = showLinks(links, status.urls ?? [])
      actions.update()
      stream.update(next, node)
      said.update(next, node)
      sections.neighbours.hidden = showNeighbours(neighbours, model, id)
      viewersSection.hidden = status.clients === undefined
      viewers.show(model.clients.filter((client) => client.node === id))
    },
  }
}

function missing(): never {
  throw new Error('a cell was drawn before the first update')
}

function labelled(label: string, child: Node): HTMLElement {
  return element('div', {}, element('span', { class: 'quiet' }, label), child)
}

function pipelineLink(id: string): HTMLElement {
  const name = id.slice(0, id.indexOf('/'))
  return element('p', {}, element('a', { href: hrefOf({ view: 'pipeline', name }) }, `← ${name}`))
}

function figuresOf(node: NodeModel, nowMs: number): readonly (readonly [name: string, value: string])[] {
  const { status, received, sent, details, drops, queuedBytes, viewersHit } = node
  const isInput = status.kind === 'input' && status.bitsPerSecond !== undefined
  const key = keyFrameAge(details, nowMs)
  return [
    ['Type', status.type],
    ['For', shortSpan((nowMs - Date.parse(status.since)) / 1000)],
    ['In', `${megabits(isInput ? (status.bitsPerSecond ?? 0) : received.latest)} Mb/s`],
    ['Out', `${megabits(sent.latest)} Mb/s`],
    ...(status.clients === undefined ? [] : [['Viewers', String(status.clients)] as const]),
    ['Viewers behind it', String(viewersHit)],
    ...(key === undefined ? [] : [['Key frame', `${key} ago`] as const]),
    ...(details.gopSeconds === undefined ? [] : [['GOP', `${details.gopSeconds.toFixed(2)} s`] as const]),
    ['Waiting', `${shortBytes(queuedBytes).replace(/([kMGT]?)$/, ' $1')}B`],
    ['Drops', String(drops)],
    ['Restarts', String(status.restarts)],
  ]
}

/** These return whether there is nothing to show. */
function showLinks(list: HTMLElement, urls: readonly string[]): boolean {
  redraw(list, urls, () =>
    urls.map((url) => {
      const attributes = { href: url, rel: 'noreferrer noopener', target: '_blank' }
      return element('li', {}, WEB.test(url) ? element('a', attributes, url) : element('code', {}, url))
    }),
  )
  return urls.length === 0
}

function showNeighbours(list: HTMLElement, model: EngineModel, id: string): boolean {
  const own = model.edges.filter(({ from, to }) => to === id || sourceOf(from) === id)
  redraw(list, [own.map(({ from, to }) => [from, to])], () =>
    own.map(({ from, to }) => {
      const isSource = to === id
      const other = isSource ? sourceOf(from) : to
      const link = element('a', { href: hrefOfId(other) }, other)
      return element('li', {}, isSource ? 'from ' : 'to ', link, ' ', element('span', { class: 'quiet' }))
    }),
  )
  for (const [at, { bitsPerSecond, drops }] of own.entries()) {
    const rate = list.children[at]?.lastElementChild
    if (rate) setText(rate, `${megabits(bitsPerSecond)} Mb/s${drops === 0 ? '' : `, ${drops} drops`}`)
  }
  return own.length === 0
}

interface Explanation {
  readonly isWell: boolean
  readonly sentence: string
  readonly hint?: string
  readonly evidence: readonly { readonly node?: string; readonly what: string }[]
}

/** A button that asks the engine why there is no picture. */
function explainer(id: string): HTMLElement {
  const [pipeline, node] = [id.slice(0, id.indexOf('/')), id.slice(id.indexOf('/') + 1)]
  const button = element('button', { type: 'button', class: 'plain' }, 'Why is there no picture?')
  const answer = element('div', { class: 'answer', role: 'status' })
  const box = element('div', {}, button, answer)
  box.hidden = pipeline === 'services' || pipeline === 'listeners'
  button.addEventListener('click', () => {
    const path = `pipelines/${encodeURIComponent(pipeline)}/nodes/${encodeURIComponent(node)}/explain`
    ask<Explanation>('GET', path).then(
      ({ sentence, hint, evidence }) => {
        const reasons = evidence.map(({ node: at, what }) =>
          element('li', {}, at === undefined ? what : `${at}: ${what}`),
        )
        const hints = hint === undefined ? [] : [element('p', { class: 'quiet' }, hint)]
        answer.replaceChildren(element('p', {}, sentence), ...hints, element('ul', {}, ...reasons))
      },
      (error: unknown) => setText(answer, error instanceof Error ? error.message : 'the engine did not answer'),
    )
  })
  return box
}
