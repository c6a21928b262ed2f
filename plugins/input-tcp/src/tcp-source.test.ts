import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createServer as createTlsServer } from 'node:tls'
import { buildTs, FakeClock, FakeContext, TestSockets } from '@millrace/engine/testing'
import type { EngineError, Options, Received, Source } from '@millrace/engine/plugin'
import { BehaviorSubject } from 'rxjs'
import type { z } from 'zod'
import definitions from './index.js'
import { settle } from './publish-bench.test.kit.js'
import { type TcpOptions, tcpOptions } from './tcp-options.js'

const [input] = definitions
const stream = Buffer.from(buildTs({ durationS: 1 }).bytes)

class Sender {
  readonly sockets: Socket[] = []
  readonly server: Server

  constructor(t: TestContext, server: Server) {
    this.server = server
    server.on('connection', (socket: Socket) => {
      this.sockets.push(socket)
      socket.on('error', () => undefined)
    })
    t.after(() => {
      server.close()
      for (const socket of this.sockets) socket.destroy()
    })
  }

  static async open(t: TestContext, server = createServer()): Promise<Sender> {
    const sender = new Sender(t, server)
    await once(server.listen(0, '127.0.0.1'), 'listening')
    return sender
  }

  get address(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }
}

class Run {
  readonly clock = new FakeClock()
  readonly sockets = new TestSockets(this.clock)
  readonly context = new FakeContext('one/up')
  parts: Buffer[] = []
  buffers = new Set<ArrayBufferLike>()
  error: EngineError | undefined
  source: Source<Received> | undefined
  #subscription: { unsubscribe(): void } | undefined

  static async open(t: TestContext, given: z.input<typeof tcpOptions>): Promise<Run> {
    const run = new Run()
    const options$ = new BehaviorSubject(tcpOptions.parse(given)) as unknown as Options<TcpOptions>
    assert.ok(input?.kind === 'input')
    const open = input.open as unknown as (...given: unknown[]) => Promise<Source<Received>>
    run.source = await open(options$, run.context, { clock: run.clock, sockets: run.sockets, listeners: {} })
    t.after(() => run.close())
    return run
  }

  subscribe(): this {
    this.parts = []
    this.error = undefined
    this.#subscription = this.source?.chunks.subscribe({
      next: (received) => {
        if (!(received instanceof Uint8Array)) return
        this.parts.push(Buffer.from(received))
        this.buffers.add(received.buffer)
      },
      error: (error: unknown) => (this.error = error as EngineError),
    })
    return this
  }

  get bytes(): Buffer {
    return Buffer.concat(this.parts)
  }

  async failed(): Promise<EngineError> {
    await settle(() => this.error !== undefined, 'the attempt fails')
    return this.error!
  }

  async close(): Promise<void> {
    this.#subscription?.unsubscribe()
    await this.source?.[Symbol.asyncDispose]()
    assert.equal(this.clock.pending, 0)
    assert.deepEqual([this.context.failures, this.sockets.failures, this.sockets.size], [[], [], 0])
  }
}

test('the bytes of the sender arrive unchanged, in one buffer, and its end makes the engine retry', async (t) => {
  const sender = await Sender.open(t)
  const run = (await Run.open(t, { mode: 'connect', address: sender.address })).subscribe()
  await settle(() => sender.sockets.length === 1, 'it is connected')
  for (let at = 0; at < stream.length; at += 10_000) {
    sender.sockets[0]?.write(stream.subarray(at, at + 10_000))
    await settle(() => run.bytes.length === Math.min(stream.length, at + 10_000), 'a part')
  }
  assert.ok(run.bytes.equals(stream))
  assert.equal(run.buffers.size, 1)
  assert.deepEqual(run.context.reported, ['ready'])
  sender.sockets[0]?.end()
  const { code, row, target, message } = await run.failed()
  assert.deepEqual(
    [code, row.reaction, target, message],
    ['TCP_ENDED', 'retry', sender.address, `${sender.address}: the stream ended`],
  )
  run.subscribe()
  await settle(() => run.context.reported.length === 2, 'it connects again')
  assert.equal(run.context.metric('tcp_connects_total'), 2)
  assert.deepEqual(run.context.metric('tcp_failures_total'), { ended: 1 })
})

test('a refused connection, a broken one and a silent one fail with a code of their own', async (t) => {
  const gone = await Sender.open(t)
  const { address } = gone
  gone.server.close()
  await once(gone.server, 'close')
  const refused = await Run.open(t, { mode: 'connect', address })
  assert.equal((await refused.subscribe().failed()).code, 'TCP_CONNECT')
  const sender = await Sender.open(t)
  const run = (await Run.open(t, { mode: 'connect', address: sender.address })).subscribe()
  await settle(() => run.context.reported.length === 1, 'it is connected')
  await settle(() => sender.sockets.length === 1, 'it is accepted')
  sender.sockets[0]?.resetAndDestroy()
  assert.equal((await run.failed()).code, 'TCP_BROKEN')
  run.subscribe()
  await settle(() => run.context.reported.length === 2, 'it is connected again')
  run.clock.advance(10_250)
  assert.deepEqual([run.error?.code, run.error?.message], ['TCP_SILENT', `${sender.address}: no byte for 10 s`])
})

test('a connection that is never made ends at connectTimeout', async (t) => {
  using certificate = new Certificate()
  const sender = await Sender.open(t)
  const tls = { ca: certificate.cert }
  const run = (await Run.open(t, { mode: 'connect', address: sender.address, tls })).subscribe()
  await settle(() => sender.sockets.length === 1, 'it waits for TLS')
  run.clock.advance(5000)
  assert.equal((await run.failed()).code, 'TCP_TIMEOUT')
})

