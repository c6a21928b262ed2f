// What the dashboard knows of an engine: the last status, kept current by samples and events. No I/O.
import type {
  ClientStatus,
  CopiesSummary,
  EdgeStatus,
  EngineEvent,
  EngineSample,
  EngineStatus,
  LogEntry,
  NodeStatus,
} from './shapes.js'
import { type EventRow, recordRow, rowOfEvent, rowOfGap, rowOfLog } from './event-rows.js'
import { readDetails, type NodeDetails } from './node-details.js'
import { RateHistory } from './rate-history.js'

export interface NodeModel {
  readonly id: string
  readonly pipeline: string
  /** Of a copy: its pattern pipeline. */
  readonly pattern: string | undefined
  status: NodeStatus
  details: NodeDetails
  readonly received: RateHistory
  readonly sent: RateHistory
  /** Of all edges into it. */
  drops: number
  queuedBytes: number
  /** Continuity errors at the last look, and how many came in the last minute. */
  recentErrors: number
  viewersHit: number
  /** An input before it works: only then is a key frame to be expected. */
  isFed: boolean
  /** All inputs before it are idle, stopped or over: nothing is missing where nothing comes. */
  isResting: boolean
  /** Of the last GOPs, each once. */
  readonly gopSeconds: number[]
  /** When the engine made the status that this is from; Unix time by its clock. */
  readAtMs: number
  /** That tells of key frames: itself, or the nearest before it. */
  keyNode: NodeModel | undefined
}

/** All copies of a pattern pipeline. */
export interface PatternModel {
  summary: CopiesSummary
  readonly received: RateHistory
  readonly sent: RateHistory
}

export interface ProcessFigures {
  /** Of one core, between the last two samples. */
  readonly cpuShare: number
  readonly rssBytes: number
  readonly lagMs: number
  /** From the arrival of data to when outputs pass it on; undefined while nothing is passed on. */
  readonly latencyMs: number | undefined
}

const MOST_EVENTS = 1000
const MINUTE_MS = 60_000
/** A sample is no older than this where the clocks agree. */
const MOST_DELAY_MS = 1500
/** Of which the median is taken. */
const MOST_GOPS = 15
const WORKING = new Set(['ready', 'degraded'])
const RESTING = new Set(['idle', 'stopped', 'ended'])
/** Between them a node does not work, and its `since` stays. */
const DOWN = new Set(['opening', 'waiting'])
const BAD_STATES = new Set(['degraded', 'waiting', 'failed', 'opening'])

export class EngineModel {
  status: EngineStatus | undefined
  readonly nodes = new Map<string, NodeModel>()
  readonly patterns = new Map<string, PatternModel>()
  edges: readonly EdgeStatus[] = []
  process: ProcessFigures | undefined
  /** It has had a sample: only samples tell which pipelines are patterns. */
  hasSample = false
  /** Of copies, which samples do not have. */
  #copyEdges: readonly EdgeStatus[] = []
  #cpu: { readonly seconds: number; readonly atMs: number } | undefined
  clients: readonly ClientStatus[] = []
  clientTotal = 0
  /** Since the dashboard was started. */
  mostClients = 0
  readonly events: EventRow[] = []
  /** Of the log, for as long as somebody reads it. */
  readonly logs: EventRow[] = []
  /** By output: how far its slowest viewer is behind. */
  readonly behind = new Map<string, number>()
  /** By client: bytes, and bits per second. */
  readonly clientRates = new Map<string, RateHistory>()
  /** By client: how often its player has stalled, and when that grew. */
  readonly #stalls = new Map<string, { total: number; atMs: number; readonly node: string }>()
  readonly #errorTimes = new Map<string, { total: number; atMs: number[] }>()
  /** The engine's clock before this machine's. */
  #aheadMs = 0

  /**
   * The engine's clock at a time of this machine. Whatever the engine dates is as old as it says, also where the clocks
   * differ.
   */
  engineMs(nowMs: number): number {
    return nowMs + this.#aheadMs
  }

