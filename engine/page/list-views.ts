// The views of all viewers, of all events, and of the log.
import { element, setText } from './dom.js'
import { EventList, linesOf, type ListedLine } from './event-list.js'
import { followStream } from './follow-stream.js'
import { type LogEntry, logText, sortByBehind } from './model/index.js'
import type { View, ViewContext } from './view.js'
import { viewersTable } from './viewers-table.js'

const MOST_LINES = 500
/** The engine writes a comment every 15 s. */
const SILENT_MS = 40_000
const RETRY_MS = 2000
const LEVELS = ['info', 'warn', 'error'] as const

export function viewersView(): View {
  let context: ViewContext | undefined
  const table = viewersTable(() => {
    if (context === undefined) throw new Error('a cell was drawn before the first update')
    return context
  })
  return {
    title: 'Viewers',
    needsViewers: true,
    element: element('section', {}, element('h2', {}, 'Viewers'), table.element),
    update(next) {
      context = next
      table.show(sortByBehind(next.model, next.model.clients))
    },
  }
}

export function eventsView(): View {
  const { choice, level } = levelChoice(() => last !== undefined && update(last))
  const list = new EventList('Events', 'No events yet.')
  let last: ViewContext | undefined
  function update(context: ViewContext): void {
    last = context
    list.show(linesOf(context.model.events.filter((event) => isAtLeast(event.level, level()))))
  }
  return {
    title: 'Events',
    element: element(
      'section',
      {},
      element('div', { class: 'head' }, element('h2', {}, 'Events'), choice),
      list.element,
    ),
    update,
  }
}

/** Follows the log for as long as it is seen. */
export function logView(): View {
  const stop = new AbortController()
  const lines: ListedLine[] = []
  const { choice, level } = levelChoice(show)
  const list = new EventList('Log', 'No lines yet.')
  const note = element('p', { class: 'quiet', role: 'status' })
  function show(): void {
    list.show(lines.filter((line) => isAtLeast(line.level, level())))
  }
  async function follow(): Promise<void> {
    let lastId: string | undefined
    while (!stop.signal.aborted) {
      const request = { path: `logs?follow=1&limit=${MOST_LINES}`, silentMs: SILENT_MS, lastId, signal: stop.signal }
      await followStream({
        ...request,
        onEvent({ name, data, id = '' }) {
          setText(note, '')
          lastId = id
          if (name !== 'log') return
          lines.push(lineOf(JSON.parse(data) as LogEntry, id))
          lines.splice(0, lines.length - MOST_LINES)
        },
      }).catch(() => undefined)
      if (!stop.signal.aborted) setText(note, 'The log can not be read now; it is asked for again.')
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    }
  }
  void follow()
  const head = element('div', { class: 'head' }, element('h2', {}, 'Log'), choice)
  return {
    title: 'Log',
    element: element('section', {}, head, note, list.element),
    update: show,
    end: () => stop.abort(),
  }
}

function lineOf(entry: LogEntry, key: string): ListedLine {
  const { at, level, node = '' } = entry
  return { key, atMs: Date.parse(at), level, node, text: logText(entry) }
}

function levelChoice(onChange: () => void): { readonly choice: HTMLElement; level(): string } {
  const options = LEVELS.map((name) =>
    element('option', { value: name }, name === 'info' ? 'all' : `${name} and worse`),
  )
  const select = element('select', {}, ...options)
  select.addEventListener('change', onChange)
  return { choice: element('label', { class: 'filter' }, 'Level ', select), level: () => select.value }
}

function isAtLeast(level: string, least: string): boolean {
  const rank = (of: string): number => (of === 'fatal' ? LEVELS.length : (LEVELS as readonly string[]).indexOf(of))
  return rank(level) >= rank(least) || least === 'info'
}
