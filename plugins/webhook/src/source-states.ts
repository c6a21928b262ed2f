// Tracks which sources are up, from the engine's events about inputs, and reports changes only.
import type { EventNotice } from '@millrace/engine/plugin'

export type SourceEvent = 'source_up' | 'source_down'

const UP = 'node.ready'
const DOWN: readonly string[] = ['node.degraded', 'node.waiting', 'node.failed', 'node.ended']

export class SourceStates {
  readonly #isUp = new Map<string, boolean>()

  /** The webhook event, or undefined if the state of a source has not changed. */
  take({ kind, node, nodeKind }: EventNotice): SourceEvent | undefined {
    if (node === undefined || nodeKind !== 'input') return undefined
    if (kind !== UP && !DOWN.includes(kind)) return undefined
    const isUp = kind === UP
    if (this.#isUp.get(node) === isUp) return undefined
    this.#isUp.set(node, isUp)
    return isUp ? 'source_up' : 'source_down'
  }
}
