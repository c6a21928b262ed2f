import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { test } from 'node:test'
import { isEngineError } from '@millrace/engine/plugin'
import { buildTs } from '@millrace/engine/testing'
import { rtp, split, UdpHarness, until } from './udp-harness.test.kit.js'

const ADDRESS = '127.0.0.1:0'
const stream = Buffer.from(buildTs({ durationS: 2 }).bytes)
const packets = split(stream).map((payload, sequence) => rtp({ sequence: (sequence + 65_500) % 65_536, payload }))

for (const size of [188, 376, 1316, 1880, 8_460, 1000, 17]) {
  test(`plain datagrams of ${size} bytes arrive byte for byte, as few batches, with their time`, async () => {
    const sent = stream.subarray(0, Math.min(stream.length, size * 500))
    await using input = await UdpHarness.start({ address: ADDRESS })
    input.clock.advance(7)
    await input.send(split(sent, size))
    assert.deepEqual(input.bytes, sent)
    assert.ok(input.emitted.length < input.datagrams, `${input.emitted.length} batches of ${input.datagrams}`)
    assert.ok(input.arrivals.every((atMs) => atMs === 7))
    assert.equal(input.boundaries, 0)
  })
}

test('RTP is unwrapped, across the wrap of its numbers', async () => {
  await using input = await UdpHarness.start({ address: ADDRESS })
  await input.send(packets)
  assert.deepEqual(input.bytes, stream)
  assert.deepEqual(input.context.readDetails?.(), {
    address: '127.0.0.1',
    port: input.port,
    receiveBuffer: input.context.metric('udp_receive_buffer_bytes'),
    sender: `127.0.0.1:${input.sender.address().port}`,
    rtp: true,
  })
})

test('RTP of another payload type with nothing but packets in it is unwrapped and put in order too', async () => {
  await using input = await UdpHarness.start({ address: ADDRESS })
  const sent = packets.map((packet) => packet.map((byte, at) => (at === 1 ? 0x80 | 96 : byte)))
  const [first, second, third, ...rest] = sent
  await input.send([first!, third!, second!, ...rest])
  assert.deepEqual(input.bytes, stream)
  assert.equal(input.context.metric('udp_rtp_reordered_total'), 1)
})

test('RTP that comes out of order and twice arrives byte for byte, and is counted', async () => {
  await using input = await UdpHarness.start({ address: ADDRESS })
  const sent = packets.flatMap((packet, at) =>
    at % 10 === 3 ? [] : at % 10 === 5 ? [packet, packets[at - 2]!] : at % 10 === 7 ? [packet, packet] : [packet],
  )
  await input.send(sent.filter((packet) => packet !== undefined))
  const own = packets.filter((_, at) => at % 10 === 3 && at + 2 < packets.length)
  assert.deepEqual(input.bytes, stream.subarray(0, input.bytes.length))
  assert.ok(input.bytes.length >= stream.length - 7 * 1316)
  assert.equal(input.context.metric('udp_rtp_reordered_total'), own.length)
  assert.ok((input.context.metric('udp_rtp_duplicates_total') as number) > 0)
  assert.equal(input.context.metric('udp_rtp_lost_total'), 0)
})

test('lost RTP packets are counted when they are given up, and the rest is passed on within the delay', async () => {
  await using input = await UdpHarness.start({ address: ADDRESS, reorder: { delay: '50ms' } })
  await input.send([packets[0]!, packets[2]!, packets[3]!])
  assert.equal(input.bytes.length, 1316)
  input.clock.advance(50)
  input.onBatch()
  assert.equal(input.bytes.length, 3 * 1316)
  assert.equal(input.context.metric('udp_rtp_lost_total'), 1)
})

test('another RTP source takes over when the first is silent, as a new generation', async () => {
  await using input = await UdpHarness.start({ address: ADDRESS })
  const other = split(stream).map((payload, sequence) => rtp({ sequence, ssrc: 2, payload }))
  await input.send(packets.slice(0, 5))
  await input.send(other.slice(0, 5))
  assert.equal(input.bytes.length, 5 * 1316, 'while the first sends')
  assert.deepEqual(input.context.metric('udp_ignored_datagrams_total'), {
    empty: 0,
    source: 0,
    sender: 0,
    ssrc: 5,
    rtp: 0,
  })
  input.clock.advance(300)
  await input.send(other.slice(5, 10))
  assert.equal(input.bytes.length, 10 * 1316)
  assert.equal(input.boundaries, 1)
})

