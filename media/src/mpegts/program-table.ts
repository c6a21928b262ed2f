// The programs of a stream according to its PAT and PMTs (ISO/IEC 13818-1, 2.4.4), followed packet by packet, and the
// CRC of every other table that TR 101 290 2.2 names. Framer, timeline, splices, GOPs and validation all use this
// table.
import { UnusableTables, isUsable, meantProgram } from './unusable-tables.js'
import { ChangeLimit } from './change-limit.js'
import type { Chunk, Track } from './chunk.js'
import { CRC_ERROR, MARK_FLAGS, MARK_OFFSET, MARK_PID, MARK_SIZE, PSI, PSI_CHANGE } from './marks.js'
import { CAT_PID, isUnitStart, NULL_PID, PAT_PID, PACKET_SIZE, payloadOffset, PID_COUNT, readPid } from './packet.js'
import { parsePat } from './pat.js'
import { isPesStart } from './pes.js'
import { parsePmt } from './pmt.js'
import type { Pmt } from './pmt.js'
import { RepeatedDamage } from './repeated-damage.js'
import { SectionAssembler } from './section-assembler.js'
import { isCurrent, isSectionOf, readTableIdExtension, readVersion, SECTION_CRC_SIZE } from './section-header.js'
import { trackOf } from './stream-types.js'

export const TABLE_PAT = 0x00
const TABLE_CAT = 0x01
export const TABLE_PMT = 0x02
/**
 * NIT, SDT and BAT, EIT, TDT and TOT in DVB: EN 300 468, table 1. Elsewhere these PIDs may have any use, so they are
 * DVB's only where PAT and PMTs give them to nobody.
 */
const DVB_PIDS: readonly number[] = [0x10, 0x11, 0x12, 0x14]
/** How many programs the PAT may name (one section has room for about 250), and how many of them are followed. */
const MAX_NAMED = 256
const MAX_PROGRAMS = 64
/** How many sections of the PAT, and of the CAT, are kept; each holds about 250 programs. */
const MAX_TABLE_SECTIONS = 8

export interface Program {
  readonly program: number
  readonly pmtPid: number
  readonly pcrPid: number
  readonly version: number
  readonly tracks: readonly Track[]
}

export interface StoredSection {
  readonly pid: number
  readonly bytes: Uint8Array
}

export class ProgramTable {
  /** By program number, in the order of the PAT; only those whose PMT has been seen. */
  readonly programs = new Map<number, Program>()
  /** The sections of PAT, CAT and PMTs in force, by PID, table and section number. */
  readonly sections = new Map<number, StoredSection>()
  /** 1 for every PID whose sections are read. */
  readonly isSectionPid = new Uint8Array(PID_COUNT)
  /** Incremented with every version of the PAT or of a PMT that takes effect. */
  changes = 0
  /** Incremented with every section that takes effect, those of the CAT included. */
  stored = 0
  /** Incremented with every whole PAT or PMT section that has the right CRC and is current, new or repeated. */
  repeats = 0
  readonly #assemblers = new Map<number, SectionAssembler>()
  readonly #changeLimit = new ChangeLimit()
  /** By program number, in the order of the PAT. */
  readonly #pmtPids = new Map<number, number>()
  readonly #damage: RepeatedDamage
  readonly #unusable: UnusableTables
  /** Tables in force that were put right: 0 is the PAT, all others are PMTs by program number. */
  readonly #corrected = new Set<number>()
  /** The section that is handed over next had a wrong CRC. */
  #isRepaired = false
  #hasPat = false
  #networkPid = NULL_PID
  /** Section PIDs of no program. */
  #otherPids: ReadonlySet<number> = new Set()
  #pid = 0
  readonly #onSection = (section: Uint8Array, length: number): void => this.#section(section, length)
  readonly #onDamaged = (section: Uint8Array, length: number): boolean => this.#isBelieved(section, length)

  /** `before`: that of the previous generation; damaged tables that were believed in it still are. */
  constructor(before?: ProgramTable) {
    this.#damage = before === undefined ? new RepeatedDamage() : before.#damage
    this.#unusable = before === undefined ? new UnusableTables() : before.#unusable
    this.#assignPids()
  }

  /** A PAT is in force. */
  get hasPat(): boolean {
    return this.#hasPat
  }

  /** Program numbers that the PAT in force names, with the PIDs of their PMTs, in its order. */
  get named(): ReadonlyMap<number, number> {
    return this.#pmtPids
  }

  /** Tables that repeat unchanged, and are used although their CRC is wrong or no receiver may use them. In all generations. */
  get believed(): number {
    return this.#damage.believed + this.#unusable.believed
  }

  /** TABLE_PAT or TABLE_PMT has come, and always with a wrong CRC. */
  isDamaged(table: number): boolean {
    return this.#damage.hasTable(table)
  }

  /** Takes the packets of a chunk that are marked PSI. A break in the stream discards incomplete sections. */
  follow(chunk: Chunk): void {
    if (chunk.discontinuity !== false) this.reset()
    const { marks, bytes } = chunk
    for (let at = 0; at < marks.length; at += MARK_SIZE) {
      if (((marks[at + MARK_FLAGS] ?? 0) & PSI) === 0) continue
      if (this.isSectionPid[marks[at + MARK_PID] ?? NULL_PID] === 1) this.packet(bytes, marks[at + MARK_OFFSET] ?? 0)
    }
  }

