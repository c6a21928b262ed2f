// How a viewer is doing.
import type { EngineModel } from './engine-model.js'
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

/**
 * How many seconds of the stream of an output these bytes are, by the last rate at which the stream came; undefined if it
 * has not come in the last minute.
 */
export function secondsBehind({ nodes }: EngineModel, output: string, bytes: number): number | undefined {
  return secondsOf(bytes, nodes.get(output)?.received.lastFlowing)
}

/** The same of a viewer; if the rate of the stream is unknown, by its own. */
export function viewerBehind(model: EngineModel, { id, node, behindBytes }: ClientStatus): number | undefined {
  return secondsBehind(model, node, behindBytes) ?? secondsOf(behindBytes, model.clientRates.get(id)?.lastFlowing)
}

function secondsOf(bytes: number, bitsPerSecond: number | undefined): number | undefined {
  return bitsPerSecond === undefined ? undefined : (bytes * 8) / bitsPerSecond
}

export function behindText(seconds: number | undefined): string {
  return seconds === undefined ? '-' : `${seconds.toFixed(1)}s`
}

/** The farthest first; those of whom it is unknown last. */
export function sortByBehind(model: EngineModel, clients: readonly ClientStatus[]): ClientStatus[] {
  const behindOf = (client: ClientStatus): number => viewerBehind(model, client) ?? -1
  return clients.toSorted((a, b) => behindOf(b) - behindOf(a))
}