test('an RTP sender that restarts without a pause takes over after 32 packets', async () => {
  await using input = await UdpHarness.start({ address: ADDRESS })
  await input.send(packets.slice(0, 5))
  await input.send(
    Array.from({ length: 40 }, (_, sequence) => rtp({ sequence, ssrc: 2, payload: stream.subarray(0, 188) })),
  )
  assert.equal(input.boundaries, 1)
  assert.equal(input.bytes.length, 5 * 1316 + 9 * 188)
})

test('with `rtp: off`, datagrams are plain bytes', async () => {
  await using input = await UdpHarness.start({ address: ADDRESS, rtp: 'off' })
  await input.send(packets.slice(0, 3))
  assert.deepEqual(input.bytes, Buffer.concat(packets.slice(0, 3)))
})

const junk: readonly { name: string; bytes: Uint8Array; passed: boolean }[] = [
  { name: 'an empty datagram', bytes: new Uint8Array(0), passed: false },
  { name: 'one byte', bytes: Uint8Array.of(0x80), passed: true },
  { name: '65507 bytes', bytes: new Uint8Array(65_507).fill(1), passed: true },
  { name: 'RTP of another payload type', bytes: Uint8Array.of(0x80, 96, ...new Uint8Array(30)), passed: true },
  {
    name: 'RTP with an extension behind the end',
    bytes: Uint8Array.of(0x9f, 33, ...new Uint8Array(80).fill(255)),
    passed: true,
  },
]

for (const { name, bytes, passed } of junk) {
  test(`${name} does no harm`, async () => {
    await using input = await UdpHarness.start({ address: ADDRESS })
    await input.send([bytes])
    assert.equal(input.bytes.length, passed ? bytes.length : 0)
    await input.send(split(stream))
    assert.deepEqual(input.bytes.subarray(passed ? bytes.length : 0), stream)
  })
}

test('what is not RTP is ignored within an RTP stream', async () => {
  await using input = await UdpHarness.start({ address: ADDRESS })
  await input.send([...packets.slice(0, 3), ...junk.map(({ bytes }) => bytes), ...packets.slice(3)])
  assert.deepEqual(input.bytes, stream)
  assert.deepEqual(input.context.metric('udp_ignored_datagrams_total'), {
    empty: 1,
    source: 0,
    sender: 0,
    ssrc: 0,
    rtp: 4,
  })
})

test('`source` decides whose datagrams are taken, and may change while it runs', async () => {
  await using input = await UdpHarness.start({ address: '0.0.0.0:0', source: '127.0.0.2' })
  const second = createSocket('udp4')
  await new Promise<void>((resolve) => second.bind(0, '127.0.0.2', resolve))
  await input.send([Buffer.from('first')])
  await input.send([Buffer.from('second')], second)
  assert.equal(input.bytes.toString(), 'second')
  input.change({ address: '0.0.0.0:0', source: ['127.0.0.1', '127.0.0.3'] })
  await input.send([Buffer.from('third')])
  await input.send([Buffer.from('fourth')], second)
  assert.equal(input.bytes.toString(), 'secondthird')
  second.close()
})

test('a second sender is ignored, counted and told once; when the first is silent, it begins a new generation', async () => {
  await using input = await UdpHarness.start({ address: ADDRESS })
  const second = createSocket('udp4')
  await input.send([stream.subarray(0, 188)])
  await input.send(split(stream.subarray(0, 1880), 188), second)
  assert.deepEqual(input.context.metric('udp_ignored_datagrams_total'), {
    empty: 0,
    source: 0,
    sender: 10,
    ssrc: 0,
    rtp: 0,
  })
  assert.equal(input.context.lines.filter(({ text }) => text.includes('two senders')).length, 1)
  assert.deepEqual(input.emitted, [188])
  input.clock.advance(250)
  await input.send([stream.subarray(0, 188)], second)
  assert.deepEqual(input.emitted, [188, 0, 188])
  second.close()
})

test('a sender that restarts without a pause takes over after 32 datagrams', async () => {
  await using input = await UdpHarness.start({ address: ADDRESS })
  const second = createSocket('udp4')
  await input.send([stream.subarray(0, 188)])
  await input.send(
    Array.from({ length: 40 }, () => stream.subarray(0, 188)),
    second,
  )
  assert.equal(input.boundaries, 1)
  assert.equal(input.bytes.length, 188 + 9 * 188)
  second.close()
})

