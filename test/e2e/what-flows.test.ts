// What flows is served: streams whose tables promise what does not come, or are damaged; read by ffmpeg. Where nothing can
// be served, the reason is said.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { buildTs, joinTs, onlyClockOf, withJump, withoutCrc, withoutPcr, withoutPids } from '@millrace/engine/testing'
import type { TsPlan } from '@millrace/engine/testing'
import { HttpReader } from '../oracle/http-reader.js'
import { engineYaml } from './kit/engine-yaml.js'
import { httpRequest } from './kit/http-request.js'
import { scrape } from './kit/metrics-page.js'
import { Recording } from './kit/recording.js'
import { startEngine } from './kit/start-engine.js'
import type { EngineProcess } from './kit/start-engine.js'
import { until } from './kit/until.js'

/** What ffmpeg says of pictures that it cannot decode, or that are missing. */
const UNDECODABLE =
  /non-existing|decode_slice|no frame|concealing|Error while decoding|Continuity|discontinuity|monoton/

const run = promisify(execFile)
const VIDEO_PID = 0x100
const AUDIO_PID = 0x101
const PMT_PID = 0x1000
const DURATION_S = 5
const LIMIT_MS = 60_000
const SILENT_VIDEO = '"announced PID 0x100 silent, audio leads"'

interface Served {
  readonly name: string
  readonly bytes: Uint8Array
  /** How much of it is watched. */
  readonly watchBytes: number
  /** What ffmpeg finds in it first, and at least how many frames (of data: packets). */
  readonly type: 'video' | 'audio' | 'data'
  readonly frames: number
}

const VIDEO = { watchBytes: 130_000, type: 'video', frames: 20 } as const
const AUDIO = { watchBytes: 30_000, type: 'audio', frames: 40 } as const
const DATA = { watchBytes: 8_000, type: 'data', frames: 5 } as const

const SERVED: readonly Served[] = [
  {
    name: 'no-video-packets',
    bytes: withoutPids(built({ pcr: { pid: AUDIO_PID } }), VIDEO_PID),
    ...AUDIO,
  },
  {
    name: 'clock-only',
    bytes: onlyClockOf(built({ pcr: { pid: VIDEO_PID, carrier: 'packets' } }), VIDEO_PID),
    ...AUDIO,
  },
  {
    name: 'second-only',
    bytes: withoutPids(built({ programs: [{}, {}] }), VIDEO_PID, AUDIO_PID),
    ...VIDEO,
  },
  { name: 'pmt-0x10', bytes: built({ pmtPid: 0x10 }), ...VIDEO },
  { name: 'pmt-0x12', bytes: built({ pmtPid: 0x12, psi: { sdt: true } }), ...VIDEO },
  { name: 'video-0x11', bytes: built({ video: { pid: 0x11 } }), ...VIDEO },
  { name: 'video-0x14', bytes: built({ video: { pid: 0x14 } }), ...VIDEO },
  { name: 'radio-first', bytes: built({ programs: [{ video: false }, {}] }), ...VIDEO },
  { name: 'pmt-crc', bytes: withoutCrc(built({}), PMT_PID), ...VIDEO },
  { name: 'pat-crc', bytes: withoutCrc(built({}), 0), ...VIDEO },
  {
    name: 'data-only',
    bytes: built({ video: false, audio: false, data: [{ kind: 'private', intervalMs: 100 }] }),
    ...DATA,
  },
  { name: 'clock-pid-silent', bytes: withoutPids(built({ pcr: { pid: 0x1ff } }), 0x1ff), ...VIDEO },
  { name: 'clock-jumps', bytes: withJump(built({}), 600 * 188, 3600 * 90_000), ...VIDEO },
  { name: 'no-pcr', bytes: withoutPcr(built({})), ...VIDEO },
  {
    name: 'program-leaves',
    bytes: programLeaves(),
    ...VIDEO,
  },
]

