// Two sockets of this process on loopback.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type DatagramPort, SYSTEM_HOST } from './datagram-port.js'
import type { SrtConnection } from './srt-connection.js'
import { SrtError } from './srt-error.js'
import { SrtSocket } from './srt-socket.js'
import type { ListenOptions } from './socket-options.js'
import { UdpSocket } from './udp-socket.js'

const HOST = '127.0.0.1'
const PASSPHRASE = 'ten or more characters'
const FAST = { latencyMs: 20 }
/** A busy machine answers late. */
const CALL = { host: HOST, timeoutMs: 20_000 }

async function listen(options: Partial<ListenOptions> = {}, address = HOST) {
  const socket = await SrtSocket.open({ address })
  const connections: SrtConnection[] = []
  const refused: number[] = []
  socket.listen({
    ...FAST,
    ...options,
    onConnection: (connection) => {
      connections.push(connection)
      options.onConnection?.(connection)
    },
    onRefused: (_, code) => void refused.push(code),
  })
  return { socket, connections, refused, port: socket.address.port }
}

/** Resolves when that many payloads have come. */
function receive(connection: SrtConnection, count: number): Promise<Uint8Array[]> {
  const payloads: Uint8Array[] = []
  return new Promise((resolve) => {
    connection.onData = (batch) => {
      payloads.push(...batch)
      if (payloads.length >= count) resolve(payloads)
    }
  })
}

const payloadsOf = (count: number) => Array.from({ length: count }, (_, at) => new Uint8Array(1316).fill(at))

/** A port of this machine that calls back when it has sent that many datagrams. */
async function countingPort(count: number, onSent: () => void): Promise<DatagramPort> {
  const udp = await UdpSocket.bind({ address: HOST, port: 0, bufferBytes: 65_536 })
  let sent = 0
  return {
    ...{ address: udp.address, receiveBufferBytes: udp.receiveBufferBytes, errors: 0, lastError: undefined },
    onDatagram: (handler) => udp.onDatagram(handler),
    send(datagram, peer) {
      udp.send(datagram, peer)
      if (++sent === count) onSent()
    },
    close: () => udp.close(),
  }
}

