// Events, newest first: when, how bad, where, what. Repeated ones are one row with their count.
import { element, KeyedChildren, setAttributes, setText } from './dom.js'
import { clockTime, type EventRow } from './model/index.js'
import { hrefOfId } from './routes.js'
import { markOf, type Tone } from './state-word.js'

const MOST = 200
const TONES: Readonly<Record<string, Tone>> = { warn: 'warn', error: 'bad', fatal: 'bad', info: 'quiet' }

export interface ListedLine {
  /** No other line of the list has it. */
  readonly key: string
  readonly atMs: number
  readonly level: string
  readonly node: string
  readonly text: string
}

/** Lines of events or of the log. */
export class EventList {
  readonly element: HTMLElement
  readonly #rows: KeyedChildren<ListedLine>
  readonly #empty: HTMLElement

  constructor(label: string, empty: string) {
    const list = element('ol', { class: 'lines', 'aria-label': label })
    this.#rows = new KeyedChildren(list, ({ key }) => key, makeLine)
    this.#empty = element('p', { class: 'quiet' }, empty)
    this.element = element('div', {}, list, this.#empty)
  }

  /** Oldest first. */
  show(lines: readonly ListedLine[]): void {
    this.#rows.show(lines.slice(-MOST).reverse())
    this.#empty.hidden = lines.length > 0
  }
}

export function linesOf(events: readonly EventRow[]): readonly ListedLine[] {
  return events.map(({ same, atMs, lastMs, level, node, text, count }) => {
    const times = count === 1 ? '' : ` (${count} times)`
    return { key: `${atMs} ${node} ${same}`, atMs: lastMs, level, node, text: text + times }
  })
}

function makeLine({ level, node }: ListedLine): { element: Element; update(line: ListedLine): void } {
  const tone = TONES[level] ?? 'quiet'
  const time = element('time')
  const mark = element('span', { class: 'level', 'data-tone': tone }, `${markOf(tone)} ${level}`)
  const where = node === '' ? element('span') : element('a', { href: hrefOfId(node) }, node)
  const what = element('span', { class: 'what' })
  return {
    element: element('li', {}, time, mark, where, what),
    update({ atMs, text }) {
      setText(time, clockTime(atMs))
      setAttributes(time, { datetime: Number.isFinite(atMs) ? new Date(atMs).toISOString() : undefined })
      setText(what, text)
    },
  }
}
