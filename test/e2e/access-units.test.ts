// Viewers start where a decoder can, however access units are packed and however long a GOP is: what they get is judged
// by its NAL units and by ffmpeg. The engine is ready all the time.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { buildTs } from '@millrace/engine/testing'
import type { VideoPlan } from '@millrace/engine/testing'
import { cpuSeconds } from '../bench/measure/process-usage.js'
import { codedPictures } from '../oracle/coded-pictures.js'
import { HttpReader } from '../oracle/http-reader.js'
import { httpRequest } from './kit/http-request.js'
import { Recording } from './kit/recording.js'
import { REPOSITORY_ROOT } from './kit/repository-root.js'
import { startEngine } from './kit/start-engine.js'
import type { EngineProcess } from './kit/start-engine.js'
import { until } from './kit/until.js'

/** What ffmpeg says of pictures that it cannot decode. */
const UNDECODABLE = /non-existing|decode_slice|no frame|concealing|error while decoding|Missing reference/i
const run = promisify(execFile)
const DURATION_S = 4
const WATCHED_BYTES = 110_000
const MOST_JOINS = 5
/** That are decoded of what is watched, which has more. */
const FRAMES = 21
/** Of a processor: several times what the engine takes for these streams. */
const LARGE_SHARE = 0.5
const PPS = 8
const IDR = 5

interface Row {
  readonly name: string
  readonly video: VideoPlan
  /** The type of the first slices: 5 for an IDR picture. */
  readonly firstSlice: number
}

const ROWS: readonly Row[] = [
  { name: 'indicator-on-all', video: { packing: { indicateAll: true } }, firstSlice: IDR },
  { name: 'sets-apart', video: { packing: { setsApart: true }, randomAccessIndicator: false }, firstSlice: IDR },
  { name: 'sets-once', video: { packing: { setsOnce: true } }, firstSlice: IDR },
  { name: 'several-in-a-pes', video: { gopFrames: 19, packing: { pictures: 3 } }, firstSlice: IDR },
  { name: 'over-several-pes', video: { packing: { pesBytes: 900, delimiters: false } }, firstSlice: IDR },
  { name: 'long-gop', video: { gopFrames: 50, randomAccessIndicator: false }, firstSlice: IDR },
  { name: 'intra-refresh', video: intraRefresh(), firstSlice: 1 },
]

test('viewers start where a decoder can, and the engine is always ready', async (t) => {
  const files = Object.fromEntries(
    ROWS.map(({ name, video }) => [`${name}.ts`, buildTs({ durationS: DURATION_S, video }).bytes]),
  )
  await using engine = await startEngine({ yaml: yaml(), files })
  await engine.ready()
  const watched = Promise.all(ROWS.map((row) => problemOf(engine, row)))
  let isDone = false
  void watched.finally(() => (isDone = true)).catch(() => undefined)
  const [wrong, busy]: [string[], string[]] = [[], []]
  const [fromS, fromMs] = [cpuSeconds(engine.child.pid), performance.now()]
  const hasEnded = async (): Promise<boolean> => {
    const failed = (error: unknown) => ({ status: 0, text: String(error) })
    const { status, text } = await httpRequest(`${engine.api}/readyz`).catch(failed)
    if (status !== 200) (isOverloadAlone(text) ? busy : wrong).push(text)
    return isDone
  }
  await until(hasEnded, 'all viewers have been checked')
  const share = (cpuSeconds(engine.child.pid) - fromS) / ((performance.now() - fromMs) / 1000)
  t.diagnostic(`the engine used ${share.toFixed(2)} of a processor`)
  assert.equal((await watched).join(''), '')
  assert.deepEqual(wrong, [])
  // It is late because the machine is busy, if it has not used much of it itself.
  if (share >= LARGE_SHARE) assert.deepEqual(busy, [])
  await engine.stop()
})

function isOverloadAlone(answer: string): boolean {
  const reasons = reasonsOf(answer)
  return reasons.length > 0 && reasons.every((reason) => reason.endsWith(': takes more time than it may'))
}

function reasonsOf(answer: string): readonly string[] {
  try {
    const { reasons } = JSON.parse(answer) as { readonly reasons?: unknown }
    return Array.isArray(reasons) ? reasons.map(String) : []
  } catch {
    return []
  }
}