describe('SRT over UDP sockets', () => {
  for (const passphrase of [undefined, PASSPHRASE]) {
    test(`both sides send, ${passphrase === undefined ? 'plain' : 'encrypted'}, and the end is told`, async () => {
      const secret = passphrase === undefined ? {} : { passphrase }
      const { socket, connections, port } = await listen(secret)
      await using _ = socket
      await using client = await SrtSocket.open({ address: HOST })
      const caller = await client.connect({
        ...CALL,
        host: 'localhost',
        port,
        streamId: 'publish:cam',
        ...secret,
        ...FAST,
      })
      const listener = connections[0] ?? assert.fail('no connection')
      assert.deepEqual([listener.streamId, listener.peer.port], ['publish:cam', client.address.port])
      for (const [from, to] of [
        [caller, listener],
        [listener, caller],
      ] as const) {
        const received = receive(to, 50)
        assert.equal(from.send(payloadsOf(50)), 50)
        assert.deepEqual(
          (await received).map((payload) => payload[0]),
          payloadsOf(50).map((payload) => payload[0]),
        )
      }
      assert.equal(caller.stats().isSecured, passphrase !== undefined)
      assert.equal(await caller.close(), 'closed')
      assert.equal(await listener.closed, 'peer-closed')
      assert.equal(caller.send(payloadsOf(1)), 0)
      assert.deepEqual([socket.connectionCount, client.connectionCount], [0, 0])
    })
  }

  test('works over IPv6, and a socket on :: takes IPv4 callers under their IPv4 address', async () => {
    const { socket, connections, port } = await listen({}, '::')
    await using _ = socket
    for (const [host, address] of [
      ['::1', '::1'],
      ['0:0:0:0:0:0:0:1', '::'],
      [HOST, '::'],
      [HOST, HOST],
    ] as const) {
      await using client = await SrtSocket.open({ address })
      const caller = await client.connect({ ...CALL, host, port, ...FAST })
      const listener = connections.at(-1) ?? assert.fail('no connection')
      assert.equal(listener.peer.address, host.includes(':') ? '::1' : host)
      const received = receive(listener, 3)
      caller.send(payloadsOf(3))
      await received
    }
    assert.equal(connections.length, 4)
  })

  test('many connections share one socket on each side', async () => {
    const { socket, connections, port } = await listen()
    await using _ = socket
    await using client = await SrtSocket.open({ address: HOST })
    const callers = await Promise.all(
      Array.from({ length: 200 }, (_, at) =>
        client.connect({ host: HOST, port, streamId: `publish:${at}`, timeoutMs: 30_000, ...FAST }),
      ),
    )
    assert.deepEqual([connections.length, socket.connectionCount], [200, 200])
    const all = Promise.all(connections.map((connection) => receive(connection, 5)))
    for (const caller of callers) caller.send(payloadsOf(5))
    await all
    assert.equal(new Set(connections.map(({ streamId }) => streamId)).size, 200)
  })

  test('a decision may take its time, while callers repeat themselves, and reject with any code', async () => {
    let asked = 0
    let onRepeated: () => void = () => undefined
    const repeated = new Promise<void>((resolve) => (onRepeated = resolve))
    const { socket, refused, port } = await listen({
      onRequest: async ({ streamId }) => {
        asked++
        await repeated
        return streamId === 'good' ? {} : { reject: 1403 }
      },
    })
    await using _ = socket
    // An induction and a conclusion each, and four repeats.
    await using client = SrtSocket.over(await countingPort(8, onRepeated), SYSTEM_HOST)
    const [good, bad] = await Promise.allSettled([
      client.connect({ ...CALL, port, streamId: 'good' }),
      client.connect({ ...CALL, port, streamId: 'bad' }),
    ])
    assert.equal(good.status, 'fulfilled')
    assert.ok(bad.status === 'rejected' && bad.reason instanceof SrtError && bad.reason.rejectCode === 1403)
    assert.deepEqual([refused, asked], [[1403], 2])
  })

  test('each stream may have its own passphrase and options; a decision that throws rejects with 1500', async () => {
    const { socket, connections, port } = await listen({
      passphrase: 'not for these streams',
      onRequest: ({ streamId, hasPassphrase }) => {
        if (streamId === undefined) throw new Error('not expected')
        assert.ok(hasPassphrase)
        return { passphrase: `${streamId} has this one`, latencyMs: 500 }
      },
    })
    await using _ = socket
    await using client = await SrtSocket.open({ address: HOST })
    const call = { ...CALL, port, passphrase: 'one has this one' }
    await client.connect({ ...call, streamId: 'one' })
    assert.equal(connections[0]?.stats().receive.latencyUs, 500_000)
    await assert.rejects(client.connect({ ...call, streamId: 'two' }), { rejectCode: 10 })
    await assert.rejects(client.connect(call), { rejectCode: 1500 })
  })

  test('a publisher that comes back from the same port replaces its old connection, if the decision says so', async () => {
    const { socket, connections, port } = await listen({ onRequest: () => ({ replaceEarlier: true }) })
    await using _ = socket
    await using client = await SrtSocket.open({ address: HOST })
    await client.connect({ ...CALL, port, streamId: 'publish:cam' })
    await client.connect({ ...CALL, port, streamId: 'publish:other' })
    await client.connect({ ...CALL, port, streamId: 'publish:cam' })
    assert.equal(await connections[0]?.closed, 'replaced')
    assert.equal(socket.connectionCount, 2)
  })

  test('a call ends with its signal, with its time, and with its socket', async () => {
    const silent = await SrtSocket.open({ address: HOST })
    await using _ = silent
    const { port } = silent.address
    const client = await SrtSocket.open({ address: HOST })
    const end = new AbortController()
    const call = client.connect({ host: HOST, port, signal: end.signal })
    end.abort()
    await assert.rejects(call, { name: 'AbortError' })
    await assert.rejects(client.connect({ host: HOST, port, signal: end.signal }), { name: 'AbortError' })
    await assert.rejects(client.connect({ host: HOST, port, timeoutMs: 50 }), { code: 'SRT_TIMEOUT' })
    const last = client.connect({ host: HOST, port })
    await new Promise((resolve) => setImmediate(resolve))
    const closed = assert.rejects(last, { code: 'SRT_CLOSED' })
    await client.close()
    await closed
    await assert.rejects(client.connect({ host: HOST, port }), { code: 'SRT_CLOSED' })
  })

  test('refuses passphrases that peers do not take, and StreamIDs that do not fit', async () => {
    await using client = await SrtSocket.open({ address: HOST })
    const call = { host: HOST, port: 1 }
    for (const passphrase of ['too short', 'x'.repeat(80), 'ä'.repeat(40)])
      await assert.rejects(client.connect({ ...call, passphrase }), { code: 'SRT_OPTION' })
    await assert.rejects(client.connect({ ...call, streamId: 'ä'.repeat(257) }), { code: 'SRT_OPTION' })
    assert.throws(() => client.listen({ passphrase: 'too short', onConnection: () => {} }), { code: 'SRT_OPTION' })
  })

  for (const worker of [false, true] as const) {
    test(`refuses ports, keys and addresses that can not be called${worker ? ', in a thread' : ''}, and leaves nothing behind`, async () => {
      const { socket, connections, port } = await listen()
      await using _ = socket
      await using client = await (worker
        ? SrtSocket.open({ address: HOST, worker })
        : SrtSocket.open({ address: HOST }))
      const caller = await client.connect({ ...CALL, port, ...FAST })
      const bad = [{ port: 0 }, { port: 70_000 }, { port: 1.5 }, { host: '::1' }, { keyLength: 20 as 16 }]
      for (const options of bad)
        await assert.rejects(client.connect({ host: HOST, port, ...options }), { code: 'SRT_OPTION' })
      await assert.rejects(client.connect({ host: HOST, port, timeoutMs: 0 }), { code: 'SRT_TIMEOUT' })
      await client.connect({ ...CALL, port, streamId: '' })
      assert.deepEqual([caller.isClosed, connections.length], [false, 2])
      const opened = worker ? SrtSocket.open({ port: 80_000, worker }) : SrtSocket.open({ port: 80_000 })
      await assert.rejects(opened, { code: 'SRT_OPTION' })
    })
  }

  test('counts what the system can not send, and throws nothing', async () => {
    const udp = await UdpSocket.bind({ address: HOST, port: 0, bufferBytes: 65_536 })
    for (const port of [70_000, 0]) udp.send(new Uint8Array(16), { address: HOST, port })
    assert.equal(udp.errors, 2)
    await udp.close()
  })

  test('rejects callers that wait for a decision when it closes', async () => {
    let onAsked: () => void = () => undefined
    const asked = new Promise<void>((resolve) => (onAsked = resolve))
    let decide: () => void = () => undefined
    const decided = new Promise<void>((resolve) => (decide = resolve))
    const late: number[] = []
    const { socket, connections, refused, port } = await listen({
      onRequest: async () => {
        onAsked()
        await decided
        return { onRefused: (code) => void late.push(code) }
      },
    })
    await using client = await SrtSocket.open({ address: HOST })
    const calling = assert.rejects(client.connect({ host: HOST, port, timeoutMs: 20_000 }), { rejectCode: 1503 })
    await asked
    await socket.close(1503)
    await calling
    decide()
    await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual([connections.length, refused, late], [0, [1503], [1503]])
  })

  test('a port in use is an error of the system', async () => {
    await using socket = await SrtSocket.open({ address: HOST })
    await assert.rejects(SrtSocket.open({ address: HOST, port: socket.address.port }), { code: 'EADDRINUSE' })
  })

  test('says how large a receive buffer the system granted', async () => {
    await using socket = await SrtSocket.open({ address: HOST, bufferBytes: 100_000 })
    assert.ok(socket.receiveBufferBytes >= 100_000 && socket.receiveBufferBytes < 1_000_000)
    assert.equal(socket.errors.count, 0)
  })
})
