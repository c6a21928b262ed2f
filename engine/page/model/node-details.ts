// What the tables show of a node's `details`, by the names that nodes of any type can use.

export interface StreamDetails {
  readonly pid: number
  /** Codec of a track, or PCR, PAT, PMT, null. */
  readonly type: string
  readonly program: number | undefined
  readonly language: string
  readonly kbps: number
  /** Of continuity. */
  readonly errors: number
}

/** When clock and units of its stream come, ms. */
interface TimingDetails {
  readonly pcrIntervalMs: number | undefined
  readonly pcrIntervalMaxMs: number | undefined
  readonly pcrJitterMs: number | undefined
  readonly avOffsetMs: number | undefined
}

export interface NodeDetails {
  /** Unix time, ms. */
  readonly keyFrameAtMs: number | undefined
  readonly gopSeconds: number | undefined
  readonly continuityErrors: number | undefined
  /** The longest of its connections. */
  readonly rttMs: number | undefined
  /** Of all its connections: packets that were lost, for each that came. */
  readonly lossShare: number | undefined
  /** What each PID of its stream carries. */
  readonly streams: readonly StreamDetails[]
  readonly timing: TimingDetails
  /** Checks of TR 101 290 by name: errors, or undefined for one that was never possible. */
  readonly checks: readonly (readonly [name: string, errors: number | undefined])[]
}

const NO_TIMING: TimingDetails = {
  pcrIntervalMs: undefined,
  pcrIntervalMaxMs: undefined,
  pcrJitterMs: undefined,
  avOffsetMs: undefined,
}

const NOTHING: NodeDetails = {
  keyFrameAtMs: undefined,
  gopSeconds: undefined,
  continuityErrors: undefined,
  rttMs: undefined,
  lossShare: undefined,
  streams: [],
  timing: NO_TIMING,
  checks: [],
}

export function readDetails(details: unknown): NodeDetails {
  if (typeof details !== 'object' || details === null) return NOTHING
  const fields = details as Readonly<Record<string, unknown>>
  const checks = fields['checks']
  const keyFrameAt = typeof fields['keyFrameAt'] === 'string' ? Date.parse(fields['keyFrameAt']) : NaN
  return {
    keyFrameAtMs: Number.isNaN(keyFrameAt) ? undefined : keyFrameAt,
    gopSeconds: numberOf(fields['gopSeconds']),
    continuityErrors: numberOf(fields['continuityErrors']),
    rttMs: longestRtt(fields['connections']),
    lossShare: lossOf(fields['connections']),
    streams: streamsOf(fields['streams']),
    timing: timingOf(fields['timing']),
    checks:
      typeof checks === 'object' && checks !== null
        ? Object.entries(checks).map(([name, errors]) => [name, numberOf(errors)] as const)
        : [],
  }
}

function streamsOf(streams: unknown): readonly StreamDetails[] {
  if (!Array.isArray(streams)) return []
  return streams.flatMap((each: unknown) => {
    if (typeof each !== 'object' || each === null) return []
    const { pid, type, program, language, kbps, CC } = each as Readonly<Record<string, unknown>>
    if (typeof pid !== 'number' || typeof type !== 'string') return []
    const named = typeof language === 'string' ? language : ''
    return [
      { pid, type, program: numberOf(program), language: named, kbps: numberOf(kbps) ?? 0, errors: numberOf(CC) ?? 0 },
    ]
  })
}

function timingOf(timing: unknown): TimingDetails {
  if (typeof timing !== 'object' || timing === null) return NO_TIMING
  const { pcrIntervalMs, pcrIntervalMaxMs, pcrJitterMs, avOffsetMs } = timing as Readonly<Record<string, unknown>>
  return {
    pcrIntervalMs: numberOf(pcrIntervalMs),
    pcrIntervalMaxMs: numberOf(pcrIntervalMaxMs),
    pcrJitterMs: numberOf(pcrJitterMs),
    avOffsetMs: numberOf(avOffsetMs),
  }
}

function longestRtt(connections: unknown): number | undefined {
  if (!Array.isArray(connections)) return undefined
  const times = connections.flatMap((each: unknown) => {
    return typeof each === 'object' && each !== null && 'rttMs' in each ? (numberOf(each.rttMs) ?? []) : []
  })
  return times.length === 0 ? undefined : Math.max(...times)
}

function lossOf(connections: unknown): number | undefined {
  if (!Array.isArray(connections)) return undefined
  let [packets, lost] = [0, 0]
  for (const each of connections as readonly unknown[]) {
    if (typeof each !== 'object' || each === null) continue
    const fields = each as Readonly<Record<string, unknown>>
    packets += numberOf(fields['packets']) ?? 0
    lost += numberOf(fields['lost']) ?? 0
  }
  return packets === 0 ? undefined : lost / packets
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}
