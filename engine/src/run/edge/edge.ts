// One edge of the graph: from a port to a reader. Hands chunks over at once; while the reader holds, queues them up to a
// bound, then drops whole GOPs, the oldest first. What a reader throws stays on this side of the edge.
import type { AnyChunk, Inlet } from '../../plugin/contract.js'
import { ChunkStream } from './chunk-stream.js'
import type { Pausable, Port, PortReader } from './port.js'

/** Most bytes that wait on an edge. */
export const EDGE_BOUND_BYTES = 8 * 1024 * 1024

export interface EdgeSettings {
  /** `node.port` that it reads. */
  readonly id: string
  readonly boundBytes?: number
  /** Runs what the reader does with a chunk; what it throws is the reader's own failure. */
  enter(run: () => void): void
}

/** Plain numbers, read at scrape time. */
export interface EdgeCounters {
  receivedBytes: number
  queuedBytes: number
  droppedBytes: number
  /** Times that the edge began to drop. */
  drops: number
}

export class Edge implements PortReader {
  id: string
  /** What it reads, or is about to read. */
  port: Port | undefined
  readonly counters: EdgeCounters = { receivedBytes: 0, queuedBytes: 0, droppedBytes: 0, drops: 0 }
  readonly inlet: Inlet
  readonly #settings: EdgeSettings
  readonly #boundBytes: number
  readonly #stream = new ChunkStream()
  readonly #queue: AnyChunk[] = []
  #holds = 0
  /** Counts the readers that were attached: holds of one that has gone count no more. */
  #readers = 0
  #isAttached = true
  #isPressing = false
  #isDraining = false
  #isComplete = false
  #isClosed = false
  /** Chunks were dropped; the next one handed over begins at a random access point and says so. */
  #isLost = false
  #skippedBytes = 0
  readonly #whenDelivered: (() => void)[] = []
  /** When the last chunk came, and how long it took from the last entry to the one before; for the wait of a cut. */
  lastChunkMs = -Infinity
  entryIntervalMs = 0
  #lastEntryMs = -1
  /** The inputs that wait while the reader holds. */
  #sources: readonly Pausable[] = []

  constructor(settings: EdgeSettings) {
    this.id = settings.id
    this.#settings = settings
    this.#boundBytes = settings.boundBytes ?? EDGE_BOUND_BYTES
    this.inlet = this.#makeInlet()
  }

  get sources(): readonly Pausable[] {
    return this.#sources
  }

