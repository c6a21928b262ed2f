// What handlers of a program do to a socket in a thread of its own: late, wrong and last words.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { MessageChannel } from 'node:worker_threads'
import { SrtSocket } from '../srt-socket.js'
import type { ThreadedConnection } from './threaded-connection.js'
import type { ThreadedListenOptions } from './threaded-socket.js'

const HOST = '127.0.0.1'
const FAST = { latencyMs: 20 }

async function listen(options: ThreadedListenOptions) {
  const socket = await SrtSocket.open({ address: HOST, worker: true })
  socket.listen({ ...FAST, ...options })
  return { socket, call: { host: HOST, port: socket.address.port, timeoutMs: 60_000, ...FAST } }
}

async function until(claim: () => boolean, what: string): Promise<void> {
  for (const endMs = performance.now() + 60_000; performance.now() < endMs;) {
    if (claim()) return
    await pause(5)
  }
  assert.fail(what)
}

describe('a socket in a thread of its own', () => {
  test('tells a decision that comes after its end that nothing came of it', async () => {
    const told: number[] = []
    let decide: () => void = () => undefined
    const decided = new Promise<void>((resolve) => (decide = resolve))
    let isAsked = false
    const { socket, call } = await listen({
      onRequest: async () => {
        isAsked = true
        await decided
        return { onConnection: () => assert.fail('connected'), onRefused: (code) => void told.push(code) }
      },
      onConnection: () => assert.fail('connected'),
    })
    await using _ = socket
    await using client = await SrtSocket.open({ address: HOST })
    const end = new AbortController()
    const calling = client.connect({ ...call, signal: end.signal }).catch(() => undefined)
    await until(() => isAsked, 'it is asked')
    end.abort()
    await socket.close()
    decide()
    await until(() => told.length === 1, 'it is told')
    assert.deepEqual(told, [7])
    await calling
  })

  test('rejects a caller with 1500 if what is decided can not pass between threads, and takes the next one', async () => {
    const told: number[] = []
    const connection = { mtu: 1500, source: { read: () => undefined } }
    const { socket, call } = await listen({
      onRequest: ({ streamId = '' }) => ({
        ...(streamId === 'bad' ? { connection } : {}),
        ...(streamId === 'short' ? { passphrase: 'short' } : {}),
        onRefused: (code) => void told.push(code),
      }),
      onConnection: () => undefined,
    })
    await using _ = socket
    await using client = await SrtSocket.open({ address: HOST })
    for (const streamId of ['bad', 'short'])
      await assert.rejects(client.connect({ ...call, streamId }), { rejectCode: 1500 })
    assert.deepEqual(told, [1500, 1500])
    await client.connect({ ...call, streamId: 'good' })
  })

  test('refuses options of `listen` that can not pass between threads, and keeps those before', async () => {
    let connections = 0
    const { socket, call } = await listen({ onConnection: () => connections++ })
    await using _ = socket
    const connection = { mtu: 1500, source: { read: () => undefined } }
    const bad = { connection, onConnection: () => assert.fail('not these') }
    assert.throws(() => socket.listen(bad), { name: 'DataCloneError' })
    await using client = await SrtSocket.open({ address: HOST })
    await client.connect(call)
    await until(() => connections === 1, 'it is connected')
  })

  test('delivers to all connections what one hands on with its memory', async () => {
    const received = { a: 0, b: 0 }
    const { port1, port2 } = new MessageChannel()
    const { socket, call } = await listen({
      onConnection: (connection) => {
        const name = connection.streamId as 'a' | 'b'
        connection.onData = (payloads) => {
          received[name] += payloads.length
          assert.ok(payloads.every(({ length }) => length === 1316))
          if (name === 'a') port1.postMessage(payloads, [payloads[0]!.buffer as ArrayBuffer])
        }
      },
    })
    await using _ = socket
    await using client = await SrtSocket.open({ address: HOST })
    const callers = [await client.connect({ ...call, streamId: 'a' }), await client.connect({ ...call, streamId: 'b' })]
    for (let round = 1; round <= 10; round++) {
      for (const caller of callers) caller.send([new Uint8Array(1316), new Uint8Array(1316)])
      await until(() => received.a === 2 * round && received.b === 2 * round, `round ${round}`)
    }
    port1.close()
    port2.close()
  })

  test('sends nothing after `end` and `close`, and says so at once', async () => {
    const { socket, call } = await listen({ onConnection: () => undefined })
    await using _ = socket
    await using client = await SrtSocket.open({ address: HOST, worker: true })
    const [one, other] = [await client.connect(call), await client.connect(call)]
    one.end()
    assert.deepEqual([one.isClosed, one.send([new Uint8Array(1316)])], [true, 0])
    const closing = other.close()
    assert.equal(other.send([new Uint8Array(1316)]), 0)
    assert.deepEqual([await one.closed, await closing], ['closed', 'closed'])
  })

  test('connects whom it has accepted before `stopListening`', async () => {
    const connections: ThreadedConnection[] = []
    const { socket, call } = await listen({
      onRequest: () => {
        queueMicrotask(() => queueMicrotask(() => setImmediate(() => socket.stopListening())))
        return {}
      },
      onConnection: (connection) => void connections.push(connection),
    })
    await using _ = socket
    await using client = await SrtSocket.open({ address: HOST })
    const caller = await client.connect(call)
    await until(() => connections.length === 1, 'it is connected')
    assert.equal(caller.isClosed, false)
  })
})
