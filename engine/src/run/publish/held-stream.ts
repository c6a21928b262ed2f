// The stream of one publisher from its first byte on. It holds what arrives until somebody takes it, up to a bound, and
// ends exactly once.
import type { Subscription } from 'rxjs'
import { messageOf } from '../../errors.js'
import type { Received, Source } from '../../plugin/contract.js'
import type { Publisher, PublisherGrant, PublisherRefusal } from '../../plugin/publisher.js'
import type { Clock } from '../../plugin/tokens.js'
import type { PublishRefusal } from './publish-access.js'

/** Bytes that are held before the stream is handed over. */
export const MOST_HELD_BYTES = 1024 * 1024
/** Bytes that are held while the nodes of its pipeline open: 10 s of 13 Mb/s. */
const MOST_HELD_OPENING_BYTES = 16 * 1024 * 1024
/** All streams of an input together. */
const MOST_HELD_BYTES_IN_ALL = 256 * 1024 * 1024
/** An item takes at least this much memory. */
const ITEM_BYTES = 256
/** A reader gets this much of what was held in a turn of the event loop: many streams may begin at the same time. */
const SLICE_BYTES = 128 * 1024

/** What the streams of one input hold together. */
export interface HeldMemory {
  bytes: number
}

/** Why a stream has ended whose publisher has said no more. */
export const STREAM_ENDED = 'it has ended its stream'

export interface StreamReader {
  next(item: Received): void
  /** The publisher has left; `why` is for people. Called once, and nothing follows. */
  end(why: string): void
}

export class HeldStream {
  readonly publisher: Publisher
  /** Called for all bytes while they are held. */
  onHeld: (bytes: Uint8Array) => void = () => undefined
  /** Called when it ends without a reader. */
  onEnd: (why: string) => void = () => undefined
  readonly #clock: Clock
  readonly #memory: HeldMemory
  readonly #source: Source<Received>
  #held: Received[] = []
  #heldBytes = 0
  #mostBytes = MOST_HELD_BYTES
  #reader: StreamReader | undefined
  #subscription: Subscription | undefined
  #isPaused = false
  #ended: string | undefined
  #closed: PublishRefusal | undefined
  #lastMs: number

  /** Throws what `accept` throws. */
  constructor(publisher: Publisher, clock: Clock, memory: HeldMemory, grant: PublisherGrant = {}) {
    this.publisher = publisher
    this.#clock = clock
    this.#memory = memory
    this.#lastMs = clock.nowMs()
    this.#source = publisher.accept(grant)
  }

