// A running engine: binds the listeners, opens every node, reports its status, and shuts everything down in order.
import type { IncomingMessage, ServerResponse } from 'node:http'
import process from 'node:process'
import type { Logger } from 'pino'
import { AccessControl } from '../access/access-control.js'
import type { StateDir } from '../state/state-dir.js'
import type {
  ClientStatus,
  EngineSample,
  EngineStatus,
  EventSource,
  Readiness,
  ReloadControl,
  StatusSource,
} from '../observe/status.js'
import { EngineContainer } from './node/container.js'
import { LiveDelivery } from '../deliver/live-delivery.js'
import type { Graph } from '../graph/graph.js'
import { HttpListeners, listenerSpecs } from '../listen/http-listeners.js'
import { createClock } from '../observe/clock.js'
import type { EngineClock } from '../observe/clock.js'
import { readDescriptorLimit } from '../observe/descriptor-limit.js'
import { readEngineVersion } from '../observe/engine-version.js'
import { withDefaultMetrics } from '../observe/default-metrics.js'
import { EventLoopLag } from '../observe/event-loop-lag.js'
import { EventLog } from '../observe/events.js'
import { MetricsRegistry } from '../observe/metrics-registry.js'
import type { PluginCode } from '../plugin/plugin-code.js'
import type { Clock } from '../plugin/tokens.js'
import { AUTH, CLOCK, METRICS } from '../plugin/tokens.js'
import { waitAtMost } from './node/time-limit.js'
import { explainShortage } from '../listen/descriptor-check.js'
import { addEngineMetrics, RouteHistograms } from './engine-metrics.js'
import { labelsOf } from './node/node-metrics.js'
import { containFault } from './contain-fault.js'
import { NodeScope } from './node/node-scope.js'
import { PluginEvents } from './plugin-events.js'
import { openAccessLog, type OpenAccessLog } from '../access/open-access-log.js'
import { ReloadExecutor } from './change/reload-executor.js'
import type { Running } from './change/reload-transaction.js'
import { listenerStatus, readinessOf, sampleOf, urlsOf, viewersOf } from './status-view.js'
import { PipelineRunner } from './pipeline/pipeline-runner.js'
import { EngineNodeMetrics } from './engine-node-metrics.js'
import type { RunningEngine } from './running-engine.js'
import { RunningNodes } from './running-nodes.js'
import type { ReloadPlan } from '../observe/reload-plan.js'
import type { AppliedReload, RolledBack } from '../reload/reload-target.js'
import { setLogLevel } from '../observe/log.js'
import type { RunServices } from './node/run-services.js'
import { ServiceRunner } from './node/service-runner.js'
import { API_LISTENER } from '../graph/node-id.js'

/** Time limit for disposing all nodes together, after the drain. */
const DISPOSE_MS = 3000
const LEAST_DISPOSE_MS = 500
/** Time limit for closing the remaining connections after that. */
const CLOSE_GRACE_MS = 1000

/**
 * Checks each request on listener `api` before any handler sees it, and answers requests for paths that no node owns.
 */
interface ControlApi {
  /** True if the request may proceed; otherwise it has been answered. */
  guard(request: IncomingMessage, response: ServerResponse): boolean
  respond(request: IncomingMessage, response: ServerResponse): void
}

/** What a request has to match to use the control API. */
interface ApiAccess {
  readonly token: string
  /** `engine.api.hosts`. */
  readonly hosts: readonly string[]
  /** `host:port` of each socket bound now. */
  boundAddresses(): readonly string[]
}

export interface EngineParts {
  readonly log: Logger
  readonly stateDir: StateDir
  /** Called when the engine starts, and when `engine.api.hosts` changes. */
  createApi(engine: StatusSource & EventSource, access: ApiAccess, clock: Clock): ControlApi
}

