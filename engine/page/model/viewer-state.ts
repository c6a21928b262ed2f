// How a viewer is doing.
import { shortBytes } from './amounts.js'
import type { ClientStatus } from './shapes.js'

/** It has skipped, is looking for its place, or its player has stalled. */
export function isSlow({ skips, state, player }: ClientStatus): boolean {
  return skips > 0 || state === 'seeking' || (player?.stalls ?? 0) > 0
}

/** `STALLED !` and `SLOW !`, or the state in the words of the engine. */
export function viewerState(client: ClientStatus): string {
  if ((client.player?.stalls ?? 0) > 0) return 'STALLED !'
  if (isSlow(client)) return 'SLOW !'
  return client.state === 'reading' ? 'ok' : client.state
}

/** As time where the rate says how much that is, in bytes where nothing flows. */
export function behindText(bytes: number, bitsPerSecond: number): string {
  return bitsPerSecond < 1000 ? shortBytes(bytes) : `${((bytes * 8) / bitsPerSecond).toFixed(1)}s`
}
