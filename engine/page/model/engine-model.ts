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
import { readDetails, type NodeDetails } from './node-details.js'
import { logText } from './log-text.js'
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

export interface EventRow {
  readonly atMs: number
  lastMs: number
  readonly level: 'info' | 'warn' | 'error'
  readonly node: string
  readonly text: string
  count: number
}

const MOST_EVENTS = 1000
const MINUTE_MS = 60_000
/** The longest pause between two attempts of the engine, and some more. */
const REPEATED_MS = 45_000
/** Rows of other nodes between two of one. */
const MOST_BETWEEN = 50
/** A sample is no older than this where the clocks agree. */
const MOST_DELAY_MS = 1500
/** Of which the median is taken. */
const MOST_GOPS = 15
const WORKING = new Set(['ready', 'degraded'])
const RESTING = new Set(['idle', 'stopped', 'ended'])
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
      const change = each.state === node.status.state ? {} : { why: '', since: sample.at }
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
    record(this.events, rowOf(event))
  }

  applyLog(entry: LogEntry): void {
    const { at, level, node = '' } = entry
    const atMs = Date.parse(at)
    const rank = level === 'warn' ? 'warn' : level === 'error' || level === 'fatal' ? 'error' : 'info'
    record(this.logs, { atMs, lastMs: atMs, level: rank, node, text: logText(entry), count: 1 })
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
    const begin = { drops: 0, queuedBytes: 0, viewersHit: 0, isFed: true, isResting: false }
    const placed: NodeModel = {
      id: status.id,
      pipeline,
      pattern,
      status,
      details,
      received,
      sent,
      recentErrors,
      ...{ ...begin, gopSeconds: [] },
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

  /** The viewers of all outputs behind each node, and the nodes behind inputs that work. */
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
}

export function isBadState(state: string): boolean {
  return BAD_STATES.has(state)
}

/** The same again is one row, with its count, among the newest; also what alternates, such as retries. */
function record(rows: EventRow[], row: EventRow): void {
  const at = findRepeated(rows, row)
  const [known] = at === -1 ? [] : rows.splice(at, 1)
  if (known === undefined) rows.push(row)
  else rows.push(Object.assign(known, { count: known.count + 1, lastMs: row.atMs }))
  if (rows.length > MOST_EVENTS) rows.splice(0, rows.length - MOST_EVENTS)
}

/** Where the row stands already: as the last one, or lately with at most one other of its node since. */
function findRepeated(rows: readonly EventRow[], { node, text, atMs }: EventRow): number {
  let others = 0
  for (let at = rows.length - 1; at >= Math.max(0, rows.length - MOST_BETWEEN); at--) {
    const each = rows[at]
    if (each?.node !== node) continue
    if (each.text === text) return at === rows.length - 1 || atMs - each.lastMs < REPEATED_MS ? at : -1
    if (++others > 1) return -1
  }
  return -1
}

function noteGop({ gopSeconds, details }: NodeModel): void {
  if (details.gopSeconds === undefined || details.gopSeconds <= 0) return
  gopSeconds.push(details.gopSeconds)
  if (gopSeconds.length > MOST_GOPS) gopSeconds.shift()
}

const LEVELS: Readonly<Record<string, EventRow['level']>> = {
  degraded: 'warn',
  waiting: 'warn',
  failed: 'error',
  stalled: 'warn',
  rolled_back: 'error',
  not_restored: 'error',
  invalid: 'error',
  refused: 'error',
}

function rowOf({ at, kind, node = '', data }: EngineEvent): EventRow {
  const last = kind.slice(kind.lastIndexOf('.') + 1)
  const said = ['why', 'message', 'result', 'from', 'to', 'name', 'stream', 'file']
    .flatMap((key) => (typeof data[key] === 'string' && data[key] !== '' ? [data[key]] : []))
    .join(' · ')
  const text = `${kind.startsWith('node.') ? last : kind}${said === '' ? '' : `: ${said}`}`
  const atMs = Date.parse(at)
  return { atMs, lastMs: atMs, level: LEVELS[last] ?? 'info', node, text, count: 1 }
}
