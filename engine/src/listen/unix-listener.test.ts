import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { after, test } from 'node:test'
import { isEngineError } from '../errors.js'
import type { StreamSocket, UnixListener } from '../plugin/sockets.js'
import { FakeClock } from '../testing/fake-clock.js'
import { TestSockets } from '../testing/test-sockets.js'
import { until } from './loopback.test.kit.js'

const folder = mkdtempSync(join(tmpdir(), 'millrace-unix-'))
after(() => rmSync(folder, { recursive: true }))
let count = 0
const newPath = (): string => join(folder, `${count++}.sock`)

function listen(sockets: TestSockets, path: string, got: string[] = []): Promise<UnixListener> {
  return sockets.listen({
    path,
    permissions: 0o660,
    onError: (error) => got.push(error.code),
    onConnection: () => ({
      onBytes: (bytes) => got.push(Buffer.from(bytes).toString()),
      onClose: (error) => got.push(error?.code ?? 'closed'),
    }),
  })
}

async function failure(promise: Promise<unknown>): Promise<{ code: string; message: string }> {
  const error: unknown = await promise.then(
    () => new Error('it did not fail'),
    (thrown: unknown) => thrown,
  )
  if (!isEngineError(error)) throw error
  return error
}

/** As a process leaves it that was killed. */
function leaveSocketFile(path: string): void {
  const script = `require('node:net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`
  spawnSync(process.execPath, ['-e', script, path])
  assert.ok(statSync(path).isSocket())
}

test('a file that was removed is reported, and one that another process has made since then stays', async () => {
  const clock = new FakeClock()
  using sockets = new TestSockets(clock)
  const [path, got] = [newPath(), [] as string[]]
  const listener = await listen(sockets, path, got)
  clock.advance(20_000)
  assert.deepEqual(got, [])
  rmSync(path)
  const other = createServer((socket) => socket.end()).listen(path)
  await once(other, 'listening')
  clock.advance(5000)
  assert.deepEqual(got, ['SOCKET_BROKEN'])
  await listener[Symbol.asyncDispose]()
  const client = connect(path)
  await once(client, 'connect')
  client.destroy()
  other.close()
  assert.equal(clock.pending, 0)
})

test('a file that was removed is no problem of its end', async () => {
  const clock = new FakeClock()
  using sockets = new TestSockets(clock)
  const path = newPath()
  const listener = await listen(sockets, path)
  rmSync(path)
  await listener[Symbol.asyncDispose]()
  assert.deepEqual([existsSync(path), clock.pending], [false, 0])
})

test('reads what is written to it, has its permissions from the start, and removes its file', async () => {
  using sockets = new TestSockets(new FakeClock())
  const [path, got] = [newPath(), [] as string[]]
  const listener = await listen(sockets, path, got)
  assert.equal(statSync(path).mode & 0o777, 0o660)
  const client = connect(path)
  client.end('hello')
  await until(() => got.length === 2, 'the connection has ended')
  assert.deepEqual(got, ['hello', 'closed'])
  listener.setPermissions(0o600)
  assert.equal(statSync(path).mode & 0o777, 0o600)
  await listener[Symbol.asyncDispose]()
  assert.equal(existsSync(path), false)
})

test('the file that a killed process has left is replaced', async () => {
  using sockets = new TestSockets(new FakeClock())
  const [path, got] = [newPath(), [] as string[]]
  leaveSocketFile(path)
  await listen(sockets, path, got)
  connect(path).end('x')
  await until(() => got.length === 2, 'it is reached')
})

test('a socket that somebody listens on stays', async () => {
  using sockets = new TestSockets(new FakeClock())
  const path = newPath()
  const server = createServer((socket) => socket.on('error', () => undefined).end('mine'))
  await new Promise<void>((resolve) => server.listen(path, resolve))
  assert.match((await failure(listen(sockets, path))).message, /another process listens on it/)
  const answer = await new Promise((resolve) => connect(path).on('data', (bytes) => resolve(bytes.toString())))
  assert.equal(answer, 'mine')
  server.close()
})

for (const [name, make] of [
  ['a file', (path: string) => writeFileSync(path, 'content')],
  ['a link to a socket', (path: string) => leaveLink(path)],
] as const) {
  test(`${name} at the path stays, and is an error of the configuration`, async () => {
    using sockets = new TestSockets(new FakeClock())
    const path = newPath()
    make(path)
    const error = await failure(listen(sockets, path))
    assert.equal(error.code, 'SOCKET_NOT_A_SOCKET')
    assert.ok(existsSync(path))
  })
}

test('a folder that does not exist, or may not be written, is told', async () => {
  using sockets = new TestSockets(new FakeClock())
  assert.equal((await failure(listen(sockets, join(folder, 'none', 'a.sock')))).code, 'SOCKET_NO_ADDRESS')
  if (process.getuid?.() === 0) return
  chmodSync(folder, 0o500)
  assert.equal((await failure(listen(sockets, newPath()))).code, 'SOCKET_DENIED')
  chmodSync(folder, 0o700)
})

test('a connection that the node refuses is closed, and one that it holds is not read', async () => {
  using sockets = new TestSockets(new FakeClock())
  const path = newPath()
  const got: number[] = []
  const held: { socket: StreamSocket; hold: Disposable }[] = []
  await sockets.listen({
    path,
    permissions: 0o600,
    onError: (error) => assert.fail(error),
    onConnection: (socket) => {
      if (held.length > 0) return undefined
      held.push({ socket, hold: socket.hold() })
      return { onBytes: (bytes) => got.push(bytes.length), onClose: () => undefined }
    },
  })
  const first = connect(path)
  first.write('12345')
  await until(() => held.length === 1, 'it is accepted')
  const second = connect(path)
  await new Promise((resolve) => second.once('close', resolve))
  assert.deepEqual(got, [])
  held[0]?.hold[Symbol.dispose]()
  await until(() => got.length === 1, 'it is read')
  first.destroy()
})

function leaveLink(path: string): void {
  leaveSocketFile(`${path}.real`)
  symlinkSync(`${path}.real`, path)
}
