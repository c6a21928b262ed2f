// Makes the bytes of a segment: PAT and PMT of one program, then its packets, each as it came. Tables of the stream are
// replaced by ours, which have continuity counters of their own, going on from segment to segment. Behind a gap, and where
// another stream begins, a packet without payload announces for each PID that its counter jumps (ISO/IEC 13818-1 2.4.3.5).
// Parameter sets that the stream does not repeat stand in front of the key frame.
import {
  DISCONTINUITY_FLAG,
  hasPayload,
  isUnitStart,
  PACKET_SIZE,
  PAT_PID,
  readCounter,
  readPid,
  SYNC_BYTE,
} from '@millrace/media/mpegts'
import type { Numbers } from '../playlist/segment-list.js'
import type { ProgramHead } from './program-head.js'
import { numberedTables, TablePackets } from './table-packets.js'
import { withoutUnfinished } from './unfinished-units.js'

export interface SegmentParts {
  readonly head: ProgramHead
  /** Whole packets. */
  readonly parts: readonly Uint8Array[]
  /** Packets that a decoder which starts with the segment needs before them. */
  readonly lacking: Uint8Array | undefined
  /** The stream breaks off behind them. */
  readonly isBroken: boolean
  /** Another stream begins with them, or other tracks. */
  readonly isNew: boolean
  /** Origins whose readers alternate between them have these numbers for it. Undefined: there is one origin. */
  readonly shared: Numbers | undefined
}

const STUFFING = 0xff
const ADAPTATION_FIELD_ONLY = 0x20

export class SegmentBuilder {
  readonly #packets = new TablePackets()
  /** Bytes of the stream behind the last tables, and those of the tables. */
  #behindTables = 0
  #tableBytes = 0
  /** Packets before the next segment are missing. */
  #isBehindGap = false
  #hasBuilt = false

  /** A segment has been left out. */
  skip(): void {
    this.#isBehindGap = true
  }

  /** The result shares the memory of the parts. */
  build({ head, parts, lacking, isBroken, isNew, shared }: SegmentParts): Uint8Array[] {
    const jumps = this.#isBehindGap || (isNew && this.#hasBuilt)
    this.#hasBuilt = true
    const first = lacking === undefined ? [] : [lacking]
    const out = [
      shared === undefined ? this.#tables(head) : numberedTables(head, shared),
      // The counters of what is put in front are not those that the segment before ends with.
      ...announcements(head, jumps ? [...first, ...parts] : first),
      ...first,
    ]
    this.#isBehindGap = isBroken
    for (const bytes of isBroken ? withoutUnfinished(parts) : parts)
      this.#select(head, bytes, out, shared === undefined)
    return out
  }

  /** Whole runs of packets that are kept. `repeats`: our tables wherever the stream had its own. */
  #select(head: ProgramHead, bytes: Uint8Array, out: Uint8Array[], repeats: boolean): void {
    let from = 0
    for (let at = 0; at < bytes.length; at += PACKET_SIZE) {
      const pid = readPid(bytes, at)
      if (head.keeps[pid] === 1) continue
      this.#keep(from === at ? undefined : bytes.subarray(from, at), out)
      from = at + PACKET_SIZE
      // Most of a segment is the stream, however often that has a PAT.
      const isDue = repeats && out.length > 1 && this.#behindTables >= this.#tableBytes
      if (pid === PAT_PID && isDue && isUnitStart(bytes, at)) out.push(this.#tables(head))
    }
    if (from < bytes.length) this.#keep(from === 0 ? bytes : bytes.subarray(from), out)
  }

  #keep(bytes: Uint8Array | undefined, out: Uint8Array[]): void {
    if (bytes === undefined) return
    out.push(bytes)
    this.#behindTables += bytes.length
  }

  #tables(head: ProgramHead): Uint8Array {
    const tables = this.#packets.next(head)
    this.#behindTables = 0
    this.#tableBytes = tables.length
    return tables
  }
}

/** With the counters before those of the first packets. */
function announcements(head: ProgramHead, parts: readonly Uint8Array[]): Uint8Array[] {
  const announced = new Map<number, Uint8Array>()
  for (const bytes of parts) {
    for (let at = 0; at < bytes.length; at += PACKET_SIZE) {
      const pid = readPid(bytes, at)
      if (head.keeps[pid] === 0 || announced.has(pid)) continue
      const counter = (readCounter(bytes, at) + (hasPayload(bytes, at) ? 15 : 0)) & 0x0f
      const packet = new Uint8Array(PACKET_SIZE).fill(STUFFING)
      const header = [SYNC_BYTE, pid >>> 8, pid & 0xff, ADAPTATION_FIELD_ONLY | counter]
      packet.set([...header, PACKET_SIZE - 5, DISCONTINUITY_FLAG])
      announced.set(pid, packet)
    }
  }
  return [...announced.values()]
}
