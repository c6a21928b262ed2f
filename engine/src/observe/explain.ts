// Why there is no picture at a node: the cause that is nearest to the source, from what the engine knows along the way of
// the stream back to its inputs and on to its viewers. Pure: facts in, an explanation out.
import { type CauseRow, causeOfText, CAUSES, type CauseCode } from './explain-causes.js'
import type { Evidence, Explanation } from './operator.js'
import { nodesBehind, reachedFrom, sourceOf } from './pipeline-path.js'
import type { ClientStatus, EdgeStatus, EngineStatus, NodeStatus, PipelineStatus } from './status.js'

export interface ExplainFacts {
  readonly engine: EngineStatus['state']
  readonly pipeline: Pick<PipelineStatus, 'nodes' | 'edges'>
  /** Id; of a node of the pipeline. */
  readonly node: string
  /** By node: why no viewer can start in what leaves it, such as `no key frame for 12 s`. */
  readonly cannotStart: ReadonlyMap<string, string>
  /** Of all outputs. */
  readonly clients: readonly ClientStatus[]
  /** Of viewers, in the last minute; of each output the newest first. */
  readonly refusals: readonly { readonly node: string; readonly reason: string; readonly status: number }[]
  /** Newest last: what nodes have logged as a warning or an error. */
  readonly warnings: readonly { readonly node: string; readonly text: string }[]
}

interface Cause {
  readonly code: CauseCode
  readonly at: string
  /** Why, without the name of the node; no full stop. */
  readonly why: string
}

/** Further evidence is left out. */
const MOST_EVIDENCE = 30
const MOST_WARNINGS = 5
/** A viewer this far behind the newest byte is too slow, not just catching up. */
const FAR_BEHIND_BYTES = 1024 * 1024
/** With which a rule of access refuses. */
const ACCESS_STATUS: ReadonlySet<number> = new Set([401, 403, 429])

export function explain(facts: ExplainFacts): Explanation {
  const { engine, node } = facts
  const evidence = evidenceOf(facts).slice(0, MOST_EVIDENCE)
  if (engine !== 'running') {
    const sentence = `The engine is ${engine}.`
    return { node, isWell: false, cause: `engine-${engine}`, sentence, evidence }
  }
  const cause = causeBehind(facts, node, new Set()) ?? causeAhead(facts)
  if (cause === undefined) {
    const sentence = `Nothing stands in the way of a picture at ${node}, as far as the engine knows.`
    return { node, isWell: true, cause: 'well', sentence, evidence }
  }
  const { hint }: CauseRow = CAUSES[cause.code]
  return {
    node,
    isWell: false,
    cause: cause.code,
    at: cause.at,
    sentence: `${cause.at}: ${cause.why}.`,
    hint,
    evidence,
  }
}

/** Of the node, or of all that it reads: one source that works is enough for a picture. */
function causeBehind(facts: ExplainFacts, id: string, seen: Set<string>): Cause | undefined {
  const node = facts.pipeline.nodes.find((each) => each.id === id)
  if (node === undefined || seen.has(id)) return undefined
  seen.add(id)
  if (node.state === 'stopped' || node.state === 'failed') return causeAt(facts, node)
  const behind = nodesBehind(facts.pipeline, id)
  const causes = behind.map((source) => causeBehind(facts, source.id, seen) ?? causeOnEdge(facts, source, node))
  const [first] = causes
  if (first !== undefined && causes.every((cause) => cause !== undefined)) return first
  return causeAt(facts, node)
}

function causeAt({ cannotStart, warnings }: ExplainFacts, node: NodeStatus): Cause | undefined {
  const { id: at, state, why, kind } = node
  switch (state) {
    case 'ready':
      break
    case 'stopped':
      return { code: 'disabled', at, why: orElse(why, 'is stopped') }
    case 'failed':
      return { code: causeOfText(why) ?? 'failed', at, why: `has failed: ${why}` }
    case 'ended':
      return { code: 'ended', at, why: 'its stream has ended' }
    case 'opening':
      return { code: 'opening', at, why: orElse(why, 'is opening') }
    case 'idle':
      if (kind !== 'input') break
      return causeOfIdleInput(node, warnings)
    default:
      return { code: causeOfText(why) ?? state, at, why }
  }
  if (kind === 'output') return causeOfCodecs(node)
  const obstacle = cannotStart.get(at) ?? ''
  return obstacle === '' ? undefined : { code: causeOfText(obstacle) ?? 'no-start', at, why: obstacle }
}

function causeOfCodecs({ id: at, details }: NodeStatus): Cause | undefined {
  const why = whatIsNotCarried(details)
  return why === undefined ? undefined : { code: 'codec', at, why }
}

/**
 * From what outputs with a container of their own say in their details: `codecs` that are sent and tracks that are
 * `leftOut`, both as `video h264`. Undefined if there is a picture, or sound of a stream without one.
 */
function whatIsNotCarried(details: unknown): string | undefined {
  if (typeof details !== 'object' || details === null || !('codecs' in details) || !('leftOut' in details)) {
    return undefined
  }
  const [sent, leftOut] = [textsOf(details.codecs), textsOf(details.leftOut)]
  const isVideo = (track: string): boolean => track.startsWith('video ')
  if (leftOut.length === 0 || sent.some(isVideo) || (sent.length > 0 && !leftOut.some(isVideo))) return undefined
  return `its container cannot carry ${leftOut.join(', ')}, ${sent.length === 0 ? 'so that nothing is sent' : `only ${sent.join(', ')} is sent`}`
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : []
}

