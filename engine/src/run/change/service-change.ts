// The change of the services from the graph that runs to another, in the same steps as that of a pipeline. Services have
// no streams, so that each takes its place at once.
import type { EngineContainer } from '../node/container.js'
import type { NodeSettings } from '../../graph/graph.js'
import type { NodeChange, PlanVerb } from '../../observe/reload-plan.js'
import { becomeReady, isGone } from '../node/become-ready.js'
import { DISMISS_WITHIN_MS, READY_WITHIN_MS, unlessAborted } from './exclusive-restart.js'
import type { FailedStep } from './pipeline-transaction.js'
import type { RunServices } from '../node/run-services.js'
import { ServiceRunner } from '../node/service-runner.js'

interface Step {
  readonly settings: NodeSettings
  readonly verb: PlanVerb
  readonly old: ServiceRunner | undefined
  node: ServiceRunner
}

export class ServiceChange {
  readonly #steps: readonly Step[]
  readonly #changes: ReadonlyMap<string, NodeChange>
  readonly #removed: readonly ServiceRunner[]
  readonly #context: { readonly services: RunServices; readonly container: EngineContainer }
  readonly #failures = new Map<Step, unknown>()

  constructor(
    running: readonly ServiceRunner[],
    next: readonly NodeSettings[],
    changes: ReadonlyMap<string, NodeChange>,
    context: { readonly services: RunServices; readonly container: EngineContainer },
  ) {
    const { services, container } = context
    this.#context = context
    this.#changes = changes
    this.#steps = next.map((settings) => {
      const change = changes.get(settings.id)
      const verb = change?.verb ?? 'add'
      const old = verb === 'add' ? undefined : running.find(({ id }) => id === (change?.was ?? settings.id))
      const stays = verb === 'keep' || ((verb === 'live' || verb === 'rebind') && old !== undefined && !isGone(old))
      if (old !== undefined && stays) return { settings, verb, old, node: old }
      const placement = { isStandby: true, ...(old === undefined ? {} : { before: old }) }
      return { settings, verb, old, node: new ServiceRunner(settings, services, container, placement) }
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
        if (verb !== 'add') await becomeReady(node, READY_WITHIN_MS, this.#context.services.clock)
      }),
    )
  }

  async abort(): Promise<void> {
    const made = this.#steps.filter(({ node, old }) => node !== old)
    await Promise.all(made.map(({ node }) => node.stop('the reload was given up', DISMISS_WITHIN_MS)))
  }

  get withdrawn(): readonly ServiceRunner[] {
    const moving = this.#steps.flatMap(({ verb, old }) => (verb === 'rebind' && old !== undefined ? [old] : []))
    return [...moving, ...this.#removed]
  }

  commit(): void {
    for (const step of this.#steps) {
      const { node, old, verb, settings } = step
      if (node === old) {
        node.update(settings)
        if (verb === 'rebind') this.#try(step, () => node.endpoints?.claimPaths())
      } else if (verb !== 'handoff') this.#try(step, () => node.activate())
    }
  }

  /** Lets go of the old services. By the id that each had; the promises never reject. */
  drain(): ReadonlyMap<string, Promise<void>> {
    const replaced = this.#steps.flatMap(({ old, node }) => (old === undefined || old === node ? [] : [old]))
    return new Map([...replaced, ...this.#removed].map((node) => [node.id, this.#dismiss(node)]))
  }

  /** As PipelineTransaction.restartExclusive; with what failed at the commit. */
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
        this.#failures.set(step, error)
        if (old !== undefined && !signal.aborted)
          await unlessAborted(this.#openAgain(step, old), signal).catch(() => undefined)
      }
    }
    return [...this.#failures].flatMap(([{ settings, old }, error]) =>
      old === undefined ? [] : [{ settings, old: old.settings, error }],
    )
  }

  /** As it was; if that fails too it says so itself. */
  async #openAgain(step: Step, old: ServiceRunner): Promise<void> {
    const { node: failed, settings } = step
    await failed.stop('it could not open', DISMISS_WITHIN_MS)
    const { services, container } = this.#context
    step.node = new ServiceRunner({ ...old.settings, id: settings.id }, services, container)
    await step.node.start().catch(() => undefined)
  }

  async #dismiss(node: ServiceRunner): Promise<void> {
    node.endpoints?.retain(false)
    await node.stop('it has left the graph', DISMISS_WITHIN_MS)
  }

  #try(step: Step, run: () => void): void {
    try {
      run()
    } catch (error) {
      this.#failures.set(step, error)
      if (step.old === undefined || step.old === step.node) return step.node.fail(error)
      void step.node.stop('it could not take its place', DISMISS_WITHIN_MS)
      step.node = step.old
    }
  }
}
