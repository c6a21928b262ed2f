// The lifecycle of `engine run`: how it starts, what ends it, and what it leaves behind.
import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { buildTs } from '@millrace/engine/testing'
import { HttpReader } from '../oracle/http-reader.js'
import { assertClean, assertJoin } from './kit/assert-clean.js'
import { engineYaml } from './kit/engine-yaml.js'
import { getJson } from './kit/http-request.js'
import { REPOSITORY_ROOT } from './kit/repository-root.js'
import { runCommandLine, startEngine } from './kit/start-engine.js'
import type { EngineProcess } from './kit/start-engine.js'
import { TempFolder } from './kit/temp-folder.js'
import { until } from './kit/until.js'

const clip = buildTs({ durationS: 2 }).bytes
const LOOPED = engineYaml({ one: { input: 'path: a.ts, loop: true' } })

test('at the end of a file that does not loop, viewers have received everything and the engine exits 0', async () => {
  const yaml = engineYaml({
    paced: { input: 'path: paced.ts' },
    quick: { input: 'path: quick.ts, pace: none', through: 'ts' },
  })
  await using engine = await startEngine({ yaml })
  const viewers = await Promise.all(
    ['paced', 'quick'].map(async (name) => ({ name, reader: new HttpReader(await engine.url(`${name}/out`)) })),
  )
  for (const { name } of viewers)
    await until(async () => (await engine.node(`${name}/out`)).clients === 1, `a viewer of ${name} is waiting`)
  for (const { name } of viewers) await engine.folder.write(`${name}.ts`, clip)
  for (const { name, reader } of viewers) {
    const { ts, ended } = await reader.done()
    assert.equal(ended, 'end', name)
    const { packets, leftoverBytes } = assertClean(name, ts)
    // At the very beginning no splice buffer is needed: the file begins with PAT and PMT.
    assert.deepEqual({ packets, leftoverBytes }, { packets: clip.length / 188, leftoverBytes: 0 }, name)
  }
  assert.deepEqual(await engine.child.exited, { code: 0, signal: null })
  await assertLeftBehind(engine)
})

test('TERM ends viewers cleanly and leaves no process, port or lock behind', async () => {
  await using engine = await startEngine({ yaml: LOOPED, files: { 'a.ts': clip } })
  await engine.ready()
  const url = await engine.url()
  await using viewer = new HttpReader(url)
  await viewer.until(({ bodyBytes }) => bodyBytes > 50_000)
  await engine.stop()
  const { ts, ended } = await viewer.done()
  assert.equal(ended, 'end')
  const report = assertClean('viewer', ts)
  assertJoin('viewer', report)
  assert.equal(report.leftoverBytes, 0)
  assert.throws(() => process.kill(engine.child.pid, 0), /ESRCH/)
  await assertLeftBehind(engine)
  for (const each of [url, engine.api]) await bindOnce(Number(new URL(each).port))
})

test('the command becomes Node itself, with its garbage collector options: no shell stays between a signal and the engine', async () => {
  await using engine = await startEngine({ yaml: LOOPED, files: { 'a.ts': clip } })
  const [program = '', ...args] = (await readFile(`/proc/${engine.child.pid}/cmdline`, 'utf8')).split('\0')
  assert.match(program, /\bnode$/)
  const options = args.slice(0, 2)
  assert.deepEqual(options, ['--single-threaded-gc', '--heap-growing-percent=100'])
  const { scripts } = JSON.parse(await readFile(join(REPOSITORY_ROOT, 'package.json'), 'utf8')) as {
    readonly scripts: { readonly start: string }
  }
  assert.ok(scripts.start.includes(` ${options.join(' ')} `), 'npm start has the same options')
  await engine.stop()
})

test('a viewer that reads nothing is disconnected after the drain, and a second TERM does not wait for it', async () => {
  const loud = buildTs({ durationS: 2, muxRate: 60_000_000 }).bytes
  const start = (drain: string) =>
    startEngine({
      yaml: engineYaml({ one: { input: 'path: a.ts, loop: true', through: 'ts' } }, { engine: `drain: ${drain}` }),
      files: { 'a.ts': loud },
    })
  await using short = await start('1s')
  await using long = await start('60s')
  const stalled = await Promise.all([short, long].map((engine) => openStalledViewer(engine)))
  for (const engine of [short, long]) engine.child.signal('SIGTERM')
  assert.deepEqual(await short.child.exited, { code: 0, signal: null })
  await long.child.untilStderr(/"msg":"stopping"/)
  assert.equal(long.child.exit, undefined)
  long.child.signal('SIGTERM')
  assert.deepEqual(await long.child.exited, { code: 128 + 15, signal: null })
  for (const viewer of stalled) await viewer[Symbol.asyncDispose]()
})

test('INT ends it as TERM does', async () => {
  await using engine = await startEngine({ yaml: LOOPED, files: { 'a.ts': clip } })
  engine.child.signal('SIGINT')
  assert.deepEqual(await engine.child.exited, { code: 0, signal: null })
})

