// A promise that is waited for only so long.
import type { Clock } from '../../plugin/tokens.js'

/** Rejects with what `late` returns after `ms`; what becomes of the promise then is nobody's business here. */
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
