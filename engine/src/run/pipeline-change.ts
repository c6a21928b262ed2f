// The change of one pipeline from the graph that runs to another: new nodes open beside the old ones, each reader is
// handed over at a boundary, and the old nodes are let go of. What fails before the commit leaves no trace.
import type { NodeSettings, Pipeline } from '../graph/graph.js'
import type { NodeChange } from '../reload/reload-plan.js'
import type { EdgeCut } from '../reload/reload-target.js'
import { Crossover, SILENT_MS } from './crossover.js'
import { InputRunner } from './input-runner.js'
import { isNew, makeStep, type Step } from './node-step.js'
import { becomeReady } from './become-ready.js'
import type { PipelineRunner } from './pipeline-runner.js'
import { SinkRunner } from './sink-runner.js'
import { SourceCrossover } from './source-crossover.js'
import { StageRunner } from './stage-runner.js'
import { addEdges, createNode, type PipelineNode, portOf, type Reader, traceStreams } from './wiring.js'

/** How long a node that takes the place of another may need to become ready. */
export const READY_WITHIN_MS = 10_000
export const DISMISS_WITHIN_MS = 5000

/** A node could not take its place, and the one before it has it still. */
export interface FailedStep {
  readonly settings: NodeSettings
  readonly old: NodeSettings
  readonly error: unknown
}

export class PipelineChange {
  readonly runner: PipelineRunner
  readonly #next: Pipeline
  readonly #steps: readonly Step[]
  readonly #removed: readonly PipelineNode[]
  #crossovers: (Crossover | SourceCrossover)[] = []

