// Links the nodes of a pipeline: resolves every `from` to a port of a node, and checks that the kinds of chunks at both
// ends match.
import type { ChunkKind, Definition, TransformDefinition } from '../../plugin/contract.js'
import { chunksOf, PORT_NAME } from '../../plugin/ports.js'
import type { Registry } from '../../plugin/registry.js'
import type { NodeSettings, Pipeline, PortRef } from '../../graph/graph.js'
import type { SecretMask } from '../../graph/secret-mask.js'
import { orderNodes } from '../../graph/order-nodes.js'
import { positionOf } from '../report/diagnostic.js'
import type { Problems } from '../report/diagnostic.js'
import { didYouMean } from '../report/did-you-mean.js'
import { titleOf } from './draft-node.js'
import type { DraftNode, DraftPipeline, Reference } from './draft-node.js'
import { MAIN_PORT } from '../../graph/node-id.js'

interface LinkContext {
  readonly pipeline: DraftPipeline
  /** All pipelines; used only for hints. */
  readonly pipelines: readonly DraftPipeline[]
  readonly registry: Registry
  readonly problems: Problems
}

interface Linked {
  readonly source: DraftNode
  readonly reference: Reference
  readonly port: string
}

/** The pipeline with its edges, nodes in build order. Nodes with mistakes are reported and left out. */
export function linkPipeline(context: LinkContext): Pipeline {
  const { pipeline, problems } = context
  const links = new Map<string, readonly Linked[]>()
  for (const node of pipeline.nodes) links.set(node.name, linksOf(node, context))
  const reads = new Map([...links].map(([name, linked]) => [name, linked.map(({ source }) => source.name)]))
  const { order, cycles } = orderNodes(reads)
  const byName = new Map(pipeline.nodes.map((node) => [node.name, node]))
  for (const cycle of cycles) reportCycle(cycle, links, problems)
  const nodes = order.flatMap((name) => {
    const node = byName.get(name)
    const settings = node === undefined ? undefined : settingsOf(node, problems.mask, links.get(name))
    return settings === undefined ? [] : [settings]
  })
  return { name: pipeline.name, description: pipeline.description, nodes }
}

/** A draft as a node of the graph; undefined if it has mistakes. */
export function settingsOf(
  node: DraftNode,
  secrets: SecretMask,
  links: readonly Linked[] = [],
): NodeSettings | undefined {
  const { id, name, definition, options, ports = [], description, timeline, place, ...more } = node
  const { batchMs, probeMs, maxBytesPerS, recorder } = more
  if (definition === undefined || (!node.ok && !node.unknown)) return undefined
  const from: readonly PortRef[] = links.map(({ source, port }) => ({ node: source.id, port }))
  const was = node.was === undefined ? {} : { was: `${id.slice(0, -name.length)}${node.was.name}` }
  const at = positionOf(place)
  const published = node.publish === undefined ? {} : { publish: node.publish }
  return {
    id,
    ...was,
    definition,
    options,
    ports,
    from,
    description,
    timeline,
    batchMs,
    probeMs,
    ...published,
    ...(maxBytesPerS === undefined ? {} : { maxBytesPerS }),
    ...(recorder === undefined ? {} : { recorder }),
    at,
    secrets,
  }
}

function linksOf(node: DraftNode, context: LinkContext): readonly Linked[] {
  const { problems } = context
  const links: Linked[] = []
  for (const reference of node.from) {
    const linked = linkOne(node, reference, context)
    if (linked !== undefined) links.push(linked)
  }
  const { definition, fromIsList, from } = node
  const readsOne = (definition?.kind === 'transform' || definition?.kind === 'output') && definition.inlets === 'one'
  const [, second] = from
  if (readsOne && fromIsList && second !== undefined) {
    const message = `${titleOf(node.kind, node.name)} (type ${definition.type}) reads one node, not ${from.length}`
    problems.report('CONFIG_FROM_LIST', second.place, message, { help: helpForList(context.registry) })
  }
  return links
}

function helpForList(registry: Registry): string | undefined {
  const merging = registry.all().flatMap(({ definition }) => {
    return definition.kind === 'transform' && definition.inlets === 'many' ? [definition.type] : []
  })
  return merging.length === 0
    ? undefined
    : `name one node, or read from a transform that combines several: ${merging.join(', ')}`
}

function linkOne(node: DraftNode, reference: Reference, context: LinkContext): Linked | undefined {
  const dot = reference.text.indexOf('.')
  const name = dot === -1 ? reference.text : reference.text.slice(0, dot)
  const port = dot === -1 ? undefined : reference.text.slice(dot + 1)
  const source = context.pipeline.nodes.find((candidate) => candidate.name === name)
  if (source === undefined) return reportUnknown(node, name, reference, context)
  if (source.kind === 'output') {
    const message = `"${node.name}" reads from "${name}", which is an output`
    const help = 'an output cannot be read from; name the node that the output reads'
    context.problems.report('CONFIG_UNKNOWN_PORT', reference.place, message, { help })
    return undefined
  }
  const found = portOf(source, port)
  if (found === undefined) {
    reportPort(node, source, port, reference, context.problems)
    return undefined
  }
  const linked = { source, reference, port: found }
  checkKind(node, linked, context)
  return linked
}

