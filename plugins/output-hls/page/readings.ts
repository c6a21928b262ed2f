// The numbers below the picture.
import { findElement } from './find-element.js'
import type { Playback } from './playback.js'
import { bufferedUntil } from './seek-bar.js'
import { rateText, secondsText } from './time-text.js'

export function showReadings(video: HTMLVideoElement, playback: Playback): void {
  const { latencySeconds, bitrate, range, livePosition } = playback
  const behind = range === undefined ? undefined : range.end - video.currentTime
  const hasBegun = video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA && livePosition !== undefined
  write('latency', secondsText(hasBegun ? (latencySeconds ?? behind) : undefined))
  write('buffer', secondsText(hasBegun ? bufferedUntil(video) - video.currentTime : undefined))
  write('picture', pictureText(video))
  write('bitrate', rateText(bitrate))
}

function pictureText({ videoWidth, videoHeight, readyState }: HTMLVideoElement): string {
  if (readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return '–'
  return videoWidth === 0 ? 'sound only' : `${videoWidth} × ${videoHeight}`
}

function write(id: string, text: string): void {
  const element = findElement(id, HTMLElement)
  if (element.textContent !== text) element.textContent = text
}
