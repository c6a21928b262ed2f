import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, rename, rm, utimes, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, test } from 'node:test'
import { isEngineError } from '../errors.js'
import { findHolder, lockState } from './state-lock.js'

let dir: string

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'millrace-lock-'))
})

afterEach(() => rm(dir, { recursive: true, force: true }))

/** Takes the lock in another process at a given time, and says so. */
const STARTER = `
  const { lockState } = await import(process.argv[1])
  console.log('here')
  process.stdin.once('data', async () => {
    try { await lockState(process.argv[2]); console.log('held') } catch (error) { console.log(error.code ?? error.message) }
  })
  process.stdin.once('end', () => process.exit())`

class Starter {
  readonly child: ChildProcess
  readonly #lines: AsyncIterator<string>

  /** `wrapper`: a command that runs the process. */
  constructor(folder: string, wrapper: readonly string[] = []) {
    const lock = new URL('state-lock.js', import.meta.url).href
    const own = [process.execPath, '--input-type=module', '-e', STARTER, lock, folder]
    const [program = '', ...args] = [...wrapper, ...own]
    this.child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#lines = createInterface({ input: this.child.stdout! })[Symbol.asyncIterator]()
  }

  async line(): Promise<string> {
    return String((await this.#lines.next()).value)
  }

  go(): void {
    this.child.stdin?.write('go\n')
  }

  async end(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    this.child.kill(signal)
    await once(this.child, 'exit')
  }
}

async function outcome(folder = dir, answerMs?: number): Promise<string> {
  try {
    await (await lockState(folder, answerMs))[Symbol.asyncDispose]()
    return 'held'
  } catch (error) {
    return isEngineError(error) ? `${error.code}: ${error.message}` : String(error)
  }
}

test('of twelve processes that start at once on the lock of a dead one, exactly one holds it', async () => {
  for (let round = 0; round < 2; round++) {
    const dead = new Starter(dir)
    const starters = Array.from({ length: 12 }, () => new Starter(dir))
    try {
      assert.equal(await dead.line(), 'here')
      dead.go()
      assert.equal(await dead.line(), 'held')
      await dead.end()
      assert.equal((await readdir(join(dir, 'lock'))).length, 1, 'a killed process leaves its socket behind')
      for (const starter of starters) assert.equal(await starter.line(), 'here')
      for (const starter of starters) starter.go()
      const said = await Promise.all(starters.map((starter) => starter.line()))
      assert.equal(said.filter((line) => line === 'held').length, 1, said.join(', '))
      assert.equal(said.filter((line) => line === 'STATE_LOCKED').length, 11, said.join(', '))
      assert.equal((await readdir(join(dir, 'lock'))).length, 1)
    } finally {
      await Promise.all([dead, ...starters].map((starter) => starter.end()))
    }
  }
})

test('of many claims in one process exactly one wins, whatever their order', async () => {
  const claims = await Promise.allSettled(Array.from({ length: 20 }, () => lockState(dir)))
  const held = claims.filter(({ status }) => status === 'fulfilled')
  assert.equal(held.length, 1)
  for (const claim of held) await (claim as PromiseFulfilledResult<AsyncDisposable>).value[Symbol.asyncDispose]()
  assert.deepEqual(await readdir(join(dir, 'lock')), [])
})

test('a holder keeps the lock from a process whose clock is behind', async () => {
  const lock = await lockState(dir)
  const [name = ''] = await readdir(join(dir, 'lock'))
  const later = `9${name.slice(1)}`
  await rename(join(dir, 'lock', name), join(dir, 'lock', later))
  assert.match(await outcome(), /^STATE_LOCKED: .*process \d+ uses/)
  assert.deepEqual(await readdir(join(dir, 'lock')), [later])
  await lock[Symbol.asyncDispose]()
})

test('a process that is stopped holds its lock, and its killed successor does not', async () => {
  const starter = new Starter(dir)
  try {
    await starter.line()
    starter.go()
    assert.equal(await starter.line(), 'held')
    assert.equal(await findHolder(dir), `process ${starter.child.pid}`)
    starter.child.kill('SIGSTOP')
    assert.match(await outcome(dir, 300), /^STATE_LOCKED: .*a process that does not answer/)
    await starter.end()
    assert.equal(await findHolder(dir), undefined)
    assert.equal(await outcome(), 'held')
  } finally {
    await starter.end()
  }
})

test('a path that is too long for a socket is reached by the descriptor of its folder', async () => {
  const long = join(dir, 'a-folder-with-a-long-name-'.repeat(4), 'another-one-with-a-name-as-long-as-that-'.repeat(3))
  await mkdir(long, { recursive: true })
  const lock = await lockState(long)
  assert.match(await outcome(long), /^STATE_LOCKED: .*process \d+ uses/)
  assert.equal(await findHolder(long), `process ${process.pid}`)
  await lock[Symbol.asyncDispose]()
  assert.equal(await outcome(long), 'held')
})

test('what is no answer is asked again, and holds: a server that says nothing true', async () => {
  await mkdir(join(dir, 'lock'))
  const server = createServer((socket) =>
    socket
      .resume()
      .on('error', () => undefined)
      .end('HTTP/1.1 200 OK\r\n\r\n'),
  )
  server.listen(join(dir, 'lock', '000000000000001-stranger'))
  await once(server, 'listening')
  assert.match(await outcome(dir, 300), /^STATE_LOCKED: .*does not answer/)
  server.close()
  await once(server, 'close')
  assert.equal(await outcome(), 'held')
})

test('a socket that a crash has left before it was renamed is removed after a minute', async () => {
  await mkdir(join(dir, 'lock'))
  await writeFile(join(dir, 'lock', 'new-young'), '')
  await writeFile(join(dir, 'lock', 'new-old'), '')
  await utimes(join(dir, 'lock', 'new-old'), 1, 1)
  assert.equal(await outcome(), 'held')
  assert.deepEqual(await readdir(join(dir, 'lock')), ['new-young'])
})

test('a folder in which nothing can be made is refused with the reason', async () => {
  await assert.rejects(lockState('/proc/self'), /ENOENT|EACCES|EPERM/)
})

/** Runs a program in a PID namespace of its own, as root or with a namespace of users; nothing where neither is allowed. */
function ownPidNamespace(): readonly string[] {
  const unshare = ['unshare', '--pid', '--fork', '--kill-child']
  const ways = [unshare, [...unshare, '--user', '--map-root-user']]
  return ways.find(([program = '', ...args]) => spawnSync(program, [...args, 'true']).status === 0) ?? []
}

test('in PID namespaces of their own, one process holds the lock until it ends', async () => {
  const wrapper = ownPidNamespace()
  const starters = Array.from({ length: 3 }, () => new Starter(dir, wrapper))
  const [first, second, third] = starters as [Starter, Starter, Starter]
  try {
    for (const starter of starters) assert.equal(await starter.line(), 'here')
    first.go()
    assert.equal(await first.line(), 'held')
    // Each is process 1 of its namespace.
    assert.equal(await findHolder(dir), `process ${wrapper.length > 0 ? 1 : first.child.pid}`)
    second.go()
    assert.equal(await second.line(), 'STATE_LOCKED')
    assert.match(await outcome(), /^STATE_LOCKED: .*process \d+ uses/)
    await first.end()
    third.go()
    assert.equal(await third.line(), 'held')
    assert.match(await outcome(), /^STATE_LOCKED/)
  } finally {
    await Promise.all(starters.map((starter) => starter.end()))
  }
})

test('a holder whose process id nobody has here holds, and one that has ended does not, whoever has its id now', async () => {
  await mkdir(join(dir, 'lock'))
  const path = join(dir, 'lock', '000000000000001-elsewhere')
  const holds = (pid: number) =>
    createServer((socket) =>
      socket
        .resume()
        .on('error', () => undefined)
        .end(`held ${pid}\n`),
    )
  // Larger than any process id of Linux (PID_MAX_LIMIT).
  const server = holds(4_194_305).listen(path)
  await once(server, 'listening')
  assert.match(await outcome(), /^STATE_LOCKED: .*process 4194305 uses/)
  // Its socket stays: a killed process does not remove it.
  await rename(path, `${path}-kept`)
  server.close()
  await once(server, 'close')
  assert.equal(await findHolder(dir), undefined)
  assert.equal(await outcome(), 'held')
  assert.deepEqual(await readdir(join(dir, 'lock')), [])
})

test('a folder in which no unix socket can be made is refused with the reason, and nothing is left in it', async () => {
  for (const code of ['EPERM', 'EOPNOTSUPP']) {
    const listen = (): Promise<void> => Promise.reject(Object.assign(new Error(`listen ${code}`), { code }))
    const why = `no unix socket can be made in it (${code}), which says who uses the folder`
    await assert.rejects(lockState(dir, undefined, listen), { message: why })
    assert.deepEqual(await readdir(join(dir, 'lock')), [])
  }
  for (const code of ['ENOSPC', 'EACCES', 'EROFS']) {
    const listen = (): Promise<void> => Promise.reject(Object.assign(new Error(`listen ${code}`), { code }))
    await assert.rejects(lockState(dir, undefined, listen), { code })
  }
  assert.equal(await outcome(), 'held')
})