  /** All of it anew. `nowMs`: Unix time, of this machine, as in all methods that take what the engine has sent. */
  applyStatus(status: EngineStatus, nowMs: number): void {
    this.status = status
    const ids = new Set<string>()
    for (const { name, pattern, nodes } of status.pipelines) {
      for (const node of nodes) this.#place(node, name, pattern, nowMs, ids)
    }
    for (const node of status.services) this.#place(node, 'services', undefined, nowMs, ids)
    for (const { node } of status.listeners) {
      if (node !== undefined) this.#place(node, 'listeners', undefined, nowMs, ids)
    }
    // It may have been made some seconds before it was read.
    const madeMs = Date.parse(status.startedAt) + status.uptimeSeconds * 1000
    for (const node of this.nodes.values()) node.readAtMs = madeMs
    for (const id of this.nodes.keys()) if (!ids.has(id)) this.nodes.delete(id)
    for (const id of this.#errorTimes.keys()) if (!ids.has(id)) this.#errorTimes.delete(id)
    const isCopy = ({ pattern }: EngineStatus['pipelines'][number]): boolean => pattern !== undefined
    this.#copyEdges = status.pipelines.filter(isCopy).flatMap(({ edges }) => edges)
    this.#setEdges(status.pipelines.filter((each) => !isCopy(each)).flatMap(({ edges }) => edges))
    this.#followEdges()
  }

  applySample(sample: EngineSample, nowMs: number): void {
    this.hasSample = true
    const atMs = Date.parse(sample.at)
    this.#compareClocks(atMs, nowMs)
    for (const each of sample.nodes) {
      const node = this.nodes.get(each.id)
      if (node === undefined) continue
      // The status has the reason for a new state.
      const { state, since } = node.status
      const isDown = DOWN.has(state) && DOWN.has(each.state)
      const change = each.state === state ? {} : { why: '', since: isDown ? since : sample.at }
      node.status = { ...node.status, ...each, ...change }
      node.received.push(each.receivedBytes, atMs)
      node.sent.push(each.sentBytes, atMs)
    }
    this.#setProcess(sample, atMs)
    this.#setPatterns(sample.copies ?? [], atMs)
    this.#setEdges(sample.edges)
    this.#countClients(sample.clients)
    this.#followEdges()
  }

  applyClients(clients: readonly ClientStatus[], nowMs: number): void {
    this.clients = clients
    const ids = new Set(clients.map(({ id }) => id))
    for (const id of this.clientRates.keys()) if (!ids.has(id)) this.clientRates.delete(id)
    for (const id of this.#stalls.keys()) if (!ids.has(id)) this.#stalls.delete(id)
    this.behind.clear()
    for (const { id, bytes, node, behindBytes, player } of clients) {
      this.#noteStalls(id, node, player?.stalls ?? 0, this.engineMs(nowMs))
      this.behind.set(node, Math.max(this.behind.get(node) ?? 0, behindBytes))
      const rate = this.clientRates.get(id) ?? new RateHistory()
      this.clientRates.set(id, rate)
      rate.push(bytes, nowMs)
    }
  }

  /** Times on the way make no difference. */
  #compareClocks(atMs: number, nowMs: number): void {
    const aheadMs = atMs - nowMs
    if (Math.abs(aheadMs - this.#aheadMs) <= MOST_DELAY_MS || Number.isNaN(aheadMs)) return
    this.#aheadMs = Math.abs(aheadMs) <= MOST_DELAY_MS ? 0 : aheadMs
  }

  /** Viewers of this output whose players have stalled in the last minute. `nowMs`: of the engine. */
  stalledViewers(node: string, nowMs: number): number {
    let count = 0
    for (const each of this.#stalls.values()) if (each.node === node && nowMs - each.atMs < MINUTE_MS) count++
    return count
  }

  #noteStalls(id: string, node: string, total: number, nowMs: number): void {
    const known = this.#stalls.get(id)
    // What a viewer had before it was seen is no news.
    if (known === undefined) this.#stalls.set(id, { total, atMs: -Infinity, node })
    else if (total > known.total) Object.assign(known, { total, atMs: nowMs })
  }

  applyEvent(event: EngineEvent): void {
    recordRow(this.events, rowOfEvent(event))
  }

  /** Events are missing; `missed`: how many, if the engine knows. `nowMs`: of this machine. */
  applyGap(missed: number | undefined, nowMs: number): void {
    recordRow(this.events, rowOfGap(missed, this.engineMs(nowMs)))
  }

  applyLog(entry: LogEntry): void {
    recordRow(this.logs, rowOfLog(entry))
  }

  #place(status: NodeStatus, pipeline: string, pattern: string | undefined, nowMs: number, ids: Set<string>): void {
    ids.add(status.id)
    const details = readDetails(status.details)
    const recentErrors = this.#recentErrors(status.id, details.continuityErrors, nowMs)
    const known = this.nodes.get(status.id)
    if (known !== undefined && known.pipeline === pipeline) {
      const isNewGop = details.keyFrameAtMs !== known.details.keyFrameAtMs
      Object.assign(known, { status, details, recentErrors })
      if (isNewGop) noteGop(known)
      if (pattern !== undefined) known.received.push(status.receivedBytes, nowMs)
      if (pattern !== undefined) known.sent.push(status.sentBytes, nowMs)
      return
    }
    const [received, sent] = [new RateHistory(), new RateHistory()]
    const begin = { drops: 0, queuedBytes: 0, viewersHit: 0, isFed: true, isResting: false, readAtMs: 0 }
    const placed: NodeModel = {
      id: status.id,
      pipeline,
      pattern,
      status,
      details,
      received,
      sent,
      recentErrors,
      ...{ ...begin, gopSeconds: [], keyNode: undefined },
    }
    noteGop(placed)
    this.nodes.set(status.id, placed)
  }

  #recentErrors(id: string, total: number | undefined, nowMs: number): number {
    if (total === undefined) return 0
    const known = this.#errorTimes.get(id) ?? { total, atMs: [] }
    this.#errorTimes.set(id, known)
    for (let at = known.total; at < Math.min(total, known.total + MOST_EVENTS); at++) known.atMs.push(nowMs)
    known.total = total
    known.atMs = known.atMs.filter((ms) => nowMs - ms < MINUTE_MS).slice(-MOST_EVENTS)
    return known.atMs.length
  }

  #setProcess({ process }: EngineSample, atMs: number): void {
    if (process === undefined) return
    const { cpuSeconds: seconds, rssBytes, lagSeconds, outputLatencySeconds } = process
    const before = this.#cpu
    this.#cpu = { seconds, atMs }
    if (before === undefined || atMs <= before.atMs) return
    const cpuShare = Math.max(0, ((seconds - before.seconds) * 1000) / (atMs - before.atMs))
    const latencyMs = outputLatencySeconds === undefined ? undefined : outputLatencySeconds * 1000
    this.process = { cpuShare, rssBytes, lagMs: lagSeconds * 1000, latencyMs }
  }

