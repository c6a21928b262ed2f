// Sockets in threads of their own, and sockets of this thread, on loopback.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { SrtSocket } from '../srt-socket.js'
import { DrivenSocket } from './driven-socket.js'
import type { FromThread } from './thread-messages.js'
import type { ThreadedConnection } from './threaded-connection.js'
import type { ThreadedListenOptions } from './threaded-socket.js'

const HOST = '127.0.0.1'
const PASSPHRASE = 'ten or more characters'
const FAST = { latencyMs: 20 }

async function listen(options: Partial<ThreadedListenOptions> = {}) {
  const socket = await SrtSocket.open({ address: HOST, worker: true })
  const connections: ThreadedConnection[] = []
  const refused: number[] = []
  socket.listen({
    ...FAST,
    ...options,
    onConnection: (connection) => void connections.push(connection),
    onRefused: (_, code) => void refused.push(code),
  })
  return { socket, connections, refused, call: { host: HOST, port: socket.address.port, timeoutMs: 60_000, ...FAST } }
}

/** Resolves when that many payloads have come. */
function receive(connection: { onData: (payloads: Uint8Array[]) => void }, count: number): Promise<Uint8Array[]> {
  const payloads: Uint8Array[] = []
  return new Promise((resolve) => {
    connection.onData = (batch) => {
      payloads.push(...batch)
      if (payloads.length >= count) resolve(payloads)
    }
  })
}

async function until(claim: () => boolean, what: string): Promise<void> {
  for (const endMs = performance.now() + 60_000; performance.now() < endMs;) {
    if (claim()) return
    await pause(5)
  }
  assert.fail(what)
}

const payloadsOf = (count: number) => Array.from({ length: count }, (_, at) => new Uint8Array(1316).fill(at))

/** What `open` starts, to end it from outside. */
async function workerOf<T>(open: () => Promise<T>): Promise<[T, Worker]> {
  const { postMessage } = Worker.prototype
  const found: Worker[] = []
  Worker.prototype.postMessage = function (...args): void {
    found.push(this)
    postMessage.apply(this, args)
  }
  try {
    const opened = await open()
    return [opened, found[0] ?? assert.fail('no thread')]
  } finally {
    Worker.prototype.postMessage = postMessage
  }
}

