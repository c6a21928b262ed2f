// What the status, and the answer where there is no playlist, say about the source of an output.
import type { Presentation } from './presentation.js'

/** Nothing came for this long. */
const SILENT_MS = 2000

/** `why`: why no viewer can start in the source, as the engine says it; empty if that is unknown. */
export function describeSource({ renditions, life }: Presentation, nowMs: number, why: string): string {
  const newestMs = Math.max(-Infinity, ...renditions.map(({ collector }) => collector.lastChunkMs))
  const reason = why === '' ? '' : `: ${why}`
  if (newestMs === -Infinity) return `no data so far${reason}`
  const silentMs = nowMs - newestMs
  if (silentMs > SILENT_MS) {
    const playlists = life === undefined ? 'there are no playlists' : 'the playlists go on with gaps'
    return `away for ${Math.floor(silentMs / 1000)} s${why === '' ? '' : ` (${why})`}: ${playlists}`
  }
  if (!renditions.some(({ collector }) => collector.isOpen)) return `no key frame so far${reason}`
  return life === undefined ? 'the first segment is not complete yet' : 'flows'
}
