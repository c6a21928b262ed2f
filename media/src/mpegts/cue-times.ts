// Moves the times of splice information with the stream, ANSI/SCTE 35 section 9.6.1: pts_adjustment is added to every time
// of its section, and is there for whoever shifts a stream; it is never encrypted. The CRC is linear, as in
// section-version.ts.
import { crc32Delta } from './crc32.js'
import { hasPayload, isUnitStart, PACKET_SIZE, payloadOffset, readPid } from './packet.js'
import type { ProgramTable } from './program-table.js'
import { mod33 } from './timestamps.js'

/** table_id of a splice_info_section. */
const TABLE_ID = 0xfc
/** Of the byte whose last bit is the highest of pts_adjustment; the other 32 bits follow. */
const ADJUSTMENT_AT = 4
const ADJUSTMENT_END = ADJUSTMENT_AT + 5
const LENGTH_HEADER = 3
const CRC_SIZE = 4
/** Up to splice_command_type, and the CRC. */
const MIN_SECTION = 18
/** A program has one or two. */
const MAX_PIDS = 16

/** What is left of a section that continues in the next packet of its PID. */
interface Open {
  left: number
  readonly delta: number
}

export class CueTimes {
  readonly #offset90k: number
  readonly #open = new Map<number, Open>()
  #pids: ReadonlySet<number> = new Set()
  #table: ProgramTable | undefined
  #changes = -1

  constructor(offset90k: number) {
    this.#offset90k = mod33(offset90k)
  }

  /** Rewrites the packets of a chunk, in order. `table`: of the programs in force. `drop`: 1 for those that are not sent. */
  apply(bytes: Uint8Array, table: ProgramTable, drop: Uint8Array | undefined): void {
    if (this.#offset90k === 0) return
    if (table !== this.#table || table.changes !== this.#changes) this.#follow(table)
    if (this.#pids.size === 0) return
    for (let at = 0; at < bytes.length; at += PACKET_SIZE) {
      const pid = readPid(bytes, at)
      if (this.#pids.has(pid) && drop?.[at / PACKET_SIZE] !== 1 && hasPayload(bytes, at)) this.#packet(bytes, at, pid)
    }
  }

  #follow(table: ProgramTable): void {
    this.#table = table
    this.#changes = table.changes
    const pids = [...table.programs.values()].flatMap(({ tracks }) =>
      tracks.filter(({ codec }) => codec === 'scte35').map(({ pid }) => pid),
    )
    this.#pids = new Set(pids.slice(0, MAX_PIDS))
    for (const pid of this.#open.keys()) if (!this.#pids.has(pid)) this.#open.delete(pid)
  }

  #packet(bytes: Uint8Array, offset: number, pid: number): void {
    const end = offset + PACKET_SIZE
    const payload = payloadOffset(bytes, offset)
    if (payload >= end) return
    const open = this.#open.get(pid)
    if (!isUnitStart(bytes, offset)) {
      if (open !== undefined) this.#pass(bytes, payload, end, pid, open)
      return
    }
    const first = payload + 1 + bytes[payload]!
    if (open !== undefined) this.#pass(bytes, payload + 1, Math.min(first, end), pid, open)
    this.#open.delete(pid)
    for (let at = first; at + ADJUSTMENT_END <= end && bytes[at] !== 0xff;) {
      const length = LENGTH_HEADER + (((bytes[at + 1]! & 0x0f) << 8) | bytes[at + 2]!)
      const delta = bytes[at] === TABLE_ID && length >= MIN_SECTION ? this.#move(bytes, at, length) : 0
      this.#pass(bytes, at, end, pid, { left: length, delta })
      at += length
    }
  }

  /** Returns what changes the CRC. */
  #move(bytes: Uint8Array, at: number, length: number): number {
    const from = at + ADJUSTMENT_AT
    const low = ((bytes[from + 1]! << 24) | (bytes[from + 2]! << 16) | (bytes[from + 3]! << 8) | bytes[from + 4]!) >>> 0
    const moved = mod33((bytes[from]! & 1) * 2 ** 32 + low + this.#offset90k)
    const movedLow = moved % 2 ** 32
    const next = [
      (bytes[from]! & 0xfe) | (moved >= 2 ** 32 ? 1 : 0),
      ...[24, 16, 8, 0].map((shift) => (movedLow >>> shift) & 0xff),
    ]
    let delta = 0
    for (const [index, byte] of next.entries()) {
      const changed = bytes[from + index]! ^ byte
      if (changed !== 0) delta ^= crc32Delta(changed, length - CRC_SIZE - ADJUSTMENT_AT - index - 1)
      bytes[from + index] = byte
    }
    return delta
  }

  /** Passes bytes of the section; changes those of the CRC. */
  #pass(bytes: Uint8Array, from: number, end: number, pid: number, open: Open): void {
    for (let at = from; at < end && open.left > 0; at++, open.left--) {
      if (open.left <= CRC_SIZE) bytes[at] = bytes[at]! ^ ((open.delta >>> ((open.left - 1) * 8)) & 0xff)
    }
    if (open.left > 0) this.#open.set(pid, open)
    else this.#open.delete(pid)
  }
}
