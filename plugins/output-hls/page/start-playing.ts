// Plays at once where the browser allows that: with sound, else without, else after a click.
import { findButton } from './find-element.js'

export function startPlaying(video: HTMLVideoElement): void {
  const start = findButton('start')
  const unmute = findButton('unmute')
  unmute.addEventListener('click', () => {
    video.muted = false
    if (video.volume === 0) video.volume = 1
  })
  video.addEventListener('volumechange', () => {
    if (!video.muted) unmute.hidden = true
  })
  start.addEventListener('click', () => {
    video.muted = false
    video.play().catch(() => undefined)
  })
  video.addEventListener('play', () => (start.hidden = true))
  void play(video, { start, unmute })
}

async function play(
  video: HTMLVideoElement,
  { start, unmute }: { readonly start: HTMLButtonElement; readonly unmute: HTMLButtonElement },
): Promise<void> {
  try {
    await video.play()
  } catch (error) {
    if (!isRefusal(error)) return
    video.muted = true
    try {
      await video.play()
      unmute.hidden = !video.muted
    } catch (again) {
      if (isRefusal(again)) start.hidden = false
    }
  }
}

/** Another failure means that the source is not there yet. */
function isRefusal(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'NotAllowedError'
}
