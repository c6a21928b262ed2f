// How long a player wanted to play and had nothing to play, and how much it has played. On a busy machine, pictures that
// are there are not yet decoded, and timers are late: neither is a fault of the stream.
import type { Page } from 'playwright-core'

export interface Watched {
  /** Seconds of the stream; jumps do not count. */
  readonly played: number
  /** Seconds without anything to play: nothing was in the buffer. */
  readonly starved: number
  /** Seconds by which timers of the page were late. */
  readonly late: number
}

const SAMPLE_MS = 100

/** From now on, until the page closes. */
export async function watchStarvation(page: Page): Promise<() => Promise<Watched>> {
  await page.evaluate((everyMs) => {
    const video = document.querySelector('video')!
    const watched = { played: 0, starved: 0, late: 0 }
    let [last, lastMs] = [video.currentTime, performance.now()]
    const isEmpty = (): boolean => {
      const { buffered, currentTime } = video
      for (let at = 0; at < buffered.length; at++) {
        if (buffered.start(at) <= currentTime + 0.1 && buffered.end(at) > currentTime + 0.1) return false
      }
      return true
    }
    setInterval(() => {
      const nowMs = performance.now()
      const [step, elapsed] = [video.currentTime - last, (nowMs - lastMs) / 1000]
      watched.late += Math.max(0, elapsed - (2 * everyMs) / 1000)
      if (step > 0 && step < elapsed + 1) watched.played += step
      else if (!video.paused && video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA && isEmpty()) {
        watched.starved += elapsed
      }
      last = video.currentTime
      lastMs = nowMs
    }, everyMs)
    Object.assign(globalThis, { watched })
  }, SAMPLE_MS)
  return () => page.evaluate(() => ({ ...(globalThis as unknown as { watched: Watched }).watched }))
}
