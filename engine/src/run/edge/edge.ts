// One edge of the graph, from a port to a reader. Delivers chunks at once; while the reader holds, queues them up to a
// bound, then drops whole GOPs, oldest first. An error that the reader throws does not reach the port.
import type { AnyChunk, Inlet } from '../../plugin/contract.js'
import { isRandomAccessPoint } from '../../plugin/random-access-point.js'
import { catchConsumers } from './catch-consumers.js'
import { ChunkStream } from './chunk-stream.js'
import { compareRoots, type Pausable, type Port, type PortReader } from './port.js'
import { RateMeter } from './rate-meter.js'

/** The most bytes that an edge queues. */
export const EDGE_BOUND_BYTES = 8 * 1024 * 1024

export interface EdgeSettings {
  /** The `node.port` it reads. */
  readonly id: string
  readonly boundBytes?: number
  /** Runs the reader's code for a chunk; an error it throws is the reader's own failure. */
  enter(run: () => void): void
  /** Called when a consumer of the reader's stream throws. */
  fail(error: unknown): void
}

/** Plain numbers, read at scrape time. */
export interface EdgeCounters {
  receivedBytes: number
  queuedBytes: number
  droppedBytes: number
  /** How often the edge began to drop. */
  drops: number
}

export class Edge implements PortReader {
  id: string
  /** The port it reads, or is about to read. */
  port: Port | undefined
  readonly counters: EdgeCounters = { receivedBytes: 0, queuedBytes: 0, droppedBytes: 0, drops: 0 }
  readonly inlet: Inlet
  readonly rate = new RateMeter()
  /** Called when the reader has taken a chunk, with its time of arrival. By default nothing. */
  onTaken: (receivedAtMs: number) => void = () => undefined
  readonly #settings: EdgeSettings
  readonly #boundBytes: number
  readonly #stream: ChunkStream
  readonly #queue: AnyChunk[] = []
  #holds = 0
  /** Number of the current reader: holds of earlier readers no longer count. */
  #readers = 0
  #isAttached = true
  #hasBackpressure = false
  #isDraining = false
  #isComplete = false
  #isClosed = false
  /** Chunks were dropped; the next one delivered starts at a random access point and is marked `lost`. */
  #isLost = false
  #skippedBytes = 0
  readonly #whenDelivered: (() => void)[] = []
  /** For a cutover: when the last chunk arrived, and the time between the last two random access points. */
  lastChunkMs = -Infinity
  randomAccessIntervalMs = 0
  #lastRandomAccessMs = -1
  #lastGeneration = -1
  /** Inputs that wait while the reader holds. */
  #sources: readonly Pausable[] = []

  constructor(settings: EdgeSettings) {
    this.id = settings.id
    this.#settings = settings
    this.#boundBytes = settings.boundBytes ?? EDGE_BOUND_BYTES
    this.#stream = new ChunkStream()
    this.inlet = this.#makeInlet()
  }

  get sources(): readonly Pausable[] {
    return this.#sources
  }

