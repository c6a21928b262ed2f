// Changes one pipeline from the running graph to the next: new nodes open beside the old ones, each reader is cut over
// at a boundary, and the old nodes are stopped. A failure before the commit leaves no trace.
import { reactionOf } from '../../errors.js'
import type { NodeSettings, Pipeline } from '../../graph/graph.js'
import type { NodeChange } from '../../observe/reload-plan.js'
import type { EdgeCut } from '../../observe/reload-report.js'
import { waitAtMost } from '../node/time-limit.js'
import { becomeReady } from '../node/become-ready.js'
import { Cutovers } from './cutovers.js'
import { becomeDelivering, inputsToDeliver, type NextInputs } from './delivering-inputs.js'
import { STOP_WITHIN_MS, restartExclusive, READY_WITHIN_MS, unlessAborted } from './exclusive-restart.js'
import { SILENT_AFTER_MS } from '../node/input-liveness.js'
import { InputRunner } from '../node/input-runner.js'
import { type EndpointStep, giveBackEndpoints } from './endpoint-moves.js'
import { isNew, makeSteps, type Step } from './node-step.js'
import type { PipelineRunner } from '../pipeline/pipeline-runner.js'
import { OutputRunner } from '../node/output-runner.js'
import { TransformRunner } from '../node/transform-runner.js'
import { addEdges, type PipelineNode, portOf, traceStreams } from '../pipeline/wiring.js'

/** A node could not take over, and the old one still runs. */
export interface FailedStep {
  /** False if another node has taken a path of the old one, as the new graph has it. */
  readonly hasEndpoints: boolean
  readonly settings: NodeSettings
  readonly old: NodeSettings
  readonly error: unknown
}

export class PipelineTransaction {
  readonly runner: PipelineRunner
  readonly #next: Pipeline
  readonly #changes: ReadonlyMap<string, NodeChange>
  readonly #steps: readonly Step[]
  readonly #removed: readonly PipelineNode[]
  readonly #cutovers: Cutovers
  readonly #isForced: boolean
  readonly #toDeliver: readonly NextInputs[]
  #isAborted = false

