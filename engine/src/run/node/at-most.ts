// Something that is waited for, but not longer than so.
import type { Clock } from '../../plugin/tokens.js'

/** Resolves when the promise has, or after `ms`; what becomes of it then is nobody's business here. */
export async function atMost(promise: Promise<unknown>, ms: number, clock: Clock): Promise<void> {
  let timer: Disposable | undefined
  const late = new Promise<void>((resolve) => {
    timer = clock.after(ms, resolve)
  })
  await Promise.race([promise, late])
  timer?.[Symbol.dispose]()
}
