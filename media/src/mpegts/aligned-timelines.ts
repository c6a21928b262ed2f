// The timelines of several streams of one source, such as the renditions of a transcoder: all begin a new generation
// together and are shifted by one offset, so that what belongs together keeps equal times. The offset is the smallest
// that keeps the clocks of all streams increasing. At a junction each stream waits for the others, within the bounds of a
// junction: 1 s, or 2 MiB of the fastest stream.
import type { TsChunk } from './chunk.js'
import { type JunctionRules, largestOffset } from './junction.js'
import { Timeline } from './timeline.js'

export class AlignedTimelines {
  readonly #members: readonly Timeline[]
  /** Streams that have ended for good; the others do not wait for them. */
  readonly #ended = new Set<number>()
  readonly #send: (stream: number, chunk: TsChunk) => void

  /** `send`: called with each chunk that can be sent, and the number of its stream. */
  constructor(streams: number, send: (stream: number, chunk: TsChunk) => void) {
    this.#members = Array.from({ length: streams }, () => new Timeline({ isAligned: true }))
    this.#send = send
  }

  /** Packets dropped at junctions. */
  get droppedPackets(): number {
    return this.#members.reduce((sum, { counters }) => sum + counters.droppedPackets, 0)
  }

  /** Takes a chunk of the current generation and owns it: its bytes may be changed. */
  push(stream: number, chunk: TsChunk): void {
    const member = this.#members[stream]
    if (member === undefined) return
    this.#sendAll(stream, member.push(chunk))
    if (member.waiting === undefined) return
    if (member.waiting.isFull(chunk.receivedAtMs) || this.#areKnown()) this.#align(chunk.receivedAtMs)
  }

  /** Time has passed: a junction that has waited too long is made with what is known. */
  flush(nowMs: number): void {
    if (this.#members.some(({ waiting }) => waiting?.isOverdue(nowMs) === true)) this.#align(nowMs)
    for (const [stream, member] of this.#members.entries()) this.#sendAll(stream, member.flush(nowMs))
  }

  /** The generation of all streams has ended, each with its last chunks; the next push belongs to another one. */
  endGeneration(last: readonly (readonly TsChunk[])[], rules: JunctionRules): void {
    for (const [stream, { waiting }] of this.#members.entries()) {
      for (const chunk of last[stream] ?? []) waiting?.observe(chunk)
    }
    this.#align(-Infinity)
    for (const [stream, member] of this.#members.entries()) {
      this.#sendAll(stream, member.endGeneration(last[stream] ?? [], rules))
    }
  }

  /** This stream has ended for good: sends what is held back of it. */
  end(stream: number): void {
    const member = this.#members[stream]
    this.#ended.add(stream)
    if (member === undefined) return
    if (member.waiting !== undefined && member.waiting.held.length > 0) this.#align(-Infinity)
    this.#sendAll(stream, member.flush(Infinity))
  }

  /** The clocks of each stream that has sent something before are known. */
  #areKnown(): boolean {
    return this.#members.every(
      ({ waiting, hasSent }, stream) => waiting === undefined || !hasSent || waiting.isKnown || this.#ended.has(stream),
    )
  }

  /** Shifts all streams by what is known now. Streams of which too little is known follow later, by the same offset. */
  #align(nowMs: number): void {
    const offset = largestOffset(this.#members.flatMap(({ waiting }) => waiting?.wantedOffsets() ?? []))
    for (const [stream, member] of this.#members.entries()) this.#sendAll(stream, member.align(offset, nowMs))
  }

  #sendAll(stream: number, chunks: readonly TsChunk[]): void {
    for (const chunk of chunks) this.#send(stream, chunk)
  }
}
