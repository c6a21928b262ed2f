// The programs of a stream according to its PAT and PMTs (ISO/IEC 13818-1, 2.4.4), followed packet by packet, and the
// CRC of every other table that TR 101 290 2.2 names. Framer, timeline, splices, GOPs and validation all use this
// table.
import type { Chunk, Track } from './chunk.js'
import { CRC_ERROR, MARK_FLAGS, MARK_OFFSET, MARK_PID, MARK_SIZE, PSI, PSI_CHANGE } from './marks.js'
import { CAT_PID, isUnitStart, NULL_PID, PAT_PID, PACKET_SIZE, payloadOffset, PID_COUNT, readPid } from './packet.js'
import { parsePat } from './pat.js'
import { parsePmt } from './pmt.js'
import type { Pmt } from './pmt.js'
import { SectionAssembler } from './section-assembler.js'
import { isCurrent, isSectionOf, readTableIdExtension, readVersion } from './section-header.js'
import { trackOf } from './stream-types.js'

const TABLE_PAT = 0x00
const TABLE_CAT = 0x01
const TABLE_PMT = 0x02
/** PAT and CAT; NIT, SDT and BAT, EIT, TDT and TOT: EN 300 468, table 1. */
const FIXED_PIDS: ReadonlySet<number> = new Set([PAT_PID, CAT_PID, 0x10, 0x11, 0x12, 0x14])
/** How many programs of one stream are followed; one PAT section may name about 250. */
const MAX_PROGRAMS = 64
/** How many sections of the PAT, and of the CAT, are kept; each holds about 250 programs. */
const MAX_TABLE_SECTIONS = 8

export interface Program {
  readonly program: number
  readonly pmtPid: number
  readonly pcrPid: number
  readonly version: number
  readonly tracks: readonly Track[]
  /** The PID that has its random access points: the first video PID, else the first audio PID, else -1. */
  readonly leadPid: number
  readonly leadTrack: Track | undefined
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
  /** Incremented with every whole PAT or PMT section that has the right CRC and is current, new or repeated. */
  repeats = 0
  readonly #assemblers = new Map<number, SectionAssembler>()
  /** By program number, in the order of the PAT. */
  readonly #pmtPids = new Map<number, number>()
  #pid = 0
  readonly #onSection = (section: Uint8Array, length: number): void => this.#section(section, length)

  constructor() {
    for (const pid of FIXED_PIDS) this.#followPid(pid)
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
    this.#pid = pid
    const bad = assembler.push(bytes, payload, end, isUnitStart(bytes, offset), this.#onSection)
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
    return pid === PAT_PID || (this.isSectionPid[pid] === 1 && !FIXED_PIDS.has(pid))
  }

  /** A program has its random access points on this PID. */
  isLead(pid: number): boolean {
    for (const program of this.programs.values()) if (program.leadPid === pid) return true
    return false
  }

  #followPid(pid: number): void {
    if (this.#assemblers.has(pid)) return
    this.#assemblers.set(pid, new SectionAssembler())
    this.isSectionPid[pid] = 1
  }

  #section(section: Uint8Array, length: number): void {
    const table = section[0]
    const pid = this.#pid
    if ((table === TABLE_PAT || table === TABLE_PMT) && isCurrent(section)) this.repeats++
    if (table === TABLE_PAT && pid === PAT_PID) this.#pat(section, length)
    else if (table === TABLE_CAT && pid === CAT_PID) this.#cat(section, length)
    else if (table === TABLE_PMT && !FIXED_PIDS.has(pid)) this.#pmt(section, length)
  }

  #pat(section: Uint8Array, length: number): void {
    if (this.#isStored(section, length)) return
    const pat = parsePat(section, length)
    if (pat === undefined || !pat.current || pat.sectionNumber >= MAX_TABLE_SECTIONS) return
    this.#replace(section, length)
    if (pat.sectionNumber === 0) this.#pmtPids.clear()
    for (const { program, pmtPid } of pat.programs) {
      if (this.#pmtPids.size >= MAX_PROGRAMS) break
      if (pmtPid === NULL_PID || FIXED_PIDS.has(pmtPid)) continue
      this.#pmtPids.set(program, pmtPid)
      this.#followPid(pmtPid)
    }
    this.#forgetUnnamed()
    this.changes++
  }

  #cat(section: Uint8Array, length: number): void {
    if (this.#isStored(section, length) || !isSectionOf(TABLE_CAT, section, length)) return
    if (isCurrent(section) && section[6]! < MAX_TABLE_SECTIONS) this.#replace(section, length)
  }

  /** PMTs that the PAT no longer names are not in force, and are read again if it names them again. */
  #forgetUnnamed(): void {
    const named = new Set(this.#pmtPids.values())
    for (const pid of this.#assemblers.keys()) {
      if (named.has(pid) || FIXED_PIDS.has(pid)) continue
      this.isSectionPid[pid] = 0
      this.#assemblers.delete(pid)
    }
    for (const [key, { pid, bytes }] of this.sections) {
      if (bytes[0] === TABLE_PMT && this.#pmtPids.get(readTableIdExtension(bytes)) !== pid) this.sections.delete(key)
    }
    for (const [number, { pmtPid }] of this.programs) {
      if (this.#pmtPids.get(number) !== pmtPid) this.programs.delete(number)
    }
  }

  #pmt(section: Uint8Array, length: number): void {
    if (this.#isStored(section, length)) return
    const pmt = parsePmt(section, length)
    // A PMT is one section, number 0.
    if (pmt === undefined || !pmt.current || section[6] !== 0) return
    if (this.#pmtPids.get(pmt.program) !== this.#pid) return
    this.#store(section, length)
    this.programs.set(pmt.program, programOf(pmt, this.#pid))
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
  }

  /** PID, table, table_id_extension (the program of a PMT) and section_number. */
  #key(section: Uint8Array): number {
    const extension = (section[3]! << 8) | section[4]!
    return ((this.#pid * 4 + section[0]!) * 0x10000 + extension) * 0x100 + section[6]!
  }
}

function programOf(pmt: Pmt, pmtPid: number): Program {
  const tracks = pmt.streams.map((stream) => trackOf(stream))
  const leadTrack = tracks.find((track) => track.media === 'video') ?? tracks.find((track) => track.media === 'audio')
  const { program, pcrPid, version } = pmt
  return { program, pmtPid, pcrPid, version, tracks, leadPid: leadTrack?.pid ?? -1, leadTrack }
}

function isSame(stored: Uint8Array, section: Uint8Array, length: number): boolean {
  if (stored.length !== length) return false
  for (let at = 0; at < length; at++) if (stored[at] !== section[at]) return false
  return true
}
