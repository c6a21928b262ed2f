// Plans what happens to the packets of each PID, from the tables in force and the selection.
import { CAT_PID, listDescriptors, NULL_PID, PAT_PID, parsePat, parsePmt, PID_COUNT } from '@millrace/media/mpegts'
import type { Pat, Pmt, ProgramTable } from '@millrace/media/mpegts'

export const DROP = 0
export const PASS = 1
/** Tables that are rewritten. */
export const REWRITE = 2
/** Only the PCR is kept, in packets without payload. */
export const PCR_ONLY = 3

export interface Selection {
  /** program_number; undefined for all. */
  readonly program: number | undefined
  /** Only these PIDs pass, with the PSI and clocks of their programs. Undefined for all. */
  readonly include: ReadonlySet<number> | undefined
  readonly exclude: ReadonlySet<number>
}

/** All programs, with rewritten tables. */
export const EVERYTHING: Selection = { program: undefined, include: undefined, exclude: new Set() }

export interface PidPlan {
  /** DROP, PASS, REWRITE or PCR_ONLY, by PID. */
  readonly actions: Uint8Array
  /** There is a PAT, but none of its programs is left. */
  readonly isEmpty: boolean
  /** Contains only what is kept, with the original version; undefined if no program is left, or known. */
  readonly pat: Pat | undefined
  /** PMTs of the remaining programs, with their remaining tracks; by PID. */
  readonly pmts: ReadonlyMap<number, readonly Pmt[]>
}

/** Time of day, EN 300 468 table 1: it belongs to no program. */
const TIME_PID = 0x14
const PAT_TABLE = 0x00
const CAT_TABLE = 0x01
const PMT_TABLE = 0x02
/** ISO/IEC 13818-1 2.6.16. */
const CA_DESCRIPTOR = 0x09
const CAT_HEADER_SIZE = 8
const CRC_SIZE = 4
/** As many programs as certainly fit into the one section that is written. */
const MAX_PROGRAMS = 250

export function planPids(table: ProgramTable, selection: Selection): PidPlan {
  const { program } = selection
  const sections = [...table.sections.values()]
  const pats = sections.filter(({ pid, bytes }) => pid === PAT_PID && bytes[0] === PAT_TABLE).map(({ bytes }) => bytes)
  const parsed = pats.map((bytes) => parsePat(bytes, bytes.length)).filter((pat) => pat !== undefined)
  const named = parsed.flatMap((pat) => pat.programs)
  const wanted = named.filter((each) => program === undefined || each.program === program)
  const actions = new Uint8Array(PID_COUNT).fill(program === undefined ? PASS : DROP)
  const pmts = sections
    .filter(({ bytes }) => bytes[0] === PMT_TABLE)
    .flatMap(({ pid, bytes }) => {
      const pmt = parsePmt(bytes, bytes.length)
      return pmt === undefined || !wanted.some((each) => each.program === pmt.program) ? [] : [{ pid, pmt }]
    })
  if (program !== undefined) {
    for (const pid of [NULL_PID, CAT_PID, TIME_PID, ...pidsOfCat(sections)]) actions[pid] = PASS
    for (const { pmt } of pmts) for (const pid of pidsOf(pmt)) actions[pid] = PASS
  }
  narrow(actions, selection)
  const kept = pmts.map(({ pid, pmt }) => ({ pid, pmt: { ...pmt, streams: keptStreams(pmt, actions) } }))
  // A program without tracks would make a receiver wait, so it is removed as a whole.
  const lost = new Set(pmts.filter(({ pmt }, index) => isLost(pmt, kept[index]!.pmt)).map(({ pmt }) => pmt.program))
  // The tracks of a program are unknown before its PMT: with `include`, most programs will not be kept.
  const known = new Set(pmts.map(({ pmt }) => pmt.program))
  const isLeft = (number: number): boolean =>
    !lost.has(number) && (selection.include === undefined || known.has(number))
  const left = wanted.filter((each) => isLeft(each.program)).slice(0, MAX_PROGRAMS)
  for (const { pmtPid } of named) actions[pmtPid] = DROP
  for (const { pmtPid } of left) actions[pmtPid] = REWRITE
  actions[PAT_PID] = left.length > 0 ? REWRITE : DROP
  const byPid = new Map<number, Pmt[]>()
  for (const { pid, pmt } of kept) {
    if (lost.has(pmt.program)) continue
    byPid.set(pid, [...(byPid.get(pid) ?? []), pmt])
    if (pmt.pcrPid !== NULL_PID && actions[pmt.pcrPid] === DROP) actions[pmt.pcrPid] = PCR_ONLY
  }
  const isEmpty = wanted.every((each) => lost.has(each.program))
  return { actions, isEmpty, pat: left.length > 0 ? patOf(parsed, left, actions) : undefined, pmts: byPid }
}

function narrow(actions: Uint8Array, { include, exclude }: Selection): void {
  if (include !== undefined) {
    for (let pid = 0; pid < PID_COUNT; pid++) if (pid !== NULL_PID && !include.has(pid)) actions[pid] = DROP
  }
  for (const pid of exclude) if (pid !== NULL_PID) actions[pid] = DROP
}

function keptStreams(pmt: Pmt, actions: Uint8Array): Pmt['streams'] {
  return pmt.streams.filter(({ pid }) => actions[pid] === PASS)
}

function isLost(before: Pmt, after: Pmt): boolean {
  return before.streams.length > 0 && after.streams.length === 0
}

function patOf([first]: readonly Pat[], programs: Pat['programs'], actions: Uint8Array): Pat | undefined {
  if (first === undefined) return undefined
  const { networkPid } = first
  const isKept = networkPid !== undefined && actions[networkPid] === PASS
  return { ...first, sectionNumber: 0, lastSectionNumber: 0, programs, networkPid: isKept ? networkPid : undefined }
}

/** PIDs of tracks, clock, and the entitlement messages of scrambled tracks. */
function pidsOf(pmt: Pmt): number[] {
  const loops = [pmt.descriptors, ...pmt.streams.map(({ descriptors }) => descriptors)]
  return [pmt.pcrPid, ...pmt.streams.map(({ pid }) => pid), ...loops.flatMap((loop) => accessPids(loop))]
}

function pidsOfCat(sections: readonly { readonly pid: number; readonly bytes: Uint8Array }[]): number[] {
  return sections
    .filter(({ pid, bytes }) => pid === CAT_PID && bytes[0] === CAT_TABLE)
    .flatMap(({ bytes }) => accessPids(bytes.subarray(CAT_HEADER_SIZE, bytes.length - CRC_SIZE)))
}

function accessPids(loop: Uint8Array): number[] {
  return [...listDescriptors(loop)]
    .filter(({ tag, data }) => tag === CA_DESCRIPTOR && data.length >= 4)
    .map(({ data }) => ((data[2]! & 0x1f) << 8) | data[3]!)
}
