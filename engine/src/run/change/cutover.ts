// Hands a reader over from one branch of the graph to another, or ends it, at a chunk where reading can begin. Where both
// branches carry the same stream, the old one stops right before the chunk with which the new one starts: no gap and no
// repeat. Elsewhere, and where no such chunk comes in time, the new branch starts with a marked discontinuity.
import type { AnyChunk } from '../../plugin/contract.js'
import type { Clock } from '../../plugin/tokens.js'
import type { EdgeCut } from '../../observe/reload-report.js'
import { type Edge, EDGE_BOUND_BYTES, isEntry } from '../edge/edge.js'
import type { Port, PortReader } from '../edge/port.js'

/** A branch that was silent for this long is not waited for. */
export const SILENT_MS = 1000
/** The old branch is held back at a boundary at most so long, for the new one to get there. */
const CATCH_UP_MS = 1000
/** The least that a cut is waited for. */
export const CUT_WITHIN_MS = 5000

export interface CutoverSettings {
  /** Id of the reader. */
  readonly node: string
  /** Id of the node that is new, whose failure keeps the reader where it was; by default the reader itself. */
  readonly newcomer?: string
  readonly clock: Clock
  /** What is left. The edge ends, or, where it is the same as the one of `to`, goes on. */
  readonly from: { readonly port: Port; readonly edge: Edge }
  /** What is read instead; without it the reader comes to its end at the boundary. */
  readonly to?: { readonly port: Port; readonly edge: Edge }
  /** Why the newcomer can't be read any more; undefined while it can. By default it always can. */
  failure?(): unknown
  /** Called right before the new branch is read. What it throws leaves the reader where it was. */
  onCut?(): void
}

type Origin = AnyChunk['origin']

