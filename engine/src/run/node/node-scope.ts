// Tracks which node's code is running, so that an error that a plugin throws in a subscriber fails that node. RxJS
// reports such errors later, from a timer: the node is recorded when RxJS asks for that timer. AsyncLocalStorage is not
// used: before Node 24 it runs a hook for every promise, tick and write of the process.
import { config } from 'rxjs'
import { timeoutProvider } from 'rxjs/internal/scheduler/timeoutProvider'

export type Fail = (error: unknown) => void

export interface NodeScope {
  /**
   * Runs the code of a node; an error that it or a subscriber throws meanwhile goes to `fail`. Timers of the node's
   * clock run in its scope too; its own promises and callbacks do not.
   */
  enter(fail: Fail, run: () => void): void
}

/**
 * Takes over RxJS's reports of unhandled errors until disposed. `onStray` receives those that belong to no node.
 * Several engines in one process form a chain: the newest passes an error that is not its own to the one created before
 * it.
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
      // Not if a newer engine has taken over: it passes errors to this one, which still passes them on.
      if (config.onUnhandledError === report) config.onUnhandledError = before.report
      if (timeoutProvider.delegate === timers) timeoutProvider.delegate = before.timers
    },
  }
}

/** `report` is RxJS's own deferred report: it calls the single hook that RxJS has. */
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
