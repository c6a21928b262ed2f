// The access log: one line of JSON for each session that has ended and for each viewer who was refused. It has the path
// without its query and no header but the name of the client's software, so that nothing secret can be in it.
import { printable } from '../observe/printable.js'
import type { Clock } from '../plugin/tokens.js'
import type { SessionEnd, SessionWatcher } from '../observe/viewer-events.js'

/** Of what clients write themselves. */
const MOST_CHARACTERS = 256

export interface LineTarget {
  /** Never waits, never throws. */
  write(line: string): void
}

export class AccessLog implements SessionWatcher {
  readonly #clock: Pick<Clock, 'nowMs' | 'wallMs'>
  readonly #lines: LineTarget

  constructor(clock: Pick<Clock, 'nowMs' | 'wallMs'>, lines: LineTarget) {
    this.#clock = clock
    this.#lines = lines
  }

  onStart(): void {
    // A session is one line, when it ends.
  }

  onEnd(session: SessionEnd): void {
    const time = new Date(this.#clock.wallMs(this.#clock.nowMs())).toISOString()
    this.#lines.write(renderSession(time, session))
  }
}

/** Without an end of line. What is undefined is left out. */
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