interface Refused {
  readonly name: string
  readonly bytes: Uint8Array
  /** The reason that is expected. */
  readonly why: RegExp
  /** The node that says it; by default the input. */
  readonly node?: 'main' | 'gops'
}

const REFUSED: readonly Refused[] = [
  { name: 'no-pat', bytes: withoutPids(built({}), 0), why: /^no PAT$/ },
  { name: 'no-pmt', bytes: withoutPids(built({}), PMT_PID), why: /^no PMT on PID 0x1000$/ },
  {
    name: 'silent',
    bytes: withoutPids(built({ pcr: { pid: 0x1ff } }), VIDEO_PID, AUDIO_PID),
    why: /^announced PID 0x100 silent$/,
  },
  { name: 'pmt-never-same', bytes: withoutCrc(changingPmt(), PMT_PID), why: /^PMT CRC wrong$/ },
  { name: 'no-key', bytes: withoutKeyFrames(), why: /^no key frame for \d+ s$/, node: 'gops' },
]

test('a viewer of a stream with faulty tables starts where a decoder can, in what flows', async () => {
  const channels = SERVED.map(({ name }) => [name, { input: `path: ${name}.ts, loop: true`, through: 'both' }] as const)
  const files = Object.fromEntries(SERVED.map(({ name, bytes }) => [`${name}.ts`, bytes]))
  await using engine = await startEngine({ yaml: engineYaml(Object.fromEntries(channels)), files })
  const problems = await Promise.all(SERVED.map((stream) => problemOf(engine, stream)))
  assert.equal(problems.join(''), '')
  const page = await scrape(engine.api)
  const errors = (pipeline: string): number =>
    page.all('millrace_ts_crc_errors_total', { pipeline }).reduce((sum, { value }) => sum + value, 0)
  for (const name of ['video-0x11', 'video-0x14', 'pmt-0x10', 'pmt-0x12']) assert.equal(errors(name), 0, name)
  for (const name of ['pmt-crc', 'pat-crc']) assert.ok(errors(name) > 4, name)
  // It never came, so that it may be none by design: said, and no fault.
  const { state, lead } = await engine.node('no-video-packets/main')
  assert.deepEqual([state, lead], ['ready', { program: 1, pid: AUDIO_PID, media: 'audio', codec: 'aac' }])
  const isSaid = (line: string): boolean => line.includes('"no-video-packets/main"') && line.includes(SILENT_VIDEO)
  assert.equal(engine.child.stderr.split('\n').filter(isSaid).length, 1)
  await engine.stop()
})

test('where nothing can be served, status, log and the response say why', async () => {
  const outputs = { out: 'offline: { waitFor: 4s }' }
  const channels = REFUSED.map(
    ({ name, node }) =>
      [
        name,
        {
          input: `path: ${name}.ts, loop: true`,
          through: node === 'gops' ? 'gop' : 'ts',
          gop: 'maxDuration: 2s',
          outputs,
        },
      ] as const,
  )
  const files = Object.fromEntries(REFUSED.map(({ name, bytes }) => [`${name}.ts`, bytes]))
  await using engine = await startEngine({ yaml: engineYaml(Object.fromEntries(channels)), files })
  const problems = REFUSED.map((stream) =>
    assertRefused(engine, stream).catch((error: unknown) => `${stream.name}: ${String(error)}`),
  )
  assert.deepEqual((await Promise.all(problems)).filter(Boolean), [])
  await engine.stop()
})

function built(plan: TsPlan): Uint8Array {
  return buildTs({ durationS: DURATION_S, ...plan }).bytes
}

/** The first of two programs leaves the PAT in mid-stream, and its packets end. */
function programLeaves(): Uint8Array {
  const first = buildTs({ durationS: 0.6, programs: [{}, {}] })
  const second = buildTs({
    durationS: 4.4,
    startPts90k: first.endPts90k,
    startCounters: first.nextCounters,
    psi: { version: 1 },
    programs: [{ number: 2, pmtPid: 0x1001, video: { pid: 0x120 }, audio: { pid: 0x121 } }],
  })
  return joinTs(first, second).bytes
}

