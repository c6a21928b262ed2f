// Events: what happened, newest last; follows the newest until a cursor key stops it.
import { drawBox } from '../draw/box.js'
import { piece, plain, type Line, type Meaning } from '../draw/line.js'
import { clockTime, type EventRow, shortSpan } from '@millrace/engine/model'
import { cleanText, cutMiddle, padEnd } from '../text/cells.js'
import { filterRows, selectable } from './list.js'
import type { ViewContext } from './view.js'

const LINE_WORDS = { both: 'all lines', events: 'events only', log: 'log only' } as const
const WORDS: Readonly<Record<EventRow['level'], readonly [string, Meaning]>> = {
  info: ['INFO', 'dim'],
  warn: ['WARN', 'warn'],
  error: ['ERR ', 'bad'],
}

/** Events, and in their view lines of the log among them. */
export function shownEvents({ model, ui }: ViewContext): readonly EventRow[] {
  const hasLog = ui.view === 'events' && ui.lines !== 'events'
  const events = ui.lines === 'log' && hasLog ? [] : model.events
  const lines = hasLog ? [...events, ...model.logs].sort((a, b) => a.lastMs - b.lastMs) : events
  const leveled = lines.filter(
    ({ level }) => ui.level === 'all' || level === 'error' || (ui.level === 'warn' && level === 'warn'),
  )
  return filterRows(leveled, ui.lists.events.filter, ({ level, node, text }) => ({
    state: level,
    text: `${node} ${text}`,
  }))
}

/** For the title of what shows events: which of them are left out. */
export function filterText({ ui, glyphs }: ViewContext): string {
  const { filter } = ui.lists.events
  return filter === '' ? '' : `filter ${cleanText(filter, glyphs.ascii)}  `
}

export function drawEvents(context: ViewContext): Line[] {
  const { ui, width, height, glyphs } = context
  const rows = shownEvents(context)
  const list = ui.lists.events
  const seen = Math.max(0, height - 2)
  const last = Math.max(0, rows.length - seen)
  if (ui.isFollowing) list.top = last
  list.top = Math.min(list.top, last)
  const shown = drawEventRows(context, rows.slice(list.top, list.top + seen), width - 4)
  const body = rows.length === 0 ? [[piece('  no events yet', 'dim')]] : shown.map((row) => selectable(row, false))
  const filter = filterText(context)
  const log = ui.isLogLost && ui.lines !== 'events' ? 'no log now !' : LINE_WORDS[ui.lines]
  const note = `${log}  level ${ui.level}  ${filter}${ui.isFollowing ? 'following' : 'F follow'}`
  return drawBox(body, { title: `events and log ${rows.length}`, note, width, height, glyphs })
}

export function drawEventRows({ glyphs }: ViewContext, rows: readonly EventRow[], width: number): Line[] {
  return rows.map(({ atMs, lastMs, level, node, text, count }) => {
    const [word, meaning] = WORDS[level]
    const span = shortSpan((lastMs - atMs) / 1000)
    const folded = count === 1 ? '' : ` (x${count} in ${span})`
    const id = cutMiddle(cleanText(node, glyphs.ascii), width >= 90 ? 24 : 14, glyphs.ellipsis)
    const where = node === '' ? '' : `${width >= 90 ? padEnd(id, 24) : id} `
    return [
      plain(`${clockTime(lastMs)} `),
      piece(word, meaning),
      plain(` ${where}${cleanText(text, glyphs.ascii)}${folded}`),
    ]
  })
}