  /**
   * Takes one packet of a section PID; returns the flags CRC_ERROR and PSI_CHANGE that it causes. Copies what it keeps.
   */
  packet(bytes: Uint8Array, offset: number): number {
    const pid = readPid(bytes, offset)
    const assembler = this.#assemblers.get(pid)
    if (assembler === undefined) return 0
    const end = offset + PACKET_SIZE
    const payload = payloadOffset(bytes, offset)
    if (payload >= end) return 0
    const before = this.changes
    this.#changeLimit.notePacket()
    this.#pid = pid
    const isStart = isUnitStart(bytes, offset)
    // Before the PMT is known, a PES packet shows that the PID is not DVB's.
    if (isStart && this.#otherPids.has(pid) && isPesStart(bytes, payload, end)) {
      assembler.reset()
      return 0
    }
    const bad = assembler.push(bytes, payload, end, isStart, this.#onSection)
    return (bad > 0 ? CRC_ERROR : 0) | (this.changes !== before ? PSI_CHANGE : 0)
  }

  /** Packets of this PID were lost: its incomplete section is discarded. */
  resetPid(pid: number): void {
    this.#assemblers.get(pid)?.reset()
  }

  /** The same for all PIDs. Tables in force stay. */
  reset(): void {
    for (const assembler of this.#assemblers.values()) assembler.reset()
  }

  /** The program with that number; without a number the first in the PAT whose PMT has been seen. */
  select(program?: number): Program | undefined {
    if (program !== undefined) return this.programs.get(program)
    for (const number of this.#pmtPids.keys()) {
      const found = this.programs.get(number)
      if (found !== undefined) return found
    }
    return undefined
  }

  isPatOrPmt(pid: number): boolean {
    return this.isSectionPid[pid] === 1 && !this.#otherPids.has(pid)
  }

  /** Decides which PIDs carry sections. A PMT PID without a PMT yields to a track, any other to PAT and PMTs. */
  #assignPids(): void {
    const claimed = new Set<number>()
    const pmtPids = new Set<number>()
    for (const { pmtPid, pcrPid, tracks } of this.programs.values()) {
      pmtPids.add(pmtPid)
      claimed.add(pcrPid)
      for (const { pid } of tracks) claimed.add(pid)
    }
    for (const pid of this.#pmtPids.values()) if (!claimed.has(pid)) pmtPids.add(pid)
    const isFree = (pid: number): boolean => pid !== NULL_PID && !claimed.has(pid) && !pmtPids.has(pid)
    this.#otherPids = new Set([CAT_PID, ...DVB_PIDS, this.#networkPid].filter(isFree))
    const wanted = new Set([PAT_PID, ...pmtPids, ...this.#otherPids])
    for (const pid of this.#assemblers.keys()) {
      if (wanted.has(pid)) continue
      this.isSectionPid[pid] = 0
      this.#assemblers.delete(pid)
    }
    for (const pid of wanted) {
      if (this.#assemblers.has(pid)) continue
      this.#assemblers.set(pid, new SectionAssembler(undefined, this.#onDamaged))
      this.isSectionPid[pid] = 1
    }
  }

  /**
   * A section with a wrong CRC that is one in force, or that repeats unchanged. Only PAT and PMTs, which are needed; a PMT
   * whose program_number is damaged is none.
   */
  #isBelieved(section: Uint8Array, length: number): boolean {
    const isPat = section[0] === TABLE_PAT && this.#pid === PAT_PID
    const isPmt = section[0] === TABLE_PMT && this.#pmtPids.get(readTableIdExtension(section)) === this.#pid
    if (!isPat && !isPmt) return false
    const key = this.#key(section)
    const known = this.sections.get(key)?.bytes
    const body = length - SECTION_CRC_SIZE
    if (known?.length === length && isSame(known.subarray(0, body), section, body)) {
      section.set(known.subarray(body), body)
      this.#isRepaired = true
    } else this.#isRepaired = this.#damage.note(key, section, length)
    return this.#isRepaired
  }

  #section(section: Uint8Array, length: number): void {
    const table = section[0]
    const pid = this.#pid
    if (this.#isRepaired) this.#isRepaired = false
    else if (table === TABLE_PAT) this.#damage.forgetTable(TABLE_PAT)
    else if (table === TABLE_PMT) this.#damage.forget(this.#key(section))
    if (!this.#isUsable(section, length)) return
    if ((table === TABLE_PAT || table === TABLE_PMT) && isCurrent(section)) this.repeats++
    if (table === TABLE_PAT && pid === PAT_PID) this.#pat(section, length)
    else if (table === TABLE_CAT && pid === CAT_PID) this.#cat(section, length)
    else if (table === TABLE_PMT) this.#pmt(section, length)
  }

  /** False for a PAT or PMT that is not in force, or not of this stream. */
  #isUsable(section: Uint8Array, length: number): boolean {
    if (section[0] === TABLE_PAT && this.#pid === PAT_PID)
      return this.#isMeant(0, section, length, readTableIdExtension(section))
    if (section[0] !== TABLE_PMT) return true
    const program = meantProgram(this.#pmtPids, this.#pid, section)
    return program !== undefined && this.#isMeant(program, section, length, program)
  }

  /**
   * The table is to be used: it is as it should be, or has been put right because the stream has none that is. `slot`: as
   * in #corrected.
   */
  #isMeant(slot: number, section: Uint8Array, length: number, extension: number): boolean {
    if (isUsable(section, extension)) {
      this.#corrected.delete(slot)
      return true
    }
    const isInForce = slot === 0 ? this.#hasPat : this.programs.has(slot)
    if (isInForce && !this.#corrected.has(slot)) return false
    const key = (this.#pid * 0x10000 + slot) * 0x100 + section[6]!
    if (!this.#unusable.correct(key, section, length, extension)) return false
    this.#corrected.add(slot)
    return true
  }

  #pat(section: Uint8Array, length: number): void {
    if (this.#isStored(section, length) || !isCurrent(section)) return
    const pat = parsePat(section, length)
    if (pat === undefined || !pat.current || pat.sectionNumber >= MAX_TABLE_SECTIONS) return
    if (!this.#changeLimit.take()) return
    this.#replace(section, length)
    this.#hasPat = true
    if (pat.sectionNumber === 0) {
      this.#pmtPids.clear()
      this.#networkPid = NULL_PID
    }
    this.#networkPid = pat.networkPid ?? this.#networkPid
    for (const { program, pmtPid } of pat.programs) {
      if (this.#pmtPids.size >= MAX_NAMED) break
      if (pmtPid !== NULL_PID) this.#pmtPids.set(program, pmtPid)
    }
    this.#forgetUnnamed()
    this.#assignPids()
    this.changes++
  }

  #cat(section: Uint8Array, length: number): void {
    if (this.#isStored(section, length) || !isSectionOf(TABLE_CAT, section, length)) return
    if (isCurrent(section) && section[6]! < MAX_TABLE_SECTIONS) this.#replace(section, length)
  }

  /** PMTs that the PAT no longer names are not in force, and are read again if it names them again. */
  #forgetUnnamed(): void {
    for (const [key, { pid, bytes }] of this.sections) {
      if (bytes[0] === TABLE_PMT && this.#pmtPids.get(readTableIdExtension(bytes)) !== pid) this.sections.delete(key)
    }
    for (const [number, { pmtPid }] of this.programs) {
      if (this.#pmtPids.get(number) !== pmtPid) this.programs.delete(number)
    }
    for (const slot of this.#corrected) if (slot !== 0 && !this.programs.has(slot)) this.#corrected.delete(slot)
  }

  #pmt(section: Uint8Array, length: number): void {
    if (this.#isStored(section, length) || !isCurrent(section)) return
    const number = readTableIdExtension(section)
    if (this.#pmtPids.get(number) !== this.#pid || (this.programs.size >= MAX_PROGRAMS && !this.programs.has(number)))
      return
    const pmt = parsePmt(section, length)
    // A PMT is one section, number 0.
    if (pmt === undefined || !pmt.current || section[6] !== 0) return
    if (!this.#changeLimit.take()) return
    this.#store(section, length)
    this.programs.set(pmt.program, programOf(pmt, this.#pid))
    this.#assignPids()
    this.changes++
  }

  /** The identical section is already in force, which is nearly always the case. */
  #isStored(section: Uint8Array, length: number): boolean {
    const known = this.sections.get(this.#key(section))
    return known !== undefined && isSame(known.bytes, section, length)
  }

  /** A PAT or CAT section takes effect: sections of another version or transport stream are no longer in force. */
  #replace(section: Uint8Array, length: number): void {
    for (const [key, { pid, bytes }] of this.sections) {
      if (pid !== this.#pid) continue
      const isSameTable = readTableIdExtension(bytes) === readTableIdExtension(section)
      if (!isSameTable || readVersion(bytes) !== readVersion(section)) this.sections.delete(key)
    }
    this.#store(section, length)
  }

  /** Keeps a copy, for splices and to recognise repetitions. */
  #store(section: Uint8Array, length: number): void {
    this.sections.set(this.#key(section), { pid: this.#pid, bytes: section.slice(0, length) })
    this.stored++
  }

  /** PID, table, table_id_extension (the program of a PMT) and section_number. */
  #key(section: Uint8Array): number {
    const extension = (section[3]! << 8) | section[4]!
    return ((this.#pid * 4 + section[0]!) * 0x10000 + extension) * 0x100 + section[6]!
  }
}

function programOf(pmt: Pmt, pmtPid: number): Program {
  const { program, pcrPid, version } = pmt
  return { program, pmtPid, pcrPid, version, tracks: pmt.streams.map((stream) => trackOf(stream)) }
}

function isSame(stored: Uint8Array, section: Uint8Array, length: number): boolean {
  if (stored.length !== length) return false
  for (let at = 0; at < length; at++) if (stored[at] !== section[at]) return false
  return true
}
