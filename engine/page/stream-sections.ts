// Shows the stream at a node: its PIDs, the timing of its clock and its units, and its checks.
import { element, setAttributes, setText } from './dom.js'
import { Figures } from './figures.js'
import { checkingNode, type NodeModel, PRIORITIES, streamFigures } from './model/index.js'
import { hrefOfId } from './routes.js'
import { redraw, section } from './section.js'
import { markOf } from './state-word.js'
import { streamsTable } from './streams-table.js'
import type { ViewContext } from './view.js'

export interface Sections {
  readonly elements: readonly HTMLElement[]
  update(context: ViewContext, node: NodeModel): void
}

export function streamSections(id: string): Sections {
  const checks = element('div', { class: 'checks' })
  const streams = streamsTable()
  const timing = new Figures()
  const streamsSection = section('Streams', timing.element, streams.element)
  const checksSection = section('Checks of TR 101 290', checks)
  return {
    elements: [streamsSection, checksSection],
    update({ model }, node) {
      const telling = checkingNode(model, node)
      const known = telling?.details.streams ?? []
      streamsSection.hidden = known.length === 0
      streams.show(known)
      timing.update(streamFigures((telling ?? node).details))
      checksSection.hidden = showChecks(checks, telling, id)
    },
  }
}

/** Whether there is nothing to show. */
function showChecks(box: HTMLElement, checking: NodeModel | undefined, id: string): boolean {
  const errors = new Map(checking?.details.checks ?? [])
  const known = new Set<string>(PRIORITIES.flatMap(([, names]) => names))
  const others = [...errors.keys()].filter((name) => !known.has(name))
  const groups = [...PRIORITIES, ...(others.length === 0 ? [] : [['Others', others] as const])]
  redraw(box, [checking?.id, groups.map(([, names]) => names)], () => [
    ...(checking === undefined || checking.id === id
      ? []
      : [element('p', { class: 'quiet' }, 'made by ', element('a', { href: hrefOfId(checking.id) }, checking.id))]),
    ...groups.map(([label, names]) => {
      const lamps = names.map((name) => element('li', { class: 'lamp' }, `${name} `, element('b')))
      return element('div', { class: 'lamps' }, element('span', { class: 'quiet' }, label), element('ul', {}, ...lamps))
    }),
  ])
  const names = groups.flatMap(([, each]) => [...each])
  for (const [at, lamp] of [...box.querySelectorAll('.lamp')].entries()) {
    const count = errors.get(names[at] ?? '')
    const tone = count === undefined ? 'quiet' : count === 0 ? 'ok' : 'warn'
    setAttributes(lamp, { 'data-tone': tone })
    const text = count === undefined ? '-' : count === 0 ? 'ok' : `${markOf('warn')} ${count}`
    if (lamp.lastElementChild) setText(lamp.lastElementChild, text)
  }
  return checking === undefined
}
