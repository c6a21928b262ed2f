// Processes the bytes of an input: framing, then one timeline over all generations.
import { Framer, Timeline } from '@millrace/media/mpegts'
import type { FramerCounters, JunctionRules, TsChunk } from '@millrace/media/mpegts'
import type { NodeSettings } from '../../graph/graph.js'
import type { SourcePort } from '../edge/source-port.js'

export interface SourceFramingSettings {
  readonly timeline: 'continuous' | 'source'
  /** How long an announced PID may be silent before it leads no more. */
  readonly probeMs: number
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
  #earlierNullPackets = 0

  constructor(settings: SourceFramingSettings) {
    this.#settings = settings
    this.#generation = settings.generation ?? 0
    this.#framer = new Framer({ generation: this.#generation, probeMs: settings.probeMs })
    this.#timeline = settings.timeline === 'continuous' ? new Timeline() : undefined
  }

  get generation(): number {
    return this.#generation
  }

  /** Packets found so far, in all generations, without null packets. */
  get packets(): number {
    return this.counters.packets + this.#framer.counters.packets - this.nullPackets
  }

  /** The same of null packets. */
  get nullPackets(): number {
    return this.#earlierNullPackets + this.#framer.nullPackets
  }

  /** How often the packets were lost sight of, in all generations. */
  get syncLosses(): number {
    return this.counters.syncLosses + this.#framer.counters.syncLosses
  }

  /** Why no viewer can start in the stream; empty while one can. */
  get obstacle(): string {
    return this.#framer.obstacle
  }

  get lead(): Framer['lead'] {
    return this.#framer.lead
  }

  /** What viewers of the stream miss although it was announced. */
  get silence(): Framer['silence'] {
    return this.#framer.silence
  }

  /** What was put right, in all generations. */
  get oddities(): { readonly clockJumps: number; readonly believedTables: number; readonly repeatedPackets: number } {
    const { clockJumps = 0, repeatedPackets = 0 } = this.#timeline?.counters ?? {}
    return { clockJumps, believedTables: this.#framer.table.believed, repeatedPackets }
  }

  set probeMs(ms: number) {
    this.#framer.probeMs = ms
  }

  /** Packets dropped at junctions. */
  get droppedPackets(): number {
    return this.#timeline?.counters.droppedPackets ?? 0
  }

  push(bytes: Uint8Array, nowMs: number): void {
    if (bytes.length > 0) this.#isEmpty = false
    this.#send(this.#framer.push(bytes, nowMs))
  }

  /** Bytes before the next ones were dropped. */
  markLost(nowMs: number): void {
    this.#send(this.#framer.skip(nowMs))
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
    this.#earlierNullPackets += this.#framer.nullPackets
    this.counters.syncLosses += counters.syncLosses
    this.counters.syncByteErrors += counters.syncByteErrors
    this.counters.skippedBytes += counters.skippedBytes
    this.#generation++
    this.#framer = new Framer({ generation: this.#generation, firstSeq: nextSeq, before: this.#framer })
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

/** For an input with these settings, whose first generation has that number. */
export function makeFraming(
  { timeline, probeMs }: Pick<NodeSettings, 'timeline' | 'probeMs'>,
  generation: number,
  port: Pick<SourcePort, 'push'>,
): SourceFraming {
  return new SourceFraming({ timeline, generation, probeMs, send: (chunk) => port.push(chunk) })
}
