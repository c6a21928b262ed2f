// Moves the engine from one graph to the next, one change at a time, and rolls back a changed or added node that fails
// during its probation.
import type { EngineError } from '../../errors.js'
import type { Graph, NodeSettings } from '../../graph/graph.js'
import { splitCopyName } from '../../graph/node-id.js'
import type { Logger } from '../../plugin/contract.js'
import { matchBack, nodesOf } from '../../reload/match-nodes.js'
import { planReload } from '../../reload/plan-reload.js'
import { Probation, type RollbackTarget } from '../../reload/node-probation.js'
import { outdated, reloadError } from '../../reload/reload-errors.js'
import { rollbackOf, WHOLE_ROLLBACK } from '../../reload/rollback-graph.js'
import type { ReloadPlan } from '../../observe/reload-plan.js'
import type { AppliedReload, RolledBack } from '../../reload/reload-target.js'
import { CopyProbation, specificationOf } from './copy-probation.js'
import { type ReloadContext, ReloadTransaction } from './reload-transaction.js'
import type { AnyNodeRunner } from '../node/node-runner.js'
import { messageOf } from '../../errors.js'
import type { Lineages } from '../../state/lineages.js'
import type { FailedStep } from './pipeline-transaction.js'
import type { PipelineRunner } from '../pipeline/pipeline-runner.js'

export interface ReloadExecutorSettings extends ReloadContext {
  readonly log: Logger
  readonly lineages: Pick<Lineages, 'note' | 'of'>
  viewersOf(node: string): number
  endingOf(node: string, next: Graph): number
  /** The graph has other nodes. Called within the commit, and when a change has finished or failed. */
  onNodesChanged(): void
}

