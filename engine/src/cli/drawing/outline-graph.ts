// The checked graph as boxes and arrows: the plain data that the drawings show.
import type { NodeKind } from '../../plugin/contract.js'
import type { Graph, NodeSettings, Pipeline, PublishSettings } from '../../graph/graph.js'
import { MAIN_PORT, nodeName } from '../../graph/node-id.js'
import { chunksOf } from '../../plugin/ports.js'

export interface GraphOutline {
  readonly pipelines: readonly PipelineOutline[]
  readonly services: readonly NodeOutline[]
}

export interface PipelineOutline {
  readonly name: string
  readonly description: string
  /** Every node after those it reads from. */
  readonly nodes: readonly NodeOutline[]
  readonly edges: readonly EdgeOutline[]
}

export interface NodeOutline {
  /** `pipeline/node`, or `services/name`. */
  readonly id: string
  /** Without the pipeline. */
  readonly name: string
  readonly kind: NodeKind
  readonly type: string
  readonly description: string
}

export interface EdgeOutline {
  /** Ids of nodes. */
  readonly from: string
  readonly port: string
  readonly to: string
  /** The kind of chunks that travel on it. */
  readonly chunks: string
}

export function outlineGraph({ pipelines, services }: Pick<Graph, 'pipelines' | 'services'>): GraphOutline {
  const own = services.filter(({ definition }) => definition.kind === 'service')
  return { pipelines: pipelines.map(outlinePipeline), services: own.map(outlineNode) }
}

/** The label of an arrow: `ts`, or `720p: ts` if the port is not the main one. */
export function labelOf({ port, chunks }: EdgeOutline): string {
  return port === MAIN_PORT ? chunks : `${port}: ${chunks}`
}

function outlinePipeline({ name, description, nodes, pattern }: Pipeline): PipelineOutline {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const edges = nodes.flatMap((node) =>
    node.from.map(({ node: from, port }) => ({
      from,
      port,
      to: node.id,
      chunks: chunksAt(byId.get(from), port, node),
    })),
  )
  const copies = nodes.find(({ id }) => id === pattern?.input)?.publish
  return { name, description: withCopies(description, copies), nodes: nodes.map(outlineNode), edges }
}

function withCopies(description: string, publish: PublishSettings | undefined): string {
  if (publish === undefined) return description
  const copies = `a copy for each published stream ${publish.streams}, at most ${publish.maxStreams}`
  return description === '' ? copies : `${description}; ${copies}`
}

function outlineNode({ id, definition, description }: NodeSettings): NodeOutline {
  const { kind, type } = definition
  return { id, name: nodeName(id), kind, type, description }
}

/** Of a port whose node has options that are not known: what the reader can read. */
function chunksAt(source: NodeSettings | undefined, name: string, reader: NodeSettings): string {
  const port = source?.ports.find((each) => each.name === name)
  if (port !== undefined) return chunksOf(port)
  return 'consumes' in reader.definition ? reader.definition.consumes.join(' or ') : ''
}
