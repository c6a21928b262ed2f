// The access log: one line of JSON for each session that has ended and for each viewer that was refused. It contains
// the path without its query and no header but User-Agent, so that it cannot contain a secret.
import { printable } from '../observe/printable.js'
import type { Clock } from '../plugin/tokens.js'
import type { SessionEnd, SessionWatcher } from '../observe/viewer-events.js'

/** Longest text from a client. */
const MOST_CHARACTERS = 256

export interface LineDestination {
  /** Never blocks, never throws. */
  write(line: string): void
}

export class AccessLog implements SessionWatcher {
  readonly #clock: Pick<Clock, 'nowMs' | 'wallMs'>
  readonly #lines: LineDestination

  constructor(clock: Pick<Clock, 'nowMs' | 'wallMs'>, lines: LineDestination) {
    this.#clock = clock
    this.#lines = lines
  }

  onStart(): void {
    // A session is logged once, when it ends.
  }

  onEnd(session: SessionEnd): void {
    const time = new Date(this.#clock.wallMs(this.#clock.nowMs())).toISOString()
    this.#lines.write(renderSession(time, session))
  }
}

/** The line of a session, without a line break. Undefined values are left out. */
export function renderSession(time: string, session: SessionEnd): string {
  const { id, node, path, client, user, userAgent, status, bytes, durationMs, skips, skippedBytes, reason } = session
  return JSON.stringify({
    time,
    id: id === '' ? undefined : id,
    node,
    client,
    user,
    path: bounded(path),
    userAgent: userAgent === '' ? undefined : bounded(userAgent),
    status,
    bytes,
    durationMs,
    skips,
    skippedBytes,
    reason,
  })
}

function bounded(text: string): string {
  return printable(text.slice(0, MOST_CHARACTERS)).replaceAll(/[\t\n]/g, '?')
}
