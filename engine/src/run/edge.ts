// One edge of the graph: from a port to a reader. Hands chunks over at once; while the reader holds, queues them up to a
// bound, then drops whole GOPs, the oldest first. What a reader throws stays on this side of the edge.
import { Subject } from 'rxjs'
import type { AnyChunk, Inlet } from '../plugin/contract.js'

/** Most bytes that wait on an edge. */
export const EDGE_BOUND_BYTES = 8 * 1024 * 1024

export interface EdgeSettings {
  /** `node.port` that it reads. */
  readonly id: string
  readonly boundBytes?: number
  /** Every source behind it can wait. */
  isPausable(): boolean
  /** Called when the reader begins to hold (true) and when everything it held back has been handed over (false). */
  onPressure(isHeld: boolean): void
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

export class Edge {
  readonly id: string
  readonly counters: EdgeCounters = { receivedBytes: 0, queuedBytes: 0, droppedBytes: 0, drops: 0 }
  readonly inlet: Inlet
  readonly #settings: EdgeSettings
  readonly #boundBytes: number
  readonly #chunks = new Subject<AnyChunk>()
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

  constructor(settings: EdgeSettings) {
    this.id = settings.id
    this.#settings = settings
    this.#boundBytes = settings.boundBytes ?? EDGE_BOUND_BYTES
    this.inlet = this.#makeInlet()
  }

  push(chunk: AnyChunk): void {
    if (this.#isClosed || this.#isComplete) return
    this.counters.receivedBytes += chunk.bytes.length
    if (!this.#isAttached) this.#leaveOut(chunk)
    else if (this.#holds === 0 && this.#queue.length === 0 && !this.#isDraining) this.#handOver(chunk)
    else this.#enqueue(chunk)
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

  #noteDelivered(): void {
    if (this.#isDelivered) for (const resolve of this.#whenDelivered.splice(0)) resolve()
  }

  #makeInlet(): Inlet {
    const settings = this.#settings
    const hold = (): Disposable => this.#hold()
    return {
      id: settings.id,
      chunks: this.#chunks.asObservable(),
      get pausable() {
        return settings.isPausable()
      },
      hold,
    }
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
    this.#settings.onPressure(isHeld)
  }

  #enqueue(chunk: AnyChunk): void {
    this.#queue.push(chunk)
    this.counters.queuedBytes += chunk.bytes.length
    if (this.counters.queuedBytes <= this.#boundBytes || this.#settings.isPausable()) return
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
      this.#handOver(chunk)
    }
    this.#isDraining = false
    if (this.#holds > 0 || this.#queue.length > 0) return
    this.#press(false)
    if (this.#isComplete) this.#settings.enter(() => this.#chunks.complete())
    this.#noteDelivered()
  }

  #handOver(chunk: AnyChunk): void {
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
    this.#settings.enter(() => this.#chunks.next(next))
  }
}

/** A reader can begin with this chunk. */
function isEntry(chunk: AnyChunk): boolean {
  return chunk.kind === 'gop' ? chunk.first : chunk.randomAccess
}
