// Handlers of a program that end connections at once, or throw.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { SYSTEM_HOST } from './datagram-port.js'
import type { ListenOptions } from './socket-options.js'
import { SrtSocket } from './srt-socket.js'
import { UdpSocket } from './udp-socket.js'

const HOST = '127.0.0.1'
const FAST = { latencyMs: 20, timeoutMs: 60_000 }

/** A socket whose handlers may throw: what they do is in `failures`. */
async function listen(options: ListenOptions) {
  const failures: unknown[] = []
  const udp = await UdpSocket.bind({ address: HOST, port: 0, bufferBytes: 65_536 })
  const guard = (run: () => void) => () => {
    try {
      run()
    } catch (error) {
      failures.push(error)
    }
  }
  const socket = SrtSocket.over(udp, { ...SYSTEM_HOST, guard })
  socket.listen({ latencyMs: 20, ...options })
  return { socket, failures, call: { host: HOST, port: udp.address.port, ...FAST } }
}

async function until(claim: () => boolean, what: string): Promise<void> {
  for (const endMs = performance.now() + 60_000; performance.now() < endMs;) {
    if (claim()) return
    await pause(5)
  }
  assert.fail(what)
}

describe('a socket', () => {
  for (const how of ['end', 'close'] as const) {
    test(`turns a caller away by \`${how}\` in \`onConnection\`, and tells its end`, async () => {
      const told: string[] = []
      const { socket, failures, call } = await listen({
        onConnection: (connection) => {
          connection.onClose = (reason) => told.push(`onClose ${reason}`)
          void connection.closed.then((reason) => told.push(`closed ${reason}`))
          void connection[how]()
        },
      })
      await using _ = socket
      await using client = await SrtSocket.open({ address: HOST })
      assert.equal(await (await client.connect(call)).closed, 'peer-closed')
      await until(() => told.length === 2, 'it is told')
      assert.deepEqual(told, ['onClose closed', 'closed closed'])
      assert.deepEqual([socket.connectionCount, failures], [0, []])
    })
  }

  test('ends a connection whose `onConnection` throws, and takes the next caller', async () => {
    const ended: string[] = []
    const { socket, failures, call } = await listen({
      onConnection: (connection) => {
        void connection.closed.then((reason) => ended.push(reason))
        if (connection.streamId === 'bad') throw new Error('in a handler')
      },
    })
    await using _ = socket
    await using client = await SrtSocket.open({ address: HOST })
    const bad = await client.connect({ ...call, streamId: 'bad' })
    assert.equal(await bad.closed, 'peer-closed')
    await client.connect({ ...call, streamId: 'good' })
    assert.deepEqual([failures.map(String), ended], [['Error: in a handler'], ['closed']])
    assert.equal(socket.connectionCount, 1)
  })

  test('answers all callers though `onRefused` throws each time', async () => {
    const { socket, failures, call } = await listen({
      passphrase: 'the right passphrase',
      onRequest: ({ streamId }) => {
        if (streamId === 'late') return {}
        if (streamId === 'own') return { onRefused: () => assert.fail('own') }
        return { reject: 1404 }
      },
      onConnection: () => undefined,
      onRefused: () => assert.fail('all'),
    })
    await using _ = socket
    await using client = await SrtSocket.open({ address: HOST })
    const passphrase = 'a wrong passphrase'
    await assert.rejects(client.connect(call), { rejectCode: 1404 })
    await assert.rejects(client.connect({ ...call, streamId: 'late', passphrase }), { rejectCode: 10 })
    await assert.rejects(client.connect({ ...call, streamId: 'own', passphrase }), { rejectCode: 10 })
    await until(() => failures.length === 4, `${failures.length} of 4 failures`)
  })

  test('goes on with all connections while the handlers of one throw, and closes', async () => {
    const received = { good: 0, bad: 0 }
    let closed = 0
    const { socket, failures, call } = await listen({
      onConnection: (connection) => {
        const name = connection.streamId as 'good' | 'bad'
        connection.onData = (payloads) => {
          received[name] += payloads.length
          if (name === 'bad') throw new Error('data')
        }
        connection.onClose = () => {
          closed++
          throw new Error('close')
        }
      },
    })
    await using client = await SrtSocket.open({ address: HOST })
    const callers = [
      await client.connect({ ...call, streamId: 'bad' }),
      await client.connect({ ...call, streamId: 'good' }),
    ]
    for (let sent = 1; sent <= 5; sent++) {
      for (const caller of callers) caller.send([new Uint8Array(1316)])
      await until(() => received.good === sent && received.bad === sent, `payload ${sent}`)
    }
    await socket.close()
    await until(() => failures.length >= 6, `${failures.length} failures`)
    assert.equal(closed, 2)
    assert.equal(new Set(failures.map(String)).size, 2)
  })
})