/** GOPs may be far longer than maxDuration, and than the window: then a viewer waits. */
function yaml(): string {
  return [
    'version: 1',
    'engine: { api: { address: "127.0.0.1:0" }, stateDir: state, drain: 5s }',
    'listeners: { web: { address: "127.0.0.1:0" } }',
    'pipelines:',
    ...ROWS.flatMap(({ name }) => [
      `  ${name}:`,
      `    inputs: { main: { type: file, path: ${name}.ts, loop: true } }`,
      '    transforms: { gops: { type: gop, from: main, maxDuration: 500ms } }',
      `    outputs: { out: { type: http-ts, from: gops, listener: web, path: /${name}/out.ts, window: { duration: 1s } } }`,
    ]),
    '',
  ].join('\n')
}

function intraRefresh(): VideoPlan {
  const clip = readFileSync(join(REPOSITORY_ROOT, 'test/fixtures/h264-intra-refresh.ts'))
  return {
    codec: 'h264',
    keyPicture: 'refresh',
    randomAccessIndicator: false,
    pictures: codedPictures(new Uint8Array(clip), 0x100, 0x1b),
  }
}

async function problemOf(engine: EngineProcess, row: Row): Promise<string> {
  try {
    await watch(engine, row)
    return ''
  } catch (error) {
    return `${row.name}: ${error instanceof Error ? error.message : String(error)}\n`
  }
}

/** Joins in the middle of the first pass. */
async function watch(engine: EngineProcess, { name, firstSlice }: Row): Promise<void> {
  const url = await engine.url(`${name}/out`)
  await using first = new HttpReader(url, { check: false })
  await first.until(({ bodyBytes }) => bodyBytes > 30_000)
  let body = await joinedBody(url)
  // On a busy machine it may join where a pass begins, which is an IDR picture.
  for (let joins = 1; joins < MOST_JOINS && firstSlice !== IDR && startOf(body).type === IDR; joins++) {
    body = await joinedBody(url)
  }
  const { types, slice, type } = startOf(body)
  assert.equal(type, firstSlice, types.slice(0, 9).join())
  assert.ok(types.indexOf(PPS) >= 0 && types.indexOf(PPS) < slice, types.slice(0, 9).join())
  await engine.folder.write(`${name}.out.ts`, body)
  const path = join(engine.folder.path, `${name}.out.ts`)
  // The recording ends anywhere: its last picture may be cut off.
  const output = ['-map', '0:v:0', '-frames:v', String(FRAMES), '-fps_mode', 'passthrough', '-f', 'framecrc', '-']
  const { stdout, stderr } = await run('ffmpeg', ['-v', 'warning', '-threads', '1', '-i', path, ...output])
  const frames = stdout.split('\n').filter((line) => line.startsWith('0,')).length
  assert.equal(frames, FRAMES)
  if (firstSlice === IDR) assert.doesNotMatch(stderr, UNDECODABLE)
}

async function joinedBody(url: string): Promise<Uint8Array> {
  await using recording = new Recording(url)
  await recording.reader.until(({ bodyBytes }) => bodyBytes > WATCHED_BYTES)
  return recording.body
}

function startOf(body: Uint8Array): {
  readonly types: readonly number[]
  readonly slice: number
  readonly type: number | undefined
} {
  const types = nalTypes(body)
  const slice = types.findIndex((type) => type === 1 || type === IDR)
  return { types, slice, type: types[slice] }
}

/** nal_unit_type of the units of PID 0x100, in order. */
function nalTypes(bytes: Uint8Array): number[] {
  const stream: number[] = []
  for (let at = 0; at + 188 <= bytes.length; at += 188) {
    const packet = bytes.subarray(at, at + 188)
    if ((packet[1]! & 0x1f) !== 1 || packet[2] !== 0 || (packet[3]! & 0x10) === 0) continue
    let from = (packet[3]! & 0x20) === 0 ? 4 : 5 + packet[4]!
    if ((packet[1]! & 0x40) !== 0) from += 9 + packet[from + 8]!
    stream.push(...packet.subarray(from))
  }
  const types: number[] = []
  for (let at = 0; at + 3 < stream.length; at++)
    if (stream[at] === 0 && stream[at + 1] === 0 && stream[at + 2] === 1) types.push(stream[at + 3]! & 0x1f)
  return types
}
