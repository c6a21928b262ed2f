// The transform with real processes and the clock of the machine: a stream in, the bytes of each port out.
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { FakeContext, TestProcesses } from '@millrace/engine/testing'
import type { AnyChunk, Clock, Inlet, Options } from '@millrace/engine/plugin'
import {
  difference33,
  Framer,
  hasPayload,
  isUnitStart,
  PACKET_SIZE,
  payloadOffset,
  readPid,
  readPts,
} from '@millrace/media/mpegts'
import type { TsChunk } from '@millrace/media/mpegts'
import { BehaviorSubject, Subject } from 'rxjs'
import type { z } from 'zod'
import { InletStream, startPts } from './inlet-stream.js'
import type { Succession } from './succession.js'
import { transcodeOptions } from './transcode-options.js'
import { Transcoder } from './transcoder.js'

/** discontinuity_indicator, ISO/IEC 13818-1 2.4.3.4. */
const DISCONTINUITY_FLAG = 0x80
const DEADLINE_MS = 60_000
const run = promisify(execFile)

/** A stream of ffmpeg's test sources. `args` go in front of the output. */
export async function makeClip({
  size = '192x108',
  source = 'testsrc=',
  rate = 25,
  codec = ['libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-sc_threshold', '0'],
  seconds = 4,
  gop = 25,
  args = [],
  audio = true,
  languages = [],
}: {
  size?: string
  /** Of lavfi; what follows are options. */
  source?: string
  rate?: number
  codec?: readonly string[]
  seconds?: number
  gop?: number
  args?: readonly string[]
  audio?: boolean
  /** An audio track for each. */
  languages?: readonly string[]
} = {}): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-clip-'))
  const file = join(folder, 'clip.ts')
  const tone = ['-f', 'lavfi', '-i', `sine=frequency=440:sample_rate=48000:duration=${seconds}`]
  await run('ffmpeg', [
    ...['-nostdin', '-v', 'error'],
    ...['-t', String(seconds), '-f', 'lavfi', '-i', `${source}size=${size}:rate=${rate}`],
    ...(audio ? tone : []),
    ...(languages.length === 0 ? [] : ['-map', '0:v']),
    ...languages.flatMap((code, index) => ['-map', '1:a', `-metadata:s:a:${index}`, `language=${code}`]),
    ...['-c:v', ...codec, '-g', String(gop)],
    ...['-c:a', 'aac', '-b:a', '64k', '-ac', '2', ...args, '-f', 'mpegts', file],
  ])
  const bytes = await readFile(file)
  await rm(folder, { recursive: true })
  return bytes
}

/** The clock of the machine, or one that runs so many times as fast. */
function realClock(scale: number): Clock {
  const disposable = (dispose: () => void): Disposable => ({ [Symbol.dispose]: dispose })
  return {
    nowMs: () => performance.now() * scale,
    wallMs: (ms) => performance.timeOrigin + ms,
    after(delayMs, call) {
      const timer = setTimeout(call, delayMs / scale)
      return disposable(() => clearTimeout(timer))
    },
    every(periodMs, call) {
      const timer = setInterval(call, periodMs / scale)
      return disposable(() => clearInterval(timer))
    },
  }
}

export class TranscodeBench implements AsyncDisposable {
  readonly context = new FakeContext()
  readonly processes = new TestProcesses()
  readonly chunks = new Subject<AnyChunk>()
  readonly transcoder: Transcoder
  /** By port, a run of bytes for each generation. */
  readonly got: Record<string, Buffer[][]> = {}
  readonly completed = new Set<string>()
  holds = 0
  readonly #framer = new Framer()
  readonly #clock: Clock

  constructor(
    given: z.input<typeof transcodeOptions>,
    {
      pausable = true,
      program = ['ffmpeg'],
      scale = 1,
      clock = realClock(scale),
      before,
    }: {
      pausable?: boolean
      program?: readonly string[]
      scale?: number
      clock?: Clock
      before?: Succession
    } = {},
  ) {
    const options$ = new BehaviorSubject(transcodeOptions.parse(given)) as Options<z.output<typeof transcodeOptions>>
    const { context, processes } = this
    this.#clock = clock
    const replaced = before === undefined ? {} : { before }
    this.transcoder = new Transcoder({ options$, context, clock, processes, program, ...replaced, isIdle: () => true })
    const inlet: Inlet = {
      id: 'main.out',
      chunks: this.chunks,
      pausable,
      hold: () => {
        this.holds++
        return { [Symbol.dispose]: () => void this.holds-- }
      },
    }
    for (const [name, port] of Object.entries(this.transcoder.apply([inlet]))) {
      const runs: Buffer[][] = (this.got[name] = [[]])
      port.subscribe({
        next: (item) => {
          if (item instanceof Uint8Array) runs.at(-1)?.push(Buffer.from(item))
          else if ('boundary' in item) runs.push([])
        },
        complete: () => void this.completed.add(name),
      })
    }
  }

