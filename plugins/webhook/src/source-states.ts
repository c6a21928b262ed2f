// Whether sources are up, from what the engine says of its inputs: only changes are news.
import type { EventNotice } from '@millrace/engine/plugin'

export type SourceNews = 'source_up' | 'source_down'

const UP = 'node.ready'
const DOWN: readonly string[] = ['node.degraded', 'node.waiting', 'node.failed', 'node.ended']

export class SourceStates {
  readonly #isUp = new Map<string, boolean>()

  /** What the event means; undefined if it is no news of a source. */
  take({ kind, node, nodeKind }: EventNotice): SourceNews | undefined {
    if (node === undefined || nodeKind !== 'input') return undefined
    if (kind !== UP && !DOWN.includes(kind)) return undefined
    const isUp = kind === UP
    if (this.#isUp.get(node) === isUp) return undefined
    this.#isUp.set(node, isUp)
    return isUp ? 'source_up' : 'source_down'
  }
}
