// A player page in the browser, as a test sees it: what plays, and what went wrong.
import { setTimeout as pause } from 'node:timers/promises'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'

const WAIT_MS = 60_000
const STEP_MS = 50

export interface Playing {
  readonly time: number
  readonly frames: number
  readonly isPaused: boolean
  readonly badge: string
  readonly notice: string
}

export class PlayerPage {
  readonly page: Page
  /** Errors of scripts, messages of the console, and what a policy has refused. */
  readonly faults: string[] = []

  private constructor(page: Page) {
    this.page = page
    page.on('pageerror', (error) => this.faults.push(error.message))
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') this.faults.push(message.text())
    })
  }

  static async open(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<PlayerPage> {
    const page = await browser.newPage(options)
    const opened = new PlayerPage(page)
    await page.goto(url)
    return opened
  }

  state(): Promise<Playing> {
    return this.page.evaluate(() => {
      const video = document.querySelector('video')!
      return {
        time: video.currentTime,
        frames: video.getVideoPlaybackQuality().totalVideoFrames,
        isPaused: video.paused,
        badge: document.querySelector('#badge')?.textContent ?? '',
        notice: document.querySelector('#notice:not([hidden]) p')?.textContent ?? '',
      }
    })
  }

  /** Resolves when it has played this many seconds of the stream from now on; jumps do not count. */
  async playsOn(seconds = 1): Promise<void> {
    const played = this.page.evaluate(
      ([wanted = 0, stepMs = 0]) =>
        new Promise<void>((resolve) => {
          const video = document.querySelector('video')!
          let [last, sum] = [video.currentTime, 0]
          const timer = setInterval(() => {
            const step = video.currentTime - last
            last = video.currentTime
            if (step > 0 && step < 1) sum += step
            if (sum < wanted) return
            clearInterval(timer)
            resolve()
          }, stepMs)
        }),
      [seconds, STEP_MS],
    )
    const timeout = new AbortController()
    const late = pause(WAIT_MS, undefined, { signal: timeout.signal }).then(async () => {
      throw new Error(`it did not play ${seconds} s: ${JSON.stringify(await this.state())}`)
    })
    try {
      await Promise.race([played, late])
    } finally {
      timeout.abort()
      late.catch(() => undefined)
    }
  }

  /** Resolves when the condition holds in the page. It is a function: the policy of the page forbids texts. */
  async until<A>(condition: (given: A) => boolean, given: A): Promise<void> {
    await this.page.waitForFunction(condition as (given: unknown) => boolean, given, { timeout: WAIT_MS })
  }

  async untilBadge(text: string): Promise<void> {
    await this.until((wanted) => document.querySelector('#badge')?.textContent === wanted, text)
  }
}