function portOf(source: DraftNode, port: string | undefined): string | undefined {
  const ports = source.ports?.map(({ name }) => name)
  // A node whose type or options are not known may have any port.
  if (ports === undefined) return port === undefined || PORT_NAME.test(port) ? (port ?? MAIN_PORT) : undefined
  if (port !== undefined) return ports.includes(port) ? port : undefined
  if (ports.includes(MAIN_PORT)) return MAIN_PORT
  return ports.length === 1 ? ports[0] : undefined
}

function reportUnknown(node: DraftNode, name: string, reference: Reference, context: LinkContext): undefined {
  const { pipeline, pipelines, problems } = context
  if (problems.isFull) return undefined
  const readable = pipeline.nodes.filter((other) => other.kind !== 'output' && other.name !== node.name)
  const names = readable.map((other) => other.name)
  const elsewhere = pipelines.find(({ nodes }) => nodes.some((other) => other.name === name))
  const help =
    elsewhere === undefined
      ? didYouMean(name, names, 'nodes it can read')
      : `"${name}" is in pipeline "${elsewhere.name}"; a node can only read from its own pipeline`
  const message = `"${node.name}" reads from "${name}", which does not exist`
  problems.report('CONFIG_UNKNOWN_NODE', reference.place, message, { help })
}

function reportPort(
  node: DraftNode,
  source: DraftNode,
  port: string | undefined,
  reference: Reference,
  problems: Problems,
): void {
  const ports = source.ports ?? []
  const message =
    port === undefined
      ? `"${node.name}" reads from "${source.name}", which has several ports`
      : `"${node.name}" reads from port "${port}" of "${source.name}", which does not exist`
  const full = ports.map((known) => `${source.name}.${known.name}`)
  const help = didYouMean(reference.text, full, 'its ports')
  problems.report('CONFIG_UNKNOWN_PORT', reference.place, message, { help })
}

function checkKind(node: DraftNode, { source, reference, port }: Linked, context: LinkContext): void {
  const given = producedBy(source, port)
  const taken = consumedBy(node.definition)
  if (given === undefined || taken === undefined || taken.includes(given)) return
  const message = `"${node.name}" accepts ${taken.join(' or ')} chunks, but "${source.name}" produces ${given}`
  const between = context.registry
    .all()
    .map(({ definition }) => definition)
    .filter((definition) => definition.kind === 'transform')
    .find((definition) => definition.consumes.includes(given) && produces(definition, taken))
  const before = between === undefined ? nodeBefore(source, taken, context.pipeline) : undefined
  const help =
    between !== undefined
      ? `put a \`${between.type}\` transform between them`
      : before !== undefined
        ? `read from "${before.name}", which precedes "${source.name}" and produces ${taken.join(' or ')}`
        : `no installed transform turns ${given} into ${taken.join(' or ')}`
  context.problems.report('CONFIG_KIND_MISMATCH', reference.place, message, { help })
}

// Walks upstream; stops at a cycle too.
function nodeBefore(node: DraftNode, wanted: readonly ChunkKind[], pipeline: DraftPipeline): DraftNode | undefined {
  const seen = new Set<DraftNode>()
  let at: DraftNode | undefined = node
  while (at !== undefined && !seen.has(at)) {
    seen.add(at)
    const [name, port]: readonly (string | undefined)[] = at.from[0]?.text.split('.') ?? []
    at = pipeline.nodes.find((candidate) => candidate.name === name)
    const given = at === undefined ? undefined : producedBy(at, portOf(at, port))
    if (given !== undefined && wanted.includes(given)) return at
  }
  return undefined
}

/** Undefined if the port is not known. */
function producedBy({ ports }: DraftNode, name: string | undefined): ChunkKind | undefined {
  const port = ports?.find((each) => each.name === name)
  return port === undefined ? undefined : chunksOf(port)
}

/** Whatever its options are, it has such a port. */
function produces({ ports }: TransformDefinition, wanted: readonly ChunkKind[]): boolean {
  return typeof ports !== 'function' && ports.some((port) => wanted.includes(chunksOf(port)))
}

function consumedBy(definition: Definition | undefined): readonly ChunkKind[] | undefined {
  return definition?.kind === 'transform' || definition?.kind === 'output' ? definition.consumes : undefined
}

function reportCycle(
  cycle: readonly string[],
  links: ReadonlyMap<string, readonly Linked[]>,
  problems: Problems,
): void {
  const [first = '', second = first] = cycle
  const link = links.get(first)?.find(({ source }) => source.name === second)
  if (link === undefined) return
  const path = [...cycle, first].join(' <- ')
  problems.report('CONFIG_CYCLE', link.reference.place, `"${first}" reads from itself: ${path}`)
}
