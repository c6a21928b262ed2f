// The life cycle of one node of any kind: opened within a time limit, ready, idle, degraded, waiting, stopped.
// Subclasses connect the streams.
import { isDeepStrictEqual } from 'node:util'
import { BehaviorSubject, type Observable } from 'rxjs'
import type { NodeState, NodeStatus } from '../../observe/status.js'
import { isEngineError, messageOf, reactionOf } from '../../errors.js'
import type { NodeSettings } from '../../graph/graph.js'
import { nodeLog } from '../../observe/log.js'
import { eventOf } from './event-data.js'
import type { Logger, NodeContext, Options, Previous } from '../../plugin/contract.js'
import { catchConsumers } from '../edge/catch-consumers.js'
import { type Edge, whyNoneStarts } from '../edge/edge.js'
import { NodeCalls } from './node-calls.js'
import { NodeCommands } from './node-commands.js'
import { makeContext } from './node-context.js'
import { NodeHalt } from './node-halt.js'
import { NodeDetails } from './node-details.js'
import type { NodeEndpoints } from './node-endpoints.js'
import { NodeOpening, openerOf } from './node-opening.js'
import type { Placement } from './node-placement.js'
import type { Lineage } from '../../state/lineages.js'
import type { NodeOwner, NodeServices, OwnServices } from './node-services.js'
import { previousOf } from './previous.js'
import { labelsOf, NodeMetrics } from './node-metrics.js'
import { CurrentState, type StateSnapshot } from './node-state.js'
import { nodeStatus } from './node-status.js'
import { reasonText } from './reason-text.js'
import { NodeTrouble } from './node-trouble.js'
import { Retries } from './retries.js'
import { codeOf, nodeFailed } from './run-errors.js'

/** To release its resources; then the engine continues without it. */
const DISPOSE_TIMEOUT_MS = 5_000

export type AnyNodeRunner = NodeRunner<AsyncDisposable>
export type NodePlacement = Placement<AnyNodeRunner>

export abstract class NodeRunner<N extends AsyncDisposable> implements NodeOwner {
  #before: AnyNodeRunner | undefined
  /** What it has learned about the node it replaces, until it is ready. */
  #previous: Previous | undefined
  /** Bytes that the node has reported as sent. Shared with the node it replaces, which may still send what it holds. */
  protected sent = { bytes: 0 }
  /** Of an output: called when the node measures its latency itself. */
  protected readonly ownLatency?: () => ReturnType<NodeMetrics['histogram']>
  /** What it reads. */
  readonly edges: Edge[] = []
  /** The endpoints it owns on shared listeners. */
  readonly endpoints: NodeEndpoints
  #settings: NodeSettings
  isStandby: boolean
  protected readonly services: NodeServices
  log: Logger
  /** The node that the plugin has opened. */
  node: N | undefined
  protected readonly current: CurrentState
  readonly #retries: Retries
  protected readonly trouble = new NodeTrouble({ nowMs: () => this.services.clock.nowMs() }, () => this.#troubleLog)
  readonly #opening: NodeOpening<N>
  #released: Promise<void> | undefined
  failure: unknown
  readonly #own: OwnServices
  readonly #opens: NodePlacement['opens']
  readonly #options: BehaviorSubject<unknown>
  readonly #abort = new AbortController()
  protected readonly metrics: NodeMetrics
  readonly #details = new NodeDetails((text) => this.services.mask(text))
  readonly calls: NodeCalls
  readonly commands: NodeCommands
  readonly halt = new NodeHalt(this)

  constructor(settings: NodeSettings, services: NodeServices, placement: NodePlacement = {}) {
    const { isStandby = false, before, continues = before, opens } = placement
    this.#opens = opens
    this.#settings = settings
    this.isStandby = isStandby
    this.#before = before
    this.services = services
    this.calls = new NodeCalls(this, services)
    this.commands = new NodeCommands(this, services)
    this.#retries = new Retries(services.clock)
    this.#opening = new NodeOpening(services.clock, this.#abort.signal)
    this.#own = services.own(this, continues?.lineage)
    this.endpoints = this.#own.endpoints
    this.metrics = new NodeMetrics(services.metrics, () => labelsOf(this.settings), !isStandby)
    this.log = nodeLog(services.log, settings.id)
    this.#options = catchConsumers(new BehaviorSubject(settings.options), (error) => this.fail(error))
    this.current = new CurrentState({
      clock: services.clock,
      isStandby,
      announce: (state, why) => services.events.emit({ kind: `node.${state}`, node: this.lineage.id, data: { why } }),
      leave: (run) => this.calls.leave(run),
    })
    this.trouble.follow(this.current.state$)
  }

  get settings(): NodeSettings {
    return this.#settings
  }

  /** A node that a reload tries is not the one that runs by this id. */
  get #troubleLog(): Logger {
    return this.isStandby ? nodeLog(this.services.log, this.id).child({ reload: true }) : this.log
  }