export class Cutover {
  readonly node: string
  readonly newcomer: string
  readonly done: Promise<EdgeCut>
  readonly #settings: CutoverSettings
  /** Both branches number chunks alike. */
  readonly #isSameStream: boolean
  /** Chunks of the new branch that the old one has not delivered. */
  #ahead: AnyChunk[] = []
  #aheadBytes = 0
  /** Chunks of the old branch, from a possible boundary on, for which the new one may catch up. */
  #held: AnyChunk[] = []
  #heldBytes = 0
  /** The last chunk that the old branch has delivered. */
  #last: Origin | undefined
  #lastAtMs = -Infinity
  /** `back`: the reader stays with the old branch. `over`: it has left it. */
  #state: 'idle' | 'cutting' | 'back' | 'over' = 'idle'
  /** The new branch has ended for ever. */
  #isComplete = false
  /** The next chunk of the new branch has to say that it does not follow on what came before. */
  #isMarked = false
  /** The next chunk of the new branch has to say what was said while nobody read it. */
  #owes = false
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
    this.newcomer = settings.newcomer ?? settings.node
    this.#isSameStream = settings.to !== undefined && settings.to.port.root === settings.from.port.root
    this.done = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
    })
    this.done.catch(() => undefined)
  }

  /** Looks for a boundary from now on. Not to be called while a chunk is on its way. */
  start(): void {
    const { clock, from, to } = this.#settings
    this.#startedMs = clock.nowMs()
    this.#lastAtMs = from.edge.lastChunkMs
    this.#state = 'cutting'
    from.port.disconnect(from.edge)
    from.port.connect(this.#oldSide)
    to?.port.connect(this.#newSide)
    const withinMs = Math.max(CUT_WITHIN_MS, 2 * from.edge.entryIntervalMs)
    this.#timers.push(
      clock.after(withinMs, () => this.#cutAnywhere()),
      clock.every(SILENT_MS / 10, () => this.#look()),
    )
    this.#cutIfSilent()
  }

  /** Cuts now, wherever the streams are. */
  force(): void {
    if (this.#state === 'cutting') this.#cutAnywhere()
  }

  /** Takes itself out of the way; after `done`. Not to be called while a chunk is on its way. */
  settle(): void {
    const { from, to } = this.#settings
    from.port.disconnect(this.#oldSide)
    to?.port.disconnect(this.#newSide)
    if (this.#state !== 'over') from.port.connect(from.edge)
    else if (to !== undefined) {
      to.edge.port = to.port
      if (!this.#isComplete) to.port.connect(to.edge)
    }
  }

  #takeOld(chunk: AnyChunk): void {
    if (this.#state === 'over') return
    if (this.#state === 'back') return this.#settings.from.edge.push(chunk)
    this.#lastAtMs = this.#settings.clock.nowMs()
    if (this.#held.length > 0) this.#hold(chunk)
    else if (isEntry(chunk) && this.#isNewOrigin(chunk)) this.#atBoundary(chunk)
    else this.#deliver(chunk)
  }

  #atBoundary(chunk: AnyChunk): void {
    const { to } = this.#settings
    if (to === undefined) return void this.#cut([], 'clean')
    if (!this.#isSameStream) {
      const at = this.#ahead.findLastIndex(isEntry)
      if (at < 0 || !this.#cut(this.#ahead.slice(at), 'marked')) this.#deliver(chunk)
      return
    }
    const at = this.#ahead.findIndex(({ origin }) => compare(origin, chunk.origin) >= 0)
    const match = this.#ahead[at]
    if (match === undefined) this.#hold(chunk)
    else if (!isBoundary(match, chunk) || !this.#cutCleanly(chunk, this.#ahead.slice(at))) this.#deliver(chunk)
  }

  /** The old branch waits at a boundary: the new one may not be there yet. */
  #hold(chunk: AnyChunk): void {
    this.#holdTimer ??= this.#settings.clock.after(CATCH_UP_MS, () => this.#release())
    this.#held.push(chunk)
    this.#heldBytes += chunk.bytes.length
    if (this.#heldBytes > EDGE_BOUND_BYTES) this.#release()
  }

  /** The new branch did not come to the boundary: the old one goes on. */
  #release(): void {
    this.#holdTimer?.[Symbol.dispose]()
    this.#holdTimer = undefined
    this.#heldBytes = 0
    for (const chunk of this.#held.splice(0)) this.#deliver(chunk)
  }

  #deliver(chunk: AnyChunk): void {
    this.#last = chunk.origin
    while (this.#isSameStream && this.#ahead.length > 0 && compare(this.#ahead[0]!.origin, chunk.origin) <= 0) {
      this.#aheadBytes -= this.#ahead.shift()!.bytes.length
    }
    this.#settings.from.edge.push(chunk)
  }

  #takeNew(chunk: AnyChunk): void {
    if (this.#state === 'over') return this.#pass(chunk)
    if (this.#state === 'back') return
    if (this.#isSameStream && this.#last !== undefined && compare(chunk.origin, this.#last) <= 0) return
    const isFirst = this.#ahead.length === 0 || compare(this.#ahead.at(-1)!.origin, chunk.origin) !== 0
    this.#keep(chunk)
    const [boundary] = this.#held
    if (boundary === undefined || !isFirst) return
    if (isBoundary(chunk, boundary)) this.#cutCleanly(boundary, [chunk])
    else if (compare(chunk.origin, boundary.origin) >= 0) this.#release()
  }

  /** Bounded: whole GOPs are forgotten, the oldest first. */
  #keep(chunk: AnyChunk): void {
    this.#ahead.push(chunk)
    this.#aheadBytes += chunk.bytes.length
    while (this.#aheadBytes > EDGE_BOUND_BYTES) {
      const next = this.#ahead.findIndex((each, index) => index > 0 && isEntry(each))
      const dropped = this.#ahead.splice(0, next < 0 ? this.#ahead.length : next)
      for (const each of dropped) this.#aheadBytes -= each.bytes.length
    }
  }

  #look(): void {
    const failure = this.#settings.failure?.()
    if (this.#state === 'cutting' && failure !== undefined) this.#stay(failure)
    else this.#cutIfSilent()
  }

  #cutIfSilent(): void {
    const { clock, from } = this.#settings
    if (this.#state !== 'cutting' || clock.nowMs() - this.#lastAtMs < SILENT_MS) return
    // A source that waits for its viewers is silent for their sake.
    if (from.edge.isWaitedFor) return
    this.#cutAnywhere()
  }

  #cutAnywhere(): void {
    if (this.#state !== 'cutting') return
    this.#release()
    const { from, to } = this.#settings
    if (to === undefined || to.port === from.port) return void this.#cut(this.#ahead, 'clean')
    // What the old branch has delivered is not repeated; what it has not is at most a GOP.
    const entry = this.#isSameStream ? 0 : Math.max(0, this.#ahead.findLastIndex(isEntry))
    this.#cut(this.#ahead.slice(entry), 'marked')
  }

  /** What the new branch lost before it was read, nobody has missed: its first chunk says what the old one's says. */
  #cutCleanly({ discontinuity }: AnyChunk, [first, ...others]: readonly AnyChunk[]): boolean {
    return this.#cut(first === undefined ? [] : [{ ...first, discontinuity }, ...others], 'clean')
  }

  /** False if the reader stays where it is. */
  #cut(chunks: readonly AnyChunk[], how: EdgeCut['how']): boolean {
    const { clock, from, to, onCut } = this.#settings
    try {
      onCut?.()
    } catch (error) {
      this.#stay(error)
      return false
    }
    this.#stopTimers()
    this.#state = 'over'
    this.#held = []
    this.#ahead = []
    this.#isMarked = how === 'marked'
    this.#owes = to?.port.isMarked === true
    if (to === undefined) from.edge.complete()
    else {
      // What the old reader had not taken yet is for the new one.
      if (to.edge !== from.edge) for (const chunk of from.edge.takeQueue()) to.edge.push(chunk)
      for (const chunk of chunks) this.#pass(chunk)
    }
    if (this.#isComplete) to?.edge.complete()
    this.#settle.resolve({ node: this.node, how, waitedMs: Math.round(clock.nowMs() - this.#startedMs) })
    return true
  }

  /** The reader stays with the old branch. */
  #stay(error: unknown): void {
    this.#stopTimers()
    this.#state = 'back'
    this.#release()
    this.#settle.reject(error)
  }

  #stopTimers(): void {
    for (const timer of this.#timers.splice(0)) timer[Symbol.dispose]()
    this.#holdTimer?.[Symbol.dispose]()
  }

  /** A stream of its own begins with an entry; the same one goes on with whatever comes. */
  #pass(chunk: AnyChunk): void {
    const edge = this.#settings.to?.edge
    const owes = this.#owes && chunk.discontinuity === false
    this.#owes = false
    if (!this.#isMarked) return edge?.push(owes ? { ...chunk, discontinuity: 'marked' } : chunk)
    this.#isMarked = false
    if (this.#isSameStream) return edge?.push({ ...chunk, discontinuity: 'lost' })
    edge?.markLost()
    edge?.push(chunk)
  }

  /** The old branch has ended for ever. */
  #endOld(): void {
    if (this.#state === 'back') this.#settings.from.edge.complete()
    else this.#cutAnywhere()
  }

  #endNew(): void {
    this.#isComplete = true
    if (this.#state === 'over') this.#settings.to?.edge.complete()
  }

  /** It is the first of several chunks that may have one origin. */
  #isNewOrigin({ origin }: AnyChunk): boolean {
    return this.#last === undefined || compare(origin, this.#last) !== 0
  }
}

/** Reading can go over from the one chunk to the other. */
function isBoundary(next: AnyChunk, before: AnyChunk): boolean {
  return isEntry(next) && compare(next.origin, before.origin) === 0
}

function compare(a: Origin, b: Origin): number {
  return a.generation === b.generation ? a.seq - b.seq : a.generation - b.generation
}
