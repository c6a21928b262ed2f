// Builds a transport stream from a plan, and returns along with the bytes where everything is. Independent of the
// parsers that it tests: of `media` only the writers are used, whose bytes vectors prove. Equal plans give equal bytes.
import { PacketWriter, payloadRoom, splitSection } from './packet-writer.js'
import { PTS_WRAP, wrap90k } from './pes.js'
import type { ProgramLayout } from './program-layout.js'
import { layOutProgram } from './program-layout.js'
import { Schedule } from './schedule.js'
import type { Descriptor } from './sections.js'
import { renderCat, renderPat, renderPmt, renderSdt, renderSpliceNull } from './sections.js'
import type { Unit } from './track-units.js'
import { listUnits } from './track-units.js'
import type { BuiltSection, BuiltTs, BuiltUnit, TsPlan } from './ts-plan.js'

const CAT_PID = 0x01
const SDT_PID = 0x11
const OTHER_TABLES_MS = 500
const PACKET_BITS = 188 * 8
/** Less than the whole, so that the last packet of a unit stays before the next unit of its PID. */
const SPAN_USED = 0.95

interface Build {
  readonly plan: TsPlan
  readonly programs: readonly ProgramLayout[]
  readonly schedule: Schedule
  readonly writer: PacketWriter
  readonly start90k: number
  readonly duration90k: number
  readonly delay90k: number
  /** When the first byte is sent. */
  readonly begin90k: number
  readonly units: BuiltUnit[]
  readonly keyframes: number[]
  readonly sections: BuiltSection[]
  readonly pcrs: { pid: number; offset: number; pcr27m: number }[]
}

export function buildTs(plan: TsPlan = {}): BuiltTs {
  const build = beginBuild(plan)
  const units = build.programs.map((program) => listUnits(program, build))
  planPsi(build, units)
  for (const [index, program] of build.programs.entries()) {
    planPcr(build, program)
    planCues(build, program)
    planUnits(build, program, units[index] ?? [])
  }
  runSchedule(build)
  const bytes = build.writer.toBytes()
  return {
    bytes,
    packets: bytes.length / 188,
    nullPackets: build.writer.nullPackets,
    tracks: build.programs.flatMap((program) => program.tracks),
    units: build.units,
    keyframes: build.keyframes,
    sections: build.sections,
    pcrs: build.pcrs,
    nextCounters: build.writer.nextCounters(),
    endPts90k: wrap90k(build.start90k + build.duration90k),
  }
}

function beginBuild(plan: TsPlan): Build {
  const programs = (plan.programs ?? [plan]).map(layOutProgram)
  const start90k = plan.startPts90k ?? 900_000
  const delay90k = (plan.delayMs ?? 200) * 90
  const reorder90k = programs.map(({ video }) => ((video?.bFrames ?? 0) > 0 ? 90_000 / (video?.fps ?? 25) : 0))
  return {
    plan,
    programs,
    schedule: new Schedule(),
    writer: new PacketWriter(plan.startCounters, plan.nullEvery),
    start90k,
    duration90k: Math.round((plan.durationS ?? 4) * 90_000),
    delay90k,
    begin90k: Math.round(start90k - delay90k - Math.max(0, ...reorder90k)),
    units: [],
    keyframes: [],
    sections: [],
    pcrs: [],
  }
}

function planPsi(build: Build, units: readonly (readonly Unit[])[]): void {
  const { psi = {} } = build.plan
  const keyTimes: number[] = []
  for (const [index, program] of build.programs.entries()) {
    if (psi.beforeKeyframes === false) continue
    const lead90k = psiSpan90k(build, program)
    for (const unit of units[index]?.filter(({ key }) => key) ?? []) {
      const at90k = unit.dts90k - build.delay90k - lead90k
      keyTimes.push(at90k)
      planTables(build, at90k, [program])
    }
  }
  // Two repetitions of PSI never overlap: sections of one PID cannot be sent at the same time.
  const span90k = Math.max(...build.programs.map((program) => psiSpan90k(build, program)))
  const phase90k = (psi.phaseMs ?? 0) * 90
  for (const at90k of repeat(build, phase90k, (psi.intervalMs ?? 100) * 90)) {
    if (keyTimes.some((key90k) => Math.abs(at90k - key90k) <= span90k)) continue
    planTables(build, at90k, build.programs)
  }
  planOtherTables(build, phase90k)
}

/** How long it takes to send the packets of a program's PMT. */
function psiSpan90k(build: Build, program: ProgramLayout): number {
  const gap90k = (build.plan.psi?.gapMs ?? 0) * 90
  return (splitSection(renderProgramMap(program)).length - 1) * gap90k
}

function planOtherTables(build: Build, phase90k: number): void {
  const { psi = {} } = build.plan
  const numbers = build.programs.map((program) => program.number)
  for (const at90k of repeat(build, phase90k, OTHER_TABLES_MS * 90)) {
    if (psi.cat === true) planSection(build, at90k, CAT_PID, renderCat(psi.version ?? 0))
    if (psi.sdt === true) planSection(build, at90k, SDT_PID, renderSdt(psi.version ?? 0, numbers))
  }
}

