// Cuts a reader over from one branch of the graph to another, or ends it, at a chunk where reading can start. If that
// chunk arrives on both branches, the old one stops right before it and the new one starts with it: no gap and no
// repeat. Otherwise, or if no such chunk arrives in time, the new branch starts with a marked discontinuity. Chunks are
// the same if they have the same `origin` object: numbers of different sources can be equal.
import type { AnyChunk } from '../../plugin/contract.js'
import type { Clock } from '../../plugin/tokens.js'
import type { EdgeCut } from '../../observe/reload-report.js'
import { isRandomAccessPoint } from '../../plugin/random-access-point.js'
import { type Edge, EDGE_BOUND_BYTES } from '../edge/edge.js'
import { compareRoots, type Port, type PortReader } from '../edge/port.js'

/** The cutover does not wait for a branch that has been silent for this long. */
export const SILENT_MS = 1000
/** The old branch is held back at a boundary for at most this long, until the new one arrives there. */
const CATCH_UP_MS = 1000
/** Bounds of the time limit for a clean cut. */
const CUT_WITHIN_MS = { least: 5000, most: 60_000 }

export interface CutoverSettings {
  /** Id of the reader. */
  readonly node: string
  /** Id of the new node; if it fails, the reader stays with the old branch. By default the reader itself. */
  readonly newNode?: string
  readonly clock: Clock
  /** The old branch. Its edge ends, unless `to` has the same edge. */
  readonly from: { readonly port: Port; readonly edge: Edge }
  /** The new branch; without it the reader ends at the boundary. */
  readonly to?: { readonly port: Port; readonly edge: Edge }
  /** Why the new node can't be read any more; undefined while it can. By default it always can. */
  failure?(): unknown
  /** Called right before the new branch is read. If it throws, the reader stays with the old branch. */
  onCut?(): void
}

type Origin = AnyChunk['origin']

