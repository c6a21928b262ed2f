import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { isEngineError, type Options, type Received, type Source } from '@millrace/engine/plugin'
import { FakeClock, FakeContext, TestSockets } from '@millrace/engine/testing'

import { BehaviorSubject, type Subscription } from 'rxjs'
import type { z } from 'zod'
import input from './index.js'
import { unixOptions } from './unix-options.js'

type Given = z.input<typeof unixOptions>

const DEADLINE_MS = 60_000
const folder = mkdtempSync(join(tmpdir(), 'millrace-unix-'))
after(() => rmSync(folder, { recursive: true }))
let count = 0

class Harness implements AsyncDisposable {
  readonly path = join(folder, `${count++}.sock`)
  readonly clock = new FakeClock()
  readonly context = new FakeContext()
  readonly sockets = new TestSockets(this.clock)
  readonly errors: unknown[] = []
  /** Text, with `|` for a boundary. */
  text = ''
  readonly source: Source<Received>
  readonly #more: Omit<Given, 'path'>
  readonly #options: BehaviorSubject<z.output<typeof unixOptions>>
  #subscription: Subscription | undefined

  constructor(more: Omit<Given, 'path'> = {}) {
    this.#more = more
    this.#options = new BehaviorSubject(unixOptions.parse({ path: this.path, ...more }))
    const deps = { clock: this.clock, sockets: this.sockets }
    this.source = input.open(
      this.#options as Options<z.output<typeof unixOptions>>,
      this.context,
      deps,
    ) as Source<Received>
  }

  subscribe(): this {
    this.#subscription?.unsubscribe()
    this.#subscription = this.source.chunks.subscribe({
      next: (received) => (this.text += received instanceof Uint8Array ? Buffer.from(received).toString() : '|'),
      error: (error: unknown) => this.errors.push(error),
    })
    return this
  }

  change(more: Omit<Given, 'path'>): void {
    this.#options.next(unixOptions.parse({ path: this.path, ...this.#more, ...more }))
  }

  async listening(): Promise<this> {
    await until(() => this.last.startsWith('idle'), 'it listens')
    return this
  }

  get last(): string {
    return this.context.reported.at(-1) ?? ''
  }

  async has(text: string): Promise<void> {
    await until(() => this.text === text, `${text} has arrived`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#subscription?.unsubscribe()
    await this.source[Symbol.asyncDispose]()
    this.sockets[Symbol.dispose]()
  }
}

async function writer(path: string, text = ''): Promise<Socket> {
  const socket = connect(path)
  socket.on('error', () => undefined)
  await new Promise<void>((resolve) => socket.once('connect', resolve))
  socket.write(text)
  return socket
}

async function until(holds: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`timed out waiting until: ${what}`)
    await new Promise<void>((resolve) => void setImmediate(resolve))
  }
}

test('a writer is read; when it goes the input is idle, and the next one begins a new generation', async () => {
  await using unix = await new Harness().subscribe().listening()
  const first = await writer(unix.path, 'one')
  await unix.has('one')
  assert.equal(unix.last, 'ready')
  first.end()
  await unix.listening()
  await writer(unix.path, 'two')
  await unix.has('one|two')
  assert.equal(unix.context.metric('unix_connections_total'), 2)
  assert.deepEqual(unix.errors, [])
})

test('a second writer waits unread, and is read when the first has gone', async () => {
  await using unix = await new Harness().subscribe().listening()
  const first = await writer(unix.path, 'one')
  await unix.has('one')
  await writer(unix.path, 'two')
  const waits = { path: unix.path, mode: 'listen', connected: true, waiting: 1 }
  await until(() => isDeepStrictEqual(unix.context.readDetails?.(), waits), 'it waits')
  first.write('+')
  await unix.has('one+')
  first.destroy()
  await unix.has('one+|two')
})

