// Which picture the preview of the seek bar shows, as the page has it in the browser.
import type { Page } from 'playwright-core'
import { until } from '../../e2e/kit/until.js'

/** Notes the time of each picture that the preview shows. */
export function watchPreview(page: Page): Promise<void> {
  return page.evaluate(() => {
    const video = document.querySelector<HTMLVideoElement>('#preview-video')!
    const note: VideoFrameRequestCallback = (_, { mediaTime }) => {
      video.dataset['shown'] = String(mediaTime)
      video.requestVideoFrameCallback(note)
    }
    video.requestVideoFrameCallback(note)
  })
}

/** Moves the mouse to this share of the line, until the condition holds in the page. */
export async function hover(page: Page, share: number, condition: (share: number) => boolean): Promise<void> {
  const { x, y, width, height } = (await page.locator('#seek').boundingBox())!
  const at = [x + width * share, y + height / 2] as const
  await page.mouse.move(...at)
  await until(async () => {
    // Controls that are out of use come back with the first move, and take notice of the next one.
    const isHidden = await page.evaluate(() => document.querySelector<HTMLElement>('#preview')!.hidden)
    if (isHidden) await page.mouse.move(at[0] - 1, at[1])
    if (isHidden) await page.mouse.move(...at)
    return page.evaluate(condition, share)
  }, `a preview at ${share}`)
}

/** Runs in the page: there is a preview. */
export function hasPreview(): boolean {
  return !document.querySelector<HTMLElement>('#preview')!.hidden
}

/**
 * Runs in the page, of a player that is behind live: the preview is visible, and shows the key frame at or before the time
 * at this share of the line.
 */
export function isPreviewed(share: number): boolean {
  const [earlier, later] = [3, 1]
  const line = document.querySelector<HTMLInputElement>('#seek')!
  const preview = document.querySelector<HTMLVideoElement>('#preview-video')!
  const first = document.querySelector('video')!.currentTime - Number(line.value)
  const offS = Number(preview.dataset['shown'] ?? NaN) - (first + share * Number(line.max))
  return preview.checkVisibility() && preview.videoWidth > 0 && offS >= -earlier && offS <= later
}
