import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { test } from 'node:test'
import { createServer as createTlsServer } from 'node:tls'
import { isEngineError } from '../errors.js'
import { FakeClock } from '../testing/fake-clock.js'
import { TestSockets } from '../testing/test-sockets.js'
import type { SendResult, Sockets, TcpTarget, UdpSocket } from '../plugin/sockets.js'
import { trustedAuthorities } from '../plugin/trusted-authorities.js'
import { countDescriptors, settledDescriptors, until } from './loopback.test.kit.js'
import { NodeSockets } from './node-sockets.js'
import { SocketCounts } from './socket-counts.js'
import { CertificateFolder } from './tls.test.kit.js'

const ANY = { host: '127.0.0.1', port: 0 }
const noError = (error: unknown): void => assert.fail(String(error))

/** A socket that keeps what it receives. */
async function receiver(
  sockets: Sockets,
  bind = ANY,
): Promise<{ got: string[]; socket: UdpSocket; batches: number[] }> {
  const got: string[] = []
  const batches: number[] = []
  const socket = await sockets.udp({
    bind,
    onError: noError,
    onDatagrams(batch) {
      batches.push(batch.length)
      for (let at = 0; at < batch.length; at++) got.push(`${batch.host(at)} ${Buffer.from(batch.bytes(at)).toString()}`)
    },
  })
  return { got, socket, batches }
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  return isEngineError(error) ? error.code : String(error)
}

test('datagrams of one turn come in one batch, in order, and sends are reported together', async () => {
  using sockets = new TestSockets(new FakeClock())
  const { got, socket, batches } = await receiver(sockets)
  const results: SendResult[] = []
  const sender = await sockets.udp({ bind: ANY, onError: noError, onSent: (result) => results.push(result) })
  const expected = Array.from({ length: 10 }, (_, at) => `datagram ${at}`)
  for (const text of expected) sender.send(Buffer.from(text), socket.address)
  await until(() => got.length === expected.length, 'all have arrived')
  assert.deepEqual(
    got,
    expected.map((text) => `127.0.0.1 ${text}`),
  )
  assert.ok(batches.length < expected.length, `${batches.length} batches`)
  await until(() => results.length > 0, 'the sends are reported')
  assert.deepEqual(results, [{ sent: 10, failed: 0, error: undefined }])
})

test('a connected socket reports that nothing listens, and stays open', async () => {
  using sockets = new TestSockets(new FakeClock())
  const { socket: gone } = await receiver(sockets)
  await gone[Symbol.asyncDispose]()
  const codes: (string | undefined)[] = []
  const sender = await sockets.udp({
    bind: ANY,
    connect: gone.address,
    onError: ({ code }) => codes.push(code),
    onSent: ({ error }) => error !== undefined && codes.push(error.code),
  })
  await until(() => {
    sender.send(Buffer.from('x'))
    return codes.length > 0
  }, 'the refusal is reported')
  assert.equal(codes[0], 'SOCKET_REFUSED')
  const { got, socket } = await receiver(sockets, gone.address)
  await until(() => {
    sender.send(Buffer.from('x'))
    return got.length > 0
  }, 'it sends again')
  assert.equal(socket.address.port, gone.address.port)
})

