// The access log that the configuration asks for.
import { AccessLog } from '../access/access-log.js'
import { openLineFile, openStdout } from '../access/line-file.js'
import { LineWriter } from '../access/line-writer.js'
import type { SessionWatcher } from '../deliver/session.js'
import type { Logger } from '../plugin/contract.js'
import type { Clock } from '../plugin/tokens.js'

export interface OpenAccessLog extends AsyncDisposable {
  readonly watcher: SessionWatcher
  readonly droppedLines: number
}

/** `to`: `off`, `stdout`, or the path of a file. Nothing is opened before the first line. */
export function openAccessLog(to: string, clock: Clock, log: Logger): OpenAccessLog | undefined {
  if (to === 'off') return undefined
  const open = to === 'stdout' ? async () => openStdout() : () => openLineFile(to)
  const writer = new LineWriter({ clock, log, open })
  return {
    watcher: new AccessLog(clock, writer),
    get droppedLines() {
      return writer.dropped
    },
    [Symbol.asyncDispose]: () => writer[Symbol.asyncDispose](),
  }
}