interface Failure {
  readonly node: AnyNodeRunner
  /** In the graph: of a node in a copy, those of the pattern pipeline. */
  readonly specified: NodeSettings
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
  readonly #copies: CopyProbation
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
    this.#copies = new CopyProbation(settings.running, this.#probation)
  }

  /** See ReloadTarget. */
  apply(plan: ReloadPlan, next: Graph, isForced = false): Promise<AppliedReload> {
    const { graph } = this.#settings.running
    return this.#inTurn(() => {
      // A node was rolled back before its turn: the plan does not know that.
      if (this.#settings.running.graph !== graph) throw outdated()
      return this.#apply(plan, next, { hasProbation: true, isForced })
    })
  }

  /** A node of the graph has changed its state; not called for standbys, nor for nodes that are leaving. */
  noteState(node: AnyNodeRunner): void {
    const { state, settings, why } = node
    if (state !== 'failed' || this.#isStopping) return
    const { graph } = this.#settings.running
    const specified = specificationOf(settings, graph)
    const before = this.#probation.end(specified)
    if (before === undefined) return
    if (specified !== settings) this.#copies.noteFailure(specified, before)
    void this.#inTurn(() => this.#rollBack({ node, specified, before, why }))
  }

  /** A node that has failed for good is created anew from the same settings. Rejects if it cannot open. */
  replaceFailed(node: AnyNodeRunner): Promise<void> {
    return this.#inTurn(async () => {
      // Another change may have run first.
      if (!this.#nodes().includes(node) || node.state !== 'failed') return
      const { graph } = this.#settings.running
      const plan = planReload(graph, graph)
      const verb = node.settings.definition.kind === 'input' ? 'source' : 'swap'
      const nodes = plan.nodes.map((change) => (change.id === node.id ? ({ ...change, verb } as const) : change))
      await this.#apply({ ...plan, nodes, isEmpty: false }, graph, { hasProbation: false })
    })
  }

  /** See CopyProbation. */
  noteCopy(copy: PipelineRunner, isToFollow: boolean): void {
    this.#copies.note(copy, isToFollow)
  }

  /**
   * No copy can follow the change of this node of a pattern pipeline: it goes back. False if it cannot, or has run for the
   * whole of its probation. Never rejects.
   */
  async rollBackCopies(specified: NodeSettings, why: string): Promise<boolean> {
    if (this.#isStopping) return false
    const before = this.#probation.end(specified)
    if (before !== undefined) this.#copies.noteFailure(specified, before)
    const isBack = (): boolean => !nodesOf(this.#settings.running.graph).includes(specified)
    if (before === undefined && !this.#copies.hasFailed(specified)) return isBack()
    return this.#inTurn(async () => {
      if (before !== undefined) await this.#rollBackCopies({ specified, before, why })
      return isBack()
    })
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

  async #apply(
    plan: ReloadPlan,
    next: Graph,
    { hasProbation, isForced = false }: { readonly hasProbation: boolean; readonly isForced?: boolean },
  ): Promise<AppliedReload> {
    if (this.#isStopping) throw stopping()
    const before = this.#settings.running.graph
    this.#noteLineages()
    let viewers: Pick<AppliedReload, 'viewersBefore' | 'viewersLost'>
    const change = new ReloadTransaction(this.#settings, plan, next, { isForced, isBack: !hasProbation })
    try {
      const aborted = new Promise<never>((_, reject) => {
        this.#abortPrepare = reject
      })
      await Promise.race([change.prepare(), aborted])
      viewers = this.#countViewers(plan, before, next)
      change.moveEndpoints()
    } catch (error) {
      await change.abort()
      throw error
    }
    this.#change = change
    change.commit()
    this.#settings.onNodesChanged()
    this.#settings.copies.follow()
    if (hasProbation) this.#beginProbation(plan, before)
    const { cuts, failed } = await change.finish()
    this.#change = undefined
    const draining: Promise<void> = change.drained().finally(() => this.#draining.delete(draining))
    this.#draining.add(draining)
    const fits = failed.map((step) => this.#noteFailedStep(step, before)).every(Boolean)
    if (!fits) await this.#rollBackTo(before)
    for (const { settings, error } of failed) this.#reportRollBack(settings.id, messageOf(error), fits)
    this.#rollBackFailedNodes()
    if (hasProbation) for (const { halt } of this.#nodes()) void halt.end()
    return { ...viewers, cuts }
  }

  #countViewers(
    plan: ReloadPlan,
    { pipelines }: Graph,
    next: Graph,
  ): Pick<AppliedReload, 'viewersBefore' | 'viewersLost'> {
    const { viewersOf, endingOf } = this.#settings
    const gone = new Set(plan.nodes.filter(({ verb }) => verb === 'remove').map(({ id }) => id))
    const losing = new Set(plan.nodes.filter((node) => node.losesViewers).map(({ was, id }) => was ?? id))
    const ids = pipelines.flatMap(({ nodes }) => nodes).map(({ id }) => id)
    const sum = (count: (id: string) => number): number => ids.reduce((total, id) => total + count(id), 0)
    return {
      viewersBefore: sum(viewersOf),
      viewersLost: sum((id) => (gone.has(id) || losing.has(id) ? viewersOf(id) : endingOf(id, next))),
    }
  }

  #beginProbation(plan: ReloadPlan, before: Graph): void {
    const old = new Map(nodesOf(before).map((node) => [node.id, node]))
    const now = new Map<string, Parameters<Probation['begin']>[0]>([
      ...this.#copies.nodesIn(this.#settings.running.graph),
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
      await this.#apply(this.#planBack(before), before, { hasProbation: false })
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

  async #rollBack(failure: Failure): Promise<void> {
    const { node, specified, before, why } = failure
    if (splitCopyName(node.id).stream !== undefined) return this.#rollBackCopies(failure)
    let consequence: string | undefined
    try {
      // Another change may have run first.
      if (this.#isStopping || !this.#nodes().includes(node)) return
      consequence = await this.#restore(specified.id, before)
    } finally {
      node.endpoints.retain(false)
    }
    if (consequence !== undefined) this.onRolledBack?.({ node: specified.id, why: why + consequence })
  }

  /** The copy whose node has failed may have ended meanwhile: the next one would fail as well. */
  async #rollBackCopies({ specified, before, why }: Omit<Failure, 'node'>): Promise<void> {
    let consequence: string | undefined
    try {
      // Another change may have run first.
      if (this.#isStopping || !nodesOf(this.#settings.running.graph).includes(specified)) return
      consequence = await this.#restore(specified.id, before)
    } finally {
      this.#copies.settle(specified, consequence !== undefined)
    }
    if (consequence !== undefined) this.onRolledBack?.({ node: specified.id, why: why + consequence })
  }

  /** What else goes back with the node, as text; undefined if it cannot go back. */
  async #restore(id: string, before: RollbackTarget): Promise<string | undefined> {
    const { running, log } = this.#settings
    const { graph, consequence } = rollbackOf(running.graph, id, before)
    try {
      await this.#apply(this.#planBack(graph), graph, { hasProbation: false })
      return consequence
    } catch (error) {
      log.error({ err: error, node: id }, 'a changed or added node has failed and cannot be rolled back')
      return undefined
    }
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
