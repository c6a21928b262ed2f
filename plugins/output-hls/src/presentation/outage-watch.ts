// What happens while nothing is published: after a while the open segment is closed and a hole begins, the hole is filled
// with gaps, and at last the playlists end.
import type { CutPlanner } from '../playlist/cut-planner.js'
import type { Life } from '../playlist/life.js'
import type { PresentationState } from './presentation-state.js'
import type { Publisher } from './publisher.js'

/** RFC 8216, 6.2.2: a playlist changes at the latest after one and a half target durations. */
const CHANGE_SHARE = 1.5
const STALLED_CHANGE_SHARE = 2.5
/** So much earlier: silence is looked for four times a second, and players load playlists over a network. */
const CHANGE_EARLY_MS = 500
const SILENT_MS = 1000

/** Called a few times a second. False: `endAfter` has passed, and the life is over. */
export function watchOutage(
  { host, renditions }: PresentationState,
  { publishedMs, segmentMs }: Pick<Publisher, 'publishedMs' | 'segmentMs'>,
  { life, planner }: { readonly life: Life; readonly planner: CutPlanner },
): boolean {
  const nowMs = host.nowMs()
  if (nowMs - segmentMs > host.settings.endAfterMs) return false
  const waitedMs = nowMs - Math.max(publishedMs, planner.openedMs)
  const targetMs = life.targetSeconds * 1000
  const inTimeMs = targetMs * CHANGE_SHARE - CHANGE_EARLY_MS
  if (planner.isInHole) {
    if (waitedMs >= (publishedMs > segmentMs ? targetMs : inTimeMs)) planner.extendHole()
    return true
  }
  const isSilent = renditions.every(({ collector }) => !collector.isOpen || nowMs - collector.lastChunkMs > SILENT_MS)
  if (waitedMs >= (isSilent ? inTimeMs : targetMs * STALLED_CHANGE_SHARE)) planner.beginHole(nowMs)
  return true
}
