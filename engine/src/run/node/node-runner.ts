// The life cycle of one node of any kind: opened within a time limit, ready, degraded, waiting for a retry, stopped.
// Subclasses connect the streams.
import { isDeepStrictEqual } from 'node:util'
import { BehaviorSubject, type Observable } from 'rxjs'
import type { NodeState, NodeStatus } from '../../observe/status.js'
import type { EngineContainer } from './container.js'
import { isEngineError, reactionOf } from '../../errors.js'
import type { NodeSettings } from '../../graph/graph.js'
import type { EngineClock } from '../../observe/clock.js'
import { nodeLog } from '../../observe/log.js'
import type { Logger, NodeContext, Options } from '../../plugin/contract.js'
import { CLOCK, DELIVERY, LISTENERS } from '../../plugin/tokens.js'
import { BackOff } from './back-off.js'
import { previousStateOf } from './previous-state.js'
import { makeContext } from './node-context.js'
import { NodeEndpoints } from './node-endpoints.js'
import { labelsOf, NodeMetrics } from './node-metrics.js'
import { CurrentState, type StateSnapshot } from './node-state.js'
import { codeOf, messageOf, runError } from './run-errors.js'
import { withTimeout } from './time-limit.js'
import type { RunServices } from './run-services.js'

const OPEN_TIMEOUT_MS = 10_000
/** Time limit for releasing its resources; then the engine continues without it. */
const DISPOSE_TIMEOUT_MS = 5_000

/** How a node enters the graph. By default it opens at the start and replaces no node. */
export interface NodePlacement {
  /** It claims no endpoints and shows no metrics before `activate`. */
  readonly isStandby?: boolean
  /** The node it replaces. */
  readonly before?: AnyNodeRunner
  /** It opens once the node it replaces has released everything. */
  readonly isHandoff?: boolean
}

export type AnyNodeRunner = NodeRunner<AsyncDisposable>

export abstract class NodeRunner<N extends AsyncDisposable> {
  #before: AnyNodeRunner | undefined
  /** The endpoints it owns on shared listeners. */
  readonly endpoints: NodeEndpoints | undefined
  #settings: NodeSettings
  protected isStandby: boolean
  protected readonly services: RunServices
  log: Logger
  /** The node that the plugin has opened. */
  node: N | undefined
  readonly #current: CurrentState
  #restarts = 0
  /** When its stream came up; -1 while it is down. */
  #readyAtMs = -1
  #retry: Disposable | undefined
  /** Number of the current open: calls from an earlier one are ignored. */
  #attempt = 0
  #opening: Promise<unknown> = Promise.resolve()
  #released: Promise<void> | undefined
  /** Why it has failed for good. */
  #failure: unknown
  /** The node's own timers; they end with it. */
  #clock: EngineClock | undefined
  readonly #container: EngineContainer
  readonly #backOff = new BackOff()
  readonly #options: BehaviorSubject<unknown>
  readonly #abort = new AbortController()
  readonly #metrics: NodeMetrics