test('HUP and USR2 are acknowledged in the log, and the stream continues', async () => {
  await using engine = await startEngine({ yaml: LOOPED, files: { 'a.ts': clip } })
  await engine.ready()
  await using viewer = new HttpReader(await engine.url())
  await viewer.until(({ bodyBytes }) => bodyBytes > 0)
  engine.child.signal('SIGHUP')
  await engine.child.untilStderr(/SIGHUP/)
  engine.child.signal('SIGUSR2')
  const [, line = ''] = await engine.child.untilStderr(/^(\{.*"msg":"diagnostics"\})$/m)
  const { state, viewers } = JSON.parse(line) as { state: string; viewers: number }
  assert.deepEqual({ state, viewers }, { state: 'running', viewers: 1 })
  const { bodyBytes } = viewer.report()
  await viewer.until((report) => report.bodyBytes > bodyBytes + 100_000)
  assertClean('viewer', viewer.report().ts)
  await viewer[Symbol.asyncDispose]()
  await engine.stop()
})

test('a port in use is reported, with exit code 1 and nothing left running', async () => {
  await using engine = await startEngine({ yaml: LOOPED, files: { 'a.ts': clip } })
  const { host } = new URL(await engine.url())
  await using folder = await TempFolder.make()
  await folder.write('a.ts', clip)
  await folder.write('taken.yaml', engineYaml({ one: { input: 'path: a.ts' } }, { web: host }))
  await using second = runCommandLine(['run', 'taken.yaml'], folder.path)
  assert.deepEqual(await second.exited, { code: 1, signal: null })
  assert.match(second.stderr, /LISTEN_IN_USE/)
  assert.ok(second.stderr.includes(host), second.stderr)
  // A configuration that never ran is not the last good one.
  assert.deepEqual(await readdir(join(folder.path, 'state')), ['api.token', 'lock'])
  await engine.stop()
})

test('a second engine on the same state folder names the process that holds it and exits 1; the first continues', async () => {
  await using engine = await startEngine({ yaml: LOOPED, files: { 'a.ts': clip } })
  await using second = runCommandLine(['run', 'pipeline.yaml'], engine.folder.path)
  assert.deepEqual(await second.exited, { code: 1, signal: null })
  assert.match(second.stderr, /STATE_LOCKED/)
  assert.match(second.stderr, new RegExp(`\\b${engine.child.pid}\\b`))
  await engine.ready()
  await engine.stop()
  await using third = runCommandLine(['run', 'pipeline.yaml'], engine.folder.path)
  await third.untilStderr(/control API/)
  third.signal('SIGTERM')
  assert.deepEqual(await third.exited, { code: 0, signal: null })
})

test('a lock left by a killed engine does not prevent a start', async () => {
  await using engine = await startEngine({ yaml: LOOPED, files: { 'a.ts': clip } })
  engine.child.signal('SIGKILL')
  assert.deepEqual(await engine.child.exited, { code: null, signal: 'SIGKILL' })
  await using second = runCommandLine(['run', 'pipeline.yaml'], engine.folder.path)
  await second.untilStderr(/control API/)
  second.signal('SIGTERM')
  assert.deepEqual(await second.exited, { code: 0, signal: null })
})

test('without its file the engine runs, reports why it is not ready, and becomes ready when the file appears', async () => {
  await using engine = await startEngine({ yaml: LOOPED })
  await until(async () => {
    const { ready, reasons } = await getJson<{ ready: boolean; reasons: string[] }>(`${engine.api}/readyz`, 503)
    return !ready && /^one\/main: .*a\.ts/m.test(reasons.join('\n'))
  }, 'the reason')
  await until(async () => (await engine.node('one/main')).state === 'waiting', 'it waits for the file')
  await engine.folder.write('a.ts', clip)
  await engine.ready()
  await using viewer = new HttpReader(await engine.url())
  await viewer.until(({ bodyBytes }) => bodyBytes > 50_000)
  assertJoin('viewer', assertClean('viewer', viewer.report().ts))
  const { state, restarts } = await engine.node('one/main')
  assert.equal(state, 'ready')
  assert.ok(restarts > 0)
  await viewer[Symbol.asyncDispose]()
  await engine.stop()
})

/** Opens a viewer that stops reading while the engine has more data for it than the sockets hold. */
async function openStalledViewer(engine: EngineProcess): Promise<HttpReader> {
  await engine.ready()
  const url = await engine.url()
  const stalled = new HttpReader(url, { check: false })
  await stalled.until(({ bodyBytes }) => bodyBytes > 0)
  stalled.pause()
  await using fast = new HttpReader(url, { check: false })
  await fast.until(({ bodyBytes }) => bodyBytes > 16_000_000)
  return stalled
}

/** Of the files the engine wrote only the token is left, which the next start reuses. */
async function assertLeftBehind(engine: EngineProcess): Promise<void> {
  assert.deepEqual((await readdir(join(engine.folder.path, 'state'))).sort(), ['api.token', 'history', 'lock'])
  assert.deepEqual(await readdir(join(engine.folder.path, 'state/lock')), [])
}

async function bindOnce(port: number): Promise<void> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  await new Promise((resolve) => server.close(resolve))
}