export class Engine implements RunningEngine, EventSource {
  readonly ended: Promise<void>
  readonly #running: Running
  readonly #log: Logger
  readonly #parts: EngineParts
  readonly #lag = new EventLoopLag()
  readonly #clock: EngineClock = createClock((lateMs) => this.#lag.note(lateMs))
  readonly #startedAtMs = this.#clock.nowMs()
  readonly #events: EventLog
  readonly #metrics: MetricsRegistry
  readonly #listeners: HttpListeners
  readonly #auth: AccessControl
  readonly #delivery: LiveDelivery
  readonly #accessLog: OpenAccessLog
  readonly #scope = new NodeScope()
  readonly #histograms: RouteHistograms
  readonly #nodeMetrics: EngineNodeMetrics
  readonly #executor: ReloadExecutor
  readonly #nodes = new RunningNodes()
  onRolledBack: ((report: RolledBack) => void) | undefined
  /** Reloads the configuration; undefined where no files are watched or re-read. */
  reloads: ReloadControl | undefined
  #state: EngineStatus['state'] = 'starting'
  #stopping: Promise<void> | undefined
  #hasEnded = false
  #settleEnded: { resolve(): void; reject(error: Error): void } = { resolve: () => undefined, reject: () => undefined }

  constructor(graph: Graph, parts: EngineParts) {
    const { log } = parts
    this.#log = log
    this.#parts = parts
    const clock = this.#clock
    this.#events = new EventLog(clock, log)
    this.#metrics = new MetricsRegistry((metric, err, { pipeline, node }) => {
      const owner = node === undefined ? {} : { node: `${pipeline}/${node}` }
      log.error({ err, metric, ...owner }, 'a metric could not be read and is left out')
    })
    this.#histograms = new RouteHistograms(this.#metrics, (id) => this.#labelsOf(id))
    this.#listeners = new HttpListeners({ clock, log, descriptorLimit: readDescriptorLimit() })
    this.#auth = new AccessControl(graph.auth ?? [], clock)
    this.#delivery = new LiveDelivery({
      listeners: this.#listeners,
      clock,
      log,
      auth: this.#auth,
      maxClients: graph.engine.maxClients,
      onEvent: (event) => this.#events.emit(event),
    })
    this.#accessLog = openAccessLog(graph.engine.accessLog ?? 'off', clock, log)
    this.#delivery.watchSessions(this.#accessLog.watcher)
    const container = new EngineContainer()
      .provide(AUTH, this.#auth)
      .provide(CLOCK, clock)
      .provideOnDemand(METRICS, () => withDefaultMetrics(this.#metrics))
    const services = this.#runServices()
    this.#nodeMetrics = new EngineNodeMetrics(this.#metrics, (id) => this.#delivery.routeOf(id))
    this.#running = {
      graph,
      services: graph.services.map((settings) => new ServiceRunner(settings, services, container)),
      pipelines: graph.pipelines.map((pipeline) => new PipelineRunner(pipeline, services, container)),
    }
    this.#executor = new ReloadExecutor({
      running: this.#running,
      run: services,
      container,
      log,
      listeners: this.#listeners,
      adopt: (next) => this.#adopt(next),
      viewersOf: (id) => this.viewersOf(id),
      onNodesChanged: () => this.#updateNodes(),
      onRolledBack: (report) => this.onRolledBack?.(report),
      onFinished: () => {
        this.#updateNodes()
        this.#endWithInputs()
      },
    })
    this.#followChanges()
    this.ended = new Promise((resolve, reject) => {
      this.#settleEnded = { resolve, reject }
    })
    // A program that does not await `ended` must not die of an unhandled rejection.
    this.ended.catch(() => undefined)
  }

  async start(): Promise<void> {
    for (const { name, address, ...choices } of listenerSpecs(this.#running.graph)) {
      this.#listeners.add(name, address, choices)
    }
    this.#openApi(this.#running.graph.engine.api.hosts)
    await this.#listeners.openAll()
    addEngineMetrics({
      registry: this.#metrics,
      clock: this.#clock,
      lag: this.#lag,
      authRefused: this.#auth.refused,
      accessLogDropped: () => this.#accessLog.droppedLines ?? 0,
    })
    this.#updateNodes()
    this.#clock.every(1000, () => this.#running.pipelines.forEach((pipeline) => pipeline.sample()))
    await Promise.all([...this.#running.services, ...this.#running.pipelines].map((part) => part.start()))
    this.#checkDescriptors()
    this.#state = 'running'
    this.#events.emit({ kind: 'engine.running' })
    this.#endWithInputs()
  }

  get graph(): Graph {
    return this.#running.graph
  }

  get events(): EventLog {
    return this.#events
  }

  get metrics(): MetricsRegistry {
    return this.#metrics
  }

  viewersOf(node: string): number {
    return this.#delivery.routeOf(node)?.counters.clients ?? 0
  }

  apply(plan: ReloadPlan, next: Graph): Promise<AppliedReload> {
    return this.#executor.apply(plan, next)
  }

  stop(reason: string): Promise<void> {
    this.#stopping ??= this.#stop(reason)
    return this.#stopping
  }

  status(): EngineStatus {
    const { ready, reasons } = this.readiness() ?? { ready: false, reasons: [] }
    const nowMs = this.#clock.nowMs()
    return {
      version: readEngineVersion(),
      nodeVersion: process.version,
      pid: process.pid,
      startedAt: new Date(this.#clock.wallMs(this.#startedAtMs)).toISOString(),
      uptimeSeconds: Math.round((nowMs - this.#startedAtMs) / 1000),
      state: this.#state,
      ready,
      reasons,
      files: this.#running.graph.files,
      stateDir: this.#parts.stateDir.path,
      ...(this.reloads === undefined ? {} : { reload: this.reloads.status() }),
      listeners: this.#listeners.all().map(listenerStatus),
      services: this.#running.services.map((service) => service.status()),
      pipelines: this.#running.pipelines.map((pipeline) => pipeline.status()),
    }
  }

  readiness(of: { readonly pipeline?: string; readonly node?: string } = {}): Readiness | undefined {
    return readinessOf(this.#state, this.#nodes, of)
  }

  clients(node?: string): readonly ClientStatus[] {
    return this.#delivery.viewers(node)
  }

  kick(id: string): ClientStatus | undefined {
    const kicked = this.#delivery.kick(id)
    if (kicked !== undefined) this.#log.info({ id, node: kicked.node, client: kicked.client }, 'a viewer was kicked')
    return kicked
  }

  contain(error: unknown, loaded: readonly PluginCode[] = []): boolean {
    const { plugins = [] } = this.#running.graph
    return containFault(error, { scope: this.#scope, plugins: [...plugins, ...loaded], log: this.#log })
  }

  urls(): readonly { readonly label: string; readonly url: string }[] {
    return urlsOf(this.#running.graph, this.#delivery, this.#listeners)
  }

  sample(pipeline?: string): EngineSample {
    return sampleOf(this.#running, new Date(this.#clock.wallMs(this.#clock.nowMs())).toISOString(), pipeline)
  }

  /** Applies the engine's own settings, except those that are fixed at the start. */
  #adopt({ engine, auth, secrets }: Graph): void {
    secrets.include(this.#running.graph.secrets)
    if (engine.api.hosts.join() !== this.#running.graph.engine.api.hosts.join()) this.#openApi(engine.api.hosts)
    setLogLevel(this.#log, engine.log.level)
    this.#auth.update(auth ?? [])
    this.#delivery.maxClients = engine.maxClients
    this.#accessLog.switchTo(engine.accessLog ?? 'off')
  }

  /** Each change costs the same, however many nodes and routes there are. */
  #followChanges(): void {
    this.#delivery.routes$.subscribe((change) => this.#histograms.note(change))
    this.#nodes.states$.subscribe((node) => {
      this.#executor.noteState(node)
      this.#endWithInputs()
    })
  }

  /** Nodes have been added, removed, replaced or renamed. */
  #updateNodes(): void {
    const { services, pipelines } = this.#running
    this.#nodes.update([...services, ...pipelines.flatMap(({ nodes }) => nodes)])
    this.#histograms.update()
    this.#nodeMetrics.update(this.#nodes.all, this.#listeners.all())
  }

  #checkDescriptors(): void {
    const perOutput = this.#delivery.routes().map(({ maxClients }) => maxClients)
    const shortage = explainShortage(readDescriptorLimit(), {
      perOutput,
      overall: this.#running.graph.engine.maxClients,
    })
    if (shortage !== undefined) this.#log.warn(shortage)
  }

  /** Order: the guard, then paths that nodes own on the listener, then the API. */
  #openApi(hosts: readonly string[]): void {
    const listener = this.#listeners.http(API_LISTENER)
    const access: ApiAccess = {
      token: this.#parts.stateDir.token,
      hosts,
      boundAddresses: () => [listener.address],
    }
    const { guard, respond } = this.#parts.createApi(this, access, this.#clock)
    listener.setGuard(guard)
    listener.setFallback(respond)
  }

  #pluginEvents(): PluginEvents {
    return new PluginEvents({
      log: this.#events,
      clock: this.#clock,
      watchSessions: (watcher) => this.#delivery.watchSessions(watcher),
      kindOf: (id) => this.#nodes.kindOf(id),
      onError: (err) => this.#log.error({ err }, 'a subscriber of events failed and was dropped'),
    })
  }

  #runServices(): RunServices {
    return {
      clock: this.#clock,
      log: this.#log,
      metrics: this.#metrics,
      events: this.#events,
      scope: this.#scope,
      mask: (text) => this.#running.graph.secrets.mask(text),
      sentBytesOf: (id) => this.#delivery.routeOf(id)?.counters.sentBytes ?? 0,
      viewersOf: (id) => {
        const route = this.#delivery.routeOf(id)
        return route === undefined ? {} : viewersOf(route)
      },
      pluginEvents: this.#pluginEvents(),
      shared: { delivery: this.#delivery, listeners: this.#listeners, auth: this.#auth },
    }
  }

  #labelsOf(id: string): Readonly<Record<string, string>> | undefined {
    const node = this.#nodes.get(id)
    return node && labelsOf(node.settings)
  }

  /** Once all inputs have ended, viewers receive the rest, then `ended` settles. */
  #endWithInputs(): void {
    if (this.#state !== 'running' || this.#hasEnded || this.#executor.isBusy) return
    if (!this.#nodes.haveInputsEnded) return
    this.#hasEnded = true
    const failed = this.#nodes.failedInput
    if (failed !== undefined) this.#settleEnded.reject(new Error(`${failed.id} has failed: ${failed.why}`))
    else void this.#drained().then(() => this.#settleEnded.resolve())
  }

  async #drained(): Promise<void> {
    await Promise.all(this.#running.pipelines.map((pipeline) => pipeline.drained()))
  }

  async #stop(reason: string): Promise<void> {
    const isRunning = this.#state === 'running'
    this.#state = 'stopping'
    await this.#executor.stop()
    this.#log.info({ reason }, 'stopping')
    this.#events.emit({ kind: 'engine.stopping', data: { reason } })
    this.#listeners.stopAccepting(API_LISTENER)
    this.#delivery.stopAccepting()
    if (isRunning) await this.#drain(this.#running.graph.engine.drainMs)
    const disposeByMs = this.#clock.nowMs() + DISPOSE_MS
    await Promise.all(this.#running.pipelines.map((pipeline) => pipeline.stop(reason, DISPOSE_MS)))
    await this.#executor.drained()
    await this.#delivery[Symbol.asyncDispose]()
    const leftMs = Math.max(LEAST_DISPOSE_MS, disposeByMs - this.#clock.nowMs())
    await Promise.all(this.#running.services.map((service) => service.stop(reason, leftMs)))
    await this.#listeners.closeAll(CLOSE_GRACE_MS)
    await this.#accessLog[Symbol.asyncDispose]()
    await this.#parts.stateDir[Symbol.asyncDispose]()
    this.#clock[Symbol.dispose]()
    this.#log.info('stopped')
  }

  /**
   * Inputs end, and viewers receive everything the inputs have received. Viewers that are not done in time are cut off.
   */
  async #drain(withinMs: number): Promise<void> {
    const deadlineMs = this.#clock.nowMs() + withinMs
    for (const pipeline of this.#running.pipelines) pipeline.finish()
    await waitAtMost(this.#drained(), withinMs, this.#clock)
    await this.#delivery.endAll(Math.max(0, deadlineMs - this.#clock.nowMs()))
  }
}