  constructor(
    settings: NodeSettings,
    services: RunServices,
    container: EngineContainer,
    placement: NodePlacement = {},
  ) {
    const { isStandby = false, before } = placement
    this.#settings = settings
    this.isStandby = isStandby
    this.#before = before
    const { shared } = services
    this.endpoints = shared && new NodeEndpoints({ ...shared, isStandby, owner: () => this.id })
    this.services = services
    this.#metrics = new NodeMetrics(services.metrics, () => labelsOf(this.settings), !isStandby)
    this.#container = container
    this.log = nodeLog(services.log, settings.id)
    this.#options = new BehaviorSubject(settings.options)
    this.#current = new CurrentState(services.clock.nowMs(), isStandby, (state, why) => {
      services.events.emit({ kind: `node.${state}`, node: this.id, data: { why } })
    })
  }

  get settings(): NodeSettings {
    return this.#settings
  }

  get id(): string {
    return this.#settings.id
  }

  get state(): NodeState {
    return this.#current.now.state
  }

  get why(): string {
    return this.#current.now.why
  }

  get restarts(): number {
    return this.#restarts
  }

  /** The node is open, whether or not its stream is up. */
  get isOpen(): boolean {
    return this.node !== undefined
  }

  /** Opens the node without connecting its streams; `start` does that later. Rejects as `start` does. */
  async open(): Promise<void> {
    try {
      await this.#open()
    } catch (error) {
      this.fail(error)
    }
    if (this.state === 'failed') throw this.#failure
  }

  /** Opens the node unless it is open, connects its streams. Rejects only if it is broken or its options are wrong. */
  async start(): Promise<void> {
    try {
      if (this.node === undefined) await this.#open()
      // It may have been stopped meanwhile.
      if (this.isLive && this.node !== undefined && !this.#abort.signal.aborted) this.connectStreams()
    } catch (error) {
      this.fail(error)
    }
    if (this.state === 'failed') throw this.#failure
  }

  /** Why it has failed for good; undefined while it has not. */
  get failure(): unknown {
    return this.#failure
  }

  /** The state now, and each later one. */
  get state$(): Observable<StateSnapshot> {
    return this.#current.state$
  }

  /** Applies new options of class `live` or `rebind`, a new name or description, without opening the node again. */
  update(settings: NodeSettings): void {
    const before = this.#settings
    this.#settings = settings
    if (before.id !== settings.id) {
      this.log = nodeLog(this.services.log, settings.id)
      this.#metrics.relabel()
    }
    if (isDeepStrictEqual(before.options, settings.options)) return
    this.services.scope.enter(
      (error) => this.fail(error),
      () => this.#options.next(settings.options),
    )
  }

  /**
   * A standby node enters the graph: it receives the endpoints it asked for, and its counters continue from the values
   * of the node it replaces. Throws LISTEN_PATH_TAKEN, LISTEN_UNKNOWN, or the error it has failed with meanwhile; then
   * nothing has changed.
   */
  activate(): void {
    if (this.state === 'failed') throw this.#failure
    if (!this.isStandby) return
    const before = this.#before
    this.endpoints?.activate(before === undefined ? undefined : { id: this.id, endpoints: before.endpoints })
    this.isStandby = false
    this.#before = undefined
    if (before !== undefined) {
      this.#restarts += before.restarts
      this.takeOver(before)
    }
    this.#metrics.show(before === undefined ? undefined : before.#metrics)
    this.#current.activate(before?.id === this.id ? before.#current : undefined)
  }

  /** The node or its stream has failed; the error's row sets the reaction. Safe at any time. */
  fail(error: unknown): void {
    if (this.#abort.signal.aborted || this.state === 'ended') return
    const why = messageOf(error)
    switch (reactionOf(error)) {
      case 'retry':
        this.#waitToRetry(error, why)
        break
      case 'end':
        this.#retry?.[Symbol.dispose]()
        this.end()
        break
      case 'config':
        this.#giveUp(error, why)
        break
      default:
        this.#giveUp(isEngineError(error) ? error : runError('NODE_FAILED', why, { cause: error, at: this.id }), why)
    }
  }

  /** Releases everything. Safe twice; resolves within `withinMs`, whatever the node does. */
  async stop(reason: string, withinMs = DISPOSE_TIMEOUT_MS): Promise<void> {
    await this.#release(reason, withinMs)
    this.setState('stopped', '')
  }

  status(): NodeStatus {
    const { definition, description, from } = this.#settings
    return {
      id: this.id,
      kind: definition.kind,
      type: definition.type,
      description,
      state: this.state,
      why: this.why,
      since: new Date(this.services.clock.wallMs(this.#current.now.sinceMs)).toISOString(),
      restarts: this.#restarts,
      from: from.map(({ node, port }) => `${node}.${port}`),
      receivedBytes: this.receivedBytes,
      sentBytes: this.sentBytes,
    }
  }

  /** The state of the node it replaces is valid for this one too. */
  abstract continues(before: AnyNodeRunner): boolean
  abstract get receivedBytes(): number
  abstract get sentBytes(): number
  /** Connects the opened node; called after each successful open. */
  protected abstract connectStreams(): void
  /** Takes over the counters, and for an input the port, of the node it replaces. */
  protected abstract takeOver(before: AnyNodeRunner): void
  /** Disconnects the node: nothing enters or leaves it afterwards. Safe twice. */
  protected abstract disconnectStreams(): void
  /** Retries after a failure: by default opens a new node in place of the failed one. */
  protected async resume(): Promise<void> {
    await this.#dispose(DISPOSE_TIMEOUT_MS)
    if (this.#abort.signal.aborted) return
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
    return this.#current.isLive
  }

  /** `disconnectStreams`, but logs what the teardown of a plugin throws. */
  protected disconnect(): void {
    try {
      this.disconnectStreams()
    } catch (error) {
      this.log.error({ err: error }, `while disconnecting: ${messageOf(error)}`)
    }
  }

  protected setState(state: NodeState, reason: string): void {
    this.#current.set(state, this.services.mask(reason), this.services.clock.nowMs())
  }

  protected ready(): void {
    if (this.#abort.signal.aborted || !this.isLive) return
    if (this.#readyAtMs < 0) this.#readyAtMs = this.services.clock.nowMs()
    this.setState('ready', '')
  }

  async #open(): Promise<void> {
    const { definition, id } = this.settings
    const attempt = ++this.#attempt
    const isCurrent = (): boolean => attempt === this.#attempt && !this.#abort.signal.aborted
    const context = this.#context(isCurrent)
    const previous = attempt === 1 ? this.#previousState() : undefined
    const open = (deps: Readonly<Record<string, unknown>>): unknown =>
      definition.open(this.#options as Options<unknown>, context, deps as never, previous)
    this.#clock?.[Symbol.dispose]()
    this.#clock = this.services.clock.scope((run) => this.services.scope.enter((error) => this.fail(error), run))
    const container = this.#container.child().provide(CLOCK, this.#clock)
    if (this.endpoints !== undefined) {
      container.provide(DELIVERY, this.endpoints.delivery).provide(LISTENERS, this.endpoints.listeners)
    }
    let isLate = false
    const opening = container.openNode(definition, open).then(async (opened) => {
      const node = opened as N
      // A node that opens too late is closed at once.
      if (isLate || !isCurrent()) await this.#disposeNode(node, DISPOSE_TIMEOUT_MS)
      else this.node = node
    })
    this.#opening = opening.catch(() => undefined)
    await withTimeout(opening, OPEN_TIMEOUT_MS, this.services.clock, () => {
      isLate = true
      return runError('NODE_OPEN_TIMEOUT', `did not open within ${OPEN_TIMEOUT_MS / 1000} s`, { at: id })
    })
  }

  /** Undefined unless the replaced node has the same kind and type, and this one continues its streams. */
  #previousState(): unknown {
    const before = this.#before
    const { kind, type } = this.settings.definition
    const { kind: kindBefore, type: typeBefore } = before?.settings.definition ?? {}
    if (before === undefined || kindBefore !== kind || typeBefore !== type || !this.continues(before)) return undefined
    return previousStateOf(before.node, this.log)
  }

  #context(isCurrent: () => boolean): NodeContext {
    const { definition } = this.settings
    return makeContext({
      definition,
      isCurrent,
      signal: this.#abort.signal,
      id: () => this.id,
      log: () => this.log,
      setMetric: (declaration, read) => this.#metrics.set(declaration, read),
      ready: () => this.ready(),
      degraded: (why) => this.#degrade(why),
      event: (kind, data) =>
        this.services.events.emit({ kind, node: this.id, ...(data === undefined ? {} : { data }) }),
    })
  }

  #degrade(why: string): void {
    if (!this.isLive || (this.state === 'degraded' && this.why === why)) return
    this.log.warn({ why }, 'degraded')
    this.setState('degraded', why)
  }

  #waitToRetry(error: unknown, why: string): void {
    if (this.#retry !== undefined) return
    const { clock } = this.services
    const target = (isEngineError(error) ? error.target : undefined) ?? this.id
    // Called even if the error names its own delay: it counts failures, and resets them after a long healthy time.
    const upMs = this.#readyAtMs < 0 ? 0 : clock.nowMs() - this.#readyAtMs
    const backOffMs = this.#backOff.nextDelayMs(target, upMs)
    const delayMs = (isEngineError(error) ? error.retryAfterMs : undefined) ?? backOffMs
    this.log.warn({ error: codeOf(error), target, retryInMs: Math.round(delayMs) }, why)
    this.#readyAtMs = -1
    this.disconnect()
    this.setState('waiting', why)
    this.#restarts++
    this.#retry = clock.after(delayMs, () => {
      this.#retry = undefined
      this.resume().catch((failure: unknown) => this.fail(failure))
    })
  }

  /** Releases everything; the node is not tried again. */
  #giveUp(error: unknown, why: string): void {
    this.#failure = error
    this.log.error({ err: error, error: codeOf(error) }, why)
    void this.#release(why, DISPOSE_TIMEOUT_MS)
    this.setState('failed', why)
  }

  #release(reason: string, withinMs: number): Promise<void> {
    this.#released ??= this.#releaseAll(reason, withinMs)
    return this.#released
  }

  /** Never rejects. */
  async #releaseAll(reason: string, withinMs: number): Promise<void> {
    const { clock } = this.services
    const deadlineMs = clock.nowMs() + withinMs
    this.#abort.abort(reason)
    this.#retry?.[Symbol.dispose]()
    this.disconnect()
    const late = (): Error => new Error('neither opened nor gave up in time')
    await withTimeout(this.#opening, withinMs, this.services.clock, late).catch((error: unknown) =>
      this.#logStopError(error),
    )
    await this.#dispose(Math.max(0, deadlineMs - clock.nowMs()))
    this.#clock?.[Symbol.dispose]()
    this.#options.complete()
  }

  async #dispose(withinMs: number): Promise<void> {
    const node = this.node
    this.node = undefined
    if (node !== undefined) await this.#disposeNode(node, withinMs)
    this.#metrics.clear()
  }

  /** Never rejects. */
  async #disposeNode(node: N, withinMs: number): Promise<void> {
    try {
      const disposing = Promise.resolve(node[Symbol.asyncDispose]())
      await withTimeout(disposing, withinMs, this.services.clock, () => new Error('was not disposed in time'))
    } catch (error) {
      this.#logStopError(error)
    }
  }

  #logStopError(error: unknown): void {
    this.log.error({ err: error }, `while stopping: ${messageOf(error)}`)
  }
}
