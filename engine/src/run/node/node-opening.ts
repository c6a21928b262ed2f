// Opens the node of a runner within a time limit. A node that opens too late, or after another attempt has begun, is
// closed at once.
import type { Definition, NodeContext, Options, Previous } from '../../plugin/contract.js'
import type { Clock } from '../../plugin/tokens.js'
import { runError } from './run-errors.js'
import { withTimeout } from './time-limit.js'

const OPEN_TIMEOUT_MS = 10_000

/** Opens a node, as `open` of most definitions does. */
export type OpensNode = (
  options$: Options<unknown>,
  context: NodeContext,
  deps: unknown,
  previous: Previous | undefined,
) => unknown

/** Throws for a listener, which is opened with its socket. */
export function openerOf(definition: Definition): OpensNode {
  if (definition.kind === 'listener') throw new TypeError(`listener ${definition.type} has no socket`)
  return (options$, context, deps, previous) => definition.open(options$, context, deps as never, previous)
}

export interface OpeningSettings<N> {
  /** Id of the node, for the error. */
  readonly id: string
  /** The node is open, in time. */
  use(opened: N): void
  /** Closes a node that opened too late. Never rejects. */
  close(opened: N): Promise<void>
}

export class NodeOpening<N> {
  readonly #clock: Clock
  readonly #signal: AbortSignal
  #hasBegun = false
  /** Number of the current open: calls from an earlier one are ignored. */
  #attempt = 0
  /** Of the last call that opens or closes the node: an earlier one has no say any more. */
  #turn = 0
  #opening: Promise<unknown> = Promise.resolve()

  /** `signal` aborts when the node is to stop. */
  constructor(clock: Clock, signal: AbortSignal) {
    this.#clock = clock
    this.#signal = signal
  }

  /** The next attempt; `isCurrent` is true until another follows or the node is to stop. */
  begin(): { readonly isFirst: boolean; isCurrent(): boolean } {
    const attempt = ++this.#attempt
    const isFirst = !this.#hasBegun
    this.#hasBegun = true
    return { isFirst, isCurrent: () => attempt === this.#attempt && !this.#signal.aborted }
  }

  /** The current attempt is given up: what it opens is closed at once. */
  cancel(): void {
    this.#attempt++
    this.#turn++
  }

  /** Somebody is about to open the node anew; true until another does, or it is closed. */
  turn(): () => boolean {
    const turn = ++this.#turn
    return () => turn === this.#turn
  }

  /**
   * True if the node is open; false if the attempt is not the current one any more. Rejects as `opened` does, or with
   * NODE_OPEN_TIMEOUT.
   */
  async complete(
    opened: Promise<N>,
    isCurrent: () => boolean,
    { id, use, close }: OpeningSettings<N>,
  ): Promise<boolean> {
    let isLate = false
    const opening = opened.then(async (node) => {
      if (isLate || !isCurrent()) await close(node)
      else use(node)
    })
    this.#opening = opening.catch(() => undefined)
    try {
      await withTimeout(opening, OPEN_TIMEOUT_MS, this.#clock, () => {
        isLate = true
        return runError('NODE_OPEN_TIMEOUT', `did not open within ${OPEN_TIMEOUT_MS / 1000} s`, { at: id })
      })
    } catch (error) {
      if (isCurrent()) throw error
    }
    return isCurrent()
  }

  /** Resolves when the current attempt has opened or failed. Rejects after `withinMs`. */
  async settled(withinMs: number): Promise<void> {
    const late = (): Error => new Error('neither opened nor gave up in time')
    await withTimeout(this.#opening, withinMs, this.#clock, late)
  }
}
