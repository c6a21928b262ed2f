// Reads a stream with the real ffmpeg until aborted or to the end of the stream, and counts its warnings; lists packets
// with the real ffprobe. The child process is always gone when the promise settles.
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { WarningKind } from './ffmpeg-warnings.js'
import { sortWarning } from './ffmpeg-warnings.js'

/** How long a process may take to end before it is interrupted, and then again before it is killed. */
const GRACE_MS = 15_000
const MAX_LINES = 200

export interface FfmpegReport {
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  readonly warnings: Readonly<Partial<Record<WarningKind, number>>>
  /** The sum of `warnings`. */
  readonly warningCount: number
  /** The first 200 warnings. */
  readonly lines: readonly string[]
  /** The last output position that ffmpeg reported through `-progress`. */
  readonly outTimeMs: number
}

export interface ReadOptions {
  /** Ends it; without, it reads to the end of the stream. */
  readonly signal?: AbortSignal
  /** Also decode, instead of only copying packets. */
  readonly decode?: boolean
  /** Protocols that a playlist may lead to; by default those that ffmpeg allows for its own. */
  readonly protocols?: string
  /** What it reads, as ffmpeg's `-map` has it. By default everything. */
  readonly map?: string
  /** Called with each position that ffmpeg reports, about twice a second. */
  readonly onProgress?: (outTimeMs: number) => void
}

/**
 * `input` is a URL or a file. ffmpeg logs at debug level, because continuity errors are reported at no other; it reads
 * the beginning of a stream twice, so faults there may be counted twice.
 */
export async function readWithFfmpeg(input: string, options: ReadOptions = {}): Promise<FfmpegReport> {
  const codec = options.decode === true ? [] : ['-c', 'copy']
  const allowed = options.protocols === undefined ? [] : ['-protocol_whitelist', options.protocols]
  const quiet = ['-hide_banner', '-nostats', '-loglevel', 'level+debug', '-progress', 'pipe:1']
  const child = spawn('ffmpeg', [
    ...quiet,
    ...allowed,
    '-i',
    input,
    '-map',
    options.map ?? '0',
    ...codec,
    '-f',
    'null',
    '-',
  ])
  const warnings: Partial<Record<WarningKind, number>> = {}
  const lines: string[] = []
  let outTimeMs = 0
  const errors = createInterface({ input: child.stderr }).on('line', (line) => {
    const kind = sortWarning(line)
    if (kind === undefined) return
    warnings[kind] = (warnings[kind] ?? 0) + 1
    if (lines.length < MAX_LINES) lines.push(line)
  })
  const progress = createInterface({ input: child.stdout }).on('line', (line) => {
    const microseconds = /^out_time_us=(\d+)$/.exec(line)?.[1]
    if (microseconds === undefined) return
    outTimeMs = Number(microseconds) / 1000
    options.onProgress?.(outTimeMs)
  })
  const ended = await endOf(child, options.signal, () => child.stdin.end('q'))
  errors.close()
  progress.close()
  const warningCount = Object.values(warnings).reduce((sum, count) => sum + count, 0)
  return { ...ended, warnings, warningCount, lines, outTimeMs }
}

export interface ProbedPacket {
  readonly stream: number
  readonly pts90k: number | undefined
  readonly dts90k: number | undefined
  readonly key: boolean
  readonly corrupt: boolean
}

export interface ListOptions {
  /** Ends it; without, it reads to the end of the stream. */
  readonly signal?: AbortSignal
  /** Called with each packet. */
  readonly onPacket?: (packet: ProbedPacket) => void
}

/** The packets of `input` in stream order, as ffprobe's demuxer returns them. */
export async function listPackets(input: string, options: ListOptions = {}): Promise<ProbedPacket[]> {
  const entries = ['-show_entries', 'packet=stream_index,pts,dts,flags', '-of', 'csv=p=0']
  const child = spawn('ffprobe', ['-v', 'quiet', ...entries, input], { stdio: ['ignore', 'pipe', 'inherit'] })
  const packets: ProbedPacket[] = []
  const output = createInterface({ input: child.stdout }).on('line', (line) => {
    const [stream = '', pts = '', dts = '', flags = ''] = line.split(',')
    if (!/^\d+$/.test(stream)) return
    const times = { pts90k: readTime(pts), dts90k: readTime(dts) }
    const packet = { stream: Number(stream), ...times, key: flags.includes('K'), corrupt: flags.includes('C') }
    packets.push(packet)
    options.onPacket?.(packet)
  })
  await endOf(child, options.signal, () => child.kill('SIGINT'))
  output.close()
  return packets
}

function readTime(text: string): number | undefined {
  return /^-?\d+$/.test(text) ? Number(text) : undefined
}

/** Asks the child to end when the signal aborts, then forces it; settles when the process and its pipes are gone. */
async function endOf(
  child: ChildProcess,
  signal: AbortSignal | undefined,
  ask: () => void,
): Promise<{ exitCode: number | null; signal: NodeJS.Signals | null }> {
  const timers: NodeJS.Timeout[] = []
  const stop = (): void => {
    ask()
    timers.push(setTimeout(() => child.kill('SIGINT'), GRACE_MS))
    timers.push(setTimeout(() => child.kill('SIGKILL'), 2 * GRACE_MS))
  }
  child.stdin?.on('error', () => undefined)
  if (signal?.aborted === true) stop()
  signal?.addEventListener('abort', stop, { once: true })
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (exitCode, by) => resolve({ exitCode, signal: by }))
    })
  } finally {
    for (const timer of timers) clearTimeout(timer)
    signal?.removeEventListener('abort', stop)
  }
}
