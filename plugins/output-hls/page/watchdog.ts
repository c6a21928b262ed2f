// Sees that the picture moves. hls.js jumps over gaps itself; this is for what remains: a position that has left the
// playlist (a long pause, a restart of the server), and a hole that nothing fills.
import type { Playback } from './playback.js'

const LOOK_EVERY_MS = 500
/** Standing this long with media further on: go there. */
const STUCK_MS = 2500
/** Behind the oldest picture by this much. */
const MARGIN_S = 0.5
/** Into the next buffered range: its first picture can begin a little later. */
const INTO_RANGE_S = 0.1

export function watchPlayback(video: HTMLVideoElement, playback: () => Playback): void {
  let lastTime = -1
  let movedAtMs = performance.now()
  setInterval(() => {
    const nowMs = performance.now()
    const isMoving = video.currentTime !== lastTime
    lastTime = video.currentTime
    if (isMoving || video.paused || video.seeking) movedAtMs = nowMs
    if (video.paused) return
    const target = targetOf(video, playback(), nowMs - movedAtMs > STUCK_MS)
    if (target === undefined) return
    movedAtMs = nowMs
    video.currentTime = target
  }, LOOK_EVERY_MS)
}

/** Where the picture has to go; undefined if it is where it should be. */
function targetOf(video: HTMLVideoElement, { range, livePosition }: Playback, isStuck: boolean): number | undefined {
  if (range === undefined || livePosition === undefined) return undefined
  const time = video.currentTime
  if (time < range.start - MARGIN_S && livePosition > time) return livePosition
  if (!isStuck) return undefined
  const next = nextBuffered(video.buffered, time)
  if (next !== undefined) return next
  // It waits for media that the playlist no longer has, or never had.
  return livePosition > time + MARGIN_S ? livePosition : undefined
}

function nextBuffered(buffered: TimeRanges, time: number): number | undefined {
  for (let index = 0; index < buffered.length; index++) {
    if (buffered.start(index) > time) return buffered.start(index) + INTO_RANGE_S
  }
  return undefined
}