  /** From now on the reader makes these wait. By default none. */
  set sources(sources: readonly Pausable[]) {
    if (this.#hasBackpressure)
      for (const source of this.#sources) if (!sources.includes(source)) source.noteBackpressure(false)
    if (this.#hasBackpressure)
      for (const source of sources) if (!this.#sources.includes(source)) source.noteBackpressure(true)
    this.#sources = sources
  }

  /** The reader holds, or has not taken yet what was queued while it held. */
  get isHeld(): boolean {
    return this.#holds > 0 || this.#queue.length > 0
  }

  push(chunk: AnyChunk): void {
    if (this.#isClosed || this.#isComplete) return
    this.counters.receivedBytes += chunk.bytes.length
    this.#note(chunk)
    if (!this.#isAttached) this.#drop(chunk)
    else if (this.#holds === 0 && this.#queue.length === 0 && !this.#isDraining) this.#deliver(chunk)
    else this.#enqueue(chunk)
  }

  /** A source behind it is waiting, for this reader or another one. */
  get hasWaitingSource(): boolean {
    return this.#sources.some((source) => source.isPausable && source.isUnderBackpressure)
  }

  /** The next chunks do not continue the earlier ones: the next chunk delivered is a random access point marked `lost`. */
  markLost(): void {
    this.#isLost = true
    this.#skippedBytes = 0
  }

  get isComplete(): boolean {
    return this.#isComplete
  }

  /** No more chunks will arrive; the reader's stream completes once it has taken the queue. */
  complete(): void {
    if (this.#isComplete) return
    this.#isComplete = true
    this.#drain()
  }

  /** Resolves when the edge has completed and delivered everything, or has no reader left. */
  async delivered(): Promise<void> {
    if (!this.#isDelivered) await new Promise<void>((resolve) => this.#whenDelivered.push(resolve))
  }

  /** Takes the queued chunks away from the reader. */
  takeQueue(): readonly AnyChunk[] {
    this.counters.queuedBytes = 0
    return this.#queue.splice(0)
  }

  /** The reader has failed: its holds no longer count, and chunks are dropped until the next reader attaches. */
  detach(): void {
    if (!this.#isAttached) return
    this.#isAttached = false
    this.#readers++
    this.#holds = 0
    for (const chunk of this.#queue.splice(0)) this.#drop(chunk)
    this.counters.queuedBytes = 0
    // The next reader's stream has a gap even if no chunk arrives until then.
    if (this.counters.receivedBytes > 0) this.#isLost = true
    this.#setBackpressure(false)
    this.#noteDelivered()
  }

  /** A reader is about to subscribe. */
  attach(): void {
    this.#isAttached = true
    this.#skippedBytes = 0
  }

  /** The reader has gone for good. */
  close(): void {
    this.#isClosed = true
    this.#queue.length = 0
    this.counters.queuedBytes = 0
    this.#setBackpressure(false)
    this.#noteDelivered()
  }

  get #isDelivered(): boolean {
    return this.#isClosed || (this.#isComplete && this.#queue.length === 0 && this.#holds === 0)
  }

  #note(chunk: AnyChunk): void {
    this.lastChunkMs = chunk.receivedAtMs
    if (!isRandomAccessPoint(chunk)) return
    const { generation } = chunk.origin
    // An outage is no interval.
    if (generation === this.#lastGeneration) this.randomAccessIntervalMs = chunk.receivedAtMs - this.#lastRandomAccessMs
    this.#lastGeneration = generation
    this.#lastRandomAccessMs = chunk.receivedAtMs
  }

  #noteDelivered(): void {
    if (this.#isDelivered) for (const resolve of this.#whenDelivered.splice(0)) resolve()
  }

  #makeInlet(): Inlet {
    const id = (): string => this.id
    const isPausable = (): boolean => this.#isPausable
    const lostAtMs = (): number => this.port?.lostAtMs ?? -Infinity
    return {
      get id() {
        return id()
      },
      chunks: catchConsumers(this.#stream.chunks, (error) => this.#settings.fail(error)),
      get pausable() {
        return isPausable()
      },
      get lostAtMs() {
        return lostAtMs()
      },
      hold: () => this.#hold(),
    }
  }

  get #isPausable(): boolean {
    return this.#sources.length > 0 && this.#sources.every((source) => source.isPausable)
  }

  #hold(): Disposable {
    let isHeld = this.#isAttached && !this.#isClosed
    if (!isHeld) return { [Symbol.dispose]: () => undefined }
    const reader = this.#readers
    this.#holds++
    this.#setBackpressure(true)
    return {
      [Symbol.dispose]: () => {
        if (!isHeld || reader !== this.#readers) return
        isHeld = false
        this.#holds--
        this.#drain()
      },
    }
  }

  #setBackpressure(isOn: boolean): void {
    if (this.#hasBackpressure === isOn) return
    this.#hasBackpressure = isOn
    for (const source of this.#sources) source.noteBackpressure(isOn)
  }

  #enqueue(chunk: AnyChunk): void {
    this.#queue.push(chunk)
    this.counters.queuedBytes += chunk.bytes.length
    if (this.counters.queuedBytes <= this.#boundBytes || this.#isPausable) return
    this.counters.drops++
    while (this.counters.queuedBytes > this.#boundBytes) this.#dropOldest()
  }

  /** Drops up to the next random access point in the queue, or everything if there is none. */
  #dropOldest(): void {
    let count = 1
    while (count < this.#queue.length && !isRandomAccessPoint(this.#queue[count]!)) count++
    for (const chunk of this.#queue.splice(0, count)) {
      this.counters.queuedBytes -= chunk.bytes.length
      this.counters.droppedBytes += chunk.bytes.length
    }
    this.#isLost = true
    this.#skippedBytes = 0
  }

  /** The edge has no reader. */
  #drop(chunk: AnyChunk): void {
    if (!this.#isLost) this.counters.drops++
    this.#isLost = true
    this.counters.droppedBytes += chunk.bytes.length
  }

  #drain(): void {
    if (this.#isDraining || this.#isClosed) return
    this.#isDraining = true
    while (this.#holds === 0) {
      const chunk = this.#queue.shift()
      if (chunk === undefined) break
      this.counters.queuedBytes -= chunk.bytes.length
      this.#deliver(chunk)
    }
    this.#isDraining = false
    if (this.#holds > 0 || this.#queue.length > 0) return
    this.#setBackpressure(false)
    if (this.#isComplete) this.#settings.enter(() => this.#stream.complete())
    this.#noteDelivered()
  }

  #deliver(chunk: AnyChunk): void {
    let next = chunk
    if (this.#isLost) {
      // A stream without random access points continues anyway, after one bound of bytes.
      if (!isRandomAccessPoint(chunk) && this.#skippedBytes < this.#boundBytes) {
        this.#skippedBytes += chunk.bytes.length
        this.counters.droppedBytes += chunk.bytes.length
        return
      }
      this.#isLost = false
      next = { ...chunk, discontinuity: 'lost' }
    }
    this.#settings.enter(() => this.#stream.next(next))
    this.onTaken(chunk.receivedAtMs)
  }
}

/** Counters of the new node's edges continue where those of the old node ended. */
export function continueCounters(before: readonly Edge[], after: readonly Edge[]): void {
  const [first] = after
  if (first === undefined || before.includes(first)) return
  for (const { counters } of after) Object.assign(counters, { receivedBytes: 0, droppedBytes: 0, drops: 0 })
  for (const edge of before) {
    first.counters.receivedBytes += edge.counters.receivedBytes
    first.counters.droppedBytes += edge.counters.droppedBytes
    first.counters.drops += edge.counters.drops
  }
}

/** Maps each new edge to an old one that reads the same stream, one with the same id if there is one; others are left out. */
export function continuedEdges(before: readonly Edge[], after: readonly Edge[]): ReadonlyMap<Edge, Edge> {
  const left = new Set(before)
  const continued = new Map<Edge, Edge>()
  const match = (fits: (old: Edge, edge: Edge) => boolean): void => {
    for (const edge of after) {
      const old = continued.has(edge)
        ? undefined
        : [...left].find((each) => isSameStream(each, edge) && fits(each, edge))
      if (old === undefined) continue
      continued.set(edge, old)
      left.delete(old)
    }
  }
  match((old, edge) => old.id === edge.id)
  match(() => true)
  return continued
}

function isSameStream({ port: a }: Edge, { port: b }: Edge): boolean {
  return a !== undefined && b !== undefined && compareRoots(a, b) !== 'different'
}

/** Why no viewer can start in what these carry, in words that viewers may read; empty if one can, or if it is unknown. */
export function whyNoneStarts(edges: readonly Edge[]): string {
  return edges.map(({ port }) => port?.whyNoStart ?? '').find((why) => why !== '') ?? ''
}

/** When the last source of these was lost, monotonic; -Infinity if one of them never was. */
export function lostAtMs(edges: readonly Edge[]): number {
  return edges.length === 0 ? -Infinity : Math.min(...edges.map(({ port }) => port?.lostAtMs ?? -Infinity))
}
