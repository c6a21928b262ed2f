// The stream of one publisher from its first byte on. It holds what arrives until somebody takes it, up to a bound, and
// ends exactly once.
import type { Subscription } from 'rxjs'
import { messageOf } from '../../errors.js'
import type { Received, Source } from '../../plugin/contract.js'
import type { Publisher, PublisherRefusal } from '../../plugin/publisher.js'
import type { Clock } from '../../plugin/tokens.js'

/** Bytes that are held before the stream is handed over. */
export const MOST_HELD_BYTES = 1024 * 1024
/** Bytes that are held while the nodes of its pipeline open: 10 s of 13 Mb/s. */
const MOST_HELD_OPENING_BYTES = 16 * 1024 * 1024

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
  readonly #source: Source<Received>
  #held: Received[] = []
  #heldBytes = 0
  #mostBytes = MOST_HELD_BYTES
  #reader: StreamReader | undefined
  #subscription: Subscription | undefined
  #ended: string | undefined
  #lastMs: number

  /** Throws what `accept` throws. */
  constructor(publisher: Publisher, clock: Clock) {
    this.publisher = publisher
    this.#clock = clock
    this.#lastMs = clock.nowMs()
    this.#source = publisher.accept()
  }

  /** Subscribes to the source. */
  start(): void {
    const subscription = this.#source.chunks.subscribe({
      next: (item) => this.#take(item),
      error: (error: unknown) => this.#end(messageOf(error)),
      complete: () => this.#end('it has ended its stream'),
    })
    if (this.#ended === undefined) this.#subscription = subscription
    else subscription.unsubscribe()
  }

  get isOver(): boolean {
    return this.#ended !== undefined
  }

  /** Milliseconds since it has sent anything. */
  get silentMs(): number {
    return this.#clock.nowMs() - this.#lastMs
  }

  /** It belongs to a pipeline whose nodes open: more is held. */
  expectReader(): void {
    this.#mostBytes = MOST_HELD_OPENING_BYTES
  }

  /** The reader gets everything that is held, then what follows. */
  read(reader: StreamReader): void {
    this.#reader = reader
    const held = this.#held
    this.#held = []
    this.#heldBytes = 0
    for (const item of held) if (this.#reader === reader) reader.next(item)
    if (this.#ended !== undefined && this.#reader === reader) reader.end(this.#ended)
  }

  /** Holds again what arrives: the reader is about to be replaced. */
  hold(): void {
    this.#reader = undefined
  }

  /** Ends it, and tells the publisher why. Safe twice. */
  close(code: PublisherRefusal, why: string): void {
    this.publisher.reject(code, why)
    this.#end(why)
  }

  #take(item: Received): void {
    if (this.#ended !== undefined) return
    this.#lastMs = this.#clock.nowMs()
    if (this.#reader !== undefined) return this.#reader.next(item)
    const bytes = bytesOf(item)
    this.#heldBytes += bytes?.length ?? 64
    if (this.#heldBytes > this.#mostBytes) {
      this.close(
        this.#mostBytes === MOST_HELD_BYTES ? 'not-media' : 'offline',
        `${this.#mostBytes >> 20} MiB have arrived before they could be taken`,
      )
      return
    }
    // The array belongs to the source again once it emits the next one.
    this.#held.push(keptOf(item))
    if (bytes !== undefined) this.onHeld(bytes)
  }

  #end(why: string): void {
    if (this.#ended !== undefined) return
    this.#ended = why
    this.#subscription?.unsubscribe()
    this.#held = []
    // A plugin whose disposal fails has been told about it already, in its own scope.
    void Promise.resolve(this.#source[Symbol.asyncDispose]()).catch(() => undefined)
    const reader = this.#reader
    this.#reader = undefined
    if (reader === undefined) this.onEnd(why)
    else reader.end(why)
  }
}

function bytesOf(item: Received): Uint8Array | undefined {
  if (item instanceof Uint8Array) return item
  return 'boundary' in item ? undefined : item.bytes
}

function keptOf(item: Received): Received {
  if (item instanceof Uint8Array) return item.slice()
  return 'boundary' in item ? item : { bytes: item.bytes.slice(), receivedAtMs: item.receivedAtMs }
}
