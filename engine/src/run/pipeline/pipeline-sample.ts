// What feeds of samples show of a pipeline, each second: numbers alone. A whole status asks plugins for their details and
// renders URLs, which costs twice as much for each of hundreds of copies.
import type { EdgeStatus, NodeState, NodeStatus } from '../../observe/status.js'
import { splitCopyName } from '../../graph/node-id.js'
import type { Edge } from '../edge/edge.js'
import { InputRunner } from '../node/input-runner.js'
import { OutputRunner } from '../node/output-runner.js'
import type { PipelineNode } from './wiring.js'

/** The metric in which nodes of any type count them. */
const CONTINUITY = 'ts_continuity_errors_total'

export interface SampledNode extends Pick<NodeStatus, 'id' | 'kind' | 'receivedBytes' | 'sentBytes' | 'restarts'> {
  readonly state: NodeState
  /** Of an input. */
  readonly bitsPerSecond?: number
  /** Of a node of a copy that counts them. */
  readonly continuityErrors?: number
  /** Of an output with an audience. */
  readonly clients?: number
}

export interface SampledPipeline {
  /** Of a copy: the pattern pipeline. */
  readonly pattern?: string
  readonly nodes: readonly SampledNode[]
  readonly edges: readonly EdgeStatus[]
}

/** What is sampled: a pipeline runner. */
interface Sampled {
  readonly name: string
  readonly nodes: readonly PipelineNode[]
  readonly services: { clientsOf(id: string): number | undefined }
}

export function samplePipeline({ name, nodes, services }: Sampled): SampledPipeline {
  const { pipeline: pattern, stream } = splitCopyName(name)
  return {
    ...(stream === undefined ? {} : { pattern }),
    nodes: nodes.map((node) => sampleNode(node, stream !== undefined, (id) => services.clientsOf(id))),
    edges: edgesOf(nodes),
  }
}

export function edgesOf(nodes: readonly PipelineNode[]): readonly EdgeStatus[] {
  return nodes.flatMap((node) => (node instanceof InputRunner ? [] : node.edges.map((edge) => edgeStatus(edge, node))))
}

/** Only the sum of copies is shown. */
function sampleNode(node: PipelineNode, isCopy: boolean, clientsOf: (id: string) => number | undefined): SampledNode {
  const { id, state, receivedBytes, sentBytes, restarts, settings } = node
  const counted = isCopy ? node.metricSum(CONTINUITY) : undefined
  const continuity = counted === undefined ? {} : { continuityErrors: counted }
  const sample = { id, kind: settings.definition.kind, state, receivedBytes, sentBytes, restarts, ...continuity }
  if (node instanceof InputRunner) return { ...sample, bitsPerSecond: node.bitsPerSecond }
  const clients = node instanceof OutputRunner ? clientsOf(id) : undefined
  return clients === undefined ? sample : { ...sample, clients }
}

function edgeStatus({ id, rate, counters, isHeld }: Edge, reader: PipelineNode): EdgeStatus {
  const { receivedBytes, queuedBytes, drops, droppedBytes } = counters
  const { bitsPerSecond } = rate
  return { from: id, to: reader.id, bitsPerSecond, receivedBytes, queuedBytes, isHeld, drops, droppedBytes }
}
