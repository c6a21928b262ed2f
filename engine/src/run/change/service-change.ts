// Changes the services from the running graph to the next, in the same steps as a pipeline. Services have no streams,
// so each one is replaced at once.
import { reactionOf } from '../../errors.js'
import type { NodeSettings } from '../../graph/graph.js'
import type { NodeChange } from '../../observe/reload-plan.js'
import type { Clock } from '../../plugin/tokens.js'
import { becomeReady, isGone } from '../node/become-ready.js'
import { STOP_WITHIN_MS, READY_WITHIN_MS, unlessAborted } from './exclusive-restart.js'
import { type EndpointStep, giveBackEndpoints } from './endpoint-moves.js'
import type { FailedStep } from './pipeline-transaction.js'
import type { NodePlacement } from '../node/node-runner.js'
import type { ServiceRunner } from '../node/service-runner.js'

interface Step extends EndpointStep {
  readonly old: ServiceRunner | undefined
  node: ServiceRunner
}

export interface ServiceContext {
  readonly clock: Clock
  /** A service, not opened yet. */
  createService(settings: NodeSettings, placement?: NodePlacement): ServiceRunner
}

export class ServiceChange {
  readonly #steps: readonly Step[]
  readonly #changes: ReadonlyMap<string, NodeChange>
  readonly #removed: readonly ServiceRunner[]
  readonly #context: ServiceContext
  readonly #failed: FailedStep[] = []

  constructor(
    running: readonly ServiceRunner[],
    next: readonly NodeSettings[],
    changes: ReadonlyMap<string, NodeChange>,
    context: ServiceContext,
  ) {
    this.#context = context
    this.#changes = changes
    this.#steps = next.map((settings) => {
      const change = changes.get(settings.id)
      const verb = change?.verb ?? 'add'
      const old = verb === 'add' ? undefined : running.find(({ id }) => id === (change?.was ?? settings.id))
      const stays = verb === 'keep' || ((verb === 'live' || verb === 'rebind') && old !== undefined && !isGone(old))
      if (old !== undefined && stays) return { settings, verb, old, node: old }
      const placement = { isStandby: true, ...(old === undefined ? {} : { before: old }) }
      return { settings, verb, old, node: context.createService(settings, placement) }
    })
    const kept = new Set(this.#steps.map(({ old }) => old))
    this.#removed = running.filter((service) => !kept.has(service))
  }

  get nodes(): readonly ServiceRunner[] {
    return this.#steps.map(({ node }) => node)
  }

  async prepare(): Promise<void> {
    await Promise.all(
      this.#steps.map(async ({ node, old, verb }) => {
        if (node === old || verb === 'handoff') return
        await node.start()
        if (verb !== 'add') await becomeReady(node, READY_WITHIN_MS, this.#context.clock)
      }),
    )
  }

  async abort(): Promise<void> {
    const made = this.#steps.filter(({ node, old }) => node !== old)
    await Promise.all(made.map(({ node }) => node.stop('the reload was given up', STOP_WITHIN_MS)))
  }

  get steps(): readonly EndpointStep[] {
    return this.#steps
  }

  get removed(): readonly ServiceRunner[] {
    return this.#removed
  }

  commit(): void {
    for (const step of this.#steps) {
      const { node, old, verb, settings } = step
      if (node === old) node.update(settings)
      else if (verb !== 'handoff') this.#activate(step)
    }
  }

  /** Stops the old services. Keyed by the id that each had; the promises never reject. */
  drain(): ReadonlyMap<string, Promise<void>> {
    for (const { verb, node } of this.#steps) if (verb === 'handoff') node.takePrevious()
    const replaced = this.#steps.flatMap(({ old, node }) => (old === undefined || old === node ? [] : [old]))
    return new Map([...replaced, ...this.#removed].map((node) => [node.id, this.#retire(node)]))
  }

  /** As PipelineTransaction.restartExclusive; also returns what failed at the commit. */
  async restartExclusive(
    released: (ids: readonly string[]) => Promise<void>,
    signal: AbortSignal,
  ): Promise<readonly FailedStep[]> {
    for (const step of this.#steps) {
      const { node, old, verb, settings } = step
      if (verb !== 'handoff' || node === old) continue
      const holders = this.#changes.get(settings.id)?.holders ?? []
      try {
        await unlessAborted(released([...holders, ...(old === undefined ? [] : [old.id])]), signal)
        node.activate()
        await unlessAborted(node.start(), signal)
      } catch (error) {
        if (old !== undefined) this.#failed.push({ settings, old: old.settings, error, hasEndpoints: true })
        else if (!signal.aborted && reactionOf(error) !== 'retry') node.fail(error)
        if (old !== undefined && !signal.aborted)
          await unlessAborted(this.#openAgain(step, old), signal).catch(() => undefined)
      }
    }
    return this.#failed
  }

  /** Opens the old service again; if that fails too, the node reports its own failure. */
  async #openAgain(step: Step, old: ServiceRunner): Promise<void> {
    const { node: failed, settings } = step
    await failed.stop('it could not open', STOP_WITHIN_MS)
    step.node = this.#context.createService({ ...old.settings, id: settings.id }, { continues: failed })
    step.node.takePrevious(failed)
    await step.node.start().catch(() => undefined)
  }

  async #retire(node: ServiceRunner): Promise<void> {
    node.leave()
    node.endpoints.retain(false)
    await node.stop('it has left the graph', STOP_WITHIN_MS)
  }

  /** Its endpoints have been claimed: it throws only if the node has failed meanwhile. */
  #activate(step: Step): void {
    const { node, old, settings } = step
    try {
      node.activate()
    } catch (error) {
      if (old === undefined) return node.fail(error)
      const before = old.settings
      step.node = old
      old.update({ ...before, id: settings.id })
      const hasEndpoints = giveBackEndpoints(old, node)
      this.#failed.push({ settings, old: before, error, hasEndpoints })
      void node.stop('it could not take over', STOP_WITHIN_MS)
    }
  }
}
