// What a running engine shows of itself, to the control API and to programs that embed it.
import process from 'node:process'
import type { Logger } from 'pino'
import type { EngineAudiences } from '../audience/engine-audiences.js'
import type { LiveDelivery } from '../deliver/live-delivery.js'
import type { EngineListeners } from '../listen/engine-listeners.js'
import { readEngineVersion } from '../observe/engine-version.js'
import type { EventLog } from '../observe/events.js'
import type {
  ClientStatus,
  EngineSample,
  EngineStatus,
  EventSource,
  NodeTypeList,
  Readiness,
  ReloadControl,
  StatusSource,
} from '../observe/status.js'
import { commandError } from '../observe/command-errors.js'
import { didYouMean } from '../config/report/did-you-mean.js'
import type { Definition, Json } from '../plugin/contract.js'
import { type DescribedDefinition, describeDefinition } from '../plugin/manifest.js'
import type { Clock } from '../plugin/tokens.js'
import { listenerNodeId } from '../graph/node-id.js'
import type { Running } from './change/reload-transaction.js'
import type { RunningNodes } from './running-nodes.js'
import { type LabelledUrl, listenerStatus, readinessOf, sampleOf, urlsOf } from './status-view.js'

export interface EngineViewParts {
  readonly clock: Clock
  readonly log: Logger
  readonly events: EventLog
  readonly running: Running
  readonly nodes: RunningNodes
  readonly listeners: Pick<EngineListeners, 'all' | 'http'>
  readonly audiences: Pick<EngineAudiences, 'kick' | 'of' | 'viewers'>
  readonly delivery: Pick<LiveDelivery, 'routes'>
  /** Absolute. */
  readonly stateDir: string
}

export class EngineView implements StatusSource, EventSource {
  state: EngineStatus['state'] = 'starting'
  /** Reloads the configuration; undefined where no files are watched or re-read. */
  reloads: ReloadControl | undefined
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

  status(): EngineStatus {
    const { clock, listeners, nodes, running, stateDir } = this.#parts
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
      listeners: listeners.all().map((listener) => listenerStatus(listener, nodes.get(listenerNodeId(listener.name)))),
      services: running.services.flatMap((service) =>
        service.settings.definition.kind === 'service' ? [service.status()] : [],
      ),
      pipelines: running.pipelines.map((pipeline) => pipeline.status()),
    }
  }

  readiness(of: { readonly pipeline?: string; readonly node?: string } = {}): Readiness | undefined {
    return readinessOf(this.state, this.#parts.nodes, of)
  }

  viewersOf(node: string): number {
    return this.#parts.audiences.of(node)?.counters.clients ?? 0
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
    const { nodes } = this.#parts
    const node = nodes.get(id)
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

  sample(pipeline?: string): EngineSample {
    const { running, clock } = this.#parts
    return sampleOf(running, new Date(clock.wallMs(clock.nowMs())).toISOString(), pipeline)
  }
}
