// The main use case: a looped file as a live channel, pipelines/live.yaml, read by the real ffmpeg and by many readers
// across loops.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import type { FfmpegReport } from '../oracle/ffmpeg-reader.js'
import { readWithFfmpeg } from '../oracle/ffmpeg-reader.js'
import { HttpReader } from '../oracle/http-reader.js'
import type { TsReport } from '../oracle/check-ts.js'
import { assertClean, assertJoin } from './kit/assert-clean.js'
import { REPOSITORY_ROOT } from './kit/repository-root.js'
import { startEngine } from './kit/start-engine.js'

/** Of the stream. */
const READ_MS = 40_000
const READERS = 50
/** Size of the clip, which the channel restarts after 16 s. */
const CLIP_BYTES = 1_788_820
/** The readers join one after another until the first one has received one and a half loops. */
const JOIN_EVERY_BYTES = Math.floor((1.5 * CLIP_BYTES) / READERS)
const HEAD_BYTES = 20 * 188
const PMT_PID = 0x1000
const VIDEO_PID = 0x100

test('a looped clip is one clean stream for 2 ffmpegs and 50 readers for 40 s, whenever they join', async () => {
  const source = await readFile(join(REPOSITORY_ROOT, 'pipelines/live.yaml'), 'utf8')
  await using engine = await startEngine({ yaml: onFreePorts(source) })
  await engine.ready()
  const url = await engine.url('live/ts')
  const watching = Promise.all([1, 2].map(() => watchWithFfmpeg(url)))
  const viewers = await joinOneByOne(url)
  const reports = await watching
  const seen = await leave(viewers)
  await engine.stop()

  for (const { exitCode, warnings, lines, outTimeMs } of reports) {
    assert.deepEqual(warnings, {}, lines.join('\n'))
    assert.equal(exitCode, 0)
    assert.ok(outTimeMs >= READ_MS, `ffmpeg got only ${outTimeMs} ms`)
  }
  for (const [index, { ts, head }] of seen.entries()) {
    const name = `reader ${index}`
    assertJoin(name, assertClean(name, ts))
    assertHead(name, head)
    assertRunsOn(name, ts)
  }
  assert.ok((seen[0]?.ts.bytes ?? 0) > 2 * CLIP_BYTES, 'the first reader received two loops')
})

function watchWithFfmpeg(url: string): Promise<FfmpegReport> {
  const leave = new AbortController()
  const onProgress = (outTimeMs: number): void => {
    if (outTimeMs >= READ_MS) leave.abort()
  }
  return readWithFfmpeg(url, { signal: leave.signal, onProgress })
}

interface Viewer {
  readonly reader: HttpReader
  /** The first bytes of its body. */
  readonly head: () => Buffer
}

async function joinOneByOne(url: string): Promise<Viewer[]> {
  const viewers = [watch(url)]
  const [lead] = viewers
  for (let count = 1; count < READERS; count++) {
    await lead?.reader.until(({ bodyBytes }) => bodyBytes >= count * JOIN_EVERY_BYTES)
    viewers.push(watch(url))
  }
  return viewers
}

function watch(url: string): Viewer {
  let head = Buffer.alloc(0)
  const reader = new HttpReader(url, {
    onBody: (bytes) => {
      if (head.length < HEAD_BYTES) head = Buffer.concat([head, bytes])
    },
  })
  return { reader, head: () => head }
}

async function leave(viewers: readonly Viewer[]): Promise<{ ts: TsReport; head: Buffer }[]> {
  const seen: { ts: TsReport; head: Buffer }[] = []
  for (const { reader, head } of viewers) {
    const report = reader.report()
    assert.equal(report.ended, 'open', report.error)
    assert.equal(report.status, 200)
    assert.ok(report.ts !== undefined)
    seen.push({ ts: report.ts, head: head() })
    await reader[Symbol.asyncDispose]()
  }
  return seen
}

/** PAT, PMT, then the key frame: between the first PAT and the first picture there are only PAT and PMT. */
function assertHead(name: string, head: Buffer): void {
  const pids = Array.from({ length: HEAD_BYTES / 188 }, (_, index) => head.readUInt16BE(index * 188 + 1) & 0x1fff)
  const first = pids.indexOf(VIDEO_PID)
  assert.deepEqual(pids.slice(0, 2), [0, PMT_PID], `${name} begins with ${pids.join(' ')}`)
  assert.ok(
    pids.slice(0, first).every((pid) => pid === 0 || pid === PMT_PID),
    `${name} begins with ${pids.join(' ')}`,
  )
}

function assertRunsOn(name: string, ts: TsReport): void {
  const clock = ts.clocks[VIDEO_PID]
  const video = ts.units[VIDEO_PID]
  assert.ok(clock !== undefined && video !== undefined, `${name} has no clock, or no video`)
  const clockMs = (clock.last27m - clock.first27m) / 27_000
  const videoMs = (video.lastDts90k - (video.firstDts90k ?? 0)) / 90
  assert.ok(Math.abs(clockMs - videoMs) < 500, `${name}: ${clockMs} ms of clock, ${videoMs} ms of video`)
  for (const [pid, { maxDtsStepMs }] of Object.entries(ts.units)) {
    assert.ok(maxDtsStepMs < 300, `${name}: a step of ${maxDtsStepMs} ms on PID ${pid}`)
  }
}

/** Everything except the sockets and the location of clip and state is as shipped. */
function onFreePorts(yaml: string): string {
  const clip = join(REPOSITORY_ROOT, 'pipelines/media/testcard.ts')
  const moved = yaml.replace("'127.0.0.1:8000'", "'127.0.0.1:0'").replace('media/testcard.ts', clip)
  assert.ok(moved.includes(`path: ${clip}`) && moved.includes('127.0.0.1:0'), 'pipelines/live.yaml has changed')
  return `${moved}\nengine: { api: { address: "127.0.0.1:0" } }\n`
}
