import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readlinkSync } from 'node:fs'
import { mkdtemp, readFile, rename, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { pathToFileURL } from 'node:url'
import type { SessionEnd } from '../observe/viewer-events.js'
import { KeptLog, REAL_CLOCK } from '../listen/loopback.test.kit.js'
import { renderSession } from './access-log.js'
import { type LineFile, openLineFile } from './line-file.js'
import { LineWriter } from './line-writer.js'

const SESSION: SessionEnd = {
  id: 'k3f9-7',
  node: 'one/ts',
  path: '/live.ts',
  client: '192.0.2.1:5000',
  user: 'anna',
  userAgent: 'VLC/3.0',
  status: 200,
  bytes: 1000,
  durationMs: 2000,
  skips: 1,
  skippedBytes: 188,
  reason: 'left',
}

/** Tests that look at /proc or need /dev/full. */
const LINUX = { skip: process.platform !== 'linux' }

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'millrace-log-'))
  t.after(() => rm(path, { recursive: true, force: true }))
  return path
}

async function until(claim: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 60_000; !(await claim());) {
    assert.ok(performance.now() < end, 'waited too long')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

function read(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '')
}

test('a session is one line of JSON, whatever its User-Agent contains', () => {
  const userAgent = `\u001b[2J"\n\u2028${'x'.repeat(1000)}`
  const line = renderSession('2026-01-02T03:04:05.000Z', { ...SESSION, userAgent })
  assert.ok(!/\p{Cc}/u.test(line))
  const parsed = JSON.parse(line) as Record<string, unknown>
  assert.deepEqual(Object.keys(parsed), [
    ...['time', 'id', 'node', 'client', 'user', 'path', 'userAgent', 'status', 'bytes', 'durationMs'],
    ...['skips', 'skippedBytes', 'reason'],
  ])
  assert.equal(String(parsed['userAgent']).length, 256)
})

test('lines continue in a new file when the old one was moved away', async (t) => {
  const path = join(await folder(t), 'access.log')
  const { log } = new KeptLog()
  await using writer = new LineWriter({ clock: REAL_CLOCK, log, open: () => openLineFile(path) })
  writer.write('one')
  await until(async () => (await read(path)) === 'one\n')
  assert.equal((await stat(path)).mode & 0o777 & ~0o640, 0)
  await rename(path, `${path}.1`)
  await until(async () => {
    writer.write('two')
    return (await read(path)).startsWith('two\n')
  })
  assert.match(await read(`${path}.1`), /^one\n/)
  await rm(path)
  await until(async () => {
    writer.write('three')
    return (await read(path)).includes('three\n')
  })
})

test('lines that cannot be written are dropped and counted, and the file is tried again once a second', async (t) => {
  const path = join(await folder(t), 'missing', 'access.log')
  const kept = new KeptLog()
  let isBroken = true
  let nowMs = 0
  let opens = 0
  const good = join(await folder(t), 'a')
  const open = (): Promise<LineFile> => {
    opens++
    return openLineFile(isBroken ? path : good)
  }
  await using writer = new LineWriter({ clock: { ...REAL_CLOCK, nowMs: () => nowMs }, log: kept.log, open })
  writer.write('one')
  await until(() => writer.dropped === 1)
  for (let line = 0; line < 9; line++) writer.write('two')
  assert.deepEqual([writer.dropped, opens], [10, 1])
  nowMs = 1000
  writer.write('two')
  await until(() => writer.dropped === 11)
  assert.deepEqual([opens, kept.lines.length], [2, 1], 'one warning a minute')
  isBroken = false
  nowMs = 2000
  writer.write('three')
  await until(async () => (await read(good)) === 'three\n')
})

test('a pipe that is not read blocks nothing: lines that do not fit are dropped', async (t) => {
  const path = join(await folder(t), 'pipe')
  execFileSync('mkfifo', [path])
  const { open: openHandle } = await import('node:fs/promises')
  const { O_RDONLY, O_NONBLOCK } = (await import('node:fs')).constants
  const reader = await openHandle(path, O_RDONLY | O_NONBLOCK)
  const { log } = new KeptLog()
  const writer = new LineWriter({ clock: REAL_CLOCK, log, open: () => openLineFile(path), mostBytes: 100_000 })
  const line = 'x'.repeat(999)
  for (let count = 0; count < 100; count++) writer.write(line)
  await until(async () => {
    for (let count = 0; count < 100; count++) writer.write(line)
    return writer.dropped > 200
  })
  const beganMs = performance.now()
  await writer[Symbol.asyncDispose]()
  assert.ok(performance.now() - beganMs < 5000, 'it ends in time')
  await reader.close()
})

test('pending lines are written at the end', async (t) => {
  const path = join(await folder(t), 'access.log')
  const { log } = new KeptLog()
  const writer = new LineWriter({ clock: REAL_CLOCK, log, open: () => openLineFile(path) })
  writer.write('last')
  await writer[Symbol.asyncDispose]()
  await writer[Symbol.asyncDispose]()
  writer.write('too late')
  assert.equal(await read(path), 'last\n')
  assert.equal(writer.dropped, 1)
})

test('a pipe that is not read is closed when the log gives up, and the lines in it are counted', LINUX, async (t) => {
  const path = join(await folder(t), 'pipe')
  execFileSync('mkfifo', [path])
  const { open: openHandle } = await import('node:fs/promises')
  const { O_RDONLY, O_NONBLOCK } = (await import('node:fs')).constants
  const reader = await openHandle(path, O_RDONLY | O_NONBLOCK)
  const writer = new LineWriter({ clock: REAL_CLOCK, log: new KeptLog().log, open: () => openLineFile(path) })
  for (let count = 0; count < 100; count++) writer.write('x'.repeat(9999))
  await until(() => openDescriptors(path) === 2)
  await writer.end(50)
  // A pipe holds 64 KiB.
  // On a busy machine the first write may come too late.
  assert.ok(writer.dropped >= 93 && writer.dropped <= 100, `${writer.dropped} dropped`)
  await until(() => openDescriptors(path) === 1)
  await reader.close()
})

