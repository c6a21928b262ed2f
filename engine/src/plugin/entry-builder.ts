// Turns chunks into window entries: the shared bytes and, where a viewer can start, the splice buffers for it. After
// the engine has dropped chunks, every PID is announced as discontinuous before its next packet, with the counter
// before that one (ISO/IEC 13818-1 2.4.3.5): the dropped packets may have signalled it themselves.
import {
  announceDiscontinuity,
  hasPayload,
  hasTransportError,
  LAST_OF_PID,
  MARK_FLAGS,
  MARK_PID,
  MARK_SIZE,
  NULL_PID,
  PACKET_SIZE,
  readCounter,
  readPid,
  Remarker,
  splitAtStart,
  SpliceTracker,
} from '@millrace/media/mpegts'
import type { Chunk } from '@millrace/media/mpegts'
import type { AnyChunk } from './contract.js'
import type { Join, LiveEntry } from './live-route.js'
import { isRandomAccessPoint } from './random-access-point.js'

/** Maximum number of PIDs announced after a loss: as many as a bridge of the splice tracker covers. */
const MAX_PIDS = 256

/** An entry that is part of the stream has the marks of its packets; one that is put before it has none. */
export type BuiltEntry = LiveEntry & Partial<Pick<Chunk, 'marks'>>

type Parts = NonNullable<ReturnType<typeof splitAtStart<AnyChunk>>>

/** For outputs: what follows the stream chunk by chunk, and says where viewers can start. */
export class EntryBuilder {
  /** Viewers can start at every chunk, not only at those that begin with a key frame. */
  joinsAnywhere: boolean
  readonly #splice = new SpliceTracker()
  readonly #pids = new Set<number>()
  /** PIDs not seen since the last loss. */
  readonly #unannounced = new Set<number>()
  /** PIDs that may continue with any counter: their selection may have changed since they were last seen. */
  readonly #mayJump = new Set<number>()

  constructor(joinsAnywhere: boolean) {
    this.joinsAnywhere = joinsAnywhere
  }

  /** The next chunks may have another selection: a PID that was left out in between is announced when it returns. */
  expectCounterJumps(): void {
    for (const pid of this.#pids) this.#mayJump.add(pid)
  }

  /** Returns the entries of a chunk, in order, preceded by the announcements it needs. */
  push(chunk: AnyChunk): readonly BuiltEntry[] {
    const isAfterLoss = chunk.discontinuity === 'lost'
    if (isAfterLoss || this.#pids.size === 0) this.#noteGap(chunk)
    if (chunk.discontinuity === 'marked') this.expectCounterJumps()
    const announced = this.#announce(chunk)
    const parts = splitAtStart(chunk)
    return parts === undefined ? this.#entriesOf(chunk, announced) : this.#entriesInside(parts, announced)
  }

  #entriesOf(chunk: AnyChunk, announced: Uint8Array | undefined): BuiltEntry[] {
    const { bytes, marks, receivedAtMs } = chunk
    // The bridge announces every PID; for those of this chunk, with counters that match it.
    const lead = chunk.discontinuity === 'lost' ? this.#splice.bridge(chunk) : announced
    const join = this.#join(chunk)
    this.#follow(chunk)
    const entry = join === undefined ? { bytes, marks, receivedAtMs } : { bytes, marks, receivedAtMs, join }
    return lead !== undefined && lead.length > 0 ? [{ bytes: lead, receivedAtMs }, entry] : [entry]
  }

  /** Viewers start behind the packet in which the picture begins; after a loss, all do. */
  #entriesInside({ before, rest }: Parts, announced: Uint8Array | undefined): BuiltEntry[] {
    this.#follow(before)
    const after = rest === undefined ? [] : this.#entriesOf(rest, undefined)
    if (rest !== undefined && before.discontinuity === 'lost') return after
    const { bytes, marks, receivedAtMs } = before
    const lead = announced === undefined || announced.length === 0 ? [] : [{ bytes: announced, receivedAtMs }]
    return [...lead, { bytes, marks, receivedAtMs }, ...after]
  }

