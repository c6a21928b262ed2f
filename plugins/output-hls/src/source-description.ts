// What the status says about the source of an output.
import type { Presentation } from './presentation.js'

/** Nothing came for this long. */
const SILENT_MS = 2000

export function describeSource({ renditions, life }: Presentation, nowMs: number): string {
  const newestMs = Math.max(-Infinity, ...renditions.map(({ collector }) => collector.lastChunkMs))
  if (newestMs === -Infinity) return 'no data so far'
  const silentMs = nowMs - newestMs
  if (silentMs > SILENT_MS) {
    const playlists = life === undefined ? 'there are no playlists' : 'the playlists go on with gaps'
    return `away for ${Math.floor(silentMs / 1000)} s: ${playlists}`
  }
  if (!renditions.some(({ collector }) => collector.isOpen)) return 'no key frame so far'
  return life === undefined ? 'the first segment is not complete yet' : 'flows'
}
