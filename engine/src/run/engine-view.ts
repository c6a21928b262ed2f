// What a running engine shows of itself, to the control API and to programs that embed it.
import process from 'node:process'
import type { Logger } from 'pino'
import type { EngineAudiences } from '../audience/engine-audiences.js'
import type { LiveDelivery } from '../deliver/live-delivery.js'
import type { EngineListeners } from '../listen/engine-listeners.js'
import { readEngineVersion } from '../observe/engine-version.js'
import type { EventLoopLag } from '../observe/event-loop-lag.js'
import type { EventLog } from '../observe/events.js'
import type { OperatedSource, Operator, ShownPipeline } from '../observe/operator.js'
import type { OutputLatency } from '../observe/output-latency.js'
import type {
  ClientStatus,
  EngineSample,
  EngineStatus,
  EventSource,
  NodeTypeList,
  Readiness,
  ReloadControl,
} from '../observe/status.js'
import { commandError } from '../observe/command-errors.js'
import { didYouMean } from '../config/report/did-you-mean.js'
import type { Definition, Json } from '../plugin/contract.js'
import { type DescribedDefinition, describeDefinition } from '../plugin/manifest.js'
import type { Clock } from '../plugin/tokens.js'
import type { Graph } from '../graph/graph.js'
import { listenerNodeId, nodeName, splitCopyName } from '../graph/node-id.js'
import type { Running } from './change/reload-transaction.js'
import { InputRunner } from './node/input-runner.js'
import { copiesOf, endingCopiesOf } from './pattern/copy-viewers.js'
import type { InputRecorders } from './recorder/input-recorders.js'
import type { RunningNodes } from './running-nodes.js'
import { type LabelledUrl, listenerStatus, readinessOf, sampleOf, urlsOf } from './status-view.js'

export interface EngineViewParts {
  readonly clock: Clock
  readonly log: Logger
  readonly lag: Pick<EventLoopLag, 'seconds'>
  readonly latency: Pick<OutputLatency, 'seconds'>
  readonly events: EventLog
  readonly running: Running
  readonly nodes: RunningNodes
  readonly listeners: Pick<EngineListeners, 'all' | 'http' | 'unbound'>
  readonly audiences: Pick<EngineAudiences, 'kick' | 'of' | 'viewers'>
  readonly delivery: Pick<LiveDelivery, 'routes'>
  readonly recorders: Pick<InputRecorders, 'record'>
  /** Absolute. */
  readonly stateDir: string
}

/** The command that every input with a recorder has. */
const RECORD = 'record'

export class EngineView implements OperatedSource, EventSource {
  state: EngineStatus['state'] = 'starting'
  /** Reloads the configuration; undefined where no files are watched or re-read. */
  reloads: ReloadControl | undefined
  operator: Operator | undefined
  readonly #parts: EngineViewParts
  readonly #startedAtMs: number
  readonly #described = new WeakMap<Definition, DescribedDefinition>()

  constructor(parts: EngineViewParts) {
    this.#parts = parts
    this.#startedAtMs = parts.clock.nowMs()
  }

  get events(): EventLog {
    return this.#parts.events
  }

  status(isSummary = false): EngineStatus {
    return { ...this.statusBeside(), pipelines: this.pipelines(isSummary).map((pipeline) => pipeline.status()) }
  }

  pipelines(isSummary = false): readonly ShownPipeline[] {
    const { pipelines } = this.#parts.running
    return isSummary ? pipelines.filter(({ name }) => splitCopyName(name).stream === undefined) : [...pipelines]
  }

  statusBeside(): Omit<EngineStatus, 'pipelines'> {
    const { clock, listeners, nodes, running, stateDir } = this.#parts
    const unbound = listeners.unbound()
    const { ready, reasons } = this.readiness() ?? { ready: false, reasons: [] }
    return {
      version: readEngineVersion(),
      nodeVersion: process.version,
      pid: process.pid,
      startedAt: new Date(clock.wallMs(this.#startedAtMs)).toISOString(),
      uptimeSeconds: Math.round((clock.nowMs() - this.#startedAtMs) / 1000),
      state: this.state,
      ready,
      reasons,
      files: running.graph.files,
      stateDir,
      ...(this.reloads === undefined ? {} : { reload: this.reloads.status() }),
      listeners: listeners.all().map((listener) => {
        const { name } = listener
        return listenerStatus(listener, nodes.get(listenerNodeId(name)), unbound.get(name))
      }),
      services: running.services.flatMap((service) =>
        service.settings.definition.kind === 'service' ? [service.status()] : [],
      ),
    }
  }

  readiness(of: { readonly pipeline?: string; readonly node?: string } = {}): Readiness | undefined {
    return readinessOf(this.state, this.#parts.nodes, of, this.#parts.listeners.unbound())
  }

  /** See ReloadTarget. */
  viewersOf(node: string): number {
    return this.#viewersAt(node) + this.#viewersIn(copiesOf(node, this.#parts.running), node)
  }

  /** See ReloadTarget. */
  endingOf(node: string, next: Graph): number {
    return this.#viewersIn(endingCopiesOf(node, this.#parts.running, next), node)
  }

  clients(node?: string): readonly ClientStatus[] {
    return this.#parts.audiences.viewers(node)
  }

  kick(id: string): ClientStatus | undefined {
    const kicked = this.#parts.audiences.kick(id)
    if (kicked !== undefined)
      this.#parts.log.info({ id, node: kicked.node, client: kicked.client }, 'a viewer was kicked')
    return kicked
  }

  nodeTypes(): NodeTypeList {
    const definitions = new Set(this.#parts.nodes.all.map(({ settings }) => settings.definition))
    const known = [...definitions].map((definition) => {
      const described = this.#described.get(definition) ?? describeDefinition(definition)
      this.#described.set(definition, described)
      return described
    })
    return { nodeTypes: known }
  }

  async command(id: string, name: string, input: unknown): Promise<Json> {
    const { nodes, recorders } = this.#parts
    const node = nodes.get(id)
    const isOwn = Object.hasOwn(node?.settings.definition.commands ?? {}, name)
    if (name === RECORD && node instanceof InputRunner && !isOwn) return recorders.record(node)
    if (node !== undefined) return node.commands.run(name, input)
    const ids = nodes.all.map((each) => each.id)
    throw commandError(
      'COMMAND_UNKNOWN_NODE',
      `there is no node "${id}": ${didYouMean(id, ids, 'nodes') ?? 'none runs'}`,
    )
  }

  urls(): readonly LabelledUrl[] {
    const { running, delivery, listeners } = this.#parts
    return urlsOf(running.graph, delivery, listeners)
  }

  sample(pipeline?: string, isSummary = false): EngineSample {
    const { running, clock, lag, latency } = this.#parts
    const { user, system } = process.cpuUsage()
    const outputLatencySeconds = latency.seconds
    return {
      at: new Date(clock.wallMs(clock.nowMs())).toISOString(),
      process: {
        ...{ cpuSeconds: (user + system) / 1e6, rssBytes: process.memoryUsage.rss(), lagSeconds: lag.seconds },
        ...(outputLatencySeconds === undefined ? {} : { outputLatencySeconds }),
      },
      ...sampleOf(running, pipeline, isSummary),
    }
  }

  #viewersIn(copies: readonly string[], node: string): number {
    return copies.reduce((sum, name) => sum + this.#viewersAt(`${name}/${nodeName(node)}`), 0)
  }

  #viewersAt(id: string): number {
    return this.#parts.audiences.of(id)?.counters.clients ?? 0
  }
}
