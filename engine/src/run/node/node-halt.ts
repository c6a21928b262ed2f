// Stops a node on the word of an operator, and opens it anew: it stays in the graph, with its edges and counters.
import type { NodeState } from '../../observe/status.js'

export interface HaltedNode {
  readonly state: NodeState
  /** Closes what is open, or about to be; `why`: one sentence. Never rejects. */
  close(why: string): Promise<void>
  /** Opens it as a retry does. Rejects if it has failed for good. */
  resume(): Promise<void>
}

const OVER: ReadonlySet<NodeState> = new Set(['ended', 'failed', 'stopped'])

export class NodeHalt {
  readonly #node: HaltedNode
  /** Resolves when the node has been closed. */
  #closed: Promise<void> | undefined
  /** Of the last call of `begin`. */
  #turn = 0

  constructor(node: HaltedNode) {
    this.#node = node
  }

  /** It is stopped, or about to open anew: its code does not change its state. */
  get isOn(): boolean {
    return this.#closed !== undefined
  }

  /**
   * Does nothing to a node that has ended or failed. Safe twice. Resolves when the node is closed, with what `end` takes so
   * that a later `begin` has the last word.
   */
  async begin(why: string): Promise<number> {
    const turn = ++this.#turn
    if (this.#closed === undefined && OVER.has(this.#node.state)) return turn
    this.#closed ??= this.#node.close(why)
    await this.#closed
    return turn
  }

  /** Opens the node anew. Never rejects; resolves when it is open, or its opening has failed. */
  async end(turn = this.#turn): Promise<void> {
    const closed = this.#closed
    await closed
    // Another call may have been first.
    if (closed === undefined || this.#closed !== closed || turn !== this.#turn) return
    this.#closed = undefined
    await this.#node.resume().catch(() => undefined)
  }
}
