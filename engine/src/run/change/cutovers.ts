// The cutovers of one pipeline change: which readers move to another branch, and how.
import type { EdgeCut } from '../../observe/reload-report.js'
import type { Clock } from '../../plugin/tokens.js'
import { Cutover, type CutoverSettings } from './cutover.js'
import { continuedEdges } from '../edge/edge.js'
import { InputRunner } from '../node/input-runner.js'
import { isNew, type Step } from './node-step.js'
import type { OutputRunner } from '../node/output-runner.js'
import { SourceCutover } from './source-cutover.js'
import { TransformRunner } from '../node/transform-runner.js'
import { type PipelineNode, portOf, type Reader } from '../pipeline/wiring.js'

export class Cutovers {
  readonly #steps: readonly Step[]
  readonly #clock: Clock
  readonly #isForced: boolean
  readonly #all: (Cutover | SourceCutover)[] = []

  /** `isForced`: a source takes over even if it has sent nothing. */
  constructor(steps: readonly Step[], clock: Clock, isForced: boolean) {
    this.#steps = steps
    this.#clock = clock
    this.#isForced = isForced
  }

  /** Creates the cutovers that the steps and the removed outputs need. */
  prepare(removed: readonly OutputRunner[]): void {
    for (const step of this.#steps) this.#prepareStep(step)
    for (const node of removed) {
      for (const edge of node.edges) if (edge.port !== undefined) this.#cutOver(node.id, { port: edge.port, edge })
    }
  }

  start(): void {
    for (const cutover of this.#all) cutover.start()
  }

  /** Cuts every edge now. */
  force(): void {
    for (const cutover of this.#all) cutover.force()
  }

  /** Resolves when all cutovers are done; failures by the id of the node that could not take over. */
  async finish(): Promise<{ readonly cuts: readonly EdgeCut[]; readonly failures: Map<string, unknown> }> {
    const cuts: EdgeCut[] = []
    const failures = new Map<string, unknown>()
    for (const cutover of this.#all) {
      try {
        cuts.push(await cutover.done)
      } catch (error) {
        failures.set(cutover.newNode, error)
      }
    }
    for (const cutover of this.#all) cutover.connectReader()
    return { cuts, failures }
  }

  /** Connects readers that a failed step has left on the wrong port. */
  connectAsPlanned(): void {
    for (const { node } of this.#steps) {
      if (node instanceof InputRunner) continue
      for (const [index, { node: id, port: name }] of node.settings.from.entries()) {
        this.#connect(node, index, this.#nodeOf(id), name)
      }
    }
  }

  #connect(node: Reader, index: number, from: PipelineNode | undefined, name: string): void {
    const edge = node.edges[index]
    if (edge === undefined || from === undefined) return
    const port = portOf(from, name)
    if (edge.port === port) return
    edge.port?.disconnect(edge)
    edge.port = port
    edge.markLost()
    port.connect(edge)
  }

  #prepareStep(step: Step): void {
    const { node, old, verb } = step
    if (node instanceof InputRunner) {
      const takesOver = old instanceof InputRunner && isNew(step) && verb !== 'handoff'
      if (takesOver) this.#all.push(new SourceCutover(old, node, this.#clock, this.#isForced))
    } else if (node === old) this.#moveEdges(node)
    else if (old !== undefined && !(old instanceof InputRunner)) this.#replaceEdges(step, node, old)
    else if (verb === 'handoff' || !(node instanceof TransformRunner)) {
      for (const edge of node.edges) edge.port?.connect(edge)
    }
  }

  /** The reader stays; it may read another node now. */
  #moveEdges(node: Reader): void {
    for (const [index, { node: id, port: name }] of node.settings.from.entries()) {
      const edge = node.edges[index]
      const source = this.#nodeOf(id)
      const to = portOf(source, name)
      if (edge === undefined) continue
      edge.id = `${id}.${name}`
      if (edge.port === to || edge.port === undefined) continue
      const onCut = (): void => {
        if (source?.state === 'failed') throw source.failure
      }
      const failure = (): unknown => source?.failure
      this.#cutOver(node.id, { port: edge.port, edge }, { to: { port: to, edge }, newNode: id, onCut, failure })
    }
  }

  /** A new reader. A standby transform has its own edges already, and only its readers are cut over. */
  #replaceEdges({ verb }: Step, node: Reader, old: Reader): void {
    if (node instanceof TransformRunner && verb !== 'handoff') return
    const continued = continuedEdges(old.edges, node.edges)
    const taken = new Set(continued.values())
    const left = old.edges.filter((edge) => !taken.has(edge))
    for (const edge of node.edges) {
      // An edge that reads a new stream replaces an edge whose stream is no longer read.
      const before = continued.get(edge) ?? left.shift()
      if (edge.port === undefined) continue
      if (before?.port === undefined) {
        edge.port.connect(edge)
        continue
      }
      const onCut = (): void => {
        if (verb !== 'handoff') node.activate()
      }
      const failure = (): unknown => (verb === 'handoff' ? undefined : node.failure)
      this.#cutOver(node.id, { port: before.port, edge: before }, { to: { port: edge.port, edge }, onCut, failure })
    }
    for (const edge of left) edge.port?.disconnect(edge)
  }

  #cutOver(
    node: string,
    from: CutoverSettings['from'],
    more: Partial<Pick<CutoverSettings, 'to' | 'newNode' | 'onCut' | 'failure'>> = {},
  ): void {
    this.#all.push(new Cutover({ node, clock: this.#clock, from, ...more }))
  }

  #nodeOf(id: string): PipelineNode | undefined {
    return this.#steps.find(({ settings }) => settings.id === id)?.node
  }
}