  constructor(runner: PipelineRunner, next: Pipeline, changes: ReadonlyMap<string, NodeChange>) {
    this.runner = runner
    this.#next = next
    this.#steps = next.nodes.map((settings) => makeStep(settings, changes.get(settings.id), runner))
    const stays = new Set(this.#steps.map(({ old }) => old))
    this.#removed = runner.nodes.filter((node) => !stays.has(node))
  }

  /** Opens what is new beside what runs. Rejects when something can't be; then `abort` is to be called. */
  async prepare(): Promise<void> {
    for (const step of this.#steps) if (isNew(step)) this.#wire(step)
    traceStreams(this.#steps.map(({ node }) => node))
    await Promise.all(this.#steps.map((step) => this.#open(step)))
  }

  /** Lets go of everything that was prepared. */
  async abort(): Promise<void> {
    const made = this.#steps.filter(isNew).map(({ node }) => node)
    traceStreams(this.runner.nodes)
    await Promise.all(made.map((node) => this.runner.dismiss(node, 'the reload was given up', DISMISS_WITHIN_MS)))
  }

  /** Ids of the nodes whose paths may go to others: they move, or are about to leave. */
  get withdrawn(): readonly string[] {
    const moving = this.#steps.flatMap(({ moves, old }) => (moves && old !== undefined ? [old.id] : []))
    return [...moving, ...this.#removed.map(({ id }) => id)]
  }

  /** Begins to hand over, in one go: nothing flows meanwhile. */
  commit(): void {
    const { runner } = this
    runner.description = this.#next.description
    for (const step of this.#steps) this.#settle(step)
    for (const step of this.#steps) this.#prepareCrossing(step)
    for (const node of this.#removed) if (node instanceof SinkRunner) this.#endReading(node)
    runner.nodes = this.#steps.map(({ node }) => node)
    for (const crossover of this.#crossovers) crossover.start()
    for (const { verb, node } of this.#steps) {
      if (verb === 'add' && node instanceof InputRunner && node.isOpen) void node.start().catch(() => undefined)
    }
  }

  /** Cuts every edge now: the engine is about to stop. */
  force(): void {
    for (const crossover of this.#crossovers) crossover.force()
  }

  /** Resolves when every reader has been handed over, with what that took and what did not work out. */
  async finish(): Promise<{ readonly cuts: readonly EdgeCut[]; readonly failed: readonly FailedStep[] }> {
    const cuts: EdgeCut[] = []
    const failures = new Map<string, unknown>()
    for (const crossover of this.#crossovers) {
      try {
        cuts.push(await crossover.done)
      } catch (error) {
        failures.set(crossover.newcomer, error)
      }
    }
    for (const crossover of this.#crossovers) crossover.settle()
    for (const step of this.#steps) {
      const { verb, node } = step
      if (verb === 'handoff' && step.old !== undefined)
        await this.#handOff(step).catch((error: unknown) => failures.set(node.id, error))
      else if (isNew(step) && !failures.has(step.settings.id) && node instanceof StageRunner) this.#takePlace(node)
    }
    const failed = this.#steps.flatMap((step) => this.#revert(step, failures.get(step.settings.id)))
    for (const { node } of this.#steps) if (!(node instanceof InputRunner)) this.#connectAsPlanned(node)
    this.runner.nodes = this.#steps.map(({ node }) => node)
    return { cuts, failed }
  }

  /** Lets go of the old nodes; those that were removed have `drainMs` to deliver what they have. Never rejects. */
  async drain(drainMs: number): Promise<void> {
    const replaced = this.#steps.flatMap(({ old, node }) => (old === undefined || old === node ? [] : [old]))
    const leaving = [...replaced, ...this.#removed]
    await Promise.all(
      leaving.map(async (node) => {
        if (node instanceof SinkRunner && this.#removed.includes(node)) await this.#drained(node, drainMs)
        await this.runner.dismiss(node, 'it has left the graph', DISMISS_WITHIN_MS)
      }),
    )
  }

  /** Opens what had to wait until others let go of what it takes. Never rejects. */
  async enterLate(): Promise<void> {
    for (const step of this.#steps) {
      if (step.verb === 'handoff' && step.old === undefined)
        await this.#enter(step.node, step.holds).catch(() => undefined)
    }
  }

  #nodeOf(id: string): PipelineNode | undefined {
    return this.#steps.find(({ settings }) => settings.id === id)?.node
  }

  #wire(step: Step): void {
    const { node, verb } = step
    if (node instanceof InputRunner) return
    addEdges(node, this.runner.services, ({ node: id, port }) => portOf(this.#nodeOf(id), port))
    if (verb === 'handoff') step.holds = node.edges.map((edge) => edge.inlet.hold())
    else if (node instanceof StageRunner) for (const edge of node.edges) edge.port?.connect(edge)
  }

  async #open({ node, old, verb }: Step): Promise<void> {
    if (node === old || verb === 'handoff') return
    if (verb === 'add' && node instanceof InputRunner) return node.open()
    // What comes while it opens waits, so that it goes on exactly where the old one handed over.
    const holds = node instanceof InputRunner ? [] : node.edges.map((edge) => edge.inlet.hold())
    try {
      await node.start()
    } finally {
      for (const hold of holds) hold[Symbol.dispose]()
    }
    if (verb === 'add' || (old instanceof InputRunner && old.isSilent(SILENT_MS))) return
    await becomeReady(node, READY_WITHIN_MS, this.runner.services.clock)
  }

  /** What needs no boundary: options of a node that stays, a place that nobody has, paths. */
  #settle({ verb, node, settings, old, moves }: Step): void {
    if (node === old) node.update(settings)
    else if (verb === 'add') this.#takePlace(node)
    else if (moves && old !== undefined) this.#try(node, () => node.claims?.movePaths(old.id))
  }

  /** After the commit: what was withdrawn and still belongs to a node that moved is claimed again. */
  restorePaths(restore: (id: string) => void): void {
    for (const { moves, node, old } of this.#steps) {
      if (moves && old !== undefined) this.#try(node, () => restore(node === old ? node.id : old.id))
    }
  }

  #takePlace(node: PipelineNode): void {
    this.#try(node, () => node.takePlace())
  }

  /** What it asks for is nobody else's by the check of the graph; where it is all the same, the node fails. */
  #try(node: PipelineNode, run: () => void): void {
    try {
      run()
    } catch (error) {
      node.fail(error)
    }
  }

  #prepareCrossing(step: Step): void {
    const { node, old, verb } = step
    if (node instanceof InputRunner) {
      const takesOver = old instanceof InputRunner && old !== node && verb !== 'handoff'
      if (takesOver) this.#crossovers.push(new SourceCrossover(old, node, this.runner.services.clock))
      return
    }
    if (node === old) this.#moveEdges(node)
    else if (old !== undefined && !(old instanceof InputRunner)) this.#replaceEdges(step, node, old)
    else if (node instanceof SinkRunner || verb === 'handoff') for (const edge of node.edges) edge.port?.connect(edge)
  }

  /** The reader stays; what it reads may be another node now. */
  #moveEdges(node: Reader): void {
    for (const [index, { node: id, port: name }] of node.settings.from.entries()) {
      const edge = node.edges[index]
      const to = portOf(this.#nodeOf(id), name)
      if (edge === undefined) continue
      edge.id = `${id}.${name}`
      if (edge.port === to || edge.port === undefined) continue
      const newcomer = this.#nodeOf(id)
      this.#cross(node.id, { port: edge.port, edge }, { port: to, edge }, id, () => {
        if (newcomer?.state === 'failed') newcomer.takePlace()
      })
    }
  }

  /** Where something did not work out, a reader may not be where it belongs. */
  #connectAsPlanned(node: Reader): void {
    for (const [index, { node: id, port: name }] of node.settings.from.entries()) {
      const edge = node.edges[index]
      const from = this.#nodeOf(id)
      if (edge === undefined || from === undefined) continue
      const port = portOf(from, name)
      if (edge.port === port) continue
      edge.port?.disconnect(edge)
      edge.port = port
      edge.markLost()
      port.connect(edge)
    }
  }

  /** A new reader; a transform in the shadow of the old one has its own edges, and only its readers cross over. */
  #replaceEdges({ verb }: Step, node: Reader, old: Reader): void {
    if (node instanceof StageRunner && verb !== 'handoff') return
    for (const [index, edge] of node.edges.entries()) {
      const before = old.edges[index]
      if (edge.port === undefined) continue
      if (before?.port === undefined) edge.port.connect(edge)
      else {
        const from = { port: before.port, edge: before }
        const onCut = verb === 'handoff' ? undefined : (): void => node.takePlace()
        this.#cross(node.id, from, { port: edge.port, edge }, node.id, onCut)
      }
    }
    for (const edge of old.edges.slice(node.edges.length)) edge.port?.disconnect(edge)
  }

  #endReading(node: SinkRunner): void {
    for (const edge of node.edges) if (edge.port !== undefined) this.#cross(node.id, { port: edge.port, edge })
  }

  #cross(
    node: string,
    from: ConstructorParameters<typeof Crossover>[0]['from'],
    to?: ConstructorParameters<typeof Crossover>[0]['to'],
    newcomer = node,
    onCut?: () => void,
  ): void {
    const { clock } = this.runner.services
    const more = { ...(to === undefined ? {} : { to }), ...(onCut === undefined ? {} : { onCut }) }
    this.#crossovers.push(new Crossover({ node, newcomer, clock, from, ...more }))
  }

  /** The old one lets go, then the new one opens; if it can't, the old definition opens again, and the error is thrown. */
  async #handOff(step: Step): Promise<void> {
    const { old, settings } = step
    const { services, container } = this.runner
    if (old === undefined) return
    await old.stop('its place is handed off', DISMISS_WITHIN_MS)
    try {
      await this.#enter(step.node, step.holds)
    } catch (error) {
      const failed = step.node
      const back = { ...old.settings, id: settings.id, from: settings.from }
      const again = createNode(back, services, container, { isStaged: true, isHandoff: true, before: failed })
      if (!(again instanceof InputRunner) && !(failed instanceof InputRunner)) again.edges.push(...failed.edges)
      await failed.stop('it could not open', DISMISS_WITHIN_MS)
      step.node = again
      await this.#enter(again, []).catch(() => undefined)
      throw error
    }
  }

  async #enter(node: PipelineNode, holds: readonly Disposable[]): Promise<void> {
    node.takePlace()
    await node.start()
    for (const hold of holds) hold[Symbol.dispose]()
    if (!(node instanceof InputRunner)) await becomeReady(node, READY_WITHIN_MS, this.runner.services.clock)
  }

  /** The place of a node that could not take it stays with the old one. */
  #revert(step: Step, error: unknown): readonly FailedStep[] {
    const { old, settings, node, verb } = step
    if (error === undefined || old === undefined) return []
    if (verb !== 'handoff') {
      step.node = old
      void this.runner.dismiss(node, 'it could not take its place', DISMISS_WITHIN_MS)
    }
    return [{ settings, old: old.settings, error }]
  }

  async #drained(node: SinkRunner, drainMs: number): Promise<void> {
    let timer: Disposable | undefined
    const late = new Promise<void>((resolve) => {
      timer = this.runner.services.clock.after(drainMs, resolve)
    })
    await Promise.race([node.drained(), late])
    timer?.[Symbol.dispose]()
  }
}
