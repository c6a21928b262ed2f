// What a node says of itself: its recorder, its details, the options with which it runs.
import { ask } from './api-client.js'
import { detailsTree } from './details-tree.js'
import { element } from './dom.js'
import { type NodeModel, recorderLines } from './model/index.js'
import { pathOf } from './node-actions.js'
import { redraw, section } from './section.js'
import { markOf } from './state-word.js'
import type { Sections } from './stream-sections.js'

export function saidSections(id: string): Sections {
  const recorder = element('ul', { class: 'links' })
  const details = element('div', { class: 'details' })
  const options = optionsOf(id)
  const sections = [section('Recorder', recorder), section('Details', details)] as const
  const optionsSection = section('Options in force', options.element)
  return {
    elements: [...sections, optionsSection],
    update({ model, nowMs }, node) {
      sections[0].hidden = showRecorder(recorder, node, nowMs)
      sections[1].hidden = showDetails(details, node.status.details)
      optionsSection.hidden = options.update(model.status?.reload?.runningId ?? '')
    },
  }
}

/** These return whether there is nothing to show. */
function showRecorder(list: HTMLElement, { status }: NodeModel, nowMs: number): boolean {
  const lines = recorderLines(status, nowMs)
  redraw(list, lines, () =>
    lines.map(({ text, isBad }) =>
      element('li', { 'data-tone': isBad ? 'warn' : undefined }, isBad ? `${markOf('warn')} ${text}` : text),
    ),
  )
  return lines.length === 0
}

interface NodeOptions {
  readonly at: string
  readonly options: unknown
}

/** Read once for each configuration that runs. `update` returns whether there is nothing to show. */
function optionsOf(id: string): { readonly element: HTMLElement; update(runningId: string): boolean } {
  const box = element('div', { class: 'details options' })
  let known: string | undefined
  return {
    element: box,
    update(runningId) {
      if (known !== runningId) {
        known = runningId
        ask<NodeOptions>('GET', `${pathOf(id)}/options`).then(
          ({ at, options }) => box.replaceChildren(element('p', { class: 'quiet' }, at), ...detailsTree(options)),
          () => box.replaceChildren(),
        )
      }
      return box.childElementCount === 0
    },
  }
}

function showDetails(box: HTMLElement, details: unknown): boolean {
  redraw(box, details, () => detailsTree(details))
  return details === undefined
}
