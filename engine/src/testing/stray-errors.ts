// Errors that nobody has caught while a check runs: thrown in a callback that Node calls, or a promise that nobody waits
// for. They fail the check, and not whichever test happens to run.
import process from 'node:process'
import { setImmediate, setTimeout } from 'node:timers/promises'

const EVENTS = ['uncaughtException', 'unhandledRejection'] as const
type Listener = (...args: unknown[]) => void

export class StrayErrors implements Disposable {
  readonly caught: unknown[] = []
  readonly #restore: (() => void)[] = []

  /** Takes the place of the other listeners until disposed. */
  constructor() {
    for (const event of EVENTS) {
      const others = process.listeners(event as 'uncaughtException') as unknown as Listener[]
      const take: Listener = (error) => void this.caught.push(error)
      process.removeAllListeners(event)
      process.on(event, take)
      this.#restore.push(() => {
        process.off(event, take)
        for (const other of others) process.on(event, other)
      })
    }
  }

  /** Waits until late errors have surfaced. */
  async settled(): Promise<readonly unknown[]> {
    // RxJS throws what nobody handles in a timer.
    await setTimeout(2)
    await setImmediate()
    return this.caught
  }

  [Symbol.dispose](): void {
    for (const restore of this.#restore.splice(0)) restore()
  }
}