describe('a socket in a thread of its own', () => {
  for (const passphrase of [undefined, PASSPHRASE]) {
    test(`sends and receives, ${passphrase === undefined ? 'plain' : 'encrypted'}, and tells the end`, async () => {
      const secret = passphrase === undefined ? {} : { passphrase }
      const { socket, connections, call } = await listen(secret)
      await using _ = socket
      await using client = await SrtSocket.open({ address: HOST, worker: true })
      const caller = await client.connect({ ...call, streamId: 'publish:cam', ...secret })
      await until(() => connections.length === 1, 'no connection')
      const listener = connections[0]!
      assert.deepEqual([listener.streamId, listener.peer.port], ['publish:cam', client.address.port])
      for (const [from, to] of [
        [caller, listener],
        [listener, caller],
      ] as const) {
        const received = receive(to, 50)
        assert.equal(from.send(payloadsOf(50)), 50)
        assert.deepEqual(await received, payloadsOf(50))
      }
      await until(() => listener.stats().receive.packets === 50, 'its statistics come')
      assert.equal(listener.stats().isSecured, passphrase !== undefined)
      assert.equal(await caller.close(), 'closed')
      assert.equal(await listener.closed, 'peer-closed')
      assert.deepEqual([caller.send(payloadsOf(1)), caller.isClosed, listener.isClosed], [0, true, true])
      assert.deepEqual([socket.connectionCount, client.connectionCount], [0, 0])
      await until(() => socket.stats().conclusions === 1, 'so do those of handshakes')
    })
  }

  test('asks about callers, once each, and refuses with the codes of decisions and passphrases', async () => {
    const asked: string[] = []
    const late: number[] = []
    const { socket, connections, refused, call } = await listen({
      onRequest: async ({ streamId = '', hasPassphrase, peer }) => {
        asked.push(`${streamId} ${hasPassphrase} ${peer.address}`)
        await pause(1)
        if (streamId === 'throws') throw new Error('not expected')
        if (streamId === 'bad') return { reject: 1403 }
        return { passphrase: `${streamId} has this one`, latencyMs: 500, onRefused: (code) => void late.push(code) }
      },
    })
    await using _ = socket
    await using client = await SrtSocket.open({ address: HOST })
    const passphrase = 'one has this one'
    await client.connect({ ...call, streamId: 'one', passphrase })
    await until(() => connections.length === 1, 'no connection')
    assert.equal(connections[0]?.stats().receive.latencyUs, 500_000)
    await assert.rejects(client.connect({ ...call, streamId: 'two', passphrase }), { rejectCode: 10 })
    await assert.rejects(client.connect({ ...call, streamId: 'bad' }), { rejectCode: 1403 })
    await assert.rejects(client.connect({ ...call, streamId: 'throws' }), { rejectCode: 1500 })
    await until(() => refused.length === 3, 'refusals are told')
    assert.deepEqual([late, refused], [[10], [10, 1403, 1500]])
    assert.deepEqual(asked, [`one true ${HOST}`, `two true ${HOST}`, `bad false ${HOST}`, `throws false ${HOST}`])
    await assert.rejects(SrtSocket.open({ address: HOST, port: call.port, worker: true }), { code: 'EADDRINUSE' })
  })

  test('calls end with their signal, their time, a refusal and the socket', async () => {
    await using silent = await SrtSocket.open({ address: HOST })
    const { port } = silent.address
    const client = await SrtSocket.open({ address: HOST, worker: true })
    const end = new AbortController()
    const call = client.connect({ host: HOST, port, signal: end.signal })
    end.abort()
    await assert.rejects(call, { name: 'AbortError' })
    await assert.rejects(client.connect({ host: HOST, port, timeoutMs: 50 }), { code: 'SRT_TIMEOUT' })
    await assert.rejects(client.connect({ host: HOST, port, passphrase: 'short' }), { code: 'SRT_OPTION' })
    const closed = assert.rejects(client.connect({ host: HOST, port, timeoutMs: 60_000 }), { code: 'SRT_CLOSED' })
    await client.close()
    await closed
    assert.equal(await client.ended, undefined)
    await assert.rejects(client.connect({ host: HOST, port }), { code: 'SRT_CLOSED' })
  })

  for (const [how, end] of [
    ['is ended from outside', (worker: Worker) => void worker.terminate()],
    ['throws', (worker: Worker) => worker.postMessage({ type: 'send' })],
  ] as const) {
    test(`that ${how} ends its connections and calls, says why, and disturbs no other one`, async () => {
      const [{ socket, connections, call }, worker] = await workerOf(() => listen())
      const other = await listen()
      await using _ = other.socket
      await using client = await SrtSocket.open({ address: HOST })
      await client.connect(call)
      const untouched = await client.connect(other.call)
      await until(() => connections.length === 1 && other.connections.length === 1, 'no connection')
      await using silent = await SrtSocket.open({ address: HOST })
      const calling = assert.rejects(socket.connect({ host: HOST, port: silent.address.port, timeoutMs: 60_000 }))
      end(worker)
      assert.ok((await socket.ended) instanceof Error)
      await calling
      assert.equal(await connections[0]?.closed, 'closed')
      const received = receive(other.connections[0]!, 3)
      untouched.send(payloadsOf(3))
      await received
      await socket.close()
    })
  }

  test('takes no more to send than the thread has taken, and takes more later', async () => {
    const { socket, connections, call } = await listen()
    await using _ = socket
    await using client = await SrtSocket.open({ address: HOST, worker: true })
    const caller = await client.connect({ ...call, latencyMs: 1000 })
    await until(() => connections.length === 1, 'no connection')
    const taken = caller.send(payloadsOf(10_000))
    assert.ok(taken >= 6000 && taken < 7000, `${taken} payloads of 1316 bytes in 8 MiB`)
    assert.equal(caller.send(payloadsOf(10)), 0)
    await until(() => caller.send(payloadsOf(1)) === 1, 'it takes more')
  })

  test('drops what the program does not take, counts it, and goes on when it does', async () => {
    const server = await SrtSocket.open({ address: HOST })
    const told: FromThread[] = []
    const host = { post: (message: FromThread) => void told.push(message), offsetMs: 0, closed: () => undefined }
    const driven = new DrivenSocket(server, host, 5000)
    driven.take({ type: 'listen', options: FAST })
    await using client = await SrtSocket.open({ address: HOST })
    const calling = client.connect({ host: HOST, port: server.address.port, timeoutMs: 60_000, ...FAST })
    await until(() => told.some(({ type }) => type === 'request'), 'it is asked')
    driven.take({ type: 'decide', request: 1, decision: {} })
    const caller = await calling
    const received = (): number[] =>
      told.flatMap((message) => (message.type === 'data' ? message.runs.map(({ bytes }) => bytes.byteLength) : []))
    const untaken = (): number => {
      driven.take({ type: 'state' })
      const state = told.findLast((message) => message.type === 'state')
      return state?.type === 'state' ? state.state.untaken : 0
    }
    // One more than the bound is handed over, and then nothing.
    for (let sent = 1; sent <= 8; sent++) {
      caller.send(payloadsOf(1))
      await until(() => received().length + untaken() === sent, `payload ${sent}`)
    }
    assert.deepEqual([received().length, untaken()], [4, 4])
    driven.take({ type: 'taken', bytes: 4 * 1316, refusals: 0 })
    caller.send(payloadsOf(1))
    await until(() => received().length === 5, 'it goes on')
    await server.close()
  })
})
