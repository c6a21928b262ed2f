// One demuxer, several readers: each is told the tracks there are when it comes.
import type { Frame, FrameConsumer, Track } from '../../elementary/index.js'

/** Codecs that are told as unsupported. */
const MAX_NAMES = 64

export class FanOut implements FrameConsumer {
  readonly tracks = new Map<number, Track>()
  readonly #unsupported = new Map<string, { readonly kind: Track['kind']; readonly codec: string }>()
  readonly #expected = new Set<Track['kind']>()
  #consumers: readonly FrameConsumer[] = []

  /** Returns what detaches it. */
  attach(consumer: FrameConsumer): () => void {
    this.#consumers = [...this.#consumers, consumer]
    for (const kind of this.#expected) consumer.expected(kind)
    for (const track of this.tracks.values()) consumer.track(track)
    for (const { kind, codec } of this.#unsupported.values()) consumer.unsupported(kind, codec)
    return () => {
      this.#consumers = this.#consumers.filter((other) => other !== consumer)
    }
  }

  expected(kind: Track['kind']): void {
    this.#expected.add(kind)
    for (const consumer of this.#consumers) consumer.expected(kind)
  }

  track(track: Track): void {
    this.tracks.set(track.id, track)
    for (const consumer of this.#consumers) consumer.track(track)
  }

  ended(track: Track): void {
    this.tracks.delete(track.id)
    for (const consumer of this.#consumers) consumer.ended(track)
  }

  frame(frame: Frame): void {
    const consumers = this.#consumers
    for (let at = 0; at < consumers.length; at++) consumers[at]!.frame(frame)
  }

  discontinuity(): void {
    for (const consumer of this.#consumers) consumer.discontinuity()
  }

  unsupported(kind: Track['kind'], codec: string): void {
    const key = `${kind} ${codec}`
    if (this.#unsupported.has(key) || this.#unsupported.size >= MAX_NAMES) return
    this.#unsupported.set(key, { kind, codec })
    for (const consumer of this.#consumers) consumer.unsupported(kind, codec)
  }
}
