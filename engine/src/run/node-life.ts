// The life of one node, whatever its kind: open in time, ready, degraded, waiting to be tried again, stopped. Kinds add
// what flows.
import { BehaviorSubject } from 'rxjs'
import type { NodeState, NodeStatus } from '../api/types.js'
import type { EngineContainer } from '../container.js'
import { isEngineError, reactionOf } from '../errors.js'
import type { NodeSettings } from '../graph/graph.js'
import type { EngineClock } from '../observe/clock.js'
import { nodeLog } from '../observe/log.js'
import type { Logger, MetricRead, NodeContext, Options } from '../plugin/contract.js'
import { CLOCK } from '../plugin/tokens.js'
import { BackOff } from './back-off.js'
import { runError } from './run-errors.js'
import type { RunServices } from './run-services.js'

const OPEN_TIMEOUT_MS = 10_000
/** How long a node may take to let go of what it holds; then the engine goes on without it. */
const DISPOSE_TIMEOUT_MS = 5_000

export abstract class NodeLife<N extends AsyncDisposable> {
  readonly settings: NodeSettings
  protected readonly services: RunServices
  protected readonly log: Logger
  protected node: N | undefined
  #state: NodeState = 'opening'
  #why = ''
  #sinceMs: number
  #restarts = 0
  /** Since when its stream is up; -1 while it is not. */
  #readyAtMs = -1
  #retry: Disposable | undefined
  /** Counts the times that the node was opened: what an earlier one still says is not heard. */
  #attempt = 0
  #opening: Promise<unknown> = Promise.resolve()
  #released: Promise<void> | undefined
  /** Why it has failed for good. */
  #failure: unknown
  /** Timers of the node: they end with it. */
  #clock: EngineClock | undefined
  readonly #container: EngineContainer
  readonly #backOff = new BackOff()
  readonly #options: BehaviorSubject<unknown>
  readonly #abort = new AbortController()
  readonly #metrics = new Map<string, Disposable>()

  constructor(settings: NodeSettings, services: RunServices, container: EngineContainer) {
    this.settings = settings
    this.services = services
    this.#container = container
    this.log = nodeLog(services.log, settings.id)
    this.#options = new BehaviorSubject(settings.options)
    this.#sinceMs = services.clock.nowMs()
  }

  get id(): string {
    return this.settings.id
  }

  get state(): NodeState {
    return this.#state
  }

  get why(): string {
    return this.#why
  }

  get restarts(): number {
    return this.#restarts
  }

