// Streams through pipes: `cat clip.ts | engine run` delivers every packet, and the writer of a named pipe may change
// while viewers are connected.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { buildTs } from '@millrace/engine/testing'
import { HttpReader } from '../oracle/http-reader.js'
import { assertClean, assertJoin } from './kit/assert-clean.js'
import { Child } from './kit/child.js'
import { engineYaml } from './kit/engine-yaml.js'
import { Recording } from './kit/recording.js'
import { REPOSITORY_ROOT } from './kit/repository-root.js'
import { ENGINE_BIN, EngineProcess, startEngine } from './kit/start-engine.js'
import { TempFolder } from './kit/temp-folder.js'
import { until } from './kit/until.js'

const CLIP = join(REPOSITORY_ROOT, 'pipelines/media/testcard.ts')
/** More than the buffers of engine, kernel and pipe together. */
const long = buildTs({ durationS: 40, video: { bitrate: 12e6 } }).bytes
const VIDEO_PID = 0x100
/** The PAT and PMT before the first key frame, where a viewer starts. */
const SPLICE_BYTES = 2 * 188

test('cat into the engine: viewers get every packet, a slow one makes cat wait, and the engine ends with 0', async () => {
  const yaml = engineYaml({ one: { input: 'path: "-"', through: 'both' } })
  await using engine = await startPiped(yaml, 'read _ < go; cat clip.ts', { 'clip.ts': long })
  await using fast = new Recording(await engine.url())
  await using slow = new Recording(await engine.url())
  await until(async () => (await engine.node('one/out')).clients === 2, 'both viewers are waiting')
  slow.reader.pause()
  await appendFile(join(engine.folder.path, 'go'), '\n')
  await settled(() => engine.node('one/main').then(({ receivedBytes }) => receivedBytes))
  const { receivedBytes } = await engine.node('one/main')
  assert.ok(receivedBytes < long.length, `${receivedBytes} bytes were read although a viewer does not read`)
  slow.reader.resume()
  for (const [name, viewer] of Object.entries({ fast, slow })) {
    const { ended, ts } = await viewer.reader.done()
    assert.equal(ended, 'end', name)
    assertJoin(name, assertClean(name, ts))
    const { body } = viewer
    assert.equal(body.length, long.length + (body.length % long.length), name)
    assert.ok(body.length % long.length <= SPLICE_BYTES, name)
    assert.equal(Buffer.compare(body.subarray(body.length - long.length), long), 0, name)
  }
  assert.deepEqual(await engine.child.exited, { code: 0, signal: null }, engine.child.stderr)
})

test('stdin may be a file: it is read to its end', async () => {
  // The engine keeps running for the other pipeline.
  const yaml = engineYaml({ one: { input: 'path: "-"' }, two: { input: 'path: go' } })
  await using engine = await startPiped(yaml, undefined, { 'clip.ts': long })
  await until(async () => (await engine.node('one/main')).state === 'ended', 'stdin has ended')
  assert.equal((await engine.node('one/main')).receivedBytes, long.length)
  await engine.stop()
})

for (const [what, stdin, said] of [
  ['a terminal', '/dev/ptmx', 'stdin is a terminal'],
  ['a device', '/dev/null', 'stdin is not a file, pipe or socket'],
] as const) {
  test(`stdin that is ${what} is refused with a hint`, async () => {
    await using folder = await TempFolder.make()
    await folder.write('pipeline.yaml', engineYaml({ one: { input: 'path: "-"' } }))
    await using child = runShell(`exec ${ENGINE} < ${stdin}`, folder.path)
    assert.equal((await child.exited).code, 78, child.stderr)
    assert.ok(child.stderr.includes('FILE_STDIN') && child.stderr.includes(said), child.stderr)
    assert.match(child.stderr, /cat clip\.ts \| engine run/)
  })
}

test('the writer of a named pipe is killed and restarted three times: viewers stay, and receive one clean stream', async () => {
  await using folder = await TempFolder.make()
  const GONE = 'the writer has closed the pipe'
  const fifo = join(folder.path, 'live.fifo')
  await promisify(execFile)('mkfifo', [fifo])
  await using engine = await startEngine({ yaml: engineYaml({ one: { input: `path: ${fifo}`, through: 'both' } }) })
  const early = await until(async () => {
    const node = await engine.node('one/main')
    return node.state === 'waiting' && node
  }, 'it waits for a writer')
  assert.deepEqual([early.why, early.restarts], ['no program writes into the pipe', 0])
  const url = await engine.url()
  const viewers = [new HttpReader(url), new HttpReader(url)]
  for (let life = 1; life <= 4; life++) {
    await using writer = writeInto(fifo)
    const before = viewers.map((viewer) => viewer.report().bodyBytes)
    await receiveMore(viewers, before)
    writer.signal('SIGKILL')
    await writer.exited
    await until(async () => (await engine.node('one/main')).why === GONE, 'the writer has gone')
  }
  const { state, restarts } = await engine.node('one/main')
  assert.deepEqual([state, restarts], ['waiting', 0])
  for (const [index, viewer] of viewers.entries()) {
    const name = `viewer ${index}`
    const report = viewer.report()
    assert.equal(report.ended, 'open', name)
    const ts = assertClean(name, report.ts, { announced: true })
    assertJoin(name, ts)
    assert.equal(ts.clocks[VIDEO_PID]?.announced, 3, `${name}: junctions`)
    await viewer[Symbol.asyncDispose]()
  }
  await engine.stop()
})

const ENGINE = `'${process.execPath}' '${ENGINE_BIN}' run pipeline.yaml`

/**
 * Starts the engine with the output of this shell command on stdin; by default the file `clip.ts` itself. `go` is a
 * pipe.
 */
async function startPiped(
  yaml: string,
  command: string | undefined,
  files: Readonly<Record<string, Uint8Array>>,
): Promise<EngineProcess> {
  const folder = await TempFolder.make()
  for (const [name, content] of Object.entries(files)) await folder.write(name, content)
  await folder.write('pipeline.yaml', yaml)
  await promisify(execFile)('mkfifo', [join(folder.path, 'go')])
  const child = runShell(
    command === undefined ? `exec ${ENGINE} < clip.ts` : `{ ${command}; } | ${ENGINE}`,
    folder.path,
  )
  try {
    const [, api = ''] = await child.untilStderr(/"(http:[^"]+)\/api\/v1\/status"/)
    return new EngineProcess(folder, child, api)
  } catch (error) {
    await child[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
    throw error
  }
}

/** In a process group: processes connected by a pipe end together. */
function runShell(command: string, cwd: string): Child {
  return new Child('/bin/sh', ['-c', command], { cwd, group: true, env: { ENGINE_API: undefined } })
}

function writeInto(fifo: string): Child {
  const args = ['-hide_banner', '-loglevel', 'error', '-re', '-i', CLIP, '-c', 'copy', '-f', 'mpegts', '-y', fifo]
  return new Child('ffmpeg', args, { cwd: REPOSITORY_ROOT })
}

/** Waits until each viewer has received some more seconds. */
async function receiveMore(viewers: readonly HttpReader[], before: readonly number[]): Promise<void> {
  await Promise.all(
    viewers.map((viewer, index) => viewer.until(({ bodyBytes }) => bodyBytes > (before[index] ?? 0) + 300_000)),
  )
}

/** Resolves when a number that has begun to grow is unchanged five times in a row. */
async function settled(read: () => Promise<number>): Promise<void> {
  let last = 0
  let times = 0
  await until(async () => {
    const now = await read()
    times = now === last && now > 0 ? times + 1 : 0
    last = now
    return times >= 5
  }, 'it stands still')
}
