// Waits until a stream has passed on what was written to it: a pipe whose reader is slow takes the rest later, and the
// process must not end before.
import type { Writable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'

/** A reader that takes nothing must not keep the process. */
const LONGEST_MS = 10_000

/** Never rejects. */
export async function flushStream(stream: Writable): Promise<void> {
  if (stream.writableLength === 0 || stream.destroyed) return
  const given = new AbortController()
  const passed = new Promise<void>((resolve) => {
    stream.once('close', resolve)
    stream.write('', () => resolve())
  })
  await Promise.race([passed, delay(LONGEST_MS, undefined, { signal: given.signal }).catch(() => undefined)])
  given.abort()
}
