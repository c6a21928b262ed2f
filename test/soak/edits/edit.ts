// An edit: a change of the model, and the verbs other than `keep` that its plan may have.
import type { PlanVerb } from '@millrace/engine'
import type { ConfigModel, NodeModel, PipelineModel } from '../config-model.js'
import { httpOutputsOf, nodesOf } from '../config-model.js'
import type { SeededRandom } from '../seeded-random.js'
import { FIXED_LISTENER } from '../first-config.js'

export interface EditContext {
  readonly random: SeededRandom
  /** Counts edits, so names are never reused. */
  readonly number: number
  /** Port on which the test's own web server listens. */
  readonly busyPort: number
  /** UDP port that a socket of the test has. */
  readonly busyUdpPort: number
  /** A port on which no one listens. */
  freePort(): number
}

export interface Edit {
  readonly kind: string
  /** Verbs of nodes and parts, other than `keep`; empty if the plan must be empty. */
  readonly verbs: readonly PlanVerb[]
  /** Changes the model in place; false if there is nothing to change. */
  change(model: ConfigModel, context: EditContext): boolean
}

/** Any pipeline that meets the condition. */
export function somePipeline(
  model: ConfigModel,
  { random }: EditContext,
  allows: (pipeline: PipelineModel) => boolean = () => true,
): PipelineModel | undefined {
  return random.tryPick(model.pipelines.filter(allows))
}

/** An output over HTTP that may be edited: not that of a reference viewer. */
export function someOutput(
  model: ConfigModel,
  { random }: EditContext,
  allows: (node: NodeModel, of: PipelineModel) => boolean = () => true,
): { readonly node: NodeModel; readonly of: PipelineModel } | undefined {
  return random.tryPick(httpOutputsOf(model).filter(({ node, of }) => !isReference(node) && allows(node, of)))
}

export function isReference(node: NodeModel): boolean {
  return node.options['listener'] === FIXED_LISTENER
}

/** Its paths contain the key of the stream. */
export function isPattern({ keys }: PipelineModel): boolean {
  return keys !== undefined
}

/** A new name, such as `check-17`. */
export function newId(word: string, { number }: EditContext): string {
  return `${word}-${number}`
}

/** Makes the readers of one node read another. */
export function rewire(pipeline: PipelineModel, from: string, to: string): void {
  for (const node of nodesOf(pipeline)) if (node.from === from) node.from = to
}

/** Nodes that a transform can read: only outputs can read a gop. */
export function readable(pipeline: PipelineModel): readonly NodeModel[] {
  return [...pipeline.inputs, ...pipeline.transforms.filter(({ type }) => type !== 'gop')]
}

/** Other nodes that this node could read without making a cycle. */
export function sourcesFor(pipeline: PipelineModel, node: NodeModel): readonly string[] {
  const readsIt = new Set([node.id])
  for (const other of pipeline.transforms)
    if (other.from !== undefined && readsIt.has(other.from)) readsIt.add(other.id)
  const isOutput = pipeline.outputs.includes(node)
  return (isOutput ? [...pipeline.inputs, ...pipeline.transforms] : readable(pipeline))
    .map(({ id }) => id)
    .filter((id) => !readsIt.has(id) && id !== node.from)
}

/** Sorts the transforms in the order in which the stream passes them: each after the node it reads. */
export function putInOrder(pipeline: PipelineModel): void {
  const placed = new Set(pipeline.inputs.map(({ id }) => id))
  const rest = [...pipeline.transforms]
  pipeline.transforms = []
  while (rest.length > 0) {
    const next = rest.findIndex(({ from }) => from !== undefined && placed.has(from))
    const [node] = rest.splice(Math.max(next, 0), 1)
    if (node === undefined) return
    placed.add(node.id)
    pipeline.transforms.push(node)
  }
}