  #setPatterns(copies: readonly CopiesSummary[], atMs: number): void {
    const names = new Set(copies.map(({ pattern }) => pattern))
    for (const name of this.patterns.keys()) if (!names.has(name)) this.patterns.delete(name)
    for (const summary of copies) {
      const known = this.patterns.get(summary.pattern)
      const pattern = known ?? { summary, received: new RateHistory(), sent: new RateHistory() }
      pattern.summary = summary
      pattern.received.push(summary.receivedBytes, atMs)
      pattern.sent.push(summary.sentBytes, atMs)
      this.patterns.set(summary.pattern, pattern)
    }
  }

  #setEdges(edges: readonly EdgeStatus[]): void {
    this.edges = [...edges, ...this.#copyEdges]
    for (const node of this.nodes.values()) [node.drops, node.queuedBytes] = [0, 0]
    for (const { to, drops, queuedBytes } of this.edges) {
      const node = this.nodes.get(to)
      if (node === undefined) continue
      node.drops += drops
      node.queuedBytes += queuedBytes
    }
  }

  #countClients(total: number): void {
    this.clientTotal = total
    this.mostClients = Math.max(this.mostClients, total)
  }

  /** The viewers of all outputs behind each node, the nodes behind inputs that work, and who tells of key frames. */
  #followEdges(): void {
    const readers = new Map<string, string[]>()
    for (const { from, to } of this.edges) {
      const source = from.slice(0, from.lastIndexOf('.'))
      const list = readers.get(source)
      if (list === undefined) readers.set(source, [to])
      else list.push(to)
    }
    const behind = (starts: readonly NodeModel[]): ReadonlySet<string> => {
      const seen = new Set(starts.map(({ id }) => id))
      for (const id of seen) for (const reader of readers.get(id) ?? []) seen.add(reader)
      return seen
    }
    this.#placeKeyNodes(readers)
    const inputs = [...this.nodes.values()].filter(({ status }) => status.kind === 'input')
    const fed = behind(inputs.filter(({ status }) => WORKING.has(status.state)))
    const expected = behind(inputs.filter(({ status }) => !RESTING.has(status.state)))
    const reached = behind(inputs)
    for (const node of this.nodes.values()) {
      let viewers = 0
      for (const id of behind([node])) viewers += this.nodes.get(id)?.status.clients ?? 0
      node.viewersHit = viewers
      node.isFed = fed.has(node.id) || !reached.has(node.id)
      node.isResting = reached.has(node.id) && !expected.has(node.id)
    }
  }

  /** From all that tell of key frames at once, so that each node is reached from the nearest. */
  #placeKeyNodes(readers: ReadonlyMap<string, readonly string[]>): void {
    const reached: NodeModel[] = []
    for (const node of this.nodes.values()) {
      node.keyNode = node.details.keyFrameAtMs === undefined ? undefined : node
      if (node.keyNode !== undefined) reached.push(node)
    }
    // A list can grow while it is iterated.
    for (const { id, keyNode } of reached) {
      for (const reader of readers.get(id) ?? []) {
        const next = this.nodes.get(reader)
        if (next === undefined || next.keyNode !== undefined) continue
        next.keyNode = keyNode
        reached.push(next)
      }
    }
  }
}

export function isBadState(state: string): boolean {
  return BAD_STATES.has(state)
}

function noteGop({ gopSeconds, details }: NodeModel): void {
  if (details.gopSeconds === undefined || details.gopSeconds <= 0) return
  gopSeconds.push(details.gopSeconds)
  if (gopSeconds.length > MOST_GOPS) gopSeconds.shift()
}
