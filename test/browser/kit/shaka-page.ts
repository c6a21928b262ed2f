// A page that plays a URL with shaka-player.
import { createRequire } from 'node:module'
import type { Browser } from 'playwright-core'
import { PlayerPage } from './player-page.js'

/** Of the global that its script makes. */
interface Shaka {
  readonly polyfill: { installAll(): void }
  readonly Player: new () => {
    attach(video: HTMLVideoElement): Promise<void>
    load(url: string): Promise<void>
    getNetworkingEngine(): {
      registerRequestFilter(filter: (type: number, request: { allowCrossSiteCredentials: boolean }) => void): void
    }
  }
}

/** `empty`: the page in which it plays. Rejects if the player refuses the URL. */
export async function openShaka(
  browser: Browser,
  empty: string,
  url: string,
  { withCredentials = false } = {},
): Promise<PlayerPage> {
  const opened = await PlayerPage.open(browser, empty)
  await opened.page.addScriptTag({ path: createRequire(import.meta.url).resolve('shaka-player') })
  const given = { src: url, withCredentials }
  await opened.page.evaluate(async ({ src, withCredentials: sends }) => {
    const { shaka } = globalThis as unknown as { shaka: Shaka }
    shaka.polyfill.installAll()
    const video = document.createElement('video')
    video.muted = true
    document.body.append(video)
    const player = new shaka.Player()
    await player.attach(video)
    player.getNetworkingEngine().registerRequestFilter((_, request) => {
      request.allowCrossSiteCredentials = sends
    })
    await player.load(src)
    await video.play()
  }, given)
  return opened
}
