// Moves the engine from one graph to the next, one change at a time, and rolls back a changed or added node that fails
// during its probation.
import type { EngineError } from '../../errors.js'
import type { Graph, NodeSettings } from '../../graph/graph.js'
import { nodeName, splitCopyName } from '../../graph/node-id.js'
import type { Logger } from '../../plugin/contract.js'
import { matchBack, nodesOf } from '../../reload/match-nodes.js'
import { planReload } from '../../reload/plan-reload.js'
import { Probation, type RollbackTarget } from '../../reload/node-probation.js'
import { reloadError } from '../../reload/reload-errors.js'
import { rollbackOf, WHOLE_ROLLBACK } from '../../reload/rollback-graph.js'
import type { ReloadPlan } from '../../observe/reload-plan.js'
import type { AppliedReload, RolledBack } from '../../reload/reload-target.js'
import { type ReloadContext, ReloadTransaction } from './reload-transaction.js'
import type { AnyNodeRunner } from '../node/node-runner.js'
import { messageOf } from '../../errors.js'
import type { Lineages } from '../../state/lineages.js'
import type { FailedStep } from './pipeline-transaction.js'

export interface ReloadExecutorSettings extends ReloadContext {
  readonly log: Logger
  readonly lineages: Pick<Lineages, 'note' | 'of'>
  viewersOf(node: string): number
  /** The graph has other nodes. Called within the commit, and when a change has finished or failed. */
  onNodesChanged(): void
  /** Another graph runs: the copies of pattern pipelines follow it. Called after the commit, in the same turn. */
  onCommitted?(): void
}

interface Failure {
  readonly node: AnyNodeRunner
  /** In the graph: of a node in a copy, that of the pattern pipeline. */
  readonly id: string
  readonly before: RollbackTarget
  readonly why: string
}

export class ReloadExecutor {
  /** See ReloadTarget. By default nothing. */
  onRolledBack: ((report: RolledBack) => void) | undefined
  /** Called when a change has finished or failed. By default nothing. */
  onFinished: () => void = () => undefined
  readonly #settings: ReloadExecutorSettings
  readonly #probation: Probation
  #change: ReloadTransaction | undefined
  #queue: Promise<unknown> = Promise.resolve()
  readonly #draining = new Set<Promise<void>>()
  #turns = 0
  #isStopping = false
  /** Makes the current preparation fail. */
  #abortPrepare: (error: EngineError) => void = () => undefined

  constructor(settings: ReloadExecutorSettings) {
    this.#settings = settings
    this.#probation = new Probation(settings.clock)
  }

  /** See ReloadTarget. */
  apply(plan: ReloadPlan, next: Graph): Promise<AppliedReload> {
    return this.#inTurn(() => this.#apply(plan, next, true))
  }