test('RTP over two paths, from two addresses with one numbering, is one stream', async () => {
  await using input = await UdpHarness.start({ address: ADDRESS })
  const second = createSocket('udp4')
  for (const [at, packet] of packets.slice(0, 40).entries()) {
    // Each path loses packets, never both the same one.
    if (at % 3 !== 1) await input.send([packet])
    if (at % 3 !== 2) await input.send([packet], second)
  }
  assert.deepEqual(input.bytes.subarray(0, 38 * 1316), stream.subarray(0, 38 * 1316))
  assert.equal(input.context.metric('udp_rtp_lost_total'), 0)
  second.close()
})

test('after `readTimeout` without a datagram the attempt fails, to be repeated at once', async () => {
  await using input = await UdpHarness.start({ address: ADDRESS, readTimeout: '2s' })
  input.clock.advance(1500)
  await input.send([stream.subarray(0, 188)])
  input.clock.advance(1500)
  assert.equal(input.errors.length, 0)
  input.clock.advance(1000)
  const [error] = input.errors
  assert.ok(isEngineError(error))
  assert.deepEqual([error.code, error.retryAfterMs], ['UDP_SILENT', 0])
  input.subscribe()
  await until(() => input.context.reported.length === 3, 'it is bound again')
  await input.send([stream.subarray(0, 188)])
  assert.equal(input.bytes.length, 376)
})

test('a receive buffer that the kernel does not grant is told with the sysctl', async () => {
  await using input = await UdpHarness.start({ address: ADDRESS, receiveBuffer: '1024MiB' })
  const [line] = input.context.lines
  assert.equal(line?.level, 'warn')
  assert.match(line.text, /sysctl -w net\.core\.rmem_max=1073741824$/)
  input.change({ address: ADDRESS, receiveBuffer: '64KiB' })
  assert.equal(input.context.metric('udp_receive_buffer_bytes'), 64 * 1024)
})

test('an address in use is a clear error', async () => {
  await using input = await UdpHarness.start({ address: ADDRESS })
  await using other = await UdpHarness.start({ address: `127.0.0.1:${input.port}` })
  const [error] = other.errors
  assert.ok(isEngineError(error))
  assert.deepEqual([error.code, error.message], ['SOCKET_IN_USE', `UDP 127.0.0.1:${input.port}: it is in use`])
})

test('an interface that does not exist is an error after which the input tries again', async () => {
  await using input = await UdpHarness.start({ address: '239.255.1.9:0', interface: 'eth99' })
  const [error] = input.errors
  assert.ok(isEngineError(error))
  assert.deepEqual([error.code, error.row.reaction], ['SOCKET_NO_INTERFACE', 'retry'])
  assert.match(error.message, /there are: .*lo/)
})

test('multicast: joined by interface name, again while silent, and with another source', async () => {
  const options = { address: '239.255.1.9:0', interface: 'lo', rejoin: '10s', readTimeout: 0 } as const
  await using input = await UdpHarness.start(options)
  input.sender.bind(0, '127.0.0.1')
  await new Promise((resolve) => input.sender.once('listening', resolve))
  input.sender.setMulticastInterface('127.0.0.1')
  const to = '239.255.1.9'
  await input.send([Buffer.from('a')], input.sender, to)
  input.clock.advance(25_000)
  await input.send([Buffer.from('b')], input.sender, to)
  input.change({ ...options, source: '127.0.0.1' })
  await input.send([Buffer.from('c')], input.sender, to)
  input.change({ ...options, source: '127.9.9.9' })
  // On loopback, a datagram is in the receive buffer, or nowhere, when it has been sent.
  await new Promise<unknown>((sent) => input.sender.send(Buffer.from('d'), input.port, to, sent))
  input.change(options)
  await input.send([Buffer.from('e')], input.sender, to)
  assert.equal(input.bytes.toString(), 'abce')
})