  /** The reader makes these wait from now on. By default none. */
  set sources(sources: readonly Pausable[]) {
    if (this.#isPressing) for (const source of this.#sources) if (!sources.includes(source)) source.press(false)
    if (this.#isPressing) for (const source of sources) if (!this.#sources.includes(source)) source.press(true)
    this.#sources = sources
  }

  push(chunk: AnyChunk): void {
    if (this.#isClosed || this.#isComplete) return
    this.counters.receivedBytes += chunk.bytes.length
    this.#note(chunk)
    if (!this.#isAttached) this.#leaveOut(chunk)
    else if (this.#holds === 0 && this.#queue.length === 0 && !this.#isDraining) this.#snapshotState(chunk)
    else this.#enqueue(chunk)
  }

  /** Some source behind it waits for its reader, or for another one. */
  get isWaitedFor(): boolean {
    return this.#sources.some((source) => source.isPausable && source.isPressed)
  }

  /** What comes next does not follow on what came before: the next chunk handed over is an entry, and says so. */
  markLost(): void {
    this.#isLost = true
    this.#skippedBytes = 0
  }

  get isComplete(): boolean {
    return this.#isComplete
  }

  /** Nothing more will come; the reader is told when it has taken what waits. */
  complete(): void {
    if (this.#isComplete) return
    this.#isComplete = true
    this.#drain()
  }

  /** Resolves when the edge has completed and handed everything over, or has nobody to hand it to. */
  async delivered(): Promise<void> {
    if (!this.#isDelivered) await new Promise<void>((resolve) => this.#whenDelivered.push(resolve))
  }

  /** What waits for the reader, which gets nothing more. */
  takeQueue(): readonly AnyChunk[] {
    this.counters.queuedBytes = 0
    return this.#queue.splice(0)
  }

  /** The reader has failed: its holds count no more, and what comes until the next one is attached is dropped. */
  detach(): void {
    if (!this.#isAttached) return
    this.#isAttached = false
    this.#readers++
    this.#holds = 0
    for (const chunk of this.#queue.splice(0)) this.#leaveOut(chunk)
    this.counters.queuedBytes = 0
    // The stream has a hole for whoever reads next, even if nothing comes until then.
    if (this.counters.receivedBytes > 0) this.#isLost = true
    this.#press(false)
    this.#noteDelivered()
  }

  /** A reader is about to subscribe. */
  attach(): void {
    this.#isAttached = true
    this.#skippedBytes = 0
  }

  /** The reader is gone for good. */
  close(): void {
    this.#isClosed = true
    this.#queue.length = 0
    this.counters.queuedBytes = 0
    this.#press(false)
    this.#noteDelivered()
  }

  get #isDelivered(): boolean {
    return this.#isClosed || (this.#isComplete && this.#queue.length === 0 && this.#holds === 0)
  }

  #note(chunk: AnyChunk): void {
    this.lastChunkMs = chunk.receivedAtMs
    if (!isEntry(chunk)) return
    if (this.#lastEntryMs >= 0) this.entryIntervalMs = chunk.receivedAtMs - this.#lastEntryMs
    this.#lastEntryMs = chunk.receivedAtMs
  }

  #noteDelivered(): void {
    if (this.#isDelivered) for (const resolve of this.#whenDelivered.splice(0)) resolve()
  }

  #makeInlet(): Inlet {
    const id = (): string => this.id
    const isPausable = (): boolean => this.#isPausable
    return {
      get id() {
        return id()
      },
      chunks: this.#stream.chunks,
      get pausable() {
        return isPausable()
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
    this.#press(true)
    return {
      [Symbol.dispose]: () => {
        if (!isHeld || reader !== this.#readers) return
        isHeld = false
        this.#holds--
        this.#drain()
      },
    }
  }

  #press(isHeld: boolean): void {
    if (this.#isPressing === isHeld) return
    this.#isPressing = isHeld
    for (const source of this.#sources) source.press(isHeld)
  }

  #enqueue(chunk: AnyChunk): void {
    this.#queue.push(chunk)
    this.counters.queuedBytes += chunk.bytes.length
    if (this.counters.queuedBytes <= this.#boundBytes || this.#isPausable) return
    this.counters.drops++
    while (this.counters.queuedBytes > this.#boundBytes) this.#dropOldest()
  }

  /** Drops up to the next random access point in the queue; all of it, if there is none. */
  #dropOldest(): void {
    let count = 1
    while (count < this.#queue.length && !isEntry(this.#queue[count]!)) count++
    for (const chunk of this.#queue.splice(0, count)) {
      this.counters.queuedBytes -= chunk.bytes.length
      this.counters.droppedBytes += chunk.bytes.length
    }
    this.#isLost = true
    this.#skippedBytes = 0
  }

  /** Nobody reads. */
  #leaveOut(chunk: AnyChunk): void {
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
      this.#snapshotState(chunk)
    }
    this.#isDraining = false
    if (this.#holds > 0 || this.#queue.length > 0) return
    this.#press(false)
    if (this.#isComplete) this.#settings.enter(() => this.#stream.complete())
    this.#noteDelivered()
  }

  #snapshotState(chunk: AnyChunk): void {
    let next = chunk
    if (this.#isLost) {
      // A stream without random access points goes on anyway, a bound later.
      if (!isEntry(chunk) && this.#skippedBytes < this.#boundBytes) {
        this.#skippedBytes += chunk.bytes.length
        this.counters.droppedBytes += chunk.bytes.length
        return
      }
      this.#isLost = false
      next = { ...chunk, discontinuity: 'lost' }
    }
    this.#settings.enter(() => this.#stream.next(next))
  }
}

/** A reader can begin with this chunk. */
export function isEntry(chunk: AnyChunk): boolean {
  return chunk.kind === 'gop' ? chunk.first : chunk.randomAccess
}

/** The edges of a node count on where those of the node before it ended. */
export function inheritCounters(before: readonly Edge[], after: readonly Edge[]): void {
  const [first] = after
  if (first === undefined || before.includes(first)) return
  for (const { counters } of after) Object.assign(counters, { receivedBytes: 0, droppedBytes: 0, drops: 0 })
  for (const edge of before) {
    first.counters.receivedBytes += edge.counters.receivedBytes
    first.counters.droppedBytes += edge.counters.droppedBytes
    first.counters.drops += edge.counters.drops
  }
}