  /** A node of the graph has changed its state; not called for standbys, nor for nodes that are leaving. */
  noteState(node: AnyNodeRunner): void {
    const { state, settings, why } = node
    if (state !== 'failed' || this.#isStopping) return
    const { graph } = this.#settings.running
    const specified = specificationOf(settings, graph)
    const before = this.#probation.end(specified)
    if (before === undefined) return
    void this.#inTurn(() => this.#rollBack({ node, id: specified.id, before, why }))
  }

  /** Aborts or completes the current change, and starts no other. Never rejects. */
  async stop(): Promise<void> {
    this.#isStopping = true
    this.#abortPrepare(stopping())
    this.#change?.force()
    await this.#queue
  }

  /** Resolves when all old nodes have released everything. Never rejects. */
  async drained(): Promise<void> {
    await Promise.all(this.#draining)
  }

  /** A change is running or queued. */
  get isBusy(): boolean {
    return this.#turns > 0
  }

  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    this.#turns++
    const turn = this.#queue.then(run).finally(() => {
      this.#turns--
      this.#settings.onNodesChanged()
      this.onFinished()
    })
    this.#queue = turn.catch(() => undefined)
    return turn
  }

  async #apply(plan: ReloadPlan, next: Graph, hasProbation: boolean): Promise<AppliedReload> {
    if (this.#isStopping) throw stopping()
    const before = this.#settings.running.graph
    this.#noteLineages()
    let viewers: Pick<AppliedReload, 'viewersBefore' | 'viewersLost'>
    const change = new ReloadTransaction(this.#settings, plan, next)
    try {
      const aborted = new Promise<never>((_, reject) => {
        this.#abortPrepare = reject
      })
      await Promise.race([change.prepare(), aborted])
      viewers = this.#countViewers(plan, before)
      change.moveEndpoints()
    } catch (error) {
      await change.abort()
      throw error
    }
    this.#change = change
    change.commit()
    this.#settings.onNodesChanged()
    this.#settings.onCommitted?.()
    if (hasProbation) this.#beginProbation(plan, before)
    const { cuts, failed } = await change.finish()
    this.#change = undefined
    const draining: Promise<void> = change.drained().finally(() => this.#draining.delete(draining))
    this.#draining.add(draining)
    const fits = failed.map((step) => this.#noteFailedStep(step, before)).every(Boolean)
    if (!fits) await this.#rollBackTo(before)
    for (const { settings, error } of failed) this.#reportRollBack(settings.id, messageOf(error), fits)
    this.#rollBackFailedNodes()
    return { ...viewers, cuts }
  }

  #countViewers(plan: ReloadPlan, { pipelines }: Graph): Pick<AppliedReload, 'viewersBefore' | 'viewersLost'> {
    const count = (nodes: readonly { readonly id: string }[]): number =>
      nodes.reduce((sum, { id }) => sum + this.#settings.viewersOf(id), 0)
    return {
      viewersBefore: count(pipelines.flatMap(({ nodes }) => nodes)),
      viewersLost: count(plan.nodes.filter(({ verb }) => verb === 'remove')),
    }
  }

  #beginProbation(plan: ReloadPlan, before: Graph): void {
    const old = new Map(nodesOf(before).map((node) => [node.id, node]))
    const now = new Map<string, Parameters<Probation['begin']>[0]>([
      ...patternNodes(this.#settings.running.graph),
      ...this.#nodes().map((node) => [node.id, node] as const),
    ])
    for (const { id, was, verb } of plan.nodes) {
      const [node, target] = [now.get(id), old.get(was ?? id)]
      if (verb === 'keep' && node !== undefined && target !== undefined)
        this.#probation.updateSettings(target, node.settings)
      if (verb !== 'keep' && verb !== 'remove' && node !== undefined)
        this.#probation.begin(node, { settings: target, graph: before })
    }
  }

  /**
   * A node could not take over: the old one still runs, and the graph has to say so. False if the old one does not fit
   * into the new graph.
   */
  #noteFailedStep({ settings, old, hasEndpoints }: FailedStep, before: Graph): boolean {
    const { running } = this.#settings
    this.#probation.end(settings)
    const { graph, isWhole } = rollbackOf(running.graph, settings.id, { settings: old, graph: before })
    if (!hasEndpoints || isWhole) return false
    running.graph = graph
    return true
  }

  async #rollBackTo(before: Graph): Promise<void> {
    const { log } = this.#settings
    try {
      await this.#apply(this.#planBack(before), before, false)
    } catch (error) {
      log.error({ err: error }, 'the previous configuration cannot run again')
    }
  }

  #reportRollBack(node: string, why: string, isAlone: boolean): void {
    this.onRolledBack?.({
      node,
      why: isAlone ? why : `${why}${WHOLE_ROLLBACK}`,
    })
  }

  /** Rolls back nodes that failed during the change. */
  #rollBackFailedNodes(): void {
    for (const node of this.#nodes()) this.noteState(node)
  }

  async #rollBack({ node: failed, id, before, why }: Failure): Promise<void> {
    const { running, log } = this.#settings
    // Another change may have run first.
    if (this.#isStopping || !this.#nodes().includes(failed)) return
    const { graph, consequence } = rollbackOf(running.graph, id, before)
    try {
      await this.#apply(this.#planBack(graph), graph, false)
    } catch (error) {
      log.error({ err: error, node: id }, 'a changed or added node has failed and cannot be rolled back')
      return
    } finally {
      failed.endpoints.retain(false)
    }
    this.onRolledBack?.({ node: id, why: why + consequence })
  }

  /** Undoes renames too: nodes that keep running are not replaced because of their names. */
  #planBack(graph: Graph): ReloadPlan {
    const { running, lineages } = this.#settings
    this.#noteLineages()
    return planReload(
      running.graph,
      graph,
      matchBack(running.graph, graph, (node) => lineages.of(node)),
    )
  }

  /** The running graph may be one to go back to. */
  #noteLineages(): void {
    const { running, lineages } = this.#settings
    const byId = new Map(this.#nodes().map(({ id, lineage }) => [id, lineage]))
    for (const node of nodesOf(running.graph)) {
      const lineage = byId.get(node.id)
      if (lineage !== undefined) lineages.note(node, lineage)
    }
  }

  #nodes(): readonly AnyNodeRunner[] {
    const { services, pipelines } = this.#settings.running
    return [...services, ...pipelines.flatMap((pipeline) => pipeline.nodes)]
  }
}

function stopping(): EngineError {
  return reloadError('RELOAD_STOPPING', 'the engine is stopping')
}

/** The nodes that run only in copies: if one of those fails, the pattern pipeline is rolled back. */
function patternNodes({ pipelines }: Graph): readonly (readonly [string, Parameters<Probation['begin']>[0]])[] {
  const nodes = pipelines.flatMap(({ pattern, nodes: all }) => (pattern === undefined ? [] : all))
  return nodes.map((settings) => [
    settings.id,
    { settings, calls: { isOnProbation: false }, endpoints: { retain: () => undefined } },
  ])
}

/** Of a node in a copy, what the pattern pipeline says about it. */
function specificationOf(settings: NodeSettings, { pipelines }: Graph): NodeSettings {
  const { pipeline, stream } = splitCopyName(settings.id)
  if (stream === undefined) return settings
  const id = `${pipeline}/${nodeName(settings.id)}`
  const nodes = pipelines.find(({ name }) => name === pipeline)?.nodes
  return nodes?.find((node) => node.id === id) ?? settings
}