  /** Subscribes to the source. */
  start(): void {
    const subscription = this.#source.chunks.subscribe({
      next: (item) => this.#take(item),
      error: (error: unknown) => this.#end(messageOf(error)),
      complete: () => this.#end(STREAM_ENDED),
    })
    if (this.#ended === undefined) this.#subscription = subscription
    else subscription.unsubscribe()
  }

  get isOver(): boolean {
    return this.#ended !== undefined
  }

  /** Why it was closed here; undefined if it was not. */
  get closed(): PublishRefusal | undefined {
    return this.#closed
  }

  /** Milliseconds since it has sent anything; none while it is paused: nothing of what it sends is read. */
  get silentMs(): number {
    return this.#isPaused ? 0 : this.#clock.nowMs() - this.#lastMs
  }

  /** It belongs to a pipeline whose nodes open: more is held. */
  expectReader(): void {
    this.#mostBytes = MOST_HELD_OPENING_BYTES
  }

  /** The reader gets everything that is held, in slices, then what follows. */
  read(reader: StreamReader): void {
    this.#reader = reader
    this.#handOver(reader)
  }

  /** Holds what arrives until the pause is disposed; the publisher waits if it can. */
  pause(): Disposable {
    this.#isPaused = true
    const inner = this.#source.pause?.() ?? this.#source.hold?.()
    return {
      [Symbol.dispose]: () => {
        this.#isPaused = false
        this.#lastMs = this.#clock.nowMs()
        inner?.[Symbol.dispose]()
        // Unless a hand-over goes on.
        if (this.#reader !== undefined && this.#held.length > 0) this.#handOver(this.#reader)
      },
    }
  }

  /** Holds again what arrives: the reader is about to be replaced. */
  hold(): void {
    const isEnding = this.#reader !== undefined && this.#ended !== undefined
    this.#reader = undefined
    if (!isEnding) return
    // The rest has nobody to go to.
    this.#drop()
    this.onEnd(this.#ended ?? '')
  }

  /** Ends it at once, and tells the publisher why. Safe twice. */
  close(code: PublisherRefusal, why: string): void {
    if (this.#ended === undefined) this.#closed ??= { code, why }
    this.publisher.reject(code, why)
    this.#drop()
    this.#end(why)
  }

  #take(item: Received): void {
    if (this.#ended !== undefined) return
    this.#lastMs = this.#clock.nowMs()
    const passes = this.#held.length === 0 && !this.#isPaused
    if (this.#reader !== undefined && passes) return this.#reader.next(item)
    const bytes = bytesOf(item)
    this.#count(sizeOf(item))
    // The array belongs to the source again once it emits the next one.
    this.#held.push(keptOf(item))
    // It may be what makes it a stream that somebody takes: then the larger bound counts for it.
    if (bytes !== undefined) this.onHeld(bytes)
    if (this.#heldBytes > this.#mostBytes) {
      const code = this.#mostBytes === MOST_HELD_BYTES ? 'not-media' : 'offline'
      return this.close(code, `${this.#mostBytes >> 20} MiB have arrived before they could be taken`)
    }
    if (this.#memory.bytes > MOST_HELD_BYTES_IN_ALL) this.close('overloaded', 'too many streams begin at the same time')
  }

  /** What arrives meanwhile waits its turn. */
  #handOver(reader: StreamReader): void {
    let passed = 0
    let count = 0
    while (passed < SLICE_BYTES && this.#reader === reader && !this.#isPaused) {
      const item = this.#held[count]
      if (item === undefined) break
      count++
      passed += sizeOf(item)
      reader.next(item)
    }
    // A reader may have closed it.
    if (this.#held.length > 0) {
      this.#held.splice(0, count)
      this.#count(-passed)
    }
    if (this.#reader !== reader || this.#isPaused) return
    if (this.#held.length > 0) setImmediate(() => this.#handOver(reader))
    else if (this.#ended !== undefined) {
      this.#reader = undefined
      reader.end(this.#ended)
    }
  }

  #end(why: string): void {
    if (this.#ended !== undefined) return
    this.#ended = why
    this.#subscription?.unsubscribe()
    // A plugin whose disposal fails has been told about it already, in its own scope.
    void Promise.resolve(this.#source[Symbol.asyncDispose]()).catch(() => undefined)
    const reader = this.#reader
    // The rest goes to the reader first.
    if (reader !== undefined && this.#held.length > 0) return
    this.#drop()
    this.#reader = undefined
    if (reader === undefined) this.onEnd(why)
    else reader.end(why)
  }

  #drop(): void {
    this.#count(-this.#heldBytes)
    this.#held = []
  }

  #count(bytes: number): void {
    this.#heldBytes += bytes
    this.#memory.bytes += bytes
  }
}

function sizeOf(item: Received): number {
  return Math.max(ITEM_BYTES, bytesOf(item)?.length ?? 0)
}

function bytesOf(item: Received): Uint8Array | undefined {
  if (item instanceof Uint8Array) return item
  return 'boundary' in item ? undefined : item.bytes
}

function keptOf(item: Received): Received {
  if (item instanceof Uint8Array) return item.slice()
  return 'boundary' in item ? item : { bytes: item.bytes.slice(), receivedAtMs: item.receivedAtMs }
}