  #join(chunk: AnyChunk): Join | undefined {
    const keyframe = isRandomAccessPoint(chunk)
    if (!keyframe && !this.joinsAnywhere) return undefined
    const point = this.#splice.point(chunk)
    const { heldBytes } = point
    return { keyframe, heldBytes, preamble: () => point.preamble(), bridge: () => point.bridge() }
  }

  /** Packets before this chunk were lost, possibly with tables among them: a GOP carries the tables in force. */
  #noteGap(chunk: AnyChunk): void {
    for (const pid of this.#pids) this.#unannounced.add(pid)
    if (chunk.kind !== 'gop' || !chunk.first) return
    const { psi } = chunk.gop
    if (psi.length > 0) this.#splice.follow({ ...chunk, bytes: psi, marks: new Remarker().remark(psi) })
  }

  /** Announcements for the PIDs of the chunk that need one. From here on the tracker knows their counters. */
  #announce(chunk: AnyChunk): Uint8Array | undefined {
    if (!this.#hasAnyToAnnounce(chunk)) return undefined
    const packets: Uint8Array[] = []
    for (let offset = 0; offset < chunk.bytes.length; offset += PACKET_SIZE) {
      const pid = readPid(chunk.bytes, offset)
      if (hasTransportError(chunk.bytes, offset) || !this.#needsAnnouncement(chunk.bytes, offset, pid)) continue
      const before = hasPayload(chunk.bytes, offset) ? 15 : 0
      packets.push(announceDiscontinuity(pid, (readCounter(chunk.bytes, offset) + before) & 0x0f))
    }
    const bytes = new Uint8Array(packets.length * PACKET_SIZE)
    const marks = new Int32Array(packets.length * MARK_SIZE)
    for (const [index, packet] of packets.entries()) {
      bytes.set(packet, index * PACKET_SIZE)
      marks.set([index * PACKET_SIZE, readPid(packet, 0), LAST_OF_PID, 0], index * MARK_SIZE)
    }
    this.#splice.follow({ ...chunk, bytes, marks })
    return bytes
  }

  /** Looks at the marks only: an awaited PID may never return, and scanning packets for it would cost too much. */
  #hasAnyToAnnounce({ marks }: AnyChunk): boolean {
    if (this.#unannounced.size === 0 && this.#mayJump.size === 0) return false
    for (let at = 0; at < marks.length; at += MARK_SIZE) {
      if ((marks[at + MARK_FLAGS]! & LAST_OF_PID) === 0) continue
      const pid = marks[at + MARK_PID]!
      if (this.#unannounced.has(pid) || this.#mayJump.has(pid)) return true
    }
    return false
  }

  /** It is the first packet of its PID since a loss, or its counter does not follow the last one seen. */
  #needsAnnouncement(bytes: Uint8Array, offset: number, pid: number): boolean {
    const mayJump = this.#mayJump.delete(pid)
    if (this.#unannounced.delete(pid)) return true
    const last = mayJump ? this.#splice.counterOf(pid) : undefined
    if (last === undefined) return false
    // ISO/IEC 13818-1 2.4.3.3: the counter counts packets with payload.
    const follows = (last + (hasPayload(bytes, offset) ? 1 : 0)) & 0x0f
    return readCounter(bytes, offset) !== follows
  }

  #follow(chunk: Chunk): void {
    this.#splice.follow(chunk)
    const { marks } = chunk
    for (let at = 0; at < marks.length; at += MARK_SIZE) {
      const pid = marks[at + MARK_PID]!
      const isLast = (marks[at + MARK_FLAGS]! & LAST_OF_PID) !== 0
      if (isLast && pid !== NULL_PID && this.#pids.size < MAX_PIDS) this.#pids.add(pid)
    }
  }
}