test('on a full disk lines stay in memory, up to a bound, and those left at the end are counted', LINUX, async () => {
  const kept = new KeptLog()
  const open = (): Promise<LineFile> => openLineFile('/dev/full')
  const writer = new LineWriter({ clock: REAL_CLOCK, log: kept.log, open, mostBytes: 100 })
  for (let count = 0; count < 10; count++) writer.write('x'.repeat(19))
  await until(() => kept.lines.length === 1 && writer.dropped === 5)
  for (let count = 0; count < 3; count++) writer.write('x'.repeat(19))
  assert.equal(writer.dropped, 8)
  await writer[Symbol.asyncDispose]()
  assert.equal(writer.dropped, 13)
  assert.equal(kept.lines.length, 1, 'one warning a minute')
  await until(() => openDescriptors('/dev/full') === 0)
})

test('dropped lines are still counted after the file was moved away', async (t) => {
  const path = join(await folder(t), 'access.log')
  await using writer = new LineWriter({
    ...{ clock: REAL_CLOCK, log: new KeptLog().log, open: () => openLineFile(path), mostBytes: 100 },
  })
  for (let count = 0; count < 10; count++) writer.write('x'.repeat(19))
  await until(async () => (await read(path)).length === 100)
  await rename(path, `${path}.1`)
  await until(async () => {
    if (writer.dropped === 5) writer.write('two')
    return (await read(path)).startsWith('two\n')
  })
  assert.equal(writer.dropped, 5)
})

test('lines continue in a new file when a pipe that is not read was moved away', LINUX, async (t) => {
  const path = join(await folder(t), 'access.log')
  execFileSync('mkfifo', [path])
  const { open: openHandle } = await import('node:fs/promises')
  const { O_RDONLY, O_NONBLOCK } = (await import('node:fs')).constants
  const reader = await openHandle(path, O_RDONLY | O_NONBLOCK)
  await using writer = new LineWriter({ clock: REAL_CLOCK, log: new KeptLog().log, open: () => openLineFile(path) })
  for (let count = 0; count < 100; count++) writer.write('x'.repeat(9999))
  await until(() => openDescriptors(path) === 2)
  await rename(path, `${path}.1`)
  await until(async () => {
    writer.write('two')
    return (await read(path)).startsWith('two\n')
  })
  assert.ok(writer.dropped >= 93, `${writer.dropped} dropped`)
  await reader.close()
})

/** The number of descriptors by which this process has the file open. */
function openDescriptors(path: string): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === path
    } catch {
      return false
    }
  }).length
}

test('a stdout that is not read does not keep the process from ending', async () => {
  const url = (file: string): string => JSON.stringify(pathToFileURL(join(import.meta.dirname, file)).href)
  const script = `
    const { openStdout } = await import(${url('line-file.js')})
    const { LineWriter } = await import(${url('line-writer.js')})
    const clock = {
      nowMs: () => performance.now(),
      after: (delayMs, run) => {
        const timer = setTimeout(run, delayMs)
        return { [Symbol.dispose ?? Symbol.for('Symbol.dispose')]: () => clearTimeout(timer) }
      },
    }
    const writer = new LineWriter({ clock, log: undefined, open: async () => openStdout() })
    for (let count = 0; count < 100; count++) writer.write('x'.repeat(9999))
    await new Promise((resolve) => process.stdin.resume().once('end', resolve))
    await writer.end(100)
    process.stderr.write(writer.dropped > 0 && writer.dropped < 100 ? 'full' : 'dropped ' + writer.dropped)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'pipe' })
  // It ends when the first lines have come, of which no more are read than a stream keeps by itself.
  child.stdout.once('readable', () => child.stdin.end())
  let said = ''
  child.stderr.on('data', (text: Buffer) => (said += text.toString()))
  // Not `close`: its stdout stays full.
  const [[code]] = (await Promise.all([once(child, 'exit'), once(child.stderr, 'end')])) as [[number], unknown]
  child.stdout.destroy()
  assert.deepEqual([code, said], [0, 'full'])
})

test('stdout gets every line, whether it is a pipe or a file', async (t) => {
  const path = join(await folder(t), 'out')
  const script = `
    const { openAccessLog } = await import(${JSON.stringify(pathToFileURL(join(import.meta.dirname, 'open-access-log.js')).href)})
    const { createClock } = await import(${JSON.stringify(pathToFileURL(join(import.meta.dirname, '../observe/clock.js')).href)})
    const clock = createClock()
    const log = openAccessLog('stdout', clock, undefined)
    for (let count = 0; count < 3000; count++) log.watcher.onEnd({ path: '/live.ts', userAgent: '', bytes: count })
    await log[Symbol.asyncDispose]()
    clock[Symbol.dispose]()`
  for (const command of [
    `exec "$0" --input-type=module -e "$1" > "$2"`,
    `"$0" --input-type=module -e "$1" | cat > "$2"`,
  ]) {
    execFileSync('sh', ['-c', command, process.execPath, script, path])
    const lines = (await read(path)).trimEnd().split('\n')
    assert.deepEqual(
      lines.map((line) => (JSON.parse(line) as { bytes: number }).bytes),
      Array.from({ length: 3000 }, (_, index) => index),
    )
  }
})