test('multicast on loopback: members of the group receive, also from one source alone; others do not', async () => {
  using sockets = new TestSockets(new FakeClock())
  const group = '239.255.7.7'
  const any = await sockets.udp({
    bind: { host: group, port: 0 },
    reuseAddress: true,
    onError: noError,
    onDatagrams: (batch) => (counts.any += batch.length),
  })
  const { port } = any.address
  const counts = { any: 0, own: 0, other: 0, none: 0 }
  const open = (key: 'own' | 'other' | 'none'): Promise<UdpSocket> =>
    sockets.udp({
      bind: { host: group, port },
      reuseAddress: true,
      onError: noError,
      onDatagrams: (batch) => (counts[key] += batch.length),
    })
  const [own, other] = [await open('own'), await open('other')]
  any.join({ group, interface: 'lo' })
  own.join({ group, interface: '127.0.0.1', source: '127.0.0.1' })
  other.join({ group, interface: 'lo', source: '127.9.9.9' })
  const sender = await sockets.udp({ bind: ANY, onError: noError })
  sender.setMulticast({ interface: 'lo', ttl: 1, loopback: true })
  await until(() => {
    sender.send(Buffer.from('x'), { host: group, port })
    return counts.any > 3 && counts.own > 3
  }, 'the members have received')
  assert.equal(counts.other, 0)
  any.leave({ group, interface: 'lo' })
  any.leave({ group, interface: 'lo' })
  any.join({ group, interface: 'lo' })
})

