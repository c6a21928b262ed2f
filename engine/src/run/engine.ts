// A running engine: binds the listeners, opens every node, applies reloads, ends with its inputs, and shuts everything
// down in order.
import type { Logger } from 'pino'
import type { Graph } from '../graph/graph.js'
import { explainShortage } from '../listen/descriptor-check.js'
import { listenerSpecs } from '../listen/engine-listeners.js'
import { readDescriptorLimit } from '../observe/descriptor-limit.js'
import type { EventLog } from '../observe/events.js'
import type { MetricsRegistry } from '../observe/metrics-registry.js'
import type { Operator } from '../observe/operator.js'
import type { ReloadPlan } from '../observe/reload-plan.js'
import type {
  ClientStatus,
  EngineSample,
  EngineStatus,
  EventSource,
  NodeTypeList,
  Readiness,
  ReloadControl,
} from '../observe/status.js'
import type { Json } from '../plugin/contract.js'
import type { PluginCode } from '../plugin/plugin-code.js'
import type { AppliedReload, RolledBack } from '../reload/reload-target.js'
import type { ReloadExecutor } from './change/reload-executor.js'
import { containFault } from './contain-fault.js'
import { LogLimit } from '../observe/log-limit.js'
import type { EngineApi } from './engine-api.js'
import type { EngineView } from './engine-view.js'
import type { NodeScope } from './node/node-scope.js'
import { startNode } from './node/start-node.js'
import type { InputRecorders } from './recorder/input-recorders.js'
import type { RunningEngine } from './running-engine.js'
import type { RunningNodes } from './running-nodes.js'
import type { ShownNodes } from './shown-nodes.js'
import { UnopenedPaths } from './unopened-paths.js'
import { drained, shutDown, type ShutdownParts } from './shutdown.js'
import type { LabelledUrl } from './status-view.js'

export interface EngineParts extends ShutdownParts {
  readonly log: Logger
  readonly events: EventLog
  readonly metrics: MetricsRegistry
  readonly scope: NodeScope
  readonly nodes: RunningNodes
  readonly shown: ShownNodes
  readonly executor: ReloadExecutor
  readonly view: EngineView
  readonly recorders: InputRecorders
  readonly api: EngineApi
  /** Adds the metrics of the engine itself. Called once, at the start. */
  addMetrics(): void
}

export class Engine implements RunningEngine, EventSource {
  readonly ended: Promise<void>
  readonly #parts: EngineParts
  #stopping: Promise<void> | undefined
  readonly #faultLines: LogLimit
  #hasEnded = false
  #settleEnded: { resolve(): void; reject(error: Error): void } = { resolve: () => undefined, reject: () => undefined }

  constructor(parts: EngineParts) {
    this.#parts = parts
    this.#faultLines = new LogLimit(parts.clock)
    const { executor, nodes, listeners } = parts
    const unopened = new UnopenedPaths(nodes)
    listeners.whyClosed = (listener, path) => unopened.whyClosed(listener, path)
    executor.onFinished = () => this.#endWithInputs()
    nodes.states$.subscribe((node) => {
      executor.noteState(node)
      this.#endWithInputs()
    })
    this.ended = new Promise((resolve, reject) => {
      this.#settleEnded = { resolve, reject }
    })
    // A program that does not await `ended` must not die of an unhandled rejection.
    this.ended.catch(() => undefined)
  }

  async start(): Promise<void> {
    const { running, listeners, api, clock, view, events, shown, auth, recorders } = this.#parts
    listeners.addAll(listenerSpecs(running.graph))
    api.open(running.graph.engine.api)
    // Providers may serve paths.
    auth.start()
    listeners.isStarting = true
    await listeners.openAll()
    this.#parts.addMetrics()
    shown.update()
    recorders.sweep()
    clock.every(1000, () => {
      running.pipelines.forEach((pipeline) => pipeline.sample())
      recorders.sweep()
    })
    await Promise.all([...running.services.map(startNode), ...running.pipelines.map((each) => each.start())])
    listeners.isStarting = false
    this.#checkDescriptors()
    view.state = 'running'
    events.emit({ kind: 'engine.running' })
    this.#endWithInputs()
  }

