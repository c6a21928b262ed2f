// Waits for promises up to a time limit. After that, a promise's result is up to its owner.
import type { Clock } from '../../plugin/tokens.js'

/** Rejects with the error of `late` after `ms`. */
export async function withTimeout<T>(promise: Promise<T>, ms: number, clock: Clock, late: () => Error): Promise<T> {
  let timer: Disposable | undefined
  const timeout = new Promise<never>((_, reject) => {
    timer = clock.after(ms, () => reject(late()))
  })
  try {
    return await Promise.race([promise, timeout])
  } finally {
    timer?.[Symbol.dispose]()
  }
}

/** Resolves when the promise does, or after `ms`; rejects if the promise rejects first. */
export async function waitAtMost(promise: Promise<unknown>, ms: number, clock: Clock): Promise<void> {
  const late = new Error('the time limit is over')
  await withTimeout(promise, ms, clock, () => late).catch((error: unknown) => {
    if (error !== late) throw error
  })
}