export class Cutover {
  readonly node: string
  readonly newNode: string
  readonly done: Promise<EdgeCut>
  readonly #settings: CutoverSettings
  /** `overlapping`: the branches can carry the same chunks, and choose for themselves. */
  readonly #relation: ReturnType<typeof compareRoots>
  /** Chunks of the new branch that the old one has not delivered. */
  #ahead: AnyChunk[] = []
  #aheadBytes = 0
  /** Chunks of the old branch from a possible boundary on, held back until the new branch catches up. */
  #held: AnyChunk[] = []
  #heldBytes = 0
  /** The last chunk that the old branch has delivered. */
  #last: Origin | undefined
  /** All of them, if the new branch can carry them too. */
  readonly #delivered = new WeakSet<Origin>()
  #lastAtMs = -Infinity
  /** `rolledBack`: the reader stays with the old branch. `cutOver`: the reader has left it. */
  #state: 'idle' | 'cutting' | 'rolledBack' | 'cutOver' = 'idle'
  /** The new branch has ended for good. */
  #isComplete = false
  /** The next chunk of the new branch must be marked: it does not continue the old branch. */
  #isMarked = false
  /** The next chunk of the new branch must carry a mark that was set before the branch had a reader. */
  #mustMark = false
  #startedMs = 0
  #timers: Disposable[] = []
  #holdTimer: Disposable | undefined
  #settle: { resolve(cut: EdgeCut): void; reject(error: unknown): void } = {
    resolve: () => undefined,
    reject: () => undefined,
  }
  readonly #oldSide: PortReader = { push: (chunk) => this.#takeOld(chunk), complete: () => this.#endOld() }
  readonly #newSide: PortReader = { push: (chunk) => this.#takeNew(chunk), complete: () => this.#endNew() }

  constructor(settings: CutoverSettings) {
    this.#settings = settings
    this.node = settings.node
    this.newNode = settings.newNode ?? settings.node
    this.#relation = settings.to === undefined ? 'different' : compareRoots(settings.from.port, settings.to.port)
    this.done = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
    })
    this.done.catch(() => undefined)
  }

  /** Looks for a boundary from now on. Must not be called while a chunk is being delivered. */
  start(): void {
    const { clock, from, to } = this.#settings
    this.#startedMs = clock.nowMs()
    this.#lastAtMs = from.edge.lastChunkMs
    this.#state = 'cutting'
    from.port.disconnect(from.edge)
    from.port.connect(this.#oldSide)
    to?.port.connect(this.#newSide)
    const withinMs = cutWithinMs(from.edge.randomAccessIntervalMs)
    this.#timers.push(
      clock.after(withinMs, () => this.#cutAnywhere()),
      clock.every(SILENT_MS / 10, () => this.#check()),
    )
    this.#cutIfSilent()
  }

  /** Cuts now, wherever the streams are. */
  force(): void {
    if (this.#state === 'cutting') this.#cutAnywhere()
  }

  /**
   * Connects the reader directly to its branch; called after `done`. Must not be called while a chunk is being
   * delivered.
   */
  connectReader(): void {
    const { from, to } = this.#settings
    from.port.disconnect(this.#oldSide)
    to?.port.disconnect(this.#newSide)
    if (this.#state !== 'cutOver') from.port.connect(from.edge)
    else if (to !== undefined) {
      to.edge.port = to.port
      // Nothing has arrived since the cut.
      if (this.#isMarked) to.edge.markLost()
      if (!this.#isComplete) to.port.connect(to.edge)
    }
  }

  #takeOld(chunk: AnyChunk): void {
    if (this.#state === 'cutOver') return
    if (this.#state === 'rolledBack') return this.#settings.from.edge.push(chunk)
    this.#lastAtMs = this.#settings.clock.nowMs()
    if (this.#held.length > 0) this.#hold(chunk)
    // Several chunks can share an origin; only the first can be a boundary.
    else if (isRandomAccessPoint(chunk) && chunk.origin !== this.#last) this.#atBoundary(chunk)
    else this.#deliver(chunk)
  }

  #atBoundary(chunk: AnyChunk): void {
    const { to } = this.#settings
    if (to === undefined) return void this.#cut([], 'clean')
    if (this.#relation === 'different') {
      const at = this.#ahead.findLastIndex(isRandomAccessPoint)
      if (at < 0 || !this.#cut(this.#ahead.slice(at), 'marked')) this.#deliver(chunk)
      return
    }
    const at = this.#ahead.findIndex(({ origin }) => origin === chunk.origin)
    const match = this.#ahead[at]
    if (match === undefined) this.#hold(chunk)
    else if (!isRandomAccessPoint(match) || !this.#cutCleanly(chunk, this.#ahead.slice(at))) this.#deliver(chunk)
  }

  /** Holds the old branch at a boundary that the new one may not have reached yet. */
  #hold(chunk: AnyChunk): void {
    this.#holdTimer ??= this.#settings.clock.after(CATCH_UP_MS, () => this.#release())
    this.#held.push(chunk)
    this.#heldBytes += chunk.bytes.length
    if (this.#heldBytes > EDGE_BOUND_BYTES) this.#release()
  }

  /** The new branch has not reached the boundary: the old one continues. */
  #release(): void {
    this.#holdTimer?.[Symbol.dispose]()
    this.#holdTimer = undefined
    this.#heldBytes = 0
    for (const chunk of this.#held.splice(0)) this.#deliver(chunk)
  }

  #deliver(chunk: AnyChunk): void {
    this.#last = chunk.origin
    if (this.#relation !== 'different') {
      this.#delivered.add(chunk.origin)
      this.#drop(this.#ahead.findLastIndex(({ origin }) => origin === chunk.origin) + 1)
    }
    this.#settings.from.edge.push(chunk)
  }

  /** The new branch has nothing to add to what the old one has delivered up to there. */
  #drop(count: number): void {
    for (const { bytes } of this.#ahead.splice(0, count)) this.#aheadBytes -= bytes.length
  }

  #takeNew(chunk: AnyChunk): void {
    if (this.#state === 'rolledBack') return
    if (this.#delivered.has(chunk.origin)) return this.#drop(this.#ahead.length)
    if (this.#state === 'cutOver') return this.#pushNew(chunk)
    const isFirst = this.#ahead.at(-1)?.origin !== chunk.origin
    this.#keep(chunk)
    const [boundary] = this.#held
    if (boundary === undefined || !isFirst) return
    if (chunk.origin === boundary.origin && isRandomAccessPoint(chunk)) this.#cutCleanly(boundary, [chunk])
    else this.#release()
  }

  /** Bounded: drops whole GOPs, oldest first. */
  #keep(chunk: AnyChunk): void {
    this.#ahead.push(chunk)
    this.#aheadBytes += chunk.bytes.length
    while (this.#aheadBytes > EDGE_BOUND_BYTES) {
      const next = this.#ahead.findIndex((each, index) => index > 0 && isRandomAccessPoint(each))
      this.#drop(next < 0 ? this.#ahead.length : next)
    }
  }

  #check(): void {
    const failure = this.#settings.failure?.()
    if (this.#state === 'cutting' && failure !== undefined) this.#rollBack(failure)
    else this.#cutIfSilent()
  }

  #cutIfSilent(): void {
    const { clock, from } = this.#settings
    if (this.#state !== 'cutting' || clock.nowMs() - this.#lastAtMs < SILENT_MS) return
    // A paused source is silent because its readers hold.
    if (from.edge.hasWaitingSource) return
    this.#cutAnywhere()
  }

  #cutAnywhere(): void {
    if (this.#state !== 'cutting') return
    this.#release()
    const { from, to } = this.#settings
    if (to === undefined || to.port === from.port) return void this.#cut(this.#ahead, 'clean')
    // Chunks that the old branch has delivered are not repeated; those it has not delivered are at most one GOP.
    const entry = this.#relation === 'same' ? 0 : Math.max(0, this.#ahead.findLastIndex(isRandomAccessPoint))
    this.#cut(this.#ahead.slice(entry), 'marked')
  }

  /**
   * No reader has missed what the new branch lost before: its first chunk takes the discontinuity of the old branch's
   * chunk.
   */
  #cutCleanly({ discontinuity }: AnyChunk, [first, ...others]: readonly AnyChunk[]): boolean {
    return this.#cut(first === undefined ? [] : [{ ...first, discontinuity }, ...others], 'clean')
  }

  /** False if the reader stays with the old branch. */
  #cut(chunks: readonly AnyChunk[], how: EdgeCut['how']): boolean {
    const { clock, from, to, onCut } = this.#settings
    try {
      onCut?.()
    } catch (error) {
      this.#rollBack(error)
      return false
    }
    this.#stopTimers()
    this.#state = 'cutOver'
    this.#held = []
    this.#ahead = []
    this.#isMarked = how === 'marked'
    this.#mustMark = to?.port.isMarked === true
    if (to === undefined) from.edge.complete()
    else {
      // Chunks that the old reader has not taken yet go to the new one.
      if (to.edge !== from.edge) for (const chunk of from.edge.takeQueue()) to.edge.push(chunk)
      for (const chunk of chunks) this.#pushNew(chunk)
    }
    if (this.#isComplete) to?.edge.complete()
    this.#settle.resolve({ node: this.node, how, waitedMs: Math.round(clock.nowMs() - this.#startedMs) })
    return true
  }

  /** The reader stays with the old branch. */
  #rollBack(error: unknown): void {
    this.#stopTimers()
    this.#state = 'rolledBack'
    this.#release()
    this.#settle.reject(error)
  }

  #stopTimers(): void {
    for (const timer of this.#timers.splice(0)) timer[Symbol.dispose]()
    this.#holdTimer?.[Symbol.dispose]()
  }

  /** A different stream starts at a random access point; the same stream continues with any chunk. */
  #pushNew(chunk: AnyChunk): void {
    const edge = this.#settings.to?.edge
    const mustMark = this.#mustMark && chunk.discontinuity === false
    this.#mustMark = false
    if (!this.#isMarked) return edge?.push(mustMark ? { ...chunk, discontinuity: 'marked' } : chunk)
    this.#isMarked = false
    if (this.#relation === 'same') return edge?.push({ ...chunk, discontinuity: 'lost' })
    edge?.markLost()
    edge?.push(chunk)
  }

  /** The old branch has ended for good. */
  #endOld(): void {
    if (this.#state === 'rolledBack') this.#settings.from.edge.complete()
    else this.#cutAnywhere()
  }

  #endNew(): void {
    this.#isComplete = true
    if (this.#state === 'cutOver') this.#settings.to?.edge.complete()
  }
}

/** Two GOPs, within bounds: the next reload waits for it, and the last GOP may have been an outage. */
export function cutWithinMs(randomAccessIntervalMs: number): number {
  return Math.min(CUT_WITHIN_MS.most, Math.max(CUT_WITHIN_MS.least, 2 * randomAccessIntervalMs))
}
