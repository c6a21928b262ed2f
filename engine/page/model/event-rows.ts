// Rows of events and of the log: the same again is one row with its count.
import { logText } from './log-text.js'
import type { EngineEvent, LogEntry } from './shapes.js'

export interface EventRow {
  /** What is the same again: the text without its numbers. */
  readonly same: string
  readonly atMs: number
  lastMs: number
  readonly level: 'info' | 'warn' | 'error'
  readonly node: string
  /** The newest. */
  text: string
  count: number
}

const MOST_ROWS = 1000
/** The longest pause between two attempts of the engine, and some more. */
const REPEATED_MS = 45_000
/** Rows of other nodes between two of one. */
const MOST_BETWEEN = 50
/** Lines of the log that say what a state event says. */
const STATE_LINE = /^(waiting|degraded)( {2}|$)/
const LEVELS: Readonly<Record<string, EventRow['level']>> = {
  degraded: 'warn',
  waiting: 'warn',
  failed: 'error',
  stalled: 'warn',
  rolled_back: 'error',
  not_restored: 'error',
  invalid: 'error',
  refused: 'error',
}

/** The same again is one row, with its count, among the newest; also what alternates, such as retries. */
export function recordRow(rows: EventRow[], row: EventRow): void {
  const at = findRepeated(rows, row)
  const [known] = at === -1 ? [] : rows.splice(at, 1)
  if (known === undefined) rows.push(row)
  else rows.push(Object.assign(known, { count: known.count + 1, lastMs: row.atMs, text: row.text }))
  if (rows.length > MOST_ROWS) rows.splice(0, rows.length - MOST_ROWS)
}

/** Where the row stands already: as the last one, or lately with at most one other of its node since. */
function findRepeated(rows: readonly EventRow[], { node, same, atMs }: EventRow): number {
  let others = 0
  for (let at = rows.length - 1; at >= Math.max(0, rows.length - MOST_BETWEEN); at--) {
    const each = rows[at]
    if (each?.node !== node) continue
    if (each.same === same) return at === rows.length - 1 || atMs - each.lastMs < REPEATED_MS ? at : -1
    if (++others > 1) return -1
  }
  return -1
}

export function rowOfEvent({ at, kind, node = '', data }: EngineEvent): EventRow {
  const last = kind.slice(kind.lastIndexOf('.') + 1)
  const said = ['why', 'message', 'result', 'from', 'to', 'name', 'stream', 'file']
    .flatMap((key) => (typeof data[key] === 'string' && data[key] !== '' ? [data[key]] : []))
    .join(' · ')
  const text = `${kind.startsWith('node.') ? last : kind}${said === '' ? '' : `: ${said}`}`
  const atMs = Date.parse(at)
  return { same: text, atMs, lastMs: atMs, level: LEVELS[last] ?? 'info', node, text, count: 1 }
}

/** `missed`: how many; undefined if that is unknown. */
export function rowOfGap(missed: number | undefined, atMs: number): EventRow {
  const text = missed === undefined ? 'events are missing here' : `${missed} events are missing here`
  return { same: text, atMs, lastMs: atMs, level: 'warn', node: '', text, count: 1 }
}

export function rowOfLog(entry: LogEntry): EventRow {
  const { at, level, node = '', message, data } = entry
  const atMs = Date.parse(at)
  const rank = level === 'warn' ? 'warn' : level === 'error' || level === 'fatal' ? 'error' : 'info'
  // Figures grow, names do not.
  const same = `${message} ${JSON.stringify(data, (_, value: unknown) => (typeof value === 'number' ? undefined : value))}`
  return { same, atMs, lastMs: atMs, level: rank, node, text: logText(entry), count: 1 }
}

/** Warnings and errors of a node, from events and log, newest first. A change of its state is an event already. */
export function troublesOf(
  { events, logs }: { readonly events: readonly EventRow[]; readonly logs: readonly EventRow[] },
  id: string,
  most: number,
): readonly EventRow[] {
  const isOwn = ({ node, level }: EventRow): boolean => node === id && level !== 'info'
  const own = [...events.filter(isOwn), ...logs.filter((row) => isOwn(row) && !STATE_LINE.test(row.text))]
  return own.sort((a, b) => b.lastMs - a.lastMs).slice(0, most)
}
