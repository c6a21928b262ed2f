// What an input with published streams reads: the stream of whoever publishes now, each a generation of its own. The slot
// outlives publishers, and the node when a reload replaces it.
import { Observable, type Subscriber } from 'rxjs'
import type { NodeContext, Received, Source } from '../../plugin/contract.js'
import type { PublisherRefusal } from '../../plugin/publisher.js'
import type { Clock } from '../../plugin/tokens.js'
import { type HeldStream, STREAM_ENDED } from './held-stream.js'

/** A publisher that returns by then shows no change of state, so that one that leaves all the time makes no events. */
const REPORT_AFTER_MS = 1000
export const NOBODY = 'nobody publishes'
const NEXT_GENERATION: Received = { boundary: true, timeline: 'elapsed' }

export class StreamSlot {
  /** Called when a publisher has left, unless another one has taken its place. By default nothing. */
  onLeft: (why: string) => void = () => undefined
  /** The node can take a stream. One that has to listen first sets it. */
  isReady = true
  readonly #clock: Clock
  #stream: HeldStream | undefined
  #sink: Subscriber<Received> | undefined
  #context: NodeContext | undefined
  #hasSent = false
  #reporting: Disposable | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Somebody publishes. */
  get isTaken(): boolean {
    return this.#stream !== undefined
  }

  /** Milliseconds since the publisher has sent anything; Infinity if there is none. */
  get silentMs(): number {
    return this.#stream?.silentMs ?? Infinity
  }

  /** The publisher, for people; undefined if there is none. */
  get who(): { readonly client: string; readonly user?: string } | undefined {
    const { client, user } = this.#stream?.publisher.who ?? {}
    return client === undefined ? undefined : { client, ...(user === undefined ? {} : { user }) }
  }

  /** Where the publisher comes from, as it says. */
  get origin(): string | undefined {
    return this.#stream?.publisher.origin
  }

  /** The stream continues what was published before. The publisher before it is told that it was replaced. */
  put(stream: HeldStream): void {
    const before = this.#stream
    this.#stream = stream
    stream.expectReader()
    stream.onEnd = (why) => this.#left(stream, why)
    before?.close('replaced', 'another publisher has taken over')
    this.#connect()
  }

  /** Disconnects the publisher, for good. */
  end(code: PublisherRefusal, why: string): void {
    const stream = this.#stream
    this.#stream = undefined
    this.#reporting?.[Symbol.dispose]()
    stream?.close(code, why)
  }

  /** The source of a node. A later one takes its place. */
  open(context: NodeContext): Source<Received> {
    this.#context = context
    const chunks = new Observable<Received>((subscriber) => {
      this.#sink = subscriber
      this.#connect()
      return () => {
        if (this.#sink !== subscriber) return
        this.#sink = undefined
        this.#stream?.hold()
      }
    })
    return { chunks, pause: () => this.pause(), [Symbol.asyncDispose]: () => Promise.resolve() }
  }

  /** Lets the publisher of now wait until disposed; undefined if there is none. */
  pause(): Disposable | undefined {
    return this.#stream?.pause()
  }

  /** The node can take a stream: says whether it has one. */
  report(): void {
    if (!this.isReady) return
    if (this.#stream === undefined) this.#context?.idle(NOBODY)
    else this.#context?.ready()
  }

  #connect(): void {
    const [stream, sink] = [this.#stream, this.#sink]
    if (sink === undefined) return
    this.report()
    if (stream === undefined) return
    if (this.#hasSent) sink.next(NEXT_GENERATION)
    this.#hasSent = true
    stream.read({ next: (item) => this.#sink?.next(item), end: (why) => this.#left(stream, why) })
  }

  #left(stream: HeldStream, why: string): void {
    if (this.#stream !== stream) return
    this.#stream = undefined
    this.#reporting?.[Symbol.dispose]()
    this.#reporting = this.#clock.after(REPORT_AFTER_MS, () => {
      if (this.#stream === undefined)
        this.#context?.idle(why === STREAM_ENDED ? NOBODY : `${NOBODY}; the last one: ${why}`)
    })
    this.onLeft(why)
  }
}
