// Follows the PES packets of each PID: their lengths, and PTS and DTS across the 33-bit wrap. ISO/IEC 13818-1 clauses
// 2.4.3.6 and 2.7.4; TR 101 290 2.5.
import { signedDifference } from './clock.js'
import type { TsPacket } from './ts-packet.js'

const CLOCK_SPAN = 2 ** 33
/** How much of the first unit is kept, to examine its picture. */
const MAX_KEPT = 1 << 16

export interface UnitsReport {
  streamId: number
  units: number
  /** Units whose first packet has random_access_indicator. */
  randomAccessIndicators: number
  /** As on the wire; undefined before the first. */
  firstPts90k: number | undefined
  firstDts90k: number | undefined
  /** Unwrapped: increasing from the first value across any wrap. */
  lastPts90k: number
  lastDts90k: number
  /** DTS steps (PTS without a DTS) that do not go forward, announced or not. */
  dtsNotIncreasing: number
  /** Largest step without a discontinuity_indicator in between. */
  maxDtsStepMs: number
  /** Largest step across a discontinuity_indicator. */
  maxSplicedDtsStepMs: number
  /** Units that are longer or shorter than PES_packet_length: ffmpeg reports them as corrupt. */
  wrongLength: number
  /** Units truncated by a discontinuity_indicator. */
  cut: number
  /** Packets with payload before the first unit start, or between a discontinuity_indicator and the next unit start. */
  beforeUnitStart: number
  /** Unit starts without a start code prefix. */
  noStartCode: number
}

interface OpenUnit {
  /** 6 + PES_packet_length, or 0 if unbounded. */
  expected: number
  received: number
}

interface PidState {
  readonly report: UnitsReport
  open: OpenUnit | undefined
  spliced: boolean
}

export class Units {
  readonly byPid: Record<number, UnitsReport> = {}
  /** The bytes of the first unit of the first PID with a video stream_id, and whether the unit has ended. */
  firstVideo: { readonly pid: number; readonly randomAccess: boolean; bytes: number[]; ended: boolean } | undefined
  readonly #pids = new Map<number, PidState>()

  take(packet: TsPacket): void {
    const state = this.#stateOf(packet.pid)
    if (packet.discontinuity) {
      if (state.open !== undefined && isShort(state.open)) state.report.cut++
      state.open = undefined
      state.spliced = true
    }
    if (!packet.hasPayload) return
    if (packet.unitStart) this.#begin(state, packet)
    if (state.open === undefined) {
      state.report.beforeUnitStart++
      return
    }
    state.open.received += packet.payload.length
    this.#keepFirstVideo(packet)
  }

  /** Units truncated by the end of the stream do not count as wrong: live streams end anywhere. */
  end(): void {
    if (this.firstVideo !== undefined) this.firstVideo.ended = true
  }

  #stateOf(pid: number): PidState {
    const known = this.#pids.get(pid)
    if (known !== undefined) return known
    const state: PidState = { report: emptyReport(), open: undefined, spliced: false }
    this.#pids.set(pid, state)
    this.byPid[pid] = state.report
    return state
  }

  #begin(state: PidState, packet: TsPacket): void {
    const { report, open } = state
    if (open !== undefined && open.expected > 0 && open.received !== open.expected) report.wrongLength++
    if (this.firstVideo?.pid === packet.pid) this.firstVideo.ended = true
    state.open = undefined
    if (!hasStartCode(packet.payload)) {
      report.noStartCode++
      return
    }
    const streamId = packet.payload[3] ?? 0
    report.units++
    report.streamId = streamId
    if (packet.randomAccess) report.randomAccessIndicators++
    const length = readLength(packet.payload)
    state.open = { expected: length === 0 ? 0 : length + 6, received: 0 }
    if (hasHeader(streamId)) noteTimes(state, packet.payload)
    if (streamId >> 4 === 0xe && this.firstVideo === undefined) {
      this.firstVideo = { pid: packet.pid, randomAccess: packet.randomAccess, bytes: [], ended: false }
    }
  }

  #keepFirstVideo(packet: TsPacket): void {
    const first = this.firstVideo
    if (first === undefined || first.ended || first.pid !== packet.pid) return
    first.bytes.push(...packet.payload)
    if (first.bytes.length > MAX_KEPT) first.ended = true
  }
}

function emptyReport(): UnitsReport {
  return {
    streamId: 0,
    units: 0,
    randomAccessIndicators: 0,
    firstPts90k: undefined,
    firstDts90k: undefined,
    lastPts90k: 0,
    lastDts90k: 0,
    dtsNotIncreasing: 0,
    maxDtsStepMs: 0,
    maxSplicedDtsStepMs: 0,
    wrongLength: 0,
    cut: 0,
    beforeUnitStart: 0,
    noStartCode: 0,
  }
}

function hasStartCode(payload: Uint8Array): boolean {
  return payload[0] === 0 && payload[1] === 0 && payload[2] === 1
}

/** PES_packet_length. */
function readLength(payload: Uint8Array): number {
  return (payload[4] ?? 0) * 256 + (payload[5] ?? 0)
}

function isShort(open: OpenUnit): boolean {
  return open.expected > 0 && open.received < open.expected
}

/** Not padding_stream, private_stream_2, program_stream_map and the like: table 2-21. */
function hasHeader(streamId: number): boolean {
  return ![0xbc, 0xbe, 0xbf, 0xf0, 0xf1, 0xf2, 0xf8, 0xff].includes(streamId)
}

function noteTimes(state: PidState, payload: Uint8Array): void {
  const { report } = state
  const flags = (payload[7] ?? 0) >> 6
  if (flags < 2) return
  const pts90k = readStamp(payload.subarray(9, 14))
  const dts90k = flags === 3 ? readStamp(payload.subarray(14, 19)) : pts90k
  const spliced = state.spliced
  state.spliced = false
  if (report.firstPts90k === undefined) {
    Object.assign(report, { firstPts90k: pts90k, firstDts90k: dts90k, lastPts90k: pts90k, lastDts90k: dts90k })
    return
  }
  const step90k = signedDifference(dts90k, report.lastDts90k, CLOCK_SPAN)
  report.lastPts90k += signedDifference(pts90k, report.lastPts90k, CLOCK_SPAN)
  report.lastDts90k += step90k
  if (step90k <= 0) report.dtsNotIncreasing++
  if (spliced) report.maxSplicedDtsStepMs = Math.max(report.maxSplicedDtsStepMs, step90k / 90)
  else report.maxDtsStepMs = Math.max(report.maxDtsStepMs, step90k / 90)
}

/** Five bytes: 3, 15 and 15 bits, each followed by a marker bit. */
function readStamp(bytes: Uint8Array): number {
  const [a = 0, b = 0, c = 0, d = 0, e = 0] = bytes
  return ((a >> 1) & 7) * 2 ** 30 + b * 2 ** 22 + (c >> 1) * 2 ** 15 + d * 2 ** 7 + (e >> 1)
}
