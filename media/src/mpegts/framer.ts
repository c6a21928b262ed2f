// Bytes of any alignment in, chunks of whole packets out, with the marks of a single scan. No timers: the caller passes
// the time and calls flush. Bytes are collected in one buffer and copied from it into the chunk that owns them.
import type { Lead, TsChunk } from './chunk.js'
import { CutLimit } from './cut-limit.js'
import type { FramerCounters } from './framer-counters.js'
import { LeadChoice } from './lead-choice.js'
import { MarkList } from './mark-list.js'
import { RANDOM_ACCESS, SYNC_BYTE_ERROR, SYNC_LOSS, UNIT_START } from './marks.js'
import { PacketScanner } from './packet-scanner.js'
import { hasRandomAccessIndicator, PACKET_SIZE, readPid, SYNC_BYTE } from './packet.js'
import { ProgramTable } from './program-table.js'
import { obstacleOf, silenceOf } from './stream-obstacle.js'
import { RandomAccess, type RandomAccessStart } from './random-access.js'
import { findSync } from './sync-search.js'
import type { SyncResult } from './sync-search.js'

/** A chunk is cut at this size at the latest, regardless of time. */
export const MAX_CHUNK_BYTES = 1394 * PACKET_SIZE // 256 KiB in whole packets
const FIRST_CAPACITY = 64 * 1024
const NO_CHUNKS: readonly TsChunk[] = []

export interface FramerOptions {
  /** The program that leads; by default any: video before audio, what flows before what does not. */
  readonly program?: number
  /** How long an announced PID may be silent before it leads no more; by default 2 s. */
  readonly probeMs?: number
  /** The framer of the previous generation. */
  readonly before?: Framer
  readonly generation?: number
  /** `origin.seq` of the first chunk. */
  readonly firstSeq?: number
}

export class Framer {
  readonly counters: FramerCounters = { packets: 0, syncLosses: 0, syncByteErrors: 0, skippedBytes: 0 }
  readonly table: ProgramTable
  readonly #scanner: PacketScanner
  readonly #marks = new MarkList()
  readonly #cuts = new CutLimit()
  readonly #choice: LeadChoice
  readonly #randomAccess: RandomAccess
  readonly #obstacleBefore: string
  readonly #found: SyncResult = { at: 0, stride: 0 }
  #generation: number
  #seq: number
  #isFirst = true
  /** Bytes before the next chunk are missing. */
  #isLost = false
  /** Accepted packets up to #scanned, raw bytes from #read to #filled; between pushes #read equals #scanned. */
  #buffer = new Uint8Array(FIRST_CAPACITY)
  #scanned = 0
  #read = 0
  #filled = 0
  #receivedAtMs = 0
  #nowMs = 0
  /** 0 while not synchronised. */
  #stride = 0
  #wasLocked = false
  /** Flags for the next packet that is accepted. */
  #pendingFlags = 0
  /** The random access point at which the buffer begins. */
  #start: RandomAccessStart | undefined
  /** The packets that the previous flush held back are at the start of the buffer. */
  #heldBefore = false
  #out: TsChunk[] = []

