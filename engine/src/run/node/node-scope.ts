// Which node's code is running. Every call into a plugin enters the scope of its node: an error that it throws fails that
// node, and the time until it returns is counted for that node. From Node 24 on, the scope also follows the promises,
// timers and callbacks that the call creates, so that their later errors can be attributed to the node. Before Node 24,
// AsyncLocalStorage runs a hook for every promise, tick and write of the process, and is not used.
import { AsyncLocalStorage } from 'node:async_hooks'
import { performance } from 'node:perf_hooks'
import process from 'node:process'
import type { AnyDefinition } from '../../plugin/auth-definition.js'

/** A call that blocks the event loop for this long is a stall. */
const STALL_MS = 200
const FOLLOWS_FROM_NODE = 24

/** A node, or an auth provider, as its scope knows it. */
export interface ScopedNode {
  readonly id: string
  readonly settings: { readonly definition: AnyDefinition }
  /** A reload has opened or changed it, and its probation has not ended. */
  readonly isUnproven: boolean
  /** A call into its code threw. */
  fail(error: unknown): void
  /** Its code caused an uncaught error. */
  failUncaught(error: unknown): void
  /** Its code blocked the event loop for this long. */
  noteStall(ms: number): void
}

export class NodeScope {
  /** Nodes whose code can run: opened, and not released yet. */
  readonly members = new Set<ScopedNode>()
  readonly #storage = nodeMajor() >= FOLLOWS_FROM_NODE ? new AsyncLocalStorage<ScopedNode | undefined>() : undefined
  /** Errors of engine code that a node has called, by which the node is known if it does not handle them. */
  readonly #owners = new WeakMap<object, ScopedNode>()
  readonly #nowMs: () => number
  /** Time spent in calls that the current call has made into other nodes. */
  #nestedMs = 0

  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs
  }

  /** The node whose code led to this point. Before Node 24 it is unknown. */
  get current(): ScopedNode | undefined {
    return this.#storage?.getStore()
  }

  /** If this error reaches the process, it is a failure of that node. */
  own(node: ScopedNode, error: unknown): void {
    if (typeof error === 'object' && error !== null) this.#owners.set(error, node)
  }

  /** The node that `own` was called for. */
  ownerOf(error: unknown): ScopedNode | undefined {
    return typeof error === 'object' && error !== null ? this.#owners.get(error) : undefined
  }

  /** Runs code of the node; an error that it throws fails the node. */
  enter(node: ScopedNode, run: () => void): void {
    try {
      this.call(node, run)
    } catch (error) {
      node.fail(error)
    }
  }

  /** Runs code of the node; its result or error goes to the caller. */
  call<T>(node: ScopedNode, run: () => T): T {
    return this.#run(node, run)
  }

  /** Runs code of the engine within a call into a node. */
  leave<T>(run: () => T): T {
    return this.#run(undefined, run)
  }

  #run<T>(node: ScopedNode | undefined, run: () => T): T {
    const outerMs = this.#nestedMs
    this.#nestedMs = 0
    const startMs = this.#nowMs()
    try {
      return this.#storage === undefined ? run() : this.#storage.run(node, run)
    } finally {
      const tookMs = this.#nowMs() - startMs
      const ownMs = tookMs - this.#nestedMs
      this.#nestedMs = outerMs + tookMs
      if (ownMs >= STALL_MS) node?.noteStall(ownMs)
    }
  }
}

function nodeMajor(): number {
  return Number.parseInt(process.versions.node, 10)
}
