// Tracks which sources are up, from the engine's events about inputs, and reports changes only.
import type { EventNotice } from '@millrace/engine/plugin'

export type SourceEvent = 'source_up' | 'source_down'

const UP = 'node.ready'
const IDLE = 'node.idle'
const DOWN: readonly string[] = [IDLE, 'node.degraded', 'node.waiting', 'node.failed', 'node.ended']

/** Streams that are published come and go under ever new names. */
const MOST_SOURCES = 10_000

export class SourceStates {
  readonly #isUp = new Map<string, boolean>()

  /** The webhook event, or undefined if the state of a source has not changed. */
  take({ kind, node, nodeKind }: EventNotice): SourceEvent | undefined {
    if (node === undefined || nodeKind !== 'input') return undefined
    if (kind !== UP && !DOWN.includes(kind)) return undefined
    const isUp = kind === UP
    const wasUp = this.#isUp.get(node)
    // A source that has never been up is not down because nobody uses it.
    if (wasUp === isUp || (kind === IDLE && wasUp === undefined)) return undefined
    this.#isUp.delete(node)
    this.#isUp.set(node, isUp)
    const [oldest] = this.#isUp.keys()
    if (this.#isUp.size > MOST_SOURCES && oldest !== undefined) this.#isUp.delete(oldest)
    return isUp ? 'source_up' : 'source_down'
  }
}
