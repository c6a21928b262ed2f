// Buffers what a standby source sends, from its newest random access point on, so that the stream can be cut over to it
// there.
import { Framer } from '@millrace/media/mpegts'
import type { AnyChunk } from '../../plugin/contract.js'
import { EDGE_BOUND_BYTES } from '../edge/edge.js'
import { isRandomAccessPoint } from '../../plugin/random-access-point.js'
import type { SourcePort } from '../edge/source-port.js'
import type { SourceFraming } from './source-framing.js'

export class StandbySource {
  /** Called at each new random access point to cut over at. */
  onRandomAccessPoint: () => void = () => undefined
  #framer: Framer
  #chunks: AnyChunk[] = []
  #bytes = 0

  /** `probeMs`: how long an announced PID may be silent before it leads no more. */
  constructor(probeMs: number) {
    this.#framer = new Framer({ probeMs })
  }

  set probeMs(ms: number) {
    this.#framer.probeMs = ms
  }

  /** The stream can be cut over to this source. */
  get hasRandomAccessPoint(): boolean {
    return this.#chunks.length > 0
  }

  /** Packets found so far, without null packets. */
  get packets(): number {
    return this.#framer.counters.packets - this.#framer.nullPackets
  }

  get nullPackets(): number {
    return this.#framer.nullPackets
  }

  push(bytes: Uint8Array, nowMs: number): void {
    this.#keep(this.#framer.push(bytes, nowMs))
  }

  /** Bytes before the next ones were dropped. */
  markLost(nowMs: number): void {
    this.#keep(this.#framer.skip(nowMs))
  }

  flush(nowMs: number): void {
    this.#keep(this.#framer.flush(nowMs))
  }

  pushChunk(chunk: AnyChunk): void {
    this.#keep([chunk])
  }

  /** The next chunks belong to another generation: drops the buffered ones. */
  reset(): void {
    this.#framer = new Framer({ before: this.#framer })
    this.#chunks = []
    this.#bytes = 0
  }

  /** What it has buffered goes to the framing, which continues it, or else to the port. Only if `hasRandomAccessPoint`. */
  handTo(framing: SourceFraming | undefined, port: Pick<SourcePort, 'push'>): void {
    const chunks = this.#chunks
    this.#chunks = []
    const framed = chunks.filter((chunk) => chunk.kind === 'ts')
    if (framing !== undefined) return framing.adopt(this.#framer, framed)
    for (const [index, chunk] of chunks.entries()) {
      port.push(index === 0 ? { ...chunk, discontinuity: 'lost' } : chunk)
    }
  }

  #keep(chunks: readonly AnyChunk[]): void {
    let hasNewPoint = false
    for (const chunk of chunks) {
      const begins = isRandomAccessPoint(chunk)
      if (begins || this.#bytes > EDGE_BOUND_BYTES) {
        this.#chunks = []
        this.#bytes = 0
      }
      if (!begins && this.#chunks.length === 0) continue
      this.#chunks.push(chunk)
      this.#bytes += chunk.bytes.length
      hasNewPoint ||= begins
    }
    if (hasNewPoint) this.onRandomAccessPoint()
  }
}