  get id(): string {
    return this.#settings.id
  }

  get state(): NodeState {
    return this.current.now.state
  }

  get why(): string {
    return this.current.now.why
  }

  get restarts(): number {
    return this.#retries.restarts
  }

  /** See NodeMetrics. */
  metricSum(name: string): number | undefined {
    return this.metrics.sumOf(name)
  }

  /** What it shares with the nodes that it replaces, and with those that replace it. */
  get lineage(): Lineage {
    return this.#own.lineage
  }

  /** It has reported that it holds its resources: an input does even when it is `waiting` for packets. */
  get holdsResources(): boolean {
    return this.current.now.holdsResources
  }

  /**
   * Takes the state of the node that it replaces, which is about to stop; or the state that `failed`, a node with the
   * same inlets, had taken before it could not open. Unless this is called, it takes the state when it opens.
   */
  takePrevious(failed?: AnyNodeRunner): void {
    this.#previous ??= failed === undefined ? previousOf(this.#before, this) : failed.#previous
  }

  /** Opens the node without connecting its streams; `start` does that later. Rejects as `start` does. */
  open(): Promise<void> {
    return this.#attempt(() => this.#open())
  }

  /** Opens the node unless it is open, connects its streams. Rejects only if it is broken or its options are wrong. */
  start(): Promise<void> {
    return this.#attempt(async () => {
      if (this.node === undefined && !(await this.#open())) return
      // It may have been stopped meanwhile.
      if (this.isLive && this.node !== undefined && !this.#abort.signal.aborted) this.connectStreams()
    })
  }

  /** It has ended, failed or been stopped: its code no longer changes its state. */
  get isOver(): boolean {
    return this.#abort.signal.aborted || this.halt.isOn || this.state === 'ended'
  }

  get isConnected(): boolean {
    return this.current.isConnected
  }

  /** The state now, and each later one. */
  get state$(): Observable<StateSnapshot> {
    return this.current.state$
  }

  /** Applies new options of class `live` or `rebind`, a new name or description, without opening the node again. */
  update(settings: NodeSettings): void {
    const before = this.#settings
    this.#settings = settings
    if (before.id !== settings.id) {
      this.log = nodeLog(this.services.log, settings.id)
      this.metrics.relabel()
      this.rename(settings.id)
    }
    if (isDeepStrictEqual(before.options, settings.options)) return
    this.calls.enter(() => this.#options.next(settings.options))
  }

  /** The graph knows it by another id, while the node that is to replace it is not ready yet. */
  rename(id: string): void {
    this.endpoints.rename(id)
    this.#own.enter(id)
  }

  /** It is not in the graph any more, and still delivers what it holds. */
  leave(): void {
    this.#own.leave()
  }

  /**
   * A standby node enters the graph: it receives the endpoints it asked for, and its counters continue from the values
   * of the node it replaces. Throws LISTEN_PATH_TAKEN, LISTEN_UNKNOWN, or the error it has failed with meanwhile; then
   * nothing has changed.
   */
  activate(): void {
    if (this.state === 'failed') throw this.failure
    if (!this.isStandby) return
    const before = this.#before
    this.endpoints.activate(before?.endpoints)
    this.isStandby = false
    this.#before = undefined
    if (before !== undefined) {
      this.#retries.restarts += before.restarts
      this.calls.takeOver(before.calls)
      this.takeOver(before)
    }
    this.#own.enter(this.id)
    this.metrics.show(before?.metrics)
    this.current.activate(before?.current, before?.id === this.id)
  }

  /** The node or its stream has failed; the error's row sets the reaction. Safe at any time. */
  fail(error: unknown): void {
    if (this.isOver) return
    const why = reasonText(error, this.services.mask)
    const reaction = reactionOf(error)
    if (this.isLive && reaction !== 'end') this.endStream()
    if (reaction === 'retry') return this.#waitToRetry(error, why)
    if (reaction !== 'end') return this.#giveUp(isEngineError(error) ? error : nodeFailed(this.id, why, error), why)
    this.#retries.cancel()
    this.end()
  }

  /** Of `halt`: what it has sent is another generation than what follows. Never rejects. */
  async close(why: string): Promise<void> {
    this.#retries.cancel()
    this.#opening.cancel()
    if (this.isLive) this.endStream()
    this.disconnect()
    this.setState('stopped', why)
    await this.#opening.settled(DISPOSE_TIMEOUT_MS).catch(() => undefined)
    await this.#dispose(DISPOSE_TIMEOUT_MS)
  }

  /** Releases everything. Safe twice; resolves within `withinMs`, whatever the node does. */
  async stop(reason: string, withinMs = DISPOSE_TIMEOUT_MS): Promise<void> {
    await this.#release(reason, withinMs)
    this.#own.end()
    this.setState('stopped', '')
  }

  status(): NodeStatus {
    const { sinceMs } = this.current.now
    return nodeStatus(this, { clock: this.services.clock, sinceMs, details: this.#details, calls: this.calls })
  }

  abstract get receivedBytes(): number
  abstract get sentBytes(): number
  /** Connects the opened node; called after each successful open. */
  protected abstract connectStreams(): void
  /** Takes over the counters, and for an input the port, of the node it replaces. */
  protected abstract takeOver(before: AnyNodeRunner): void
  /** Disconnects the node: nothing enters or leaves it afterwards. Safe twice. */
  protected abstract disconnectStreams(): void
  /** What it has sent so far is complete; what follows is another generation. By default nothing. */
  protected endStream(): void {}
  /** It has failed, or stops: drops what it has received, and not processed. */
  protected discard(): void {}

  /** Retries after a failure: by default opens a new node in place of the failed one. */
  async resume(): Promise<void> {
    const isLatest = this.#opening.turn()
    await this.#dispose(DISPOSE_TIMEOUT_MS)
    if (this.#abort.signal.aborted || !isLatest()) return
    this.setState('opening', '')
    await this.start()
  }

  /** The node has finished its work. */
  protected end(): void {
    this.disconnect()
    this.setState('ended', '')
  }

  /** The node is open, or about to be. */
  protected get isLive(): boolean {
    return this.current.isLive
  }

  /** `disconnectStreams`, but logs what the teardown of a plugin throws. */
  protected disconnect(): void {
    try {
      this.calls.call(() => this.disconnectStreams())
    } catch (error) {
      this.log.error({ err: error }, `while disconnecting: ${messageOf(error)}`)
    }
  }

  protected setState(state: NodeState, reason: string): void {
    this.current.set(state, reasonText(reason, this.services.mask))
  }

  /** It holds its resources. */
  protected settle(state: 'ready' | 'idle', why = ''): void {
    if (this.#abort.signal.aborted || !this.isLive) return
    this.#previous = undefined
    this.setState(state, why)
  }

  /** Of an input: nobody sends to it. */
  protected vacate(_why: string): void {}

  async #attempt(run: () => Promise<unknown>): Promise<void> {
    await run().catch((error: unknown) => this.fail(error))
    if (this.state === 'failed') throw this.failure
  }

  /** False if another attempt has begun meanwhile, or it is to stop. */
  async #open(): Promise<boolean> {
    const { definition, id } = this.settings
    const { isFirst, isCurrent } = this.#opening.begin()
    const context = this.#context(isCurrent)
    if (isFirst) this.takePrevious()
    else this.metrics.reopen()
    const previous = isFirst ? this.#previous : undefined
    const opens = this.#opens ?? openerOf(definition)
    const open = (deps: Readonly<Record<string, unknown>>): unknown =>
      this.calls.call(() => opens(this.#options as Options<unknown>, context, deps, previous))
    this.calls.open()
    const opened = this.#own.open(definition, open) as Promise<N>
    return this.#opening.complete(opened, isCurrent, {
      id,
      use: (node) => (this.node = node),
      close: (node) => this.calls.dispose(node, DISPOSE_TIMEOUT_MS),
    })
  }

  #context(isCurrent: () => boolean): NodeContext {
    return makeContext({
      ...{ definition: this.settings.definition, isCurrent, signal: this.#abort.signal },
      ...{ id: () => this.id, log: () => this.log },
      ...{ metrics: this.metrics, details: this.#details, calls: this.calls },
      ...{ sent: (bytes) => (this.sent.bytes += bytes), latency: () => this.ownLatency?.() },
      whyNoStart: () => whyNoneStarts(this.edges),
      ready: () => this.settle('ready'),
      idle: (why) => this.settle('idle', reasonText(why, this.services.mask)),
      waiting: (why) => this.vacate(reasonText(why, this.services.mask)),
      degraded: (why) => this.#degrade(reasonText(why, this.services.mask)),
      event: (kind, data) => this.services.events.emit(eventOf(this.id, kind, data, this.services.mask)),
    })
  }

  #degrade(why: string): void {
    if (!this.isLive || this.current.isReported('degraded', why)) return
    this.trouble.noteDegraded(why)
    this.setState('degraded', why)
  }

  #waitToRetry(error: unknown, why: string): void {
    if (this.#retries.isWaiting) return
    const { target, delayMs } = this.#retries.noteFailure(error, { id: this.id, upMs: this.current.upMs })
    this.trouble.noteWaiting({ error: codeOf(error), target, retryInMs: Math.round(delayMs) }, why)
    this.disconnect()
    this.setState('waiting', why)
    this.#retries.schedule(delayMs, () => void this.resume().catch((failure: unknown) => this.fail(failure)))
  }

  /** Releases everything; the node is not tried again. */
  #giveUp(error: unknown, why: string): void {
    this.failure = error
    this.#troubleLog.error({ err: error, error: codeOf(error) }, why)
    void this.#release(why, DISPOSE_TIMEOUT_MS)
    this.setState('failed', why)
  }

  #release(reason: string, withinMs: number): Promise<void> {
    return (this.#released ??= this.#releaseAll(reason, withinMs))
  }

  /** Never rejects. */
  async #releaseAll(reason: string, withinMs: number): Promise<void> {
    const deadlineMs = this.services.clock.nowMs() + withinMs
    this.calls.enter(() => this.#abort.abort(reason))
    this.#retries.cancel()
    this.discard()
    this.disconnect()
    await this.#opening.settled(withinMs).catch((error: unknown) => this.calls.logStopError(error))
    await this.#dispose(Math.max(0, deadlineMs - this.services.clock.nowMs()))
    this.#own.close()
    this.#options.complete()
    this.calls.close()
  }

  async #dispose(withinMs: number): Promise<void> {
    const node = this.node
    this.node = undefined
    this.commands.reset()
    if (node !== undefined) await this.calls.dispose(node, withinMs)
    this.endpoints.release()
    this.metrics.clear()
    this.#details.clear()
  }
}
