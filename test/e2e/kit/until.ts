// Waits for a condition that nothing announces, of another process or the kernel.
import { setTimeout as pause } from 'node:timers/promises'

const POLL_MS = 20

/**
 * Polls until the result is neither undefined nor false; rejects after the timeout, naming what was waited for. A
 * result that throws counts as undefined.
 */
export async function until<T>(
  probe: () => T | Promise<T>,
  what: string | (() => string),
  timeoutMs = 60_000,
): Promise<Exclude<T, undefined | false>> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const answer = await attempt(probe)
    if (answer !== undefined && answer !== false) return answer as Exclude<T, undefined | false>
    if (performance.now() > deadline) throw new Error(`waited too long: ${typeof what === 'string' ? what : what()}`)
    await pause(POLL_MS)
  }
}

async function attempt<T>(probe: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await probe()
  } catch {
    return undefined
  }
}
