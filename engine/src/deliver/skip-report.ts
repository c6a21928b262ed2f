// Reports skips of the viewers of one route in at most one log line a second: the viewer that was furthest behind, how
// far it was behind, and how often viewers skipped.
import type { Logger } from '../plugin/contract.js'

/** A viewer at the moment of its skip. */
export interface Skip {
  readonly client: string
  readonly skippedBytes: number
  /** Distance from the newest byte of the stream before the skip. */
  readonly behindBytes: number
  /** Those of them written to its socket but not yet taken by the kernel. */
  readonly heldBytes: number
}

export class SkipReport {
  #times = 0
  #furthest: Skip | undefined

  add(skip: Skip): void {
    this.#times++
    if (this.#furthest === undefined || skip.behindBytes >= this.#furthest.behindBytes) this.#furthest = skip
  }

  /** Called by the sweep. */
  flush(log: Logger, node: string): void {
    const skip = this.#furthest
    if (skip === undefined) return
    const times = this.#times
    this.#times = 0
    this.#furthest = undefined
    const { client, behindBytes, heldBytes } = skip
    const behind = `${behindBytes} bytes behind${heldBytes > 0 ? ", more than the kernel's buffers hold" : ''}`
    const often = times === 1 ? '' : `; it was the furthest behind of ${times} skips`
    log.warn({ node, ...skip, times }, `slow viewer ${client} was ${behind}, and skipped ahead${often}`)
  }
}