test('with `replace`, set while it runs, a second writer disconnects the first', async () => {
  await using unix = await new Harness().subscribe().listening()
  const first = await writer(unix.path, 'one')
  await unix.has('one')
  unix.change({ secondWriter: 'replace' })
  await writer(unix.path, 'two')
  await unix.has('one|two')
  await until(() => first.destroyed, 'the first is disconnected')
})

test('at most eight writers wait; one that gives up makes room', async () => {
  await using unix = await new Harness().subscribe().listening()
  const all = []
  for (const turn of Array.from({ length: 9 }).keys()) all.push(await writer(unix.path, turn === 0 ? 'a' : 'x'))
  const refused = await writer(unix.path)
  await until(() => refused.destroyed, 'the tenth is refused')
  assert.equal(unix.context.metric('unix_refused_connections_total'), 1)
  assert.equal(unix.text, 'a')
  for (const socket of all) socket.destroy()
  await unix.listening()
})

test('while it is held nothing is read, also of a writer that comes meanwhile', async () => {
  await using unix = await new Harness().subscribe().listening()
  const hold = unix.source.hold?.()
  await writer(unix.path, 'one')
  await until(() => unix.last === 'ready', 'it is connected')
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
  assert.equal(unix.text, '')
  hold?.[Symbol.dispose]()
  await unix.has('one')
})

test('a writer that writes nothing for `readTimeout` is disconnected, and another one may come', async () => {
  await using unix = await new Harness({ readTimeout: '2s' }).subscribe().listening()
  const silent = await writer(unix.path, 'one')
  await unix.has('one')
  unix.clock.advance(2500)
  await until(() => silent.destroyed, 'it is disconnected')
  await writer(unix.path, 'two')
  await unix.has('one|two')
})

test('the permissions are set, changed while it runs, and the file is removed at the end', async () => {
  const unix = await new Harness({ permissions: '0600' }).subscribe().listening()
  assert.equal(statSync(unix.path).mode & 0o777, 0o600)
  unix.change({ permissions: '0666' })
  assert.equal(statSync(unix.path).mode & 0o777, 0o666)
  await unix[Symbol.asyncDispose]()
  assert.equal(existsSync(unix.path), false)
})

test('a program that the engine gives up, because it writes junk, is an error to retry', async () => {
  await using unix = new Harness({ mode: 'connect', readTimeout: '3s' })
  const server = createServer((socket) => socket.on('error', () => undefined).write('junk'))
  after(() => server.close())
  await new Promise<void>((resolve) => server.listen(unix.path, resolve))
  unix.subscribe()
  await unix.has('junk')
  unix.source.packetTimeout?.giveUp('null packets alone, for 3 s')
  const [error] = unix.errors
  assert.ok(isEngineError(error))
  assert.deepEqual([unix.source.packetTimeout?.ms, error.code, error.row.reaction], [3000, 'UNIX_NO_PACKETS', 'retry'])
  await using listening = new Harness({ mode: 'listen' })
  assert.equal(listening.source.packetTimeout, undefined)
})

test('connects to a program that listens; its end, its silence and its absence are errors to retry', async () => {
  await using unix = new Harness({ mode: 'connect', readTimeout: '2s' })
  unix.subscribe()
  await until(() => unix.errors.length === 1, 'nothing listens')
  const sockets: Socket[] = []
  const server = createServer((socket) => sockets.push(socket.on('error', () => undefined)) && socket.write('x'))
  await new Promise<void>((resolve) => server.listen(unix.path, resolve))
  unix.subscribe()
  await unix.has('x')
  sockets[0]?.end()
  await until(() => unix.errors.length === 2, 'the connection has ended')
  unix.subscribe()
  await unix.has('xx')
  unix.clock.advance(2500)
  assert.deepEqual(
    unix.errors.map((error) => isEngineError(error) && [error.code, error.row.reaction]),
    [
      ['SOCKET_REFUSED', 'retry'],
      ['UNIX_ENDED', 'retry'],
      ['UNIX_SILENT', 'retry'],
    ],
  )
  server.close()
})