function causeOfIdleInput({ id: at, why }: NodeStatus, warnings: ExplainFacts['warnings']): Cause {
  const refused = warnings.findLast(({ node, text }) => node === at && causeOfText(text) === 'refused')
  if (refused !== undefined) return { code: 'refused', at, why: `${why}; a publisher was refused: ${refused.text}` }
  return { code: causeOfText(why) ?? 'not-published', at, why: orElse(why, 'nobody publishes') }
}

/** The source sends, and nothing reaches the reader. */
function causeOnEdge({ pipeline }: ExplainFacts, source: NodeStatus, reader: NodeStatus): Cause | undefined {
  const edge = pipeline.edges.find((each) => sourceOf(each) === source.id && each.to === reader.id)
  if (edge === undefined || !edge.isHeld || edge.drops === 0) return undefined
  return { code: 'reader-slow', at: reader.id, why: `does not keep up with ${edge.from}: ${dropsOf(edge)}` }
}

/** Of the outputs that the node reaches; at an output itself, also what its viewers do. */
function causeAhead(facts: ExplainFacts): Cause | undefined {
  const outputs = reachedFrom(facts.pipeline, facts.node).filter(({ kind }) => kind === 'output')
  const causes = outputs.map((output) => causeAt(facts, output) ?? causeOfViewers(facts, output))
  return causes.every((cause) => cause !== undefined) ? causes[0] : undefined
}

function causeOfViewers({ clients, refusals }: ExplainFacts, { id, clientLimits }: NodeStatus): Cause | undefined {
  if (clientLimits?.reached.includes('max') === true) {
    return {
      code: 'limit',
      at: id,
      why: `the limit of ${clientLimits.max} viewers is reached, further ones are refused`,
    }
  }
  const own = clients.filter(({ node }) => node === id)
  const refused = refusals.find(({ node, status }) => node === id && ACCESS_STATUS.has(status))
  if (own.length === 0 && refused !== undefined) {
    return { code: 'refused', at: id, why: `viewers were refused in the last minute: ${refusalText(refused)}` }
  }
  const slow = own.filter(({ state, behindBytes }) => state === 'seeking' || behindBytes > FAR_BEHIND_BYTES)
  if (own.length === 0 || slow.length < own.length) return undefined
  const who = own.length === 1 ? 'its only viewer is' : `all ${own.length} viewers are`
  return { code: 'viewers-slow', at: id, why: `${who} too slow for the stream` }
}

/** From the inputs on, in the order of the graph: what is not as it should be. */
function evidenceOf(facts: ExplainFacts): readonly Evidence[] {
  const { pipeline, cannotStart, refusals, warnings } = facts
  const path = pathOf(facts)
  const ofNodes = pipeline.nodes
    .filter(({ id }) => path.has(id))
    .flatMap((node): readonly Evidence[] => {
      const { id, state, why, restarts, clients, clientLimits } = node
      const start = cannotStart.get(id) ?? ''
      const lines = [
        why === '' ? state : `${state}: ${why}`,
        ...(start === '' || start === why || node.kind === 'output' ? [] : [start]),
        ...(restarts === 0 ? [] : [`tried again ${restarts === 1 ? 'once' : `${restarts} times`}`]),
        ...(clients === undefined ? [] : [clientsOf(clients, clientLimits?.reached.length ?? 0)]),
        ...refusals
          .filter((each) => each.node === id)
          .map((each) => `refused in the last minute: ${refusalText(each)}`),
      ]
      return lines.map((what) => ({ node: id, what }))
    })
  const ofEdges = pipeline.edges
    .filter(({ to, drops, isHeld }) => path.has(to) && (drops > 0 || isHeld))
    .map((edge) => ({ node: edge.to, what: `reads ${edge.from}, ${dropsOf(edge)}` }))
  const logged = warnings.filter(({ node }) => path.has(node)).slice(-MOST_WARNINGS)
  return [...ofNodes, ...ofEdges, ...logged.map(({ node, text }) => ({ node, what: `log: ${text}` }))]
}

function refusalText({ reason, status }: ExplainFacts['refusals'][number]): string {
  return `${reason}, status ${status}`
}

function clientsOf(clients: number, limits: number): string {
  const viewers = clients === 1 ? '1 viewer' : `${clients} viewers`
  return limits === 0 ? viewers : `${viewers}, a limit is reached`
}

function dropsOf({ drops, droppedBytes, isHeld }: EdgeStatus): string {
  const dropped = drops === 0 ? 'nothing dropped' : `dropped ${droppedBytes} bytes in ${drops} places`
  return isHeld ? `${dropped}, waits now` : dropped
}

/** Ids: the node, all behind it, all ahead of it. */
function pathOf({ pipeline, node }: ExplainFacts): ReadonlySet<string> {
  const behind = new Set([node])
  // A set can grow while it is iterated.
  for (const id of behind) for (const source of nodesBehind(pipeline, id)) behind.add(source.id)
  return new Set([...behind, ...reachedFrom(pipeline, node).map(({ id }) => id)])
}

function orElse(text: string, other: string): string {
  return text === '' ? other : text
}