  /**
   * `isForced`: new nodes take over even if they are not ready. `isBack`: to a graph that ran before, whose inputs may have
   * lost their upstreams.
   */
  constructor(
    runner: PipelineRunner,
    next: Pipeline,
    changes: ReadonlyMap<string, NodeChange>,
    { isForced = false, isBack = false }: { readonly isForced?: boolean; readonly isBack?: boolean } = {},
  ) {
    this.runner = runner
    this.#isForced = isForced
    this.#next = next
    this.#changes = changes
    this.#steps = makeSteps(next.nodes, changes, runner)
    const stays = new Set(this.#steps.map(({ old }) => old))
    this.#removed = runner.nodes.filter((node) => !stays.has(node))
    const { clock } = runner.services
    this.#cutovers = new Cutovers(this.#steps, clock, isForced)
    this.#toDeliver = isForced || isBack ? [] : inputsToDeliver(this.#steps, runner.nodes, clock.nowMs())
  }

  /** Opens the new nodes beside the running ones. If it rejects, the caller must call `abort`. */
  async prepare(): Promise<void> {
    for (const step of this.#steps) if (isNew(step)) this.#wire(step)
    traceStreams(this.#steps.map(({ node }) => node))
    await Promise.all([
      ...this.#steps.map((step) => this.#open(step)),
      ...this.#toDeliver.map((each) => this.#await(each)),
    ])
  }

  /** Stops all new nodes. */
  async abort(): Promise<void> {
    this.#isAborted = true
    const made = this.#steps.filter(isNew).map(({ node }) => node)
    traceStreams(this.runner.nodes)
    await Promise.all(made.map((node) => this.runner.stopNode(node, 'the reload was given up', STOP_WITHIN_MS)))
  }

  get steps(): readonly EndpointStep[] {
    return this.#steps
  }

  /** A new node has failed since it was opened. */
  get hasFailed(): boolean {
    return this.#steps.some((step) => isNew(step) && step.node.state === 'failed')
  }

  get removed(): readonly PipelineNode[] {
    return this.#removed
  }

  /** Starts the cutovers, in one turn of the event loop: no chunk flows meanwhile. */
  commit(): void {
    const { runner } = this
    runner.description = this.#next.description
    for (const step of this.#steps) this.#commitStep(step)
    const leaving = this.#removed.filter((node) => node instanceof OutputRunner)
    for (const { endpoints } of leaving) endpoints.linger()
    this.#cutovers.prepare(leaving)
    runner.nodes = this.#steps.map(({ node }) => node)
    this.#cutovers.start()
    for (const { verb, node } of this.#steps) {
      if (verb !== 'add' || !(node instanceof InputRunner)) continue
      if (this.#isAside(node)) this.#feed(node)
      else if (node.node !== undefined) void node.start().catch(() => undefined)
    }
  }

  /** Cuts every edge now: the engine is about to stop. */
  force(): void {
    this.#cutovers.force()
  }

  /** Resolves when every reader has been cut over, with the cuts and the failed steps. */
  async finish(): Promise<{ readonly cuts: readonly EdgeCut[]; readonly failed: readonly FailedStep[] }> {
    const { cuts, failures } = await this.#cutovers.finish()
    for (const step of this.#steps) {
      const isStandby = isNew(step) && step.node instanceof TransformRunner && step.verb !== 'handoff'
      if (isStandby && !failures.has(step.settings.id)) this.#activate(step.node)
    }
    const failed = this.#steps.flatMap((step) => this.#rollBackStep(step, failures.get(step.settings.id)))
    if (failed.length > 0) this.#cutovers.connectAsPlanned()
    this.runner.nodes = this.#steps.map(({ node }) => node)
    return { cuts, failed }
  }

  /**
   * Stops the old nodes; removed outputs have `drainMs` to deliver what they hold. Keyed by the id that each had; the
   * promises never reject.
   */
  drain(drainMs: number): ReadonlyMap<string, Promise<void>> {
    for (const { verb, node } of this.#steps) if (verb === 'handoff') node.takePrevious()
    const replaced = this.#steps.flatMap((step) => (isNew(step) ? (step.old ?? []) : []))
    const leaving = [...replaced, ...this.#removed]
    return new Map(leaving.map((node) => [node.id, this.#retire(node, drainMs)]))
  }

  /**
   * Opens each node that needs a resource once the old node and the other holders have released it, until `signal`
   * aborts. Never rejects.
   */
  async restartExclusive(
    released: (ids: readonly string[]) => Promise<void>,
    signal: AbortSignal,
  ): Promise<readonly FailedStep[]> {
    const failed: FailedStep[] = []
    for (const step of this.#steps) {
      if (step.verb !== 'handoff') continue
      const { old, settings } = step
      try {
        const holders = this.#changes.get(settings.id)?.holders ?? []
        await unlessAborted(released([...holders, ...(old === undefined ? [] : [old.id])]), signal)
        await restartExclusive(step, this.runner, signal)
      } catch (error) {
        if (old !== undefined) failed.push({ settings, old: old.settings, error, hasEndpoints: true })
        else if (!signal.aborted && reactionOf(error) !== 'retry') step.node.fail(error)
      }
    }
    this.runner.nodes = this.#steps.map(({ node }) => node)
    return failed
  }

  #nodeOf(id: string): PipelineNode | undefined {
    return this.#steps.find(({ settings }) => settings.id === id)?.node
  }

  #wire(step: Step): void {
    const { node, verb } = step
    if (node instanceof InputRunner) return
    addEdges(node, ({ node: id, port }) => portOf(this.#nodeOf(id), port))
    if (verb === 'handoff') step.holds = node.edges.map((edge) => edge.inlet.hold())
    else if (node instanceof TransformRunner) for (const edge of node.edges) edge.port?.connect(edge)
  }

  async #open(step: Step): Promise<void> {
    const { node, old, verb } = step
    if (!isNew(step) || verb === 'handoff') return
    if (verb === 'add' && node instanceof InputRunner) return this.#isAside(node) ? node.startAside() : node.open()
    // Chunks that arrive while it opens wait, so that it continues exactly where the old one took its snapshot.
    const holds = node instanceof InputRunner ? [] : node.edges.map((edge) => edge.inlet.hold())
    try {
      await node.start()
    } finally {
      for (const hold of holds) hold[Symbol.dispose]()
    }
    // An input that is not ready may be replaced by one that is not. A short pause is no reason: the sender may go on.
    if (verb === 'add' || this.#isForced || (old instanceof InputRunner && old.isSilent(SILENT_AFTER_MS))) return
    await becomeReady(node, READY_WITHIN_MS, this.runner.services.clock)
  }

  #isAside(node: InputRunner): boolean {
    return this.#toDeliver.some((group) => group.includes(node))
  }

  /** One of them delivers. Rejects with the reason of the first one if none does. */
  async #await(inputs: NextInputs): Promise<void> {
    const { clock } = this.runner.services
    const isGivenUp = (): boolean => this.#isAborted
    const delivering = inputs.map((input) => becomeDelivering(input, READY_WITHIN_MS, clock, isGivenUp))
    await Promise.any(delivering).catch((error: AggregateError) => Promise.reject(error.errors[0]))
  }

  /** Applies what needs no boundary: options of a node that stays, an added node, the new name for viewers. */
  #commitStep({ verb, node, settings, old }: Step): void {
    if (node === old) node.update(settings)
    else if (verb === 'add') this.#activate(node)
    else if (old !== undefined && old.id !== settings.id) old.rename(settings.id)
  }

  /** Its endpoints have been claimed: it throws only if the node has failed meanwhile. */
  #activate(node: PipelineNode): void {
    try {
      node.activate()
    } catch (error) {
      node.fail(error)
    }
  }

  /** Its failure is its own: the others are committed. */
  #feed(node: InputRunner): void {
    try {
      node.feed()
    } catch (error) {
      node.fail(error)
    }
  }

  /** A node could not take over: keeps the old node, under the new name. */
  #rollBackStep(step: Step, error: unknown): readonly FailedStep[] {
    const { old, settings, node } = step
    if (error === undefined || old === undefined) return []
    const before = old.settings
    step.node = old
    old.update({ ...before, id: settings.id })
    const hasEndpoints = giveBackEndpoints(old, node)
    void this.runner.stopNode(node, 'it could not take over', STOP_WITHIN_MS)
    return [{ settings, old: before, error, hasEndpoints }]
  }

  async #retire(node: PipelineNode, drainMs: number): Promise<void> {
    node.leave()
    const isToDrain = node instanceof OutputRunner && this.#removed.includes(node)
    if (isToDrain) await waitAtMost(node.drained(), drainMs, this.runner.services.clock)
    await this.runner.stopNode(node, 'it has left the graph', STOP_WITHIN_MS)
  }
}