  /** As fast as it takes it, or at a multiple of its own speed by the clock. */
  async feed(bytes: Uint8Array, { speed = Infinity }: { speed?: number } = {}): Promise<void> {
    const startMs = this.#clock.nowMs()
    let first = -1
    for (let at = 0; at < bytes.length; at += 20 * PACKET_SIZE) {
      const piece = bytes.subarray(at, at + 20 * PACKET_SIZE)
      this.pushAll(this.#framer.push(piece, this.#clock.nowMs()))
      this.pushAll(this.#framer.flush(this.#clock.nowMs()))
      while (this.holds > 0) await sleep(5)
      const pts = ptsOf(piece)[0]
      if (pts === undefined || speed === Infinity) continue
      if (first < 0) first = pts
      const dueMs = startMs + difference33(pts, first) / 90 / speed
      while (dueMs > this.#clock.nowMs()) await sleep(5)
    }
  }

  pushAll(chunks: readonly AnyChunk[]): void {
    for (const chunk of chunks) this.chunks.next(chunk)
  }

  /** The input ends; resolves when all ports have ended. */
  async end(): Promise<void> {
    this.pushAll(this.#framer.finish(this.#clock.nowMs()))
    this.chunks.complete()
    await until(() => this.completed.size === Object.keys(this.got).length, 'all ports have ended')
  }

  bytes(port: string, generation = 0): Buffer {
    return Buffer.concat(this.got[port]?.[generation] ?? [])
  }

  get generations(): number {
    return Math.max(...Object.values(this.got).map(({ length }) => length))
  }

  /** Times of the key frames. */
  keys(port: string, generation = 0): number[] {
    return chunksOf(this.bytes(port, generation))
      .filter(({ randomAccess }) => randomAccess)
      .map(startPts)
  }

  get details(): Readonly<Record<string, unknown>> {
    return this.context.readDetails?.() as Readonly<Record<string, unknown>>
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.transcoder[Symbol.asyncDispose]()
    await this.processes[Symbol.asyncDispose]()
  }
}

export function chunksOf(bytes: Uint8Array): readonly TsChunk[] {
  const framer = new Framer()
  return [...framer.push(bytes, 0), ...framer.finish(0)]
}

/** Presentation times on a PID, by default on that of the video, in the order of the stream. */
export function ptsOf(bytes: Uint8Array, pid = 0x100): number[] {
  const found: number[] = []
  for (let at = 0; at + PACKET_SIZE <= bytes.length; at += PACKET_SIZE) {
    if (readPid(bytes, at) !== pid || !isUnitStart(bytes, at)) continue
    const pts = readPts(bytes, payloadOffset(bytes, at), at + PACKET_SIZE)
    if (pts >= 0) found.push(pts)
  }
  return found
}

/** The PIDs whose discontinuity the first packets announce, in packets of their own. */
export function announcedFirst(bytes: Uint8Array): readonly number[] {
  const pids: number[] = []
  for (let at = 0; at + PACKET_SIZE <= bytes.length && !hasPayload(bytes, at); at += PACKET_SIZE) {
    if ((bytes[at + 5]! & DISCONTINUITY_FLAG) !== 0) pids.push(readPid(bytes, at))
  }
  return pids
}

/** The PID and the language of each audio track, as the tables say them last. */
export function soundOf(bytes: Uint8Array): readonly string[] {
  const stream = new InletStream()
  for (const chunk of chunksOf(bytes)) stream.push(chunk)
  const tracks = stream.program?.tracks.filter(({ media }) => media === 'audio') ?? []
  return tracks.map(({ pid, language }) => `${pid.toString(16)} ${language}`)
}

/** `width,height` of each picture, as ffprobe decodes it. */
export function pictureSizes(bytes: Uint8Array): Promise<readonly string[]> {
  return probe(bytes, ['-select_streams', 'v', '-show_entries', 'frame=width,height'])
}

/** Channels of the sound, each number once. */
export async function channelsOf(bytes: Uint8Array): Promise<readonly string[]> {
  return [...new Set(await probe(bytes, ['-select_streams', 'a', '-show_entries', 'frame=channels']))]
}

/** Noise instead of frames, in PES packets that are whole. */
export function withNoise(bytes: Buffer, pids: readonly number[]): Buffer {
  const out = Buffer.from(bytes)
  let random = 1
  for (let at = 0; at + PACKET_SIZE <= out.length; at += PACKET_SIZE) {
    if (!pids.includes(readPid(out, at)) || !hasPayload(out, at)) continue
    const from = payloadOffset(out, at)
    const header = isUnitStart(out, at) ? 9 + out[from + 8]! : 0
    for (let byte = from + header; byte < at + PACKET_SIZE; byte++) {
      random = (random * 48_271) % 2_147_483_647
      out[byte] = random & 0xff
    }
  }
  return out
}

/** As ffprobe reads it: a line for each entry. */
export async function probe(bytes: Uint8Array, args: readonly string[]): Promise<readonly string[]> {
  return await withFile(bytes, async (file) => {
    const { stdout } = await run('ffprobe', ['-v', 'error', ...args, '-of', 'csv=p=0', file])
    return linesOf(stdout)
  })
}

/** What a filter of ffmpeg logs at the end. */
export async function measured(bytes: Uint8Array, filter: readonly string[]): Promise<string> {
  return await withFile(bytes, async (file) => {
    const { stderr } = await run('ffmpeg', ['-nostdin', '-hide_banner', '-i', file, ...filter, '-f', 'null', '-'])
    return stderr
  })
}

/** The first picture, one byte of brightness for each pixel. */
export async function firstPicture(bytes: Uint8Array): Promise<Uint8Array> {
  return await withFile(bytes, async (file) => {
    const args = ['-v', 'error', '-nostdin', '-i', file, '-frames:v', '1', '-f', 'rawvideo', '-pix_fmt', 'gray', '-']
    const { stdout } = await run('ffmpeg', args, { encoding: 'buffer' })
    return stdout
  })
}

async function withFile<T>(bytes: Uint8Array, use: (file: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-probe-'))
  try {
    const file = join(folder, 'stream.ts')
    await writeFile(file, bytes)
    return await use(file)
  } finally {
    await rm(folder, { recursive: true })
  }
}

function linesOf(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.replace(/,+$/, ''))
    .filter((line) => line !== '')
}

export async function until(holds: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`waited too long until ${what}`)
    await sleep(5)
  }
}
