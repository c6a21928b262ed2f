// Works on many items without blocking the event loop: other streams must not wait for it.
import { setImmediate as nextTurn } from 'node:timers/promises'

const PER_TURN = 50

/** Calls `run` for each item, the first ones before it returns. Items that are removed meanwhile are left out. */
export async function inSlices<T>(items: ReadonlySet<T>, run: (item: T) => void): Promise<void> {
  let count = 0
  for (const item of items) {
    if (count++ >= PER_TURN) {
      count = 1
      await nextTurn()
      if (!items.has(item)) continue
    }
    run(item)
  }
}
