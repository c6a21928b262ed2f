// The one program that a segment has: its PAT and PMT, and which PIDs belong to it.
import { PID_COUNT, parsePat, parsePmt, renderPat, renderPmt } from '@millrace/media/mpegts'
import type { Lead, Pmt, Program, ProgramTable } from '@millrace/media/mpegts'
import type { Track } from '@millrace/engine/plugin'

const TABLE_PMT = 0x02
const TABLE_PAT = 0x00

export class ProgramHead {
  readonly pmtPid: number
  readonly lead: Lead
  /** In the order of the PMT. */
  readonly tracks: readonly Track[]
  /** 1 for the PIDs of tracks of any kind, and of the clock. */
  readonly keeps = new Uint8Array(PID_COUNT)
  readonly #pmt: Pmt
  readonly #program: number
  readonly #transportStreamId: number

  /** Of the program of the track that leads; undefined while its PMT is not known. */
  static of(table: ProgramTable, lead: Lead): ProgramHead | undefined {
    const program = table.select(lead.program)
    const section = program && pmtOf(table, program)
    if (program === undefined || section === undefined) return undefined
    const pmt = parsePmt(section, section.length)
    return pmt === undefined ? undefined : new ProgramHead(program, pmt, lead, transportStreamIdOf(table))
  }

  private constructor(program: Program, pmt: Pmt, lead: Lead, transportStreamId: number) {
    this.pmtPid = program.pmtPid
    this.lead = lead
    this.tracks = program.tracks
    this.#pmt = pmt
    this.#program = program.program
    this.#transportStreamId = transportStreamId
    this.keeps[program.pcrPid] = 1
    for (const { pid } of program.tracks) this.keeps[pid] = 1
    // Tables are written here, and null packets have no use in a segment.
    for (const pid of [TABLE_PAT, program.pmtPid, PID_COUNT - 1]) this.keeps[pid] = 0
  }

  get pcrPid(): number {
    return this.#pmt.pcrPid
  }

  /** Without the other tracks. If the one that leads is not kept, the first of audio and video leads. */
  only(isKept: (track: Track) => boolean): ProgramHead {
    const tracks = this.tracks.filter(isKept)
    const streams = this.#pmt.streams.filter(({ pid }) => tracks.some((track) => track.pid === pid))
    const first = tracks.find(({ pid }) => pid === this.leadPid) ?? tracks.find(({ media }) => media !== 'data')
    const lead = first === undefined ? this.lead : { ...this.lead, ...pick(first) }
    const program = { program: this.#program, pmtPid: this.pmtPid, pcrPid: this.pcrPid, version: 0, tracks }
    return new ProgramHead(program, { ...this.#pmt, streams }, lead, this.#transportStreamId)
  }

  /** The bytes of its descriptor loop in the PMT. */
  descriptorsOf(pid: number): Uint8Array {
    return this.#pmt.streams.find((stream) => stream.pid === pid)?.descriptors ?? new Uint8Array(0)
  }

  get leadPid(): number {
    return this.lead.pid
  }

  /** A PAT with this program alone. */
  pat(): Uint8Array {
    return renderPat({
      transportStreamId: this.#transportStreamId,
      ...{ version: 0, current: true, sectionNumber: 0, lastSectionNumber: 0, networkPid: undefined },
      programs: [{ program: this.#program, pmtPid: this.pmtPid }],
    })
  }

  /** The PMT of the stream, descriptors and all, under a version of our own. */
  pmt(version: number): Uint8Array {
    return renderPmt({ ...this.#pmt, version })
  }

  /** It has the same tables, whatever their version. */
  equals(other: ProgramHead): boolean {
    return isSame(this.pat(), other.pat()) && isSame(this.pmt(0), other.pmt(0)) && this.leadPid === other.leadPid
  }
}

function pick({ pid, media, codec }: Track): Pick<Track, 'pid' | 'media' | 'codec'> {
  return { pid, media, codec }
}

function pmtOf(table: ProgramTable, { program, pmtPid }: Program): Uint8Array | undefined {
  for (const { pid, bytes } of table.sections.values()) {
    const isIts = pid === pmtPid && bytes[0] === TABLE_PMT && ((bytes[3]! << 8) | bytes[4]!) === program
    if (isIts) return bytes
  }
  return undefined
}

function transportStreamIdOf(table: ProgramTable): number {
  for (const { pid, bytes } of table.sections.values()) {
    if (pid === 0 && bytes[0] === TABLE_PAT) return parsePat(bytes, bytes.length)?.transportStreamId ?? 1
  }
  return 1
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index])
}