/** The PAT, and the PMT of each of `programs`. */
function planTables(build: Build, at90k: number, programs: readonly ProgramLayout[]): void {
  planSection(build, at90k, 0, renderPat(build.plan.psi?.version ?? 0, build.programs))
  for (const program of programs) planSection(build, at90k, program.pmtPid, renderProgramMap(program))
}

function planSection(build: Build, at90k: number, pid: number, section: Uint8Array): void {
  const gap90k = (build.plan.psi?.gapMs ?? 0) * 90
  const payloads = splitSection(section)
  let offset = 0
  for (const [index, payload] of payloads.entries()) {
    build.schedule.add(at90k + index * gap90k, 'psi', () => {
      const lastOffset = build.writer.write({ pid, payload, unitStart: index === 0 })
      if (index === 0) offset = lastOffset
      if (index < payloads.length - 1) return
      const version = ((section[5] ?? 0) >> 1) & 31
      build.sections.push({ pid, tableId: section[0] ?? 0, version, offset, lastOffset })
    })
  }
}

function renderProgramMap(program: ProgramLayout): Uint8Array {
  const render = (padding: readonly Descriptor[]): Uint8Array =>
    renderPmt({
      version: program.pmtVersion,
      program: program.number,
      pcrPid: program.pcr.pid,
      descriptors: [...program.descriptors, ...padding],
      streams: program.streams,
    })
  const bare = render([])
  const room = (program.pmtPackets ?? 1) * 184 - 1
  const padding: Descriptor[] = []
  for (let left = room - bare.length; program.pmtPackets !== undefined && left > 2;) {
    const length = Math.min(left - 2, 200)
    padding.push([0x90, ...new Uint8Array(length).fill(0x55)])
    left -= length + 2
  }
  return padding.length === 0 ? bare : render(padding)
}

/** PCRs in packets of their own, never between the PSI and the key picture it precedes. */
function planPcr(build: Build, program: ProgramLayout): void {
  const { pid, carrier, interval90k } = program.pcr
  if (carrier !== 'packets') return
  for (const at90k of repeat(build, interval90k / 4, interval90k)) {
    build.schedule.add(at90k, 'pcr', (now90k) => {
      const offset = build.writer.write({ pid, payload: new Uint8Array(0), pcr27m: now90k * 300 })
      notePcr(build, pid, offset, now90k)
    })
  }
}

/** SCTE-35 sections. */
function planCues(build: Build, program: ProgramLayout): void {
  for (const { kind, pid, intervalMs } of program.data) {
    if (kind !== 'scte35') continue
    for (const at90k of repeat(build, 9000, intervalMs * 90)) planSection(build, at90k, pid, renderSpliceNull())
  }
}

function planUnits(build: Build, program: ProgramLayout, units: readonly Unit[]): void {
  const { pcr } = program
  let nextPcr90k = -Infinity
  for (const unit of units) {
    const at90k = unit.dts90k - build.delay90k
    const hasPcr = unit.pid === pcr.pid && pcr.carrier === 'units' && at90k >= nextPcr90k
    if (hasPcr) nextPcr90k = at90k + pcr.interval90k
    planUnit(build, unit, { at90k, hasPcr, first: program === build.programs[0] })
  }
}

function planUnit(build: Build, unit: Unit, when: { at90k: number; hasPcr: boolean; first: boolean }): void {
  const { pid, pes, indicated } = unit
  const room = payloadRoom({ pcr: when.hasPcr, randomAccess: indicated })
  const packets = 1 + Math.ceil(Math.max(0, pes.length - room) / 184)
  build.schedule.add(when.at90k, 'unit', (now90k) => {
    const clock = when.hasPcr ? { pcr27m: now90k * 300 } : {}
    const payload = pes.subarray(0, room)
    const offset = build.writer.write({ pid, payload, unitStart: true, randomAccess: indicated, ...clock })
    if (when.hasPcr) notePcr(build, pid, offset, now90k)
    if (unit.randomAccess && when.first) build.keyframes.push(offset)
    const times = { pts90k: wrap90k(unit.pts90k), dts90k: wrap90k(unit.dts90k) }
    build.units.push({ pid, offset, packets, ...times, randomAccess: unit.randomAccess })
  })
  const step90k = build.plan.interleave === false ? 0 : (unit.span90k * SPAN_USED) / packets
  for (let index = 1; index < packets; index++) {
    const payload = pes.subarray(room + (index - 1) * 184, room + index * 184)
    build.schedule.add(when.at90k + index * step90k, 'unit', () => build.writer.write({ pid, payload }))
  }
}

function runSchedule({ plan, schedule, writer }: Build): void {
  const packet90k = plan.muxRate === undefined ? undefined : (PACKET_BITS / plan.muxRate) * 90_000
  schedule.run(packet90k, () => writer.writeNull())
}

function notePcr(build: Build, pid: number, offset: number, now90k: number): void {
  const span = PTS_WRAP * 300
  build.pcrs.push({ pid, offset, pcr27m: ((Math.round(now90k * 300) % span) + span) % span })
}

/** Times from `phase90k` after the first byte to the end of sending. */
function repeat(build: Build, phase90k: number, interval90k: number): number[] {
  const first90k = build.begin90k + phase90k
  const end90k = build.start90k - build.delay90k + build.duration90k
  return Array.from(
    { length: Math.ceil((end90k - first90k) / interval90k) },
    (_, index) => first90k + index * interval90k,
  )
}