  constructor(options: FramerOptions = {}) {
    const { program, probeMs, before } = options
    this.table = new ProgramTable(before?.table)
    this.#obstacleBefore = before?.obstacle ?? ''
    this.#scanner = new PacketScanner(this.table)
    this.#choice = new LeadChoice(this.table, this.#scanner, {
      program,
      ...(probeMs === undefined ? {} : { probeMs }),
      before: before === undefined ? undefined : before.#choice,
    })
    this.#randomAccess = new RandomAccess(this.table, this.#choice.time)
    this.#generation = options.generation ?? 0
    this.#seq = options.firstSeq ?? 0
  }

  /** Of its packets. */
  get nullPackets(): number {
    return this.#scanner.nullPackets
  }

  /** `origin.seq` of the next chunk. */
  get nextSeq(): number {
    return this.#seq
  }

  /** Why no viewer can start in the stream; empty while one can. */
  get obstacle(): string {
    return obstacleOf(this.table, this.#choice, this.#obstacleBefore)
  }

  /** The track that leads now. */
  get lead(): Lead | undefined {
    return this.#choice.lead
  }

  /** What viewers of the stream miss, and whether it came before; empty if nothing that is announced. */
  get silence(): { readonly why: string; readonly hasSent: boolean } {
    return { why: silenceOf(this.#choice), hasSent: this.#choice.silentTrack?.hasSent === true }
  }

  /** How long an announced PID may be silent. */
  set probeMs(ms: number) {
    this.#choice.probeMs = ms
  }

  /** From now on chunks belong to this generation and are numbered from `firstSeq`: this source replaces another. */
  renumber(generation: number, firstSeq: number): void {
    this.#generation = generation
    this.#seq = firstSeq
  }

  /** Takes bytes as they arrived, and copies them. Returns the chunks completed by them. */
  push(bytes: Uint8Array, nowMs: number): readonly TsChunk[] {
    for (let at = 0; at < bytes.length; at += MAX_CHUNK_BYTES) {
      this.#append(bytes.length > MAX_CHUNK_BYTES ? bytes.subarray(at, at + MAX_CHUNK_BYTES) : bytes, nowMs)
      this.#consume(false)
    }
    return this.#takeOut()
  }

  /**
   * The batch is over: returns what was collected. Two things are held back, for one flush at most: a picture not yet
   * known to be a random access point or not, and a PAT and PMT at the very end, which may belong to one.
   */
  flush(nowMs: number): readonly TsChunk[] {
    this.#nowMs = nowMs
    let cut = this.#randomAccess.holdFrom(this.#scanned)
    // A reader that starts inside a packet gets the packets after it.
    if (this.#start !== undefined && cut <= this.#start.end) cut = 0
    if (cut === 0 && this.#heldBefore) {
      this.#randomAccess.giveUp()
      cut = this.#scanned
    }
    const isHeld = cut < this.#scanned
    this.#cut(cut)
    this.#heldBefore = isHeld
    return this.#takeOut()
  }

  /** No more bytes will arrive: returns everything that is left. */
  finish(nowMs: number): readonly TsChunk[] {
    this.#nowMs = nowMs
    this.#consume(true)
    this.counters.skippedBytes += this.#filled - this.#scanned
    this.#filled = this.#scanned
    this.#cut(this.#scanned)
    return this.#takeOut()
  }

  /**
   * Bytes before the next ones were dropped: returns everything that is left of those before, and marks the next chunk
   * `lost`. What is missing counts as no damage of the stream.
   */
  skip(nowMs: number): readonly TsChunk[] {
    const last = this.finish(nowMs)
    this.#stride = 0
    this.#wasLocked = false
    this.#pendingFlags = 0
    this.#randomAccess.skip()
    this.#scanner.reset()
    this.table.reset()
    this.#isLost = true
    return last
  }

  #takeOut(): readonly TsChunk[] {
    if (this.#out.length === 0) return NO_CHUNKS
    const out = this.#out
    this.#out = []
    return out
  }

  #append(bytes: Uint8Array, nowMs: number): void {
    if (this.#filled === 0) this.#receivedAtMs = nowMs
    this.#nowMs = nowMs
    const needed = this.#filled + bytes.length
    if (needed > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(needed, Math.min(this.#buffer.length * 2, MAX_CHUNK_BYTES)))
      grown.set(this.#buffer.subarray(0, this.#filled))
      this.#buffer = grown
    }
    this.#buffer.set(bytes, this.#filled)
    this.#filled = needed
  }

  /** Takes every packet in the buffer, then closes the gap left by skipped bytes. */
  #consume(ending: boolean): void {
    do {
      if (this.#stride === 0) this.#lock(ending)
    } while (this.#stride !== 0 && !this.#run(ending))
    if (this.#read === this.#scanned) return
    this.#buffer.copyWithin(this.#scanned, this.#read, this.#filled)
    this.#filled -= this.#read - this.#scanned
    this.#read = this.#scanned
  }

  #lock(ending: boolean): void {
    findSync(this.#buffer, this.#read, this.#filled, ending, this.#found)
    // No packet is waiting: the next one is the first of the chunk, and it arrived now, not when the junk did.
    if (this.#found.at > this.#read && this.#scanned === 0) this.#receivedAtMs = this.#nowMs
    this.counters.skippedBytes += this.#found.at - this.#read
    this.#read = this.#found.at
    if (this.#found.stride === 0) return
    this.#stride = this.#found.stride
    if (this.#wasLocked) this.#pendingFlags |= SYNC_LOSS
    this.#wasLocked = true
  }

  /**
   * The one loop over packets, as long as each is followed by a sync byte; packets without flags are only counted.
   * Returns true when more bytes are needed, false when synchronisation is lost.
   */
  #run(ending: boolean): boolean {
    const stride = this.#stride
    for (;;) {
      const buffer = this.#buffer
      const filled = this.#filled
      const openPid = this.#randomAccess.isReading ? this.#randomAccess.leadPid : -1
      let read = this.#read
      let scanned = this.#scanned
      let flags = this.#pendingFlags
      if (read < filled && buffer[read] !== SYNC_BYTE) flags = -1
      while (flags === 0 && read + stride < filled && buffer[read + stride] === SYNC_BYTE) {
        if (read !== scanned) buffer.copyWithin(scanned, read, read + PACKET_SIZE)
        flags = this.#scanner.scan(buffer, scanned)
        scanned += PACKET_SIZE
        read += stride
        if (scanned >= MAX_CHUNK_BYTES || (openPid >= 0 && readPid(buffer, scanned - PACKET_SIZE) === openPid)) break
      }
      const taken = scanned - this.#scanned
      this.counters.packets += taken / PACKET_SIZE
      this.#read = read
      this.#scanned = scanned
      if (taken > 0) this.#note(flags)
      else if (!this.#takeUnconfirmed(ending)) return this.#stride !== 0
    }
  }

  /**
   * Handles the packet that needs a closer look: at the end of the bytes, or next to a wrong sync byte. False: stop.
   */
  #takeUnconfirmed(ending: boolean): boolean {
    const read = this.#read
    const left = this.#filled - read
    if (left <= 0) return false
    if (this.#buffer[read] !== SYNC_BYTE) return this.#wrongSync(read, ending)
    if (left < this.#stride) {
      if (!ending || left < PACKET_SIZE) return false
      this.#take(this.#filled)
      return true
    }
    const next = read + this.#stride
    if (left === this.#stride || this.#buffer[next] === SYNC_BYTE) {
      this.#take(next)
      return true
    }
    if (next + this.#stride >= this.#filled && !ending) return false
    if (this.#isSyncAt(next + this.#stride) || !this.#isCutShort(read)) {
      this.#take(next)
      return true
    }
    // The bytes from here on are part of a packet, and the next packet begins inside it.
    this.counters.skippedBytes++
    this.#read++
    return this.#unlock()
  }

  /** `at` should be a sync byte. A single wrong one costs its packet; two in a row cost synchronisation. */
  #wrongSync(at: number, ending: boolean): boolean {
    const next = at + this.#stride
    const isLast = next >= this.#filled && this.#filled - at >= PACKET_SIZE
    if (next >= this.#filled && !ending) return false
    if (!isLast && !this.#isSyncAt(next)) return this.#unlock()
    this.counters.syncByteErrors++
    this.#pendingFlags |= SYNC_BYTE_ERROR
    this.#read = Math.min(next, this.#filled)
    return true
  }

  #unlock(): false {
    this.counters.syncLosses++
    this.#stride = 0
    return false
  }

  #isSyncAt(at: number): boolean {
    return at < this.#filled && this.#buffer[at] === SYNC_BYTE
  }

  /** The sync bytes continue inside the packet at `at`: its end is missing. */
  #isCutShort(at: number): boolean {
    for (let inside = at + 1; inside < at + PACKET_SIZE; inside++) {
      if (this.#isSyncAt(inside) && this.#isSyncAt(inside + this.#stride)) return true
    }
    return false
  }

  /** Accepts the packet at #read; reading continues at `next`. */
  #take(next: number): void {
    if (this.#read !== this.#scanned) this.#buffer.copyWithin(this.#scanned, this.#read, this.#read + PACKET_SIZE)
    const flags = this.#pendingFlags | this.#scanner.scan(this.#buffer, this.#scanned)
    this.#pendingFlags = 0
    this.counters.packets++
    this.#scanned += PACKET_SIZE
    this.#read = next
    this.#note(flags)
  }

  /** Records a mark for the packet accepted last, and cuts where it is a boundary. */
  #note(flags: number): void {
    const offset = this.#scanned - PACKET_SIZE
    if (flags !== 0) {
      const pid = readPid(this.#buffer, offset)
      if (this.#choice.note(this.#buffer, offset, pid, flags, this.#nowMs)) this.#randomAccess.follow(this.#choice.lead)
      this.#marks.add(offset, pid, flags | this.#otherRandomAccess(offset, pid, flags), this.#elapsedMs())
    }
    if (flags !== 0 || this.#randomAccess.isReading) {
      const boundary = this.#randomAccess.note(this.#buffer, offset, flags)
      if (boundary >= 0) {
        this.#marks.flag(this.#randomAccess.unit, this.#randomAccess.leadPid, RANDOM_ACCESS)
        if (this.#cuts.allows(boundary, this.#nowMs)) this.#cutForKeyframe(boundary)
      }
    }
    if (this.#scanned < MAX_CHUNK_BYTES) return
    const cut = this.#randomAccess.holdFrom(this.#scanned)
    if (cut <= 0) this.#randomAccess.giveUp()
    this.#cut(cut > 0 ? cut : this.#scanned)
  }

  /**
   * Random access points of the programs that do not cut chunks: recognised by random_access_indicator alone, because
   * nothing waits for them.
   */
  #otherRandomAccess(offset: number, pid: number, flags: number): number {
    if ((flags & UNIT_START) === 0 || pid === this.#randomAccess.leadPid) return 0
    return this.#choice.leadsOther(pid) && hasRandomAccessIndicator(this.#buffer, offset) ? RANDOM_ACCESS : 0
  }

  #elapsedMs(): number {
    // A chunk may begin with bytes that were cut later than those that follow had arrived.
    return Math.max(0, Math.round(this.#nowMs - this.#receivedAtMs))
  }

  #cutForKeyframe(cut: number): void {
    const { unit, head } = this.#randomAccess
    const { lead } = this.#choice
    this.#cut(cut)
    this.#cuts.spend()
    this.#start = { lead, head, end: head?.startsInside === true ? unit - cut + PACKET_SIZE : 0 }
  }

  /** Makes a chunk of the packets before `cut`; the rest moves to the front. */
  #cut(cut: number): void {
    if (cut <= 0) return
    this.#cuts.noteChunk(cut)
    const buffer = this.#buffer
    const keepsPackets = cut < this.#scanned
    const start = this.#start
    const { lead } = start ?? this.#choice
    const ms = keepsPackets ? this.#marks.msAt(cut) : 0
    const marks = this.#marks.take(buffer, cut, ms, this.#scanner)
    if (this.#choice.check(buffer, this.#nowMs)) this.#randomAccess.follow(this.#choice.lead)
    // Exactly sized, because a window may keep it for a long time.
    const bytes = buffer.slice(0, cut)
    buffer.copyWithin(0, cut, this.#filled)
    this.#out.push({
      kind: 'ts',
      bytes,
      origin: { generation: this.#generation, seq: this.#seq++ },
      receivedAtMs: this.#receivedAtMs,
      discontinuity: this.#isFirst && this.#generation > 0 ? 'source' : this.#isLost && 'lost',
      marks,
      randomAccess: start !== undefined,
      ...(lead === undefined ? {} : { lead }),
      ...(start?.head === undefined ? {} : { head: start.head }),
    })
    this.#isFirst = false
    this.#isLost = false
    this.#start = undefined
    this.#heldBefore = false
    this.#receivedAtMs = keepsPackets ? this.#receivedAtMs + ms : this.#nowMs
    this.#scanner.shift(cut)
    this.#randomAccess.shift(cut)
    this.#read -= cut
    this.#scanned -= cut
    this.#filled -= cut
  }
}
