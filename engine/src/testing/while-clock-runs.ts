// Waits for a node whose clock stands still otherwise: the clock runs meanwhile, about as fast as time passes.
import assert from 'node:assert/strict'
import { setImmediate, setTimeout } from 'node:timers/promises'

/** Turns of the event loop that pass before time does. */
const TURNS = 20
const STEP_MS = 5

/**
 * Resolves and rejects as the promise does; rejects after that long, by the clock, with what did not happen. `speed`: of the
 * clock, by default that of time.
 */
export async function whileClockRuns<T>(
  bench: { advance(byMs: number): void },
  promise: Promise<T>,
  withinMs: number,
  what: string,
  speed = 1,
): Promise<T> {
  let isSettled = false
  const settle = (): void => void (isSettled = true)
  promise.then(settle, settle)
  for (let turn = 0; turn < TURNS && !isSettled; turn++) await setImmediate()
  // Steps are counted, not time: on a busy machine the node has more of it.
  for (let passedMs = 0; passedMs < withinMs && !isSettled; passedMs += STEP_MS * speed) {
    await setTimeout(STEP_MS)
    if (!isSettled) bench.advance(STEP_MS * speed)
  }
  await setImmediate()
  assert.ok(isSettled, `${what} within ${withinMs / 1000} s`)
  return promise
}
