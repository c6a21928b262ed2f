// What `ts-validate` leaves of a stream is a valid stream: neither ffmpeg nor the checker, which shares no code with
// the engine, finds a fault in it.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { buildTs } from '@millrace/engine/testing'
import type { TsPlan } from '@millrace/engine/testing'
import { sortWarning } from '../oracle/ffmpeg-warnings.js'
import { assertClean, assertJoin } from './kit/assert-clean.js'
import { Recording } from './kit/recording.js'
import { startEngine } from './kit/start-engine.js'
import { until } from './kit/until.js'

interface Case {
  readonly plan: TsPlan
  /** Options of ts-validate. */
  readonly options: string
  readonly pids: readonly number[]
  /** codec_type of the streams a player finds, in the order of the PMTs. */
  readonly players: readonly string[]
}

const NULL_PID = 0x1fff
const multiplex: TsPlan = {
  durationS: 4,
  programs: [
    { data: [{ kind: 'scte35' }] },
    { pmtPackets: 2, pcr: { pid: 0x1f0, intervalMs: 30 }, video: { gopFrames: 15 }, audio: [{}, { language: 'deu' }] },
    { audio: { codec: 'mp2' } },
  ],
  psi: { cat: true, sdt: true },
  nullEvery: 20,
}

const CASES: Readonly<Record<string, Case>> = {
  'no-nulls': {
    plan: { ...multiplex, programs: [{}] },
    options: 'nullPackets: drop',
    pids: [0, 1, 0x11, 0x100, 0x101, 0x1000],
    players: ['video', 'audio'],
  },
  first: {
    plan: multiplex,
    options: 'program: 1',
    pids: [0, 1, 0x100, 0x101, 0x110, 0x1000, NULL_PID],
    players: ['video', 'audio', 'data'],
  },
  second: {
    plan: multiplex,
    options: 'program: 2, nullPackets: drop',
    pids: [0, 1, 0x120, 0x121, 0x122, 0x1f0, 0x1001],
    players: ['video', 'audio', 'audio'],
  },
  split: {
    plan: { ...multiplex, psi: { ...multiplex.psi, beforeKeyframes: false, phaseMs: 45, intervalMs: 70, gapMs: 5 } },
    options: 'program: 2, nullPackets: drop',
    pids: [0, 1, 0x120, 0x121, 0x122, 0x1f0, 0x1001],
    players: ['video', 'audio', 'audio'],
  },
  exclude: {
    plan: multiplex,
    options: 'program: 2, pids: { exclude: ["0x122", 1] }, nullPackets: drop',
    pids: [0, 0x120, 0x121, 0x1f0, 0x1001],
    players: ['video', 'audio'],
  },
  radio: {
    plan: multiplex,
    options: 'pids: { include: [0x101] }, nullPackets: drop',
    // The program's clock is on its video PID.
    pids: [0, 0x100, 0x101, 0x1000],
    players: ['audio'],
  },
}

test('selected programs and PIDs are valid streams for the checker and for ffmpeg', async () => {
  await using engine = await startEngine({ yaml: yamlOf(CASES) })
  const viewers = new Map<string, Recording>()
  for (const name of Object.keys(CASES)) viewers.set(name, new Recording(await engine.url(`${name}/out`)))
  await until(async () => {
    const nodes = (await engine.status()).pipelines.flatMap((pipeline) => pipeline.nodes)
    return nodes.reduce((sum, { clients = 0 }) => sum + clients, 0) === viewers.size
  }, 'all viewers wait')
  for (const [name, { plan }] of Object.entries(CASES)) await engine.folder.write(`${name}.ts`, buildTs(plan).bytes)
  for (const [name, { pids, players }] of Object.entries(CASES)) {
    const viewer = viewers.get(name)
    assert.ok(viewer !== undefined)
    const { ended, ts } = await viewer.reader.done()
    assert.equal(ended, 'end', name)
    assertJoin(name, assertClean(name, ts))
    const found = Object.keys(ts?.packetsByPid ?? {}).map(Number)
    assert.deepEqual(
      found.sort((a, b) => a - b),
      pids,
      name,
    )
    const path = await engine.folder.write(`${name}.left.ts`, viewer.body)
    assert.deepEqual(await codecTypes(path), players, name)
    assert.deepEqual(await complaints(path), [], name)
  }
  assert.deepEqual(await engine.child.exited, { code: 0, signal: null })
})

function yamlOf(cases: Readonly<Record<string, Case>>): string {
  const pipelines = Object.entries(cases).map(
    ([name, { options }]) => `  ${name}:
    inputs: { main: { type: file, path: ${name}.ts, pace: none } }
    transforms: { check: { type: ts-validate, from: main, ${options} } }
    outputs: { out: { type: http-ts, from: check, listener: web, path: /${name}.ts } }`,
  )
  return `version: 1
engine: { api: { address: "127.0.0.1:0" }, stateDir: state }
listeners: { web: { address: "127.0.0.1:0" } }
pipelines:
${pipelines.join('\n')}
`
}

/** codec_type of all streams that ffprobe finds, which are those of all programs that it finds. */
async function codecTypes(path: string): Promise<string[]> {
  const entries = ['-show_entries', 'program=program_id:program_stream=codec_type:stream=codec_type', '-of', 'json']
  const { stdout } = await promisify(execFile)('ffprobe', ['-v', 'error', ...entries, path])
  const { programs, streams } = JSON.parse(stdout) as {
    programs: { streams: { codec_type: string }[] }[]
    streams: { codec_type: string }[]
  }
  assert.equal(programs.flatMap((program) => program.streams).length, streams.length)
  return streams.map((stream) => stream.codec_type)
}

/** Lines that ffmpeg logs while it decodes everything. */
async function complaints(path: string): Promise<string[]> {
  const args = ['-hide_banner', '-nostdin', '-loglevel', 'level+warning', '-i', path]
  const { stderr } = await promisify(execFile)('ffmpeg', [...args, '-map', '0:v?', '-map', '0:a?', '-f', 'null', '-'])
  return stderr.split('\n').filter((line) => sortWarning(line) !== undefined)
}