  get graph(): Graph {
    return this.#parts.running.graph
  }

  get events(): EventLog {
    return this.#parts.events
  }

  get metrics(): MetricsRegistry {
    return this.#parts.metrics
  }

  get operator(): Operator | undefined {
    return this.#parts.view.operator
  }

  get reloads(): ReloadControl | undefined {
    return this.#parts.view.reloads
  }

  set reloads(reloads: ReloadControl | undefined) {
    this.#parts.view.reloads = reloads
  }

  get onRolledBack(): ((report: RolledBack) => void) | undefined {
    return this.#parts.executor.onRolledBack
  }

  set onRolledBack(listen: ((report: RolledBack) => void) | undefined) {
    this.#parts.executor.onRolledBack = listen
  }

  apply(plan: ReloadPlan, next: Graph, isForced = false): Promise<AppliedReload> {
    return this.#parts.executor.apply(plan, next, isForced)
  }

  stop(reason: string): Promise<void> {
    this.#stopping ??= this.#stop(reason)
    return this.#stopping
  }

  contain(error: unknown, loaded: readonly PluginCode[] = []): boolean {
    const { scope, log, running } = this.#parts
    const plugins = [...(running.graph.plugins ?? []), ...loaded]
    return containFault(error, { scope, plugins, log, lines: this.#faultLines })
  }

  viewersOf(node: string): number {
    return this.#parts.view.viewersOf(node)
  }

  endingOf(node: string, next: Graph): number {
    return this.#parts.view.endingOf(node, next)
  }

  status(): EngineStatus {
    return this.#parts.view.status()
  }

  readiness(of?: { readonly pipeline?: string; readonly node?: string }): Readiness | undefined {
    return this.#parts.view.readiness(of)
  }

  clients(node?: string): readonly ClientStatus[] {
    return this.#parts.view.clients(node)
  }

  kick(id: string): ClientStatus | undefined {
    return this.#parts.view.kick(id)
  }

  nodeTypes(): NodeTypeList {
    return this.#parts.view.nodeTypes()
  }

  command(node: string, name: string, input: unknown): Promise<Json> {
    return this.#parts.view.command(node, name, input)
  }

  urls(): readonly LabelledUrl[] {
    return this.#parts.view.urls()
  }

  sample(pipeline?: string): EngineSample {
    return this.#parts.view.sample(pipeline)
  }

  #checkDescriptors(): void {
    const { audiences, running, log } = this.#parts
    const perOutput = audiences.all().map(({ limits }) => limits.max)
    const shortage = explainShortage(readDescriptorLimit(), { perOutput, overall: running.graph.engine.maxClients })
    if (shortage !== undefined) log.warn(shortage)
  }

  /** Once all inputs have ended, viewers receive the rest, then `ended` settles. */
  #endWithInputs(): void {
    const { view, executor, nodes, running } = this.#parts
    if (view.state !== 'running' || this.#hasEnded || executor.isBusy || !nodes.haveInputsEnded) return
    this.#hasEnded = true
    const failed = nodes.failedInput
    const { failure: cause } = failed ?? {}
    if (failed !== undefined) this.#settleEnded.reject(new Error(`${failed.id} has failed: ${failed.why}`, { cause }))
    else void drained(running).then(() => this.#settleEnded.resolve())
  }

  async #stop(reason: string): Promise<void> {
    const { view, executor, patterns, log, events } = this.#parts
    const isRunning = view.state === 'running'
    view.state = 'stopping'
    await executor.stop()
    patterns.stop()
    log.info({ reason }, 'stopping')
    events.emit({ kind: 'engine.stopping', data: { reason } })
    await shutDown(this.#parts, reason, isRunning)
    log.info('stopped')
  }
}
