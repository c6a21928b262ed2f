// Warnings of Node, which it writes to stderr as text by itself: of a plugin that uses what is deprecated, or that leaks
// listeners. They go to the log, so that a stderr of JSON lines stays one. The same for what code writes by `console`.
import { Console } from 'node:console'
import { Writable } from 'node:stream'
import type { Logger } from '../plugin/contract.js'
import type { BugReport } from './bug-exit.js'
import type { TextStream } from './cli-streams.js'
import { renderRecord } from './stderr-format.js'

/** The part of `process` that is used here. */
export interface WarningSource {
  listenerCount(event: 'warning'): number
  removeAllListeners(event: 'warning'): unknown
  on(event: 'warning', listener: (warning: Error) => void): unknown
}

/** `report`: has the log once there is one, and the format until then. */
export function logWarnings(source: WarningSource, report: BugReport, err: TextStream): void {
  // Its own listener writes to stderr; with --no-warnings there is none.
  if (source.listenerCount('warning') === 0) return
  source.removeAllListeners('warning')
  source.on('warning', (warning) => {
    const { name, message, stack } = warning
    const code = 'code' in warning && typeof warning.code === 'string' ? warning.code : undefined
    const data = { name, ...(code === undefined ? {} : { code }), stack }
    if (report.log !== undefined) report.log.warn({ warning: data }, `Node warns: ${message}`)
    else if (report.format === 'json') err.write(renderRecord('warn', { warning: data }, `Node warns: ${message}`))
    else err.write(`warning: ${name}: ${message}\n`)
  })
}

/** What `console` would write to stderr becomes lines of the log, until it is disposed. */
export function logConsole(target: Console, log: Logger): Disposable {
  const stderr = new Writable({
    decodeStrings: false,
    write(text: string, _encoding, done) {
      log.warn({ by: 'console' }, text.trimEnd())
      done()
    },
  })
  const lines = new Console({ stdout: stderr, stderr, colorMode: false })
  const { error, warn, trace, assert } = target
  Object.assign(target, { error: lines.error, warn: lines.warn, trace: lines.trace, assert: lines.assert })
  return { [Symbol.dispose]: () => void Object.assign(target, { error, warn, trace, assert }) }
}
