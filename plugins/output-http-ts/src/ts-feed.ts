// Turns chunks into what delivery sends: the shared bytes, and where a viewer can start, the splice buffers for it. After
// a loss of ours every PID is announced as discontinuous before its next packet, with the counter before that one
// (ISO/IEC 13818-1 2.4.3.5): nobody has seen the packets that would tell.
import type { AnyChunk, Join, LiveEntry } from '@millrace/engine/plugin'
import {
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
  SpliceTracker,
  SYNC_BYTE,
} from '@millrace/media/mpegts'

/** PIDs that are announced after a loss, at most: what a bridge of the splice tracker speaks for. */
const MAX_PIDS = 256
const DISCONTINUITY_FIELD = 0x80
const STUFFING = 0xff

export class TsFeed {
  /** Every chunk can be started with, not only those that begin with a key frame. */
  joinsAnywhere: boolean
  readonly #splice = new SpliceTracker()
  readonly #pids = new Set<number>()
  /** PIDs that were not seen since the last loss. */
  readonly #unannounced = new Set<number>()
  /** PIDs that may go on with any counter: they come another way since they were seen last. */
  readonly #suspects = new Set<number>()

  constructor(joinsAnywhere: boolean) {
    this.joinsAnywhere = joinsAnywhere
  }

  /** What comes next may have been selected otherwise: a PID that was left out meanwhile is announced when it is back. */
  comesAnotherWay(): void {
    for (const pid of this.#pids) this.#suspects.add(pid)
  }

  /** The entries of a chunk, in order. What a loss of ours makes necessary comes in front. */
  push(chunk: AnyChunk): readonly LiveEntry[] {
    const isAfterLoss = chunk.discontinuity === 'lost'
    if (isAfterLoss || this.#pids.size === 0) this.#beginAnew(chunk)
    if (chunk.discontinuity === 'marked') this.comesAnotherWay()
    const announced = this.#announce(chunk)
    // The bridge announces every PID, those of this chunk with the counters that fit them.
    const lead = isAfterLoss ? this.#splice.bridge() : announced
    const join = this.#join(chunk)
    this.#follow(chunk)
    const { bytes, receivedAtMs } = chunk
    const entry = join === undefined ? { bytes, receivedAtMs } : { bytes, receivedAtMs, join }
    return lead !== undefined && lead.length > 0 ? [{ bytes: lead, receivedAtMs }, entry] : [entry]
  }

  #join(chunk: AnyChunk): Join | undefined {
    const keyframe = chunk.kind === 'gop' ? chunk.first : chunk.randomAccess
    if (!keyframe && !this.joinsAnywhere) return undefined
    return { keyframe, preamble: this.#splice.preamble(), bridge: this.#splice.bridge() }
  }

  /** Packets before this chunk were not seen. A GOP has the tables in force with it, which may have been among them. */
  #beginAnew(chunk: AnyChunk): void {
    for (const pid of this.#pids) this.#unannounced.add(pid)
    if (chunk.kind !== 'gop' || !chunk.first) return
    const { psi } = chunk.gop
    if (psi.length > 0) this.#splice.follow({ ...chunk, bytes: psi, marks: new Remarker().remark(psi) })
  }

  /** Announcements for those PIDs of the chunk that a loss came before. The tracker knows their counters from here on. */
  #announce(chunk: AnyChunk): Uint8Array | undefined {
    if (!this.#hasAnyToAnnounce(chunk)) return undefined
    const packets: Uint8Array[] = []
    for (let offset = 0; offset < chunk.bytes.length; offset += PACKET_SIZE) {
      const pid = readPid(chunk.bytes, offset)
      if (hasTransportError(chunk.bytes, offset) || !this.#isToAnnounce(chunk.bytes, offset, pid)) continue
      const before = hasPayload(chunk.bytes, offset) ? 15 : 0
      packets.push(announcement(pid, (readCounter(chunk.bytes, offset) + before) & 0x0f))
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

  /** By the marks: a PID that is awaited may never come, and packets are not looked at for that. */
  #hasAnyToAnnounce({ marks }: AnyChunk): boolean {
    if (this.#unannounced.size === 0 && this.#suspects.size === 0) return false
    for (let at = 0; at < marks.length; at += MARK_SIZE) {
      if ((marks[at + MARK_FLAGS]! & LAST_OF_PID) === 0) continue
      const pid = marks[at + MARK_PID]!
      if (this.#unannounced.has(pid) || this.#suspects.has(pid)) return true
    }
    return false
  }

  /** It is the first packet of its PID since a loss, or one that does not follow on the last that was seen. */
  #isToAnnounce(bytes: Uint8Array, offset: number, pid: number): boolean {
    const isSuspect = this.#suspects.delete(pid)
    if (this.#unannounced.delete(pid)) return true
    const last = isSuspect ? this.#splice.counterOf(pid) : undefined
    if (last === undefined) return false
    // ISO/IEC 13818-1 2.4.3.3: it counts packets with payload.
    const follows = (last + (hasPayload(bytes, offset) ? 1 : 0)) & 0x0f
    return readCounter(bytes, offset) !== follows
  }

  #follow(chunk: AnyChunk): void {
    this.#splice.follow(chunk)
    const { marks } = chunk
    for (let at = 0; at < marks.length; at += MARK_SIZE) {
      const pid = marks[at + MARK_PID]!
      const isLast = (marks[at + MARK_FLAGS]! & LAST_OF_PID) !== 0
      if (isLast && pid !== NULL_PID && this.#pids.size < MAX_PIDS) this.#pids.add(pid)
    }
  }
}

/** A packet without payload that announces the discontinuity of its PID. */
function announcement(pid: number, counter: number): Uint8Array {
  const packet = new Uint8Array(PACKET_SIZE).fill(STUFFING)
  packet.set([SYNC_BYTE, pid >>> 8, pid & 0xff, 0x20 | counter, PACKET_SIZE - 5, DISCONTINUITY_FIELD])
  return packet
}
