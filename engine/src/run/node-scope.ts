// Says whose code is running, so that what a plugin throws out of a subscriber is the failure of its own node. RxJS
// reports such errors later, from a timer; the scope is carried there by AsyncLocalStorage.
import { AsyncLocalStorage } from 'node:async_hooks'
import { config } from 'rxjs'

export type Fail = (error: unknown) => void

export interface NodeScope {
  /** Runs the code of a node; what it throws, now or in an RxJS subscriber, goes to `fail`. */
  enter(fail: Fail, run: () => void): void
}

/**
 * Takes over RxJS's reports of unhandled errors until disposed. `onStray` gets those that belong to no node. Several
 * engines in one process take turns: what is none of the newest one's business goes to the one before.
 */
export function createNodeScope(onStray: Fail): NodeScope & Disposable {
  const running = new AsyncLocalStorage<Fail>()
  const before = config.onUnhandledError
  let isDisposed = false
  const report = (error: unknown): void => {
    const fail = running.getStore() ?? before ?? (isDisposed ? rethrow : onStray)
    fail(error)
  }
  config.onUnhandledError = report
  return {
    enter(fail, run) {
      try {
        running.run(fail, run)
      } catch (error) {
        fail(error)
      }
    },
    [Symbol.dispose]() {
      isDisposed = true
      // Not if a newer one has taken over: it passes on to this one, which goes on to pass on.
      if (config.onUnhandledError === report) config.onUnhandledError = before
    },
  }
}

function rethrow(error: unknown): never {
  throw error
}
