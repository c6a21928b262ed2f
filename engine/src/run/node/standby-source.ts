// What a source sends before it takes the place of another one: kept from its newest random access point on, so that the
// stream can go over to it there.
import { Framer } from '@millrace/media/mpegts'
import type { AnyChunk } from '../../plugin/contract.js'
import { EDGE_BOUND_BYTES, isEntry } from '../edge/edge.js'

export class StandbySource {
  /** Called when there is a place to begin; again when there is a newer one. */
  onEntry: () => void = () => undefined
  #framer = new Framer()
  #chunks: AnyChunk[] = []
  #bytes = 0

  /** The stream can go over to this source. */
  get hasEntry(): boolean {
    return this.#chunks.length > 0
  }

  push(bytes: Uint8Array, nowMs: number): void {
    this.#keep(this.#framer.push(bytes, nowMs))
  }

  flush(nowMs: number): void {
    this.#keep(this.#framer.flush(nowMs))
  }

  pushChunk(chunk: AnyChunk): void {
    this.#keep([chunk])
  }

  /** What follows belongs to another generation: what came is of no use. */
  reset(): void {
    this.#framer = new Framer()
    this.#chunks = []
    this.#bytes = 0
  }

  /** What was kept, and the framer that goes on with it; only where there is a place to begin. */
  take(): { readonly framer: Framer; readonly chunks: readonly AnyChunk[] } {
    const chunks = this.#chunks
    this.#chunks = []
    return { framer: this.#framer, chunks }
  }

  #keep(chunks: readonly AnyChunk[]): void {
    let isEntered = false
    for (const chunk of chunks) {
      const begins = isEntry(chunk)
      if (begins || this.#bytes > EDGE_BOUND_BYTES) {
        this.#chunks = []
        this.#bytes = 0
      }
      if (!begins && this.#chunks.length === 0) continue
      this.#chunks.push(chunk)
      this.#bytes += chunk.bytes.length
      isEntered ||= begins
    }
    if (isEntered) this.onEntry()
  }
}