/** The version of the PMT changes with each repetition. */
function changingPmt(): Uint8Array {
  let whole = buildTs({ durationS: 0.1, psi: { beforeKeyframes: false } })
  for (let version = 1; version < 20; version++) {
    const { endPts90k: startPts90k, nextCounters: startCounters } = whole
    const psi = { beforeKeyframes: false }
    whole = joinTs(whole, buildTs({ durationS: 0.1, psi, startPts90k, startCounters, pmtVersion: version }))
  }
  return whole.bytes
}

/** The first GOP is missing, and there is no other key picture. */
function withoutKeyFrames(): Uint8Array {
  const { bytes, units } = buildTs({ durationS: DURATION_S, video: { gopFrames: Infinity } })
  const [, second] = units.filter(({ pid }) => pid === VIDEO_PID)
  return bytes.slice(second?.offset ?? 0)
}

async function assertRefused(engine: EngineProcess, { name, why, node = 'main' }: Refused): Promise<void> {
  const answer = await httpRequest(await engine.url(`${name}/out`))
  assert.equal(answer.status, 503)
  const [, said = answer.text] = /^This stream has nothing to start from yet: (.*)\. Try again/.exec(answer.text) ?? []
  assert.match(said, why)
  // A key picture that comes late makes it well for a moment.
  const isSaid = async (): Promise<boolean> => {
    const found = await engine.node(`${name}/${node}`)
    return found.state === 'degraded' && why.test(found.why)
  }
  await until(isSaid, `${name}/${node} says why`)
  // Key frames may be far apart: the input is not said to be at fault.
  if (node !== 'main') assert.equal((await engine.node(`${name}/main`)).state, 'ready')
  const text = new RegExp(`"${why.source.replaceAll(/^\^|\$$/g, '')}"`)
  const isLine = (line: string): boolean => line.includes(`"${name}/${node}"`) && text.test(line)
  assert.equal(engine.child.stderr.split('\n').filter(isLine).length, 1)
}

async function problemOf(engine: EngineProcess, stream: Served): Promise<string> {
  try {
    await watch(engine, stream)
    return ''
  } catch (error) {
    return `${stream.name}: ${error instanceof Error ? error.message : String(error)}\n`
  }
}

/** One viewer waits for the stream; what another gets, who comes later, is decoded. */
async function watch(engine: EngineProcess, { name, watchBytes, type, frames }: Served): Promise<void> {
  const url = await engine.url(`${name}/out`)
  await using first = new HttpReader(url, { check: false })
  await until(() => first.report().bodyBytes >= watchBytes / 4, `${name}: nothing comes`, LIMIT_MS)
  assert.equal(first.report().status, 200)
  await using second = new Recording(url)
  await until(() => second.report().bodyBytes >= watchBytes, `${name}: too little comes`, LIMIT_MS)
  await engine.folder.write(`${name}.out.ts`, second.body)
  const found = await probe(join(engine.folder.path, `${name}.out.ts`), type)
  assert.ok(found.frames >= frames, JSON.stringify(found))
  assert.doesNotMatch(found.warnings, UNDECODABLE)
}

/** Decodes the streams of that type; data is only demuxed. */
async function probe(path: string, type: Served['type']): Promise<{ frames: number; warnings: string }> {
  const counted = type === 'data' ? ['-count_packets'] : ['-count_frames']
  const entry = type === 'data' ? 'nb_read_packets' : 'nb_read_frames'
  const select = ['-select_streams', type.charAt(0), '-show_entries', `stream=${entry}`, '-of', 'csv=p=0']
  const { stdout, stderr } = await run('ffprobe', ['-v', 'warning', ...counted, ...select, path])
  const counts = stdout
    .split(/\s+/)
    .map(Number)
    .filter((count) => count > 0)
  return { frames: Math.max(0, ...counts), warnings: stderr }
}