test('an interface that goes while the input is silent, and comes back, is joined again', async () => {
  const options = { address: '239.255.1.10:0', interface: 'lo', rejoin: '10s', readTimeout: 0 } as const
  await using input = await UdpHarness.start(options)
  input.sender.bind(0, '127.0.0.1')
  await new Promise((resolve) => input.sender.once('listening', resolve))
  input.sender.setMulticastInterface('127.0.0.1')
  await input.send([Buffer.from('a')], input.sender, '239.255.1.10')
  input.sockets.isInterfaceGone = true
  input.clock.advance(60_000)
  const told = input.context.lines.filter(({ text }) => /cannot join again.*"eth99" does not exist/.test(text))
  const joinedAgain = (): number => input.context.lines.filter(({ text }) => text === 'joined again').length
  assert.deepEqual([told.length, joinedAgain(), input.errors.length], [1, 0, 0])
  input.sockets.isInterfaceGone = false
  input.clock.advance(30_000)
  assert.equal(joinedAgain(), 1)
  await input.send([Buffer.from('b')], input.sender, '239.255.1.10')
  assert.equal(input.bytes.toString(), 'ab')
})

test('after `readTimeout` without its interface the input is opened again until it is back', async () => {
  const options = { address: '239.255.1.11:0', interface: 'lo', readTimeout: '15s' } as const
  await using input = await UdpHarness.start(options)
  input.sockets.isInterfaceGone = true
  input.clock.advance(15_000)
  input.subscribe()
  await until(() => input.errors.length === 2, 'it cannot be opened')
  assert.ok(isEngineError(input.errors[1]))
  assert.deepEqual([input.errors[1].code, input.errors[1].row.reaction], ['SOCKET_NO_INTERFACE', 'retry'])
  input.sockets.isInterfaceGone = false
  input.subscribe()
  await until(() => input.port !== 0, 'it is bound again')
})

test('a change of `source` that cannot be joined is an error of the attempt', async () => {
  const options = { address: '239.255.1.12:0', interface: 'lo' } as const
  await using input = await UdpHarness.start(options)
  input.sockets.isInterfaceGone = true
  input.change({ ...options, source: '127.0.0.1' })
  const [error] = input.errors
  assert.ok(isEngineError(error))
  assert.equal(error.code, 'SOCKET_NO_INTERFACE')
})

test('datagrams of others do not hide that the source is silent', async () => {
  await using input = await UdpHarness.start({ address: ADDRESS, source: '127.9.9.9', readTimeout: '3s' })
  for (let second = 0; second < 3; second++) {
    const before = input.datagrams
    input.sender.send(packets[0]!, input.port, '127.0.0.1')
    await until(() => input.datagrams > before, 'it has arrived')
    input.clock.advance(1000)
  }
  const [error] = input.errors
  assert.ok(isEngineError(error))
  assert.equal(error.code, 'UDP_SILENT')
})

test('ten thousand senders cost no memory and at most one generation a second', async () => {
  await using input = await UdpHarness.start({ address: '0.0.0.0:0' })
  const senders = Array.from({ length: 200 }, () => createSocket('udp4'))
  for (let round = 0; round < 50; round++) {
    const before = input.datagrams
    for (const sender of senders) sender.send(stream.subarray(0, 188), input.port, '127.0.0.1')
    await until(() => input.datagrams === before + senders.length, 'all have arrived')
  }
  assert.equal(input.datagrams, 10_000)
  assert.equal(input.boundaries, 0)
  for (const sender of senders) sender.close()
})

test('after it was unsubscribed nothing is emitted, and a new attempt starts afresh', async () => {
  await using input = await UdpHarness.start({ address: ADDRESS })
  await input.send([packets[0]!, packets[2]!])
  input.unsubscribe()
  assert.equal(input.bytes.length, 1316)
  input.subscribe()
  await until(() => input.context.reported.length === 3, 'it is bound again')
  await input.send(packets.slice(5, 8))
  assert.equal(input.bytes.length, 4 * 1316)
  assert.equal(input.boundaries, 0)
})

test('it waits until datagrams arrive, and again when none have for 5 s', async () => {
  await using input = await UdpHarness.start({ address: ADDRESS, readTimeout: '0s' })
  const [absent] = input.context.reported
  assert.match(absent ?? '', /^waiting: nothing arrives at /)
  await input.send([packets[0]!, packets[1]!])
  assert.deepEqual(input.context.reported, [absent, 'ready'])
  input.clock.advance(4000)
  assert.deepEqual(input.context.reported, [absent, 'ready'])
  input.clock.advance(5000)
  assert.deepEqual(input.context.reported, [absent, 'ready', absent])
})