  /** Opens the node and lets it flow. Rejects only if it can't ever: its options are wrong, or it is broken. */
  async start(): Promise<void> {
    try {
      await this.#open()
      if (this.isLive && this.node !== undefined) this.flow()
    } catch (error) {
      this.fail(error)
    }
    if (this.#state === 'failed') throw this.#failure
  }

  /** The node, or its stream, has failed; reacts by the row of the error. Safe at any time. */
  fail(error: unknown): void {
    if (this.#abort.signal.aborted || this.#state === 'ended') return
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

  /** Lets go of everything. Safe twice; resolves within `withinMs`, whatever the node does. */
  async stop(reason: string, withinMs = DISPOSE_TIMEOUT_MS): Promise<void> {
    await this.#release(reason, withinMs)
    this.setState('stopped', '')
  }

  status(): NodeStatus {
    const { definition, description, from } = this.settings
    return {
      id: this.id,
      kind: definition.kind,
      type: definition.type,
      description,
      state: this.#state,
      why: this.#why,
      since: new Date(this.services.clock.wallMs(this.#sinceMs)).toISOString(),
      restarts: this.#restarts,
      from: from.map(({ node, port }) => `${node}.${port}`),
      receivedBytes: this.receivedBytes,
      sentBytes: this.sentBytes,
    }
  }

  abstract get receivedBytes(): number
  abstract get sentBytes(): number
  /** Connects the opened node; called after each successful open. */
  protected abstract flow(): void
  /** Disconnects it: nothing reaches it and nothing leaves it afterwards. Safe twice. */
  protected abstract ebb(): void
  /** After a failure that may pass: by default opens a new node in its place. */
  protected async resume(): Promise<void> {
    await this.#dispose(DISPOSE_TIMEOUT_MS)
    if (this.#abort.signal.aborted) return
    this.setState('opening', '')
    await this.start()
  }

  /** It has done all it had to do. */
  protected end(): void {
    this.disconnect()
    this.setState('ended', '')
  }

  /** It is open, or about to be. */
  protected get isLive(): boolean {
    return this.#state === 'opening' || this.#state === 'ready' || this.#state === 'degraded'
  }

  /** `ebb`, whatever the teardown of a plugin throws. */
  protected disconnect(): void {
    try {
      this.ebb()
    } catch (error) {
      this.log.error({ err: error }, `while disconnecting: ${messageOf(error)}`)
    }
  }

  protected setState(state: NodeState, reason: string): void {
    const why = this.services.mask(reason)
    if (this.#state === state && this.#why === why) return
    this.#state = state
    this.#why = why
    this.#sinceMs = this.services.clock.nowMs()
    this.services.events.emit({ kind: `node.${state}`, node: this.id, data: { why } })
    this.services.onStateChange()
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
    const open = (deps: Readonly<Record<string, unknown>>): unknown =>
      definition.open(this.#options as Options<unknown>, context, deps as never)
    this.#clock?.[Symbol.dispose]()
    this.#clock = this.services.clock.scope((error) => this.fail(error))
    const container = this.#container.child().provide(CLOCK, this.#clock)
    let isLate = false
    const opening = container.openNode(definition, open).then(async (opened) => {
      const node = nodeOf<N>(opened, definition.type)
      // Whoever comes too late is let go of at once.
      if (isLate || !isCurrent()) await this.#letGo(node, DISPOSE_TIMEOUT_MS)
      else this.node = node
    })
    this.#opening = opening.catch(() => undefined)
    await withTimeout(opening, OPEN_TIMEOUT_MS, this.services, () => {
      isLate = true
      return runError('NODE_OPEN_TIMEOUT', `did not open within ${OPEN_TIMEOUT_MS / 1000} s`, { at: id })
    })
  }

  #context(isCurrent: () => boolean): NodeContext {
    const { definition, id } = this.settings
    const declared = new Map((definition.metrics ?? []).map((metric) => [metric.name, metric]))
    return {
      id,
      signal: this.#abort.signal,
      log: this.log,
      readMetric: (name: string, read: MetricRead) => {
        const declaration = declared.get(name)
        if (declaration === undefined) throw new TypeError(`${definition.type} does not declare the metric ${name}`)
        if (!isCurrent()) return
        this.#metrics.get(name)?.[Symbol.dispose]()
        this.#metrics.set(name, this.services.metrics.add(declaration, this.metricLabels(), read))
      },
      ready: () => {
        if (isCurrent()) this.ready()
      },
      degraded: (why) => {
        if (!isCurrent() || !this.isLive || (this.#state === 'degraded' && this.#why === why)) return
        this.log.warn({ why }, 'degraded')
        this.setState('degraded', why)
      },
      event: (name, data) =>
        this.services.events.emit({ kind: name, node: id, ...(data === undefined ? {} : { data }) }),
    }
  }

  /** `pipeline`, `node` and `type`, which every series of a node has. */
  metricLabels(): Readonly<Record<string, string>> {
    const [pipeline = '', node = ''] = this.id.split('/')
    return { pipeline, node, type: this.settings.definition.type }
  }

  #waitToRetry(error: unknown, why: string): void {
    if (this.#retry !== undefined) return
    const { clock } = this.services
    const target = (isEngineError(error) ? error.target : undefined) ?? this.id
    // Asked also where the error names its own delay: the failure counts, and a good life before it is remembered.
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

  /** It will not be tried again, and holds nothing any more. */
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
    const late = (): Error => new Error('did not open or give up in time')
    await withTimeout(this.#opening, withinMs, this.services, late).catch((error: unknown) => this.#complain(error))
    await this.#dispose(Math.max(0, deadlineMs - clock.nowMs()))
    this.#clock?.[Symbol.dispose]()
    this.#options.complete()
  }

  async #dispose(withinMs: number): Promise<void> {
    const node = this.node
    this.node = undefined
    if (node !== undefined) await this.#letGo(node, withinMs)
    for (const metric of this.#metrics.values()) metric[Symbol.dispose]()
    this.#metrics.clear()
  }

  /** Never rejects. */
  async #letGo(node: N, withinMs: number): Promise<void> {
    try {
      const disposing = Promise.resolve(node[Symbol.asyncDispose]())
      await withTimeout(disposing, withinMs, this.services, () => new Error('did not let go in time'))
    } catch (error) {
      this.#complain(error)
    }
  }

  #complain(error: unknown): void {
    this.log.error({ err: error }, `while stopping: ${messageOf(error)}`)
  }
}

function nodeOf<N extends AsyncDisposable>(opened: unknown, type: string): N {
  const isNode = typeof opened === 'object' && opened !== null && Symbol.asyncDispose in opened
  if (!isNode) throw new TypeError(`open of ${type} returned something without [Symbol.asyncDispose]`)
  return opened as N
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function codeOf(error: unknown): string {
  return isEngineError(error) ? error.code : 'NODE_FAILED'
}

async function withTimeout<T>(promise: Promise<T>, ms: number, { clock }: RunServices, late: () => Error): Promise<T> {
  let timer: Disposable | undefined
  const timeout = new Promise<never>((_, reject) => {
    timer = clock.after(ms, () => reject(late()))
  })
  try {
    return await Promise.race([promise, timeout])
  } finally {
    timer?.[Symbol.dispose]()
  }
}
