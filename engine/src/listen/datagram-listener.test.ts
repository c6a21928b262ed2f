import assert from 'node:assert/strict'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { token } from '../plugin/tokens.js'
import { isEngineError } from '../errors.js'
import { DatagramListener } from './datagram-listener.js'
import { EngineListeners, type ListenerSpec } from './engine-listeners.js'
import { KeptLog, REAL_CLOCK, until } from './loopback.test.kit.js'

const protocol = { protocol: 'echo', transport: 'udp', provides: token('test'), refusals: ['junk'] } as const

class Peer {
  readonly socket: Socket = createSocket('udp4')
  readonly got: string[] = []

  async open(): Promise<this> {
    this.socket.on('message', (bytes) => this.got.push(bytes.toString()))
    this.socket.bind(0, '127.0.0.1')
    await once(this.socket, 'listening')
    return this
  }

  send(text: string, address: string): void {
    this.socket.send(text, Number(address.slice(address.lastIndexOf(':') + 1)), '127.0.0.1')
  }
}

interface Bench {
  readonly kept: KeptLog
  readonly listeners: EngineListeners
  readonly peer: Peer
  get echo(): DatagramListener
}

async function open(t: TestContext, ...specs: readonly ListenerSpec[]): Promise<Bench> {
  const kept = new KeptLog()
  const listeners = new EngineListeners({ clock: REAL_CLOCK, log: kept.log })
  listeners.addAll(specs)
  await listeners.openAll()
  const peer = await new Peer().open()
  t.after(async () => {
    peer.socket.close()
    await listeners.closeAll(0)
  })
  const found = (): DatagramListener => {
    const listener = listeners.byPlugin('echo')
    assert.ok(listener instanceof DatagramListener)
    return listener
  }
  const echo = found()
  echo.serveBy({ onDatagram: (bytes, from) => echo.send(bytes, from) })
  return {
    ...{ kept, listeners, peer },
    get echo() {
      return found()
    },
  }
}

const ECHO: ListenerSpec = { name: 'echo', address: '127.0.0.1:0', protocol }

test('datagrams reach the node and its answers reach the peer, all counted', async (t) => {
  const { peer, echo } = await open(t, ECHO)
  peer.send('one', echo.address)
  peer.send('two', echo.address)
  await until(() => peer.got.length === 2, 'both answers')
  assert.deepEqual([...peer.got].sort(), ['one', 'two'])
  echo.send(new Uint8Array(70_000), { address: '127.0.0.1', port: (peer.socket.address() as AddressInfo).port })
  echo.send(Buffer.from('x'), { address: 'not an address', port: 1 })
  echo.send(Buffer.from('x'), { address: '127.0.0.1', port: 70_000 })
  await until(() => echo.counters.unsentDatagrams === 3, 'three could not be sent')
  echo.refuse('junk')
  echo.refuse('192.0.2.1')
  assert.deepEqual([echo.counters.receivedDatagrams, echo.counters.sentDatagrams], [2, 5])
  assert.deepEqual(Object.fromEntries(echo.counters.refused), { junk: 1, other: 1 })
})

test('without a node datagrams are dropped and counted', async (t) => {
  const bench = await open(t, ECHO)
  const server = {}
  bench.echo.serveBy(server)
  bench.peer.send('one', bench.echo.address)
  await until(() => bench.echo.counters.refused.get('unserved') === 1, 'it is counted')
  bench.echo.leave(server)
  assert.equal(bench.echo.provided.value, undefined)
})

test('it moves: the new address is bound first, and the old one is closed', async (t) => {
  const bench = await open(t, ECHO)
  const old = bench.echo.address
  const change = await bench.listeners.prepare([{ ...ECHO, address: '127.0.0.2:0' }])
  bench.peer.send('still there', old)
  await until(() => bench.peer.got.length === 1, 'the old address still answers')
  change.commit()
  assert.notEqual(bench.echo.address, old)
  const [host = '', port] = bench.echo.address.split(':')
  bench.peer.socket.send('moved', Number(port), host)
  await until(() => bench.peer.got.includes('moved'), 'the new address answers')
})

test('it moves to an address that overlaps, and back if another one cannot be bound', async (t) => {
  const bench = await open(t, ECHO)
  const port = bench.echo.address.split(':')[1]
  const taken = createSocket('udp4')
  t.after(() => taken.close())
  taken.bind(0, '127.0.0.1')
  await once(taken, 'listening')
  const other: ListenerSpec = { name: 'other', address: `127.0.0.1:${taken.address().port}`, protocol }
  await assert.rejects(
    bench.listeners.prepare([{ ...ECHO, address: `0.0.0.0:${port}` }, other]),
    (error) => isEngineError(error) && error.code === 'LISTEN_IN_USE',
  )
  bench.peer.send('back', bench.echo.address)
  await until(() => bench.peer.got.includes('back'), 'it has its address again')
  const change = await bench.listeners.prepare([{ ...ECHO, address: `0.0.0.0:${port}` }])
  await change.revert()
  bench.peer.send('again', bench.echo.address)
  await until(() => bench.peer.got.includes('again'), 'a reverted change gives it its address again')
  const second = await bench.listeners.prepare([{ ...ECHO, address: `0.0.0.0:${port}` }])
  second.commit()
  bench.peer.send('wide', bench.echo.address)
  await until(() => bench.peer.got.includes('wide'), 'it answers at the wider address')
})

test('TCP and UDP listeners can have the same port, and a removed one releases it', async (t) => {
  const bench = await open(t, ECHO)
  const web: ListenerSpec = { name: 'web', address: bench.echo.address }
  const change = await bench.listeners.prepare([ECHO, web])
  change.commit()
  assert.equal(bench.listeners.http('web').address, bench.echo.address)
  assert.throws(() => bench.listeners.http('echo'), { code: 'LISTEN_OTHER_PROTOCOL' })
  assert.throws(() => bench.listeners.byPlugin('web'), { code: 'LISTEN_OTHER_PROTOCOL' })
  assert.throws(() => bench.listeners.of(token('another'), 'echo'), { code: 'LISTEN_OTHER_PROTOCOL' })
  assert.throws(() => bench.listeners.of(token('test'), 'nobody'), { code: 'LISTEN_UNKNOWN' })
  assert.equal(bench.listeners.of(token('test'), 'echo').name, 'echo')
  const { address } = bench.echo
  ;(await bench.listeners.prepare([web])).commit(0)
  const free = createSocket('udp4')
  free.bind(Number(address.split(':')[1]), '127.0.0.1')
  await once(free, 'listening')
  free.close()
})

test('its receive buffer can change while it is open', async (t) => {
  const bench = await open(t, ECHO)
  const change = await bench.listeners.prepare([{ ...ECHO, receiveBufferBytes: 65_536 }])
  change.commit()
  bench.peer.send('one', bench.echo.address)
  await until(() => bench.peer.got.length === 1, 'it still answers')
})

for (const wanted of [8192, 2 ** 30]) {
  test(`whether the system grants a receive buffer of ${wanted} bytes is read back, and told if it does not`, async (t) => {
    const { kept, echo } = await open(t, { ...ECHO, receiveBufferBytes: wanted })
    const granted = echo.receiveBufferBytes
    assert.ok(granted > 0)
    const told = `listener "echo": the system grants a receive buffer of ${granted} bytes instead of ${wanted}; datagrams that do not fit are lost: sysctl -w net.core.rmem_max=${wanted}`
    const warnings = kept.lines.flatMap(({ level, text }) => (level === 'warn' ? [text] : []))
    assert.deepEqual(warnings, granted < wanted ? [told] : [])
  })
}
