// What an edit is: a change of the model, and the verbs that a plan of it may have beside `keep`.
import type { PlanVerb } from '@millrace/engine'
import type { ConfigModel, NodeModel, PipelineModel } from '../config-model.js'
import { nodesOf, outputsOf } from '../config-model.js'
import type { SeededRandom } from '../seeded-random.js'
import { FIXED_LISTENER } from '../first-config.js'

export interface EditContext {
  readonly random: SeededRandom
  /** Counts edits, so that names are never used twice. */
  readonly number: number
  /** Where a web server of ours listens. */
  readonly busyPort: number
  /** One that nobody listens on. */
  freePort(): number
}

export interface Edit {
  readonly kind: string
  /** Of nodes and parts, beside `keep`; none where the plan must be empty. */
  readonly verbs: readonly PlanVerb[]
  /** Changes the model in place; false where there is nothing to change. */
  change(model: ConfigModel, context: EditContext): boolean
}

/** One of the pipelines, or of those that the condition allows. */
export function somePipeline(
  model: ConfigModel,
  { random }: EditContext,
  allows: (pipeline: PipelineModel) => boolean = () => true,
): PipelineModel | undefined {
  return random.tryPick(model.pipelines.filter(allows))
}

/** An output that may be edited: no reference. */
export function someOutput(
  model: ConfigModel,
  { random }: EditContext,
  allows: (node: NodeModel, of: PipelineModel) => boolean = () => true,
): { readonly node: NodeModel; readonly of: PipelineModel } | undefined {
  return random.tryPick(outputsOf(model).filter(({ node, of }) => !isReference(node) && allows(node, of)))
}

export function isReference(node: NodeModel): boolean {
  return node.options['listener'] === FIXED_LISTENER
}

/** Every name that an edit gives: `check-17`. */
export function newId(word: string, { number }: EditContext): string {
  return `${word}-${number}`
}

/** Sends readers of one node to another. */
export function rewire(pipeline: PipelineModel, from: string, to: string): void {
  for (const node of nodesOf(pipeline)) if (node.from === from) node.from = to
}

/** Those that give what a transform takes: behind a gop only outputs can read. */
export function readable(pipeline: PipelineModel): readonly NodeModel[] {
  return [...pipeline.inputs, ...pipeline.transforms.filter(({ type }) => type !== 'gop')]
}

/** Where this node could read, but where it does: what does not read it, as far as that goes. */
export function sourcesFor(pipeline: PipelineModel, node: NodeModel): readonly string[] {
  const readsIt = new Set([node.id])
  for (const other of pipeline.transforms)
    if (other.from !== undefined && readsIt.has(other.from)) readsIt.add(other.id)
  const isOutput = pipeline.outputs.includes(node)
  return (isOutput ? [...pipeline.inputs, ...pipeline.transforms] : readable(pipeline))
    .map(({ id }) => id)
    .filter((id) => !readsIt.has(id) && id !== node.from)
}

/** Nodes are written down in the order in which the stream passes them; transforms that read others come later. */
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