test('an interface that does not exist is refused with the list of those that do', async () => {
  using sockets = new TestSockets(new FakeClock())
  const socket = await sockets.udp({ bind: ANY, onError: noError })
  const wrong = /"eth99" does not exist; there are: .*lo \(127\.0\.0\.1/
  assert.throws(() => socket.join({ group: '239.1.1.1', interface: 'eth99' }), {
    code: 'SOCKET_NO_INTERFACE',
    message: wrong,
  })
  assert.throws(() => socket.setMulticast({ interface: 'eth99', ttl: 1, loopback: true }), {
    code: 'SOCKET_NO_INTERFACE',
  })
  assert.throws(() => socket.join({ group: '10.1.1.1' }), { code: 'SOCKET_JOIN' })
})

test('a host that cannot be resolved is named', async () => {
  using sockets = new TestSockets(new FakeClock())
  const opened = sockets.udp({ bind: ANY, connect: { host: 'host.invalid', port: 5000 }, onError: noError })
  await assert.rejects(opened, {
    code: 'SOCKET_UNKNOWN_HOST',
    message: 'UDP host.invalid:5000: the name cannot be resolved',
  })
})

const refusals: readonly { name: string; host: string; code: string }[] = [
  { name: 'an address of another machine', host: '203.0.113.1', code: 'SOCKET_NO_ADDRESS' },
  { name: 'an unknown host', host: 'host.invalid', code: 'SOCKET_UNKNOWN_HOST' },
]
for (const { name, host, code } of refusals) {
  test(`${name} cannot be bound: ${code}`, async () => {
    using sockets = new TestSockets(new FakeClock())
    assert.equal(await codeOf(sockets.udp({ bind: { host, port: 0 }, onError: noError })), code)
    assert.equal(sockets.size, 0)
  })
}

test('an address in use is refused, and free when its socket has closed', async () => {
  using sockets = new TestSockets(new FakeClock())
  const { socket } = await receiver(sockets)
  assert.equal(await codeOf(sockets.udp({ bind: socket.address, onError: noError })), 'SOCKET_IN_USE')
  void socket[Symbol.asyncDispose]()
  await sockets.udp({ bind: socket.address, onError: noError })
})

test('the receive buffer is read back as what was granted', async () => {
  using sockets = new TestSockets(new FakeClock())
  const socket = await sockets.udp({ bind: ANY, receiveBufferBytes: 64 * 1024, onError: noError })
  assert.equal(socket.receiveBufferBytes, 64 * 1024)
  socket.setReceiveBuffer(2 ** 30)
  assert.ok(socket.receiveBufferBytes > 64 * 1024 && socket.receiveBufferBytes < 2 ** 30)
})

test('datagrams that do not fit into the receive buffer are counted by the kernel', async () => {
  using sockets = new TestSockets(new FakeClock())
  const socket = await sockets.udp({
    bind: ANY,
    receiveBufferBytes: 4096,
    onError: noError,
    onDatagrams: () => undefined,
  })
  const sender = await sockets.udp({ bind: ANY, connect: socket.address, onError: noError })
  for (let sent = 0; sent < 500; sent++) sender.send(Buffer.alloc(1316))
  assert.ok(socket.kernelDrops() > 0)
})

test('what a callback throws fails the node, and the socket goes on', async () => {
  using sockets = new TestSockets(new FakeClock())
  let calls = 0
  const socket = await sockets.udp({
    bind: ANY,
    onError: noError,
    onDatagrams: () => {
      calls++
      throw new Error('thrown by the node')
    },
  })
  const sender = await sockets.udp({ bind: ANY, connect: socket.address, onError: noError })
  for (const times of [1, 2]) {
    sender.send(Buffer.from('x'))
    await until(() => calls === times, 'it is called')
  }
  assert.deepEqual(sockets.failures.map(String), ['Error: thrown by the node', 'Error: thrown by the node'])
})

test('what a node leaves open is closed when it ends, and nothing is called afterwards', async () => {
  const before = await settledDescriptors()
  const sockets = new TestSockets(new FakeClock())
  const { got, socket } = await receiver(sockets)
  const server = await listening()
  const closed: unknown[] = []
  sockets.connect(addressOf(server), { onClose: (error) => closed.push(error) })
  const sender = await sockets.udp({ bind: ANY, connect: socket.address, onError: noError })
  sender.send(Buffer.from('x'))
  sockets.close()
  sockets.close()
  sender.send(Buffer.from('x'))
  server.close()
  await until(() => countDescriptors() <= before, 'all descriptors are free')
  assert.deepEqual([got, closed], [[], []])
  assert.equal(await codeOf(sockets.udp({ bind: ANY, onError: noError })), 'SOCKET_FAILED')
})

test('without a free descriptor, a socket is refused; each that closes frees one', async () => {
  let left = 1
  const counts = new SocketCounts({ acquire: () => left > 0 && left-- > 0, release: () => left++ })
  const sockets = new NodeSockets({ clock: new FakeClock(), counts, enter: (run) => run() })
  const socket = await sockets.udp({ bind: ANY, onError: noError })
  assert.equal(await codeOf(sockets.udp({ bind: ANY, onError: noError })), 'SOCKET_NO_DESCRIPTORS')
  assert.throws(() => sockets.connect(ANY, { onClose: noError }), { code: 'SOCKET_NO_DESCRIPTORS' })
  assert.equal(counts.open, 1)
  await socket[Symbol.asyncDispose]()
  assert.equal(counts.open, 0)
  await sockets.udp({ bind: ANY, onError: noError })
  sockets.close()
})

test('a TCP connection reads, writes, and says how it ended', async () => {
  using sockets = new TestSockets(new FakeClock())
  const server = await listening((text) => text.toUpperCase())
  const got: string[] = []
  const socket = sockets.connect(addressOf(server), {
    onConnect: () => socket.write(Buffer.from('hello')),
    onBytes: (bytes) => got.push(Buffer.from(bytes).toString()),
    onClose: (error) => got.push(error?.code ?? 'closed'),
  })
  await until(() => got.length === 1, 'the answer has come')
  socket.end()
  await until(() => got.length === 2, 'it has closed')
  assert.deepEqual(got, ['HELLO', 'closed'])
  server.close()
})

test('a held connection reads nothing until it is released', async () => {
  using sockets = new TestSockets(new FakeClock())
  const server = await listening((text) => text)
  let got = 0
  const socket = sockets.connect(addressOf(server), { onBytes: (bytes) => (got += bytes.length), onClose: noError })
  const hold = socket.hold()
  const second = socket.hold()
  socket.write(Buffer.alloc(1000))
  hold[Symbol.dispose]()
  hold[Symbol.dispose]()
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
  assert.equal(got, 0)
  second[Symbol.dispose]()
  await until(() => got === 1000, 'it reads')
  await socket[Symbol.asyncDispose]()
  server.close()
})

test('a connection that nobody accepts is refused; one that takes too long is given up', async () => {
  const clock = new FakeClock()
  using sockets = new TestSockets(clock)
  const server = await listening()
  const address = addressOf(server)
  server.close()
  const codes: (string | undefined)[] = []
  sockets.connect(address, { onClose: (error) => codes.push(error?.code) })
  await until(() => codes.length === 1, 'it is refused')
  // Documentation addresses are not routed; without a route, the system says so at once.
  sockets.connect({ host: '198.51.100.1', port: 9, timeoutMs: 10 }, { onClose: (error) => codes.push(error?.code) })
  clock.advance(10)
  await until(() => codes.length === 2, 'it is given up')
  assert.deepEqual(codes, ['SOCKET_REFUSED', 'SOCKET_TIMEOUT'])
  assert.equal(clock.pending, 0)
})

test('a connection that shares its buffer reads into one, and a hold stops it', async () => {
  using sockets = new TestSockets(new FakeClock())
  const server = await listening((text) => text)
  const buffers = new Set<ArrayBufferLike>()
  let got = 0
  const target = { ...addressOf(server), sharesBuffer: true, keepAliveMs: 10_000, noDelay: false }
  const socket = sockets.connect(target, {
    onConnect: () => socket.write(Buffer.alloc(1000)),
    onBytes: (bytes) => {
      buffers.add(bytes.buffer)
      got += bytes.length
    },
    onClose: noError,
  })
  await until(() => got === 1000, 'it has read')
  const hold = socket.hold()
  socket.write(Buffer.alloc(1000))
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
  assert.equal(got, 1000)
  hold[Symbol.dispose]()
  await until(() => got === 2000, 'it reads again')
  assert.equal(buffers.size, 1)
  await socket[Symbol.asyncDispose]()
  server.close()
})

test('over TLS the certificate is verified, and the time limit includes the handshake', async (t) => {
  const clock = new FakeClock()
  using sockets = new TestSockets(clock)
  using folder = new CertificateFolder('first.test')
  const [cert, key] = [readFileSync(folder.files.cert), readFileSync(folder.files.key)]
  const server = createTlsServer({ cert, key }, (socket) => {
    socket.on('error', () => undefined)
    socket.on('data', (bytes: Buffer) => socket.write(bytes))
  })
  const [silent] = [await listening(), await listenOn(server)]
  t.after(() => [server.close(), silent.close()])
  const authorities = await trustedAuthorities(folder.files.cert)
  const ended = (to: TcpTarget): Promise<string | undefined> =>
    new Promise((resolve) => {
      const socket = sockets.connect(to, {
        onConnect: () => socket.write(Buffer.from('hello')),
        onBytes: (bytes) => {
          resolve(Buffer.from(bytes).toString())
          socket.destroy()
        },
        onClose: (error) => resolve(error?.code),
      })
    })
  const to = addressOf(server)
  assert.equal(await ended({ ...to, tls: { authorities, serverName: 'first.test' } }), 'hello')
  assert.equal(await ended({ ...to, tls: { insecure: true } }), 'hello')
  assert.equal(await ended({ ...to, tls: { authorities, serverName: 'other.test' } }), 'SOCKET_TLS')
  assert.equal(await ended({ ...to, tls: {} }), 'SOCKET_TLS')
  let accepted = false
  silent.once('connection', (socket) => {
    accepted = true
    socket.on('close', () => socket.destroy())
  })
  const late = ended({ ...addressOf(silent), tls: {}, timeoutMs: 1000 })
  await until(() => accepted, 'it waits for the handshake')
  clock.advance(1000)
  assert.equal(await late, 'SOCKET_TIMEOUT')
  assert.equal(sockets.size, 0)
})

async function listening(answer?: (text: string) => string): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.on('data', (bytes) => answer !== undefined && socket.write(answer(bytes.toString())))
  })
  return listenOn(server)
}

async function listenOn(server: Server): Promise<Server> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

function addressOf(server: Server): { host: string; port: number } {
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port }
}
