// One reload from the running graph to the next. Everything that can fail is tried beside the running nodes, then all
// of it is committed in one turn of the event loop, then old nodes are stopped while the new ones deliver.
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Graph, Pipeline } from '../../graph/graph.js'
import { splitCopyName } from '../../graph/node-id.js'
import { ownPart } from '../pipeline/own-part.js'
import type { EngineListeners } from '../../listen/engine-listeners.js'
import type { ListenerTransaction } from '../../listen/listener-transaction.js'
import type { ReloadPlan } from '../../observe/reload-plan.js'
import type { EdgeCut } from '../../observe/reload-report.js'
import { listenerSpecs } from '../../listen/engine-listeners.js'
import { moveEndpoints } from './endpoint-moves.js'
import { type FailedStep, PipelineTransaction } from './pipeline-transaction.js'
import type { PipelineRunner } from '../pipeline/pipeline-runner.js'
import { ServiceChange, type ServiceContext } from './service-change.js'
import type { AnyNodeRunner } from '../node/node-runner.js'
import type { ServiceRunner } from '../node/service-runner.js'

/** The state that a reload changes; the engine owns it. */
export interface Running {
  graph: Graph
  pipelines: readonly PipelineRunner[]
  services: readonly ServiceRunner[]
}

/** The copies of pattern pipelines. */
interface ReloadingCopies {
  /** A copy of each tries the graph. Rejects if none can follow it. */
  prepare(next: Graph): Promise<void>
  /** The graph is not committed. Never rejects. */
  giveUp(): Promise<void>
  /** The graph has been committed: all follow it. Called in the same turn. */
  follow(): void
}

export interface ReloadContext extends ServiceContext {
  readonly running: Running
  /** A pipeline whose nodes have not been opened yet. */
  createPipeline(pipeline: Pipeline): PipelineRunner
  readonly listeners: Pick<EngineListeners, 'prepare'>
  readonly copies: ReloadingCopies
  /** Applies the engine's own settings: limits, access, log. Must not throw. */
  adopt(next: Graph): void
}

export class ReloadTransaction {
  readonly #context: ReloadContext
  readonly #next: Graph
  readonly #pipelines: readonly PipelineTransaction[]
  readonly #services: ServiceChange
  #listeners: ListenerTransaction | undefined
  #isAborted = false
  readonly #stopping = new AbortController()
  /** Old nodes by the id they had; the promises resolve when they have released everything. */
  #leaving: ReadonlyMap<string, Promise<void>> = new Map()

  /** `how`: as a PipelineTransaction. */
  constructor(
    context: ReloadContext,
    plan: ReloadPlan,
    next: Graph,
    how: ConstructorParameters<typeof PipelineTransaction>[3],
  ) {
    this.#context = context
    this.#next = next
    const { running } = context
    const changes = new Map(plan.nodes.flatMap((node) => (node.verb === 'remove' ? [] : [[node.id, node]])))
    // Copies of pattern pipelines follow after the commit, which one of each has tried before.
    const before = new Map(running.pipelines.flatMap((runner) => (isCopy(runner) ? [] : [[runner.name, runner]])))
    const after = new Map(next.pipelines.map((pipeline) => [pipeline.name, ownPart(pipeline)]))
    const empty = (name: string): Pipeline => ({ name, description: '', nodes: [] })
    const names = [...new Set([...after.keys(), ...before.keys()])]
    this.#pipelines = names.map((name) => {
      const runner = before.get(name) ?? context.createPipeline(empty(name))
      return new PipelineTransaction(runner, after.get(name) ?? empty(name), changes, how)
    })
    this.#services = new ServiceChange(running.services, next.services, changes, context)
  }

  /** Opens the new nodes beside the running ones. If it rejects, `abort` restores the previous state. */
  async prepare(): Promise<void> {
    const listeners = await this.#context.listeners.prepare(listenerSpecs(this.#next))
    if (this.#isAborted) return listeners.revert()
    this.#listeners = listeners
    const opening: Promise<void>[] = [this.#services.prepare(), this.#context.copies.prepare(this.#next)]
    for (const pipeline of this.#pipelines) {
      if (this.#isAborted) return
      opening.push(pipeline.prepare())
      for (const each of opening) each.catch(() => undefined)
      // Opens many nodes over many turns, so that the streams keep flowing.
      await nextTurn()
    }
    const results = await Promise.allSettled(opening)
    const failure = results.find((result) => result.status === 'rejected')
    if (failure !== undefined) throw failure.reason
  }

  /** Never rejects. */
  async abort(): Promise<void> {
    this.#isAborted = true
    const pipelines = this.#pipelines.map((pipeline) => pipeline.abort())
    await Promise.all([this.#services.abort(), this.#context.copies.giveUp(), ...pipelines])
    await this.#listeners?.revert()
  }

  /**
   * From here on every node has the endpoints of the new graph; `commit` must follow in the same turn of the event loop.
   * Throws LISTEN_PATH_TAKEN, LISTEN_UNKNOWN; then nothing has changed.
   */
  moveEndpoints(): void {
    const parts = [this.#services, ...this.#pipelines]
    moveEndpoints(
      parts.flatMap(({ steps }) => steps),
      parts.flatMap(({ removed }): readonly AnyNodeRunner[] => removed),
    )
  }

  /** From here on the new graph runs. */
  commit(): void {
    const { running, adopt } = this.#context
    // Viewers of an output that has moved to another listener keep their connections.
    this.#listeners?.commit(Infinity)
    adopt(this.#next)
    running.graph = this.#next
    this.#services.commit()
    for (const pipeline of this.#pipelines) pipeline.commit()
    running.services = this.#services.nodes
    const names = this.#next.pipelines.map(({ name }) => name)
    const byName = new Map(this.#pipelines.map(({ runner }) => [runner.name, runner]))
    const copies = running.pipelines.filter(isCopy)
    running.pipelines = [...names.flatMap((name) => byName.get(name) ?? []), ...copies]
  }

  /** The engine is about to stop: cuts every edge over now, wherever the streams are, and opens nothing more. */
  force(): void {
    this.#stopping.abort('the engine is stopping')
    for (const pipeline of this.#pipelines) pipeline.force()
  }

  /** Resolves when every reader reads the new graph. Never rejects. */
  async finish(): Promise<{ readonly cuts: readonly EdgeCut[]; readonly failed: readonly FailedStep[] }> {
    const { running } = this.#context
    const results = await Promise.all(this.#pipelines.map((pipeline) => pipeline.finish()))
    const { drainMs } = this.#next.engine
    const leaving = this.#pipelines.flatMap((pipeline) => [...pipeline.drain(drainMs)])
    this.#leaving = new Map([...leaving, ...this.#services.drain()])
    const released = async (ids: readonly string[]): Promise<void> => {
      for (const id of ids) await this.#leaving.get(id)
    }
    const { signal } = this.#stopping
    const restarted = await Promise.all([
      this.#services.restartExclusive(released, signal),
      ...this.#pipelines.map((pipeline) => pipeline.restartExclusive(released, signal)),
    ])
    running.services = this.#services.nodes
    return {
      cuts: results.flatMap(({ cuts }) => cuts),
      failed: [...results.flatMap(({ failed }) => failed), ...restarted.flat()],
    }
  }

  /** Resolves when the old nodes have released everything; called after `finish`. Never rejects. */
  async drained(): Promise<void> {
    await Promise.all(this.#leaving.values())
  }
}

function isCopy({ name }: PipelineRunner): boolean {
  return splitCopyName(name).stream !== undefined
}