test('several addresses are tried in turn, at once, before the engine waits', async (t) => {
  const gone = await Sender.open(t)
  const { address } = gone
  gone.server.close()
  await once(gone.server, 'close')
  const sender = await Sender.open(t)
  const run = await Run.open(t, { mode: 'connect', addresses: [address, sender.address] })
  const first = await run.subscribe().failed()
  assert.deepEqual([first.target, first.retryAfterMs], [address, 0])
  assert.deepEqual(run.context.readDetails?.(), { target: address, connected: false })
  run.subscribe()
  await settle(() => sender.sockets.length === 1, 'the second is connected')
  await settle(() => run.context.reported.length === 1, 'it is ready')
  assert.deepEqual(run.context.readDetails?.(), { target: sender.address, connected: true })
  sender.sockets[0]?.destroy()
  const second = await run.failed()
  assert.deepEqual(run.context.readDetails?.(), { target: sender.address, connected: false })
  assert.deepEqual([second.target, second.retryAfterMs], [sender.address, undefined])
})

test('over TLS the certificate is checked, and the stream is what is inside', async (t) => {
  using certificate = new Certificate()
  const { cert, key } = certificate
  const server = createTlsServer({ cert: readFileSync(cert), key: readFileSync(key) }, (socket) => {
    socket.on('error', () => undefined)
    socket.write(stream)
  })
  server.on('tlsClientError', () => undefined)
  const sender = await Sender.open(t, server)
  const options = { mode: 'connect', address: sender.address } as const
  const run = (await Run.open(t, { ...options, tls: { ca: cert, serverName: 'sender.test' } })).subscribe()
  await settle(() => run.bytes.equals(stream), 'the stream')
  const stranger = await Run.open(t, { ...options, tls: {} })
  assert.equal((await stranger.subscribe().failed()).code, 'TCP_TLS')
  const other = await Run.open(t, { ...options, tls: { ca: cert, serverName: 'other.test' } })
  assert.equal((await other.subscribe().failed()).code, 'TCP_TLS')
  const lax = (await Run.open(t, { ...options, tls: { insecure: true } })).subscribe()
  await settle(() => lax.bytes.equals(stream), 'the stream')
  await assert.rejects(Run.open(t, { ...options, tls: { ca: '/there/is/none.pem' } }), { code: 'TCP_CA' })
})

test('an input that is closed while it connects leaves no socket', async (t) => {
  const sender = await Sender.open(t)
  const run = (await Run.open(t, { mode: 'connect', address: sender.address })).subscribe()
  await run.close()
  await settle(
    () => sender.sockets.every(({ destroyed, readyState }) => destroyed || readyState !== 'open'),
    'it is gone',
  )
})

test('an input that listens needs streams, and one that connects cannot take them', async (t) => {
  await assert.rejects(Run.open(t, { listener: 'pubs' }), { code: 'TCP_NO_STREAMS' })
  assert.ok(input?.kind === 'input')
  const value = tcpOptions.parse({ mode: 'connect', address: 'a.example:1' })
  const publishers = input.publishers as unknown as (...given: unknown[]) => unknown
  assert.throws(() => publishers({ value }, new FakeContext(), {}), { code: 'TCP_NOT_LISTENING' })
})

class Certificate implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'millrace-tcp-'))
  readonly cert = join(this.folder, 'cert.pem')
  readonly key = join(this.folder, 'key.pem')

  constructor() {
    const request = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=sender.test'
    const more = ['-addext', 'subjectAltName=DNS:sender.test', '-keyout', this.key, '-out', this.cert]
    execFileSync('openssl', [...request.split(' '), ...more], { stdio: 'pipe' })
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

test('a sender that the engine gives up is left for the next one at once', async (t) => {
  const [junk, good] = [await Sender.open(t), await Sender.open(t)]
  const run = await Run.open(t, { mode: 'connect', addresses: [junk.address, good.address], readTimeout: '3s' })
  run.subscribe()
  await settle(() => run.context.reported.length === 1, 'it is connected')
  assert.equal(run.source?.packetTimeout?.ms, 3000)
  run.source.packetTimeout.giveUp('null packets alone, for 3 s')
  const error = await run.failed()
  assert.deepEqual([error.code, error.retryAfterMs], ['TCP_NO_PACKETS', 0])
  run.subscribe()
  await settle(() => good.sockets.length === 1, 'the other one is asked')
})

test('once the engine has unsubscribed, it is connected no longer', async (t) => {
  const sender = await Sender.open(t)
  const run = await Run.open(t, { mode: 'connect', address: sender.address })
  run.subscribe()
  await settle(() => run.context.reported.length === 1, 'it is connected')
  assert.deepEqual(run.context.readDetails?.(), { target: sender.address, connected: true })
  await run.close()
  assert.deepEqual(run.context.readDetails?.(), { target: sender.address, connected: false })
})

test('nothing is read while the input is paused, and that is no silence of the sender', async (t) => {
  const sender = await Sender.open(t)
  const run = (await Run.open(t, { mode: 'connect', address: sender.address })).subscribe()
  await settle(() => sender.sockets.length === 1, 'it is connected')
  sender.sockets[0]?.write(stream)
  await settle(() => run.bytes.length === stream.length, 'the stream begins')
  const pause = run.source?.pause?.()
  sender.sockets[0]?.write(stream)
  for (let second = 0; second < 30; second++) {
    run.clock.advance(1000)
    await new Promise<void>((resolve) => void setImmediate(resolve))
  }
  assert.deepEqual([run.bytes.length, run.error], [stream.length, undefined])
  pause?.[Symbol.dispose]()
  await settle(() => run.bytes.length === 2 * stream.length, 'the rest arrives')
})
