// Says whose code is running, so that what a plugin throws out of a subscriber is the failure of its own node. RxJS
// reports such errors later, from a timer; the scope is carried there by AsyncLocalStorage.
import { AsyncLocalStorage } from 'node:async_hooks'
import { config } from 'rxjs'

export type Fail = (error: unknown) => void

export interface NodeScope {
  /** Runs the code of a node; what it throws, now or in an RxJS subscriber, goes to `fail`. */
  enter(fail: Fail, run: () => void): void
}

/** Takes over RxJS's reports of unhandled errors. `onStray` gets those that belong to no node. */
export function createNodeScope(onStray: Fail): NodeScope & Disposable {
  const running = new AsyncLocalStorage<Fail>()
  const before = config.onUnhandledError
  config.onUnhandledError = (error: unknown) => (running.getStore() ?? onStray)(error)
  return {
    enter(fail, run) {
      try {
        running.run(fail, run)
      } catch (error) {
        fail(error)
      }
    },
    [Symbol.dispose]() {
      config.onUnhandledError = before
    },
  }
}
