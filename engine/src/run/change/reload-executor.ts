// Brings what runs from one graph to the next, one change at a time, and back where a changed node fails in its
// probation.
import type { EngineError } from '../../errors.js'
import type { Graph, NodeSettings } from '../../graph/graph.js'
import type { Logger } from '../../plugin/contract.js'
import { nodesOf } from '../../reload/match-nodes.js'
import { planReload } from '../../reload/plan-reload.js'
import { reloadError } from '../../reload/reload-errors.js'
import type { ReloadPlan } from '../../observe/reload-plan.js'
import type { AppliedReload, RolledBack } from '../../reload/reload-target.js'
import { type ReloadContext, ReloadTransaction } from './reload-transaction.js'
import type { AnyNodeRunner } from '../node/node-runner.js'
import type { ChangedNode } from '../node/run-services.js'
import { type Former, Probation, withNodeBefore } from './probation.js'

export interface ReloadExecutorSettings extends ReloadContext {
  readonly log: Logger
  viewersOf(node: string): number
  onRolledBack(what: RolledBack): void
  /** A change has come to its end. */
  onSettled(): void
}

interface Failure {
  readonly node: AnyNodeRunner
  readonly before: Former
  readonly why: string
}

export class ReloadExecutor {
  readonly #settings: ReloadExecutorSettings
  readonly #probation: Probation
  #change: ReloadTransaction | undefined
  #queue: Promise<unknown> = Promise.resolve()
  readonly #draining = new Set<Promise<void>>()
  #turns = 0
  #isStopping = false
  /** Ends the preparing that is under way. */
  #giveUp: (error: EngineError) => void = () => undefined

  constructor(settings: ReloadExecutorSettings) {
    this.#settings = settings
    this.#probation = new Probation(settings.run.clock)
  }

  /** See ReloadTarget. */
  apply(plan: ReloadPlan, next: Graph): Promise<AppliedReload> {
    return this.#inTurn(() => this.#apply(plan, next, true))
  }

  /** Some node has changed its state. */
  noteState(changed: ChangedNode): void {
    const { state, settings, why } = changed
    if (state !== 'failed' || this.#isStopping) return
    // Only the one that is in the graph: one that is being prepared, or is leaving, is nobody's business any more.
    const node = this.#nodes().find((each) => each === changed)
    if (node === undefined) return
    const before = this.#probation.end(settings)
    if (before === undefined) return
    void this.#inTurn(() => this.#goBack({ node, before, why }))
  }

  /** What is under way is given up or brought to its end, and nothing else begins. Never rejects. */
  async stop(): Promise<void> {
    this.#isStopping = true
    this.#giveUp(stopping())
    this.#change?.force()
    await this.#queue
  }

  /** Resolves when all old nodes have let go of everything. Never rejects. */
  async drained(): Promise<void> {
    await Promise.all(this.#draining)
  }

  /** A change is under way, or waits. */
  get isBusy(): boolean {
    return this.#turns > 0
  }

  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    this.#turns++
    const turn = this.#queue.then(run).finally(() => {
      this.#turns--
      this.#settings.onSettled()
    })
    this.#queue = turn.catch(() => undefined)
    return turn
  }

  async #apply(plan: ReloadPlan, next: Graph, isOnTrial: boolean): Promise<AppliedReload> {
    if (this.#isStopping) throw stopping()
    const { running, viewersOf } = this.#settings
    const before = running.graph
    const change = new ReloadTransaction(this.#settings, plan, next)
    try {
      const givenUp = new Promise<never>((_, reject) => {
        this.#giveUp = reject
      })
      await Promise.race([change.prepare(), givenUp])
    } catch (error) {
      await change.abort()
      throw error
    }
    const outputs = before.pipelines.flatMap(({ nodes }) => nodes.map(({ id }) => id))
    const viewersBefore = outputs.reduce((sum, id) => sum + viewersOf(id), 0)
    const removed = plan.nodes.filter(({ verb }) => verb === 'remove')
    const viewersLost = removed.reduce((sum, { id }) => sum + viewersOf(id), 0)
    this.#change = change
    change.commit()
    if (isOnTrial) this.#putOnTrial(plan, before)
    const { cuts, failed } = await change.finish()
    this.#change = undefined
    const draining: Promise<void> = change.drained().finally(() => this.#draining.delete(draining))
    this.#draining.add(draining)
    for (const { settings, old, error } of failed) this.#stays(settings, old, error)
    this.#goBackWhereFailed()
    return { viewersBefore, viewersLost, cuts }
  }

  #putOnTrial(plan: ReloadPlan, before: Graph): void {
    const old = new Map(nodesOf(before).map((node) => [node.id, node]))
    const now = new Map(this.#nodes().map((node) => [node.id, node]))
    for (const { id, was, verb } of plan.nodes) {
      const [node, former] = [now.get(id), old.get(was ?? id)]
      if (verb === 'keep' && node !== undefined && former !== undefined) this.#probation.carryOn(former, node.settings)
      const isTried = verb !== 'keep' && verb !== 'add' && verb !== 'remove'
      if (isTried && node !== undefined && former !== undefined)
        this.#probation.begin(node, { settings: former, graph: before })
    }
  }

  /** A node could not take its place: what had it has it still, and the graph says so. */
  #stays(settings: NodeSettings, old: NodeSettings, error: unknown): void {
    const { running, onRolledBack } = this.#settings
    this.#probation.end(settings)
    running.graph = withNodeBefore(running.graph, settings.id, old) ?? running.graph
    onRolledBack({ node: settings.id, why: error instanceof Error ? error.message : String(error) })
  }

  /** Nodes that failed while the change was under way. */
  #goBackWhereFailed(): void {
    for (const node of this.#nodes()) this.noteState(node)
  }

  async #goBack({ node: failed, before, why }: Failure): Promise<void> {
    const { running, log, onRolledBack } = this.#settings
    // Another change may have come first.
    if (this.#isStopping || !this.#nodes().includes(failed)) return
    const { id } = failed
    const alone = withNodeBefore(running.graph, id, before.settings)
    // Only together with what it was part of.
    const next = alone ?? before.graph
    try {
      await this.#apply(planReload(running.graph, next), next, false)
    } catch (error) {
      log.error({ err: error, node: id }, 'a changed node has failed, and can not go back to what it was')
      return
    } finally {
      failed.endpoints?.retain(false)
    }
    onRolledBack({ node: id, why: alone === undefined ? `${why} (the whole configuration before it runs again)` : why })
  }

  #nodes(): readonly AnyNodeRunner[] {
    const { services, pipelines } = this.#settings.running
    return [...services, ...pipelines.flatMap((pipeline) => pipeline.nodes)]
  }
}

function stopping(): EngineError {
  return reloadError('RELOAD_STOPPING', 'the engine is stopping')
}
