// The calls into the code of one node: its uncaught errors, and how long the code blocked the event loop.
import type { NodeSettings } from '../../graph/graph.js'
import type { EventData } from '../../observe/events.js'
import { LogLimit } from '../../observe/log-limit.js'
import type { NodeStatus } from '../../observe/status.js'
import type { Logger } from '../../plugin/contract.js'
import { guardCallback } from './guard-callback.js'
import type { Clock } from '../../plugin/tokens.js'
import type { NodeScope, ScopedNode } from './node-scope.js'
import { runError } from './run-errors.js'
import { messageOf } from '../../errors.js'
import { withTimeout } from './time-limit.js'

/** The minimum time between two log lines of one kind for a node; the next line states how many were left out. */
const LOG_EVERY_MS = 10_000

export interface CallServices {
  readonly clock: Clock
  readonly events: { emit(event: { readonly kind: string; readonly node: string; readonly data: EventData }): unknown }
  readonly scope: NodeScope
}

export interface CalledNode {
  readonly id: string
  readonly settings: NodeSettings
  readonly log: Logger
  /** It has failed, ended or been stopped: its code no longer changes its state. */
  readonly isOver: boolean
  readonly isStandby: boolean
  fail(error: unknown): void
}

export class NodeCalls implements ScopedNode {
  isOnProbation = false
  /** How often its code blocked the event loop, and for how long in total. */
  stalls = 0
  stalledMs = 0
  #lastStallAtMs = 0
  readonly #node: CalledNode
  readonly #services: CallServices
  readonly #stallLines: LogLimit
  readonly #lateLines: LogLimit

  constructor(node: CalledNode, services: CallServices) {
    this.#node = node
    this.#services = services
    this.#stallLines = new LogLimit(services.clock, LOG_EVERY_MS)
    this.#lateLines = new LogLimit(services.clock, LOG_EVERY_MS)
  }

  get id(): string {
    return this.#node.id
  }

  get settings(): NodeSettings {
    return this.#node.settings
  }

  get isUnproven(): boolean {
    return this.#node.isStandby || this.isOnProbation
  }

  /** `call` and `enter` as functions to pass on. */
  get functions(): { call<T>(run: () => T): T; enter(run: () => void): void } {
    return { call: (run) => this.call(run), enter: (run) => this.enter(run) }
  }

  /** Runs code of the node; an error that it throws fails the node. */
  enter(run: () => void): void {
    this.#services.scope.enter(this, run)
  }

  /** Runs code of the node; its result or error goes to the caller. */
  call<T>(run: () => T): T {
    return this.#services.scope.call(this, run)
  }

  /** The result of engine code that the node has called. If nobody handles its rejection, that is the node's failure. */
  async owned<T>(result: Promise<T>): Promise<T> {
    try {
      return await result
    } catch (error) {
      this.#services.scope.own(this, error)
      throw error
    }
  }

  /** Runs code of the engine within a call into the node. */
  leave(run: () => void): void {
    this.#services.scope.leave(run)
  }

  /** `context.guard` of one opened node; `isCurrent` is false once another has been opened in its place. */
  guard(isCurrent: () => boolean) {
    const call = <T>(run: () => T): T => this.call(run)
    const fail = (error: unknown): void => {
      if (isCurrent() && !this.#node.isOver) this.fail(error)
      else this.#logLate(error)
    }
    return <A extends readonly unknown[], R>(run: (...args: A) => R): ((...args: A) => R | undefined) =>
      guardCallback(run, { call, fail })
  }

  /** Disposes the node that the plugin has opened, and logs an error of it. Never rejects. */
  async dispose(opened: AsyncDisposable, withinMs: number): Promise<void> {
    try {
      const disposing = Promise.resolve(this.call(() => opened[Symbol.asyncDispose]()))
      await withTimeout(disposing, withinMs, this.#services.clock, () => new Error('was not disposed in time'))
    } catch (error) {
      this.logStopError(error)
    }
  }

  logStopError(error: unknown): void {
    this.#node.log.error({ err: error }, `while stopping: ${messageOf(error)}`)
  }

  /** From now until `close`, its code can run. */
  open(): void {
    this.#services.scope.members.add(this)
  }

  close(): void {
    this.#services.scope.members.delete(this)
  }

  fail(error: unknown): void {
    this.#node.fail(error)
  }

  failUncaught(error: unknown): void {
    if (this.#node.isOver) return this.#logLate(error)
    this.#node.fail(runError('NODE_FAILED', messageOf(error), { cause: error, at: this.id }))
  }

  noteStall(ms: number): void {
    const { clock, events } = this.#services
    this.stalls++
    this.stalledMs += ms
    this.#lastStallAtMs = clock.nowMs()
    this.#stallLines.log((leftOut) => {
      this.#node.log.warn({ ms: Math.round(ms), ...leftOut }, 'its code blocked the event loop: nothing else could run')
      this.leave(() => events.emit({ kind: 'node.stalled', node: this.id, data: { ms: Math.round(ms) } }))
    })
  }

  /** Continues the counts of the node that it replaces. */
  takeOver(before: NodeCalls): void {
    this.stalls += before.stalls
    this.stalledMs += before.stalledMs
    this.#lastStallAtMs = Math.max(this.#lastStallAtMs, before.#lastStallAtMs)
  }

  status(): Pick<NodeStatus, 'stalls'> {
    if (this.stalls === 0) return {}
    const lastAt = new Date(this.#services.clock.wallMs(this.#lastStallAtMs)).toISOString()
    return { stalls: { count: this.stalls, seconds: Math.round(this.stalledMs) / 1000, lastAt } }
  }

  #logLate(error: unknown): void {
    this.#lateLines.log((leftOut) => {
      this.#node.log.error({ err: error, ...leftOut }, `its code threw after the node had ended: ${messageOf(error)}`)
    })
  }
}
