// Says whose code is running, so that what a plugin throws out of a subscriber is the failure of its own node. RxJS
// reports such errors later, from a timer: whose they are is noted when it asks for that timer. Not by AsyncLocalStorage:
// before Node 24 it runs a hook for every promise, tick and write of the process.
import { config } from 'rxjs'
import { timeoutProvider } from 'rxjs/internal/scheduler/timeoutProvider'

export type Fail = (error: unknown) => void

export interface NodeScope {
  /**
   * Runs the code of a node; what it throws, or what a subscriber throws meanwhile, goes to `fail`. Timers of the node's
   * clock run in its scope too; what it does in promises and callbacks of its own does not.
   */
  enter(fail: Fail, run: () => void): void
}

/**
 * Takes over RxJS's reports of unhandled errors until disposed. `onStray` gets those that belong to no node. Several
 * engines in one process take turns: what is none of the newest one's business goes to the one before.
 */
export function createNodeScope(onStray: Fail): NodeScope & Disposable {
  const before = { report: config.onUnhandledError, timers: timeoutProvider.delegate }
  let running: Fail | undefined
  let isDisposed = false
  const report = before.report ?? ((error: unknown): void => (isDisposed ? rethrow : onStray)(error))
  const timers: NonNullable<typeof timeoutProvider.delegate> = {
    setTimeout: (handler, timeoutMs, ...args: readonly unknown[]) => {
      const fail = running
      if (fail === undefined) return (before.timers?.setTimeout ?? setTimeout)(handler, timeoutMs, ...args)
      return setTimeout(() => reportTo(fail, handler), timeoutMs)
    },
    clearTimeout: (handle) => (before.timers?.clearTimeout ?? clearTimeout)(handle),
  }
  config.onUnhandledError = report
  timeoutProvider.delegate = timers
  return {
    enter(fail, run) {
      const outer = running
      running = fail
      try {
        run()
      } catch (error) {
        fail(error)
      } finally {
        running = outer
      }
    },
    [Symbol.dispose]() {
      isDisposed = true
      // Not if a newer one has taken over: it passes on to this one, which goes on to pass on.
      if (config.onUnhandledError === report) config.onUnhandledError = before.report
      if (timeoutProvider.delegate === timers) timeoutProvider.delegate = before.timers
    },
  }
}

/** `report` is what RxJS wants to do later: it tells the one hook that it has. */
function reportTo(fail: Fail, report: () => void): void {
  const usual = config.onUnhandledError
  config.onUnhandledError = fail
  try {
    report()
  } finally {
    config.onUnhandledError = usual
  }
}

function rethrow(error: unknown): never {
  throw error
}
