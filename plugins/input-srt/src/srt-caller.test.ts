import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import type { EngineError, Received } from '@millrace/engine/plugin'
import { FakeContext, TestSockets } from '@millrace/engine/testing'
import { ConnectionTotals, SrtSocket } from '@millrace/srt/node'
import type { ListenOptions, SrtConnection } from '@millrace/srt/node'
import { realClock, until } from './srt-bench.test.kit.js'
import { SrtCaller } from './srt-caller.js'
import { showConnections } from './srt-metrics.js'
import { srtOptions } from './srt-options.js'

const PASSPHRASE = 'a-passphrase-to-test'

class Run {
  readonly context = new FakeContext('one/up')
  readonly sockets = new TestSockets(realClock)
  bytes = 0
  error: EngineError | undefined
  readonly #caller: SrtCaller

  constructor(t: TestContext, given: Readonly<Record<string, unknown>>) {
    const options = srtOptions.parse({ mode: 'caller', connectTimeout: '10s', ...given })
    const { context, sockets } = this
    const totals = new ConnectionTotals()
    showConnections(context, totals)
    this.#caller = new SrtCaller({ options: () => options, context, clock: realClock, sockets, totals })
    const subscription = this.#caller.chunks.subscribe({
      next: (received: Received) => {
        if (received instanceof Uint8Array) this.bytes += received.length
      },
      error: (error: unknown) => (this.error = error as EngineError),
    })
    t.after(async () => {
      subscription.unsubscribe()
      await this.#caller[Symbol.asyncDispose]()
      assert.deepEqual([context.failures, sockets.failures, sockets.size], [[], [], 0])
    })
  }

  async failed(): Promise<string> {
    await until(() => this.error !== undefined, 'it fails')
    return this.error!.code
  }

  giveUp(): void {
    this.#caller.packetTimeout.giveUp('null packets alone')
  }
}

async function sender(t: TestContext, options: Omit<ListenOptions, 'onConnection'> = {}) {
  const socket = await SrtSocket.open({ address: '127.0.0.1' })
  const connections: SrtConnection[] = []
  socket.listen({ ...options, onConnection: (connection) => void connections.push(connection) })
  t.after(() => socket.close())
  return { socket, connections, address: `127.0.0.1:${socket.address.port}` }
}

test('`reorderTolerance` is that of its connection', async (t) => {
  const { connections, address } = await sender(t)
  const connect = t.mock.method(SrtSocket.prototype, 'connect')
  new Run(t, { address, reorderTolerance: 7 })
  await until(() => connections.length === 1, 'it is connected')
  assert.equal(connect.mock.calls[0]?.arguments[0].connection?.reorderTolerance, 7)
})

test('it asks with its StreamID and passphrase, emits what comes, and counts it', async (t) => {
  const { address, connections } = await sender(t, { passphrase: PASSPHRASE })
  const run = new Run(t, { address, passphrase: PASSPHRASE, streamId: '#!::r=cam', latency: '20ms' })
  await until(() => connections.length === 1 && run.context.reported.includes('ready'), 'it is connected')
  assert.equal(connections[0]?.streamId, '#!::r=cam')
  connections[0].send(Array.from({ length: 20 }, () => new Uint8Array(1316)))
  await until(() => run.bytes === 20 * 1316, 'all bytes')
  assert.equal(run.context.metric('srt_received_packets_total'), 20)
  assert.equal(run.context.metric('srt_publishing_connections'), 1)
  await connections[0].close()
  assert.equal(await run.failed(), 'SRT_ENDED')
  await until(() => run.context.metric('srt_publishing_connections') === 0, 'it is counted as ended')
  assert.equal(run.context.metric('srt_received_packets_total'), 20)
})

test('a refusal, a wrong passphrase and silence have codes of their own, which the engine retries', async (t) => {
  const { address } = await sender(t, { onRequest: () => ({ reject: 1404 }) })
  const refused = new Run(t, { address })
  assert.equal(await refused.failed(), 'SRT_REJECTED')
  assert.match(refused.error!.message, /refused: 1404 \(notFound\)$/)
  const secured = await sender(t, { passphrase: PASSPHRASE })
  assert.equal(await new Run(t, { address: secured.address, passphrase: 'another-passphrase' }).failed(), 'SRT_SECRET')
  const mute = createSocket('udp4').bind(0, '127.0.0.1')
  t.after(() => mute.close())
  await once(mute, 'listening')
  const unanswered = new Run(t, { address: `127.0.0.1:${mute.address().port}`, connectTimeout: '200ms' })
  assert.equal(await unanswered.failed(), 'SRT_TIMEOUT')
  assert.equal(refused.error!.row.reaction, 'retry')
})

test('a sender that the engine gives up is disconnected', async (t) => {
  const { address, connections } = await sender(t)
  const junk = new Run(t, { address })
  await until(() => junk.context.reported.includes('ready'), 'it is connected')
  junk.giveUp()
  assert.equal(await junk.failed(), 'SRT_NO_PACKETS')
  await until(() => connections[0]?.isClosed === true, 'the sender sees it')
})
