// Buffers what a standby source sends, from its newest random access point on, so that the stream can be cut over to it
// there.
import { Framer } from '@millrace/media/mpegts'
import type { AnyChunk } from '../../plugin/contract.js'
import { EDGE_BOUND_BYTES, isEntry } from '../edge/edge.js'

export class StandbySource {
  /** Called at each new random access point to cut over at. */
  onEntry: () => void = () => undefined
  #framer = new Framer()
  #chunks: AnyChunk[] = []
  #bytes = 0

  /** The stream can be cut over to this source. */
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

  /** The next chunks belong to another generation: drops the buffered ones. */
  reset(): void {
    this.#framer = new Framer()
    this.#chunks = []
    this.#bytes = 0
  }

  /** The buffered chunks, and the framer that continues them. Only if `hasEntry`. */
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
