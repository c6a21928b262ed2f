// Processes the bytes of an input: framing, then one timeline over all generations.
import { Framer, Timeline } from '@millrace/media/mpegts'
import type { FramerCounters, JunctionRules, TsChunk } from '@millrace/media/mpegts'

export interface SourceFramingSettings {
  readonly timeline: 'continuous' | 'source'
  /** Number of the first generation. */
  readonly generation?: number
  send(chunk: TsChunk): void
}

export class SourceFraming {
  /** Sums over all generations. */
  readonly counters: FramerCounters = { packets: 0, syncLosses: 0, syncByteErrors: 0, skippedBytes: 0 }
  readonly #settings: SourceFramingSettings
  readonly #timeline: Timeline | undefined
  #framer: Framer
  #generation: number
  #isEmpty = true

  constructor(settings: SourceFramingSettings) {
    this.#settings = settings
    this.#generation = settings.generation ?? 0
    this.#framer = new Framer({ generation: this.#generation })
    this.#timeline = settings.timeline === 'continuous' ? new Timeline() : undefined
  }

  get generation(): number {
    return this.#generation
  }

  /** Packets found so far, in all generations. */
  get packets(): number {
    return this.counters.packets + this.#framer.counters.packets
  }

  /** Packets dropped at junctions. */
  get droppedPackets(): number {
    return this.#timeline?.counters.droppedPackets ?? 0
  }

  push(bytes: Uint8Array, nowMs: number): void {
    if (bytes.length > 0) this.#isEmpty = false
    this.#send(this.#framer.push(bytes, nowMs))
  }

  /** Called every `batch`. */
  flush(nowMs: number): void {
    this.#send(this.#framer.flush(nowMs))
    if (this.#timeline !== undefined) for (const chunk of this.#timeline.flush(nowMs)) this.#settings.send(chunk)
  }

  /** Ends the generation; one without any bytes does not count. */
  endGeneration(rules: JunctionRules, nowMs: number): void {
    if (this.#isEmpty) return
    const last = this.#framer.finish(nowMs)
    if (this.#timeline === undefined) for (const chunk of last) this.#settings.send(chunk)
    else for (const chunk of this.#timeline.endGeneration(last, rules)) this.#settings.send(chunk)
    const { nextSeq, counters } = this.#framer
    this.counters.packets += counters.packets
    this.counters.syncLosses += counters.syncLosses
    this.counters.syncByteErrors += counters.syncByteErrors
    this.counters.skippedBytes += counters.skippedBytes
    this.#generation++
    this.#framer = new Framer({ generation: this.#generation, firstSeq: nextSeq })
    this.#isEmpty = true
  }

  /** Continues with the chunks another source has sent so far, and with its framer. Called after `endGeneration`. */
  adopt(framer: Framer, chunks: readonly TsChunk[]): void {
    const generation = this.#generation
    let seq = this.#framer.nextSeq
    this.#framer = framer
    this.#isEmpty = false
    const numbered = chunks.map((chunk, index): TsChunk => {
      const discontinuity = index === 0 ? 'source' : chunk.discontinuity
      return { ...chunk, discontinuity, origin: { generation, seq: seq++ } }
    })
    framer.renumber(generation, seq)
    this.#send(numbered)
  }

  /** The input has ended for good: sends everything that is left. */
  finish(nowMs: number): void {
    this.#send(this.#framer.finish(nowMs))
    this.flushAll()
  }

  /** Sends what is held back at the junction of two generations. */
  flushAll(): void {
    for (const chunk of this.#timeline?.flush(Infinity) ?? []) this.#settings.send(chunk)
  }

  #send(chunks: readonly TsChunk[]): void {
    for (const chunk of chunks) {
      if (this.#timeline === undefined) this.#settings.send(chunk)
      else for (const moved of this.#timeline.push(chunk)) this.#settings.send(moved)
    }
  }
}
