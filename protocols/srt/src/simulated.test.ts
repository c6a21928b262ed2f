// The whole protocol between two cores over a bad network, in simulated time.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CONTROL, isControl, readControlType } from './packet/header.js'
import { connectPair, countUp, feed, run } from './simulated-network.test.kit.js'
import type { PathOptions } from './simulated-network.test.kit.js'

const MBIT = 125_000
const LATENCY = { receiveLatencyUs: 200_000, sendLatencyUs: 200_000 }

describe('a connection in simulated time', () => {
  const paths: { name: string; path: PathOptions; back?: PathOptions }[] = [
    { name: 'a clean network', path: {} },
    { name: '5 % loss each way', path: { loss: 0.05 } },
    { name: 'loss only on the way back', path: {}, back: { loss: 0.3 } },
    { name: 'reordering', path: { reordered: 0.1, reorderUs: 4_000 } },
    { name: 'duplication', path: { duplicates: 0.2 } },
    { name: 'jitter', path: { jitterUs: 30_000 } },
    { name: 'all of it', path: { loss: 0.03, reordered: 0.02, reorderUs: 3_000, duplicates: 0.05, jitterUs: 4_000 } },
  ]
  for (const { name, path, back = path } of paths) {
    for (const mbit of [5, 20, 100]) {
      test(`delivers every packet in order at ${mbit} Mbit/s over ${name}`, () => {
        const durationUs = mbit === 100 ? 1_000_000 : 3_000_000
        const pair = connectPair({ seed: mbit, caller: LATENCY, listener: LATENCY, toListener: path, toCaller: back })
        const sent = feed(pair, pair.caller, { bytesPerSecond: mbit * MBIT, durationUs })
        run(pair, durationUs + 1_000_000)
        assert.equal(sent.refused, 0)
        assert.deepEqual(pair.listener.received, countUp(sent.sent))
        assert.equal(pair.listener.connection.stats(0).receive.dropped, 0)
        assert.equal(pair.caller.connection.stats(0).send.bufferedPackets, 0)
      })
    }
  }

  test('holds what a latency of 2 s at 100 Mbit/s needs, and of a peer that asks for more than we have, no more than usual', () => {
    const long = { receiveLatencyUs: 2_000_000, sendLatencyUs: 2_000_000 }
    const pair = connectPair({ caller: LATENCY, listener: long })
    const sent = feed(pair, pair.caller, { bytesPerSecond: 100 * MBIT, durationUs: 2_500_000 })
    run(pair, 5_000_000)
    assert.equal(pair.listener.received.length, sent.sent)
    assert.equal(pair.listener.connection.stats(0).receive.overflowed, 0)
    const asked = connectPair({ caller: long, listener: LATENCY })
    feed(asked, asked.caller, { bytesPerSecond: 100 * MBIT, durationUs: 1_500_000 })
    run(asked, 1_000_000)
    assert.ok(asked.listener.connection.stats(0).receive.bufferedPackets <= 8192)
  })

  for (const side of ['caller', 'listener'] as const) {
    test(`has the latency that its ${side} sets for itself, though it is above what peers may ask for`, () => {
      const long = { receiveLatencyUs: 20_000_000, sendLatencyUs: 20_000_000 }
      const other = { ...LATENCY, maxLatencyUs: 60_000_000 }
      const pair = connectPair({ caller: other, listener: other, [side]: long })
      for (const { session } of [pair.caller.connection, pair.listener.connection])
        assert.deepEqual([session.receiveLatencyUs, session.sendLatencyUs], [20_000_000, 20_000_000])
    })
  }

  test('cuts a latency that a peer asks for, and one of its own that a handshake can not tell', () => {
    const endless = { receiveLatencyUs: 90_000_000, sendLatencyUs: 90_000_000 }
    const { caller, listener } = connectPair({ caller: endless, listener: LATENCY })
    assert.equal(listener.connection.session.receiveLatencyUs, 8_000_000)
    assert.equal(caller.connection.session.receiveLatencyUs, 65_535_000)
  })

  test('sends from the listener to the caller as well', () => {
    const pair = connectPair({ ...both(LATENCY), toListener: { loss: 0.05 }, toCaller: { loss: 0.05 } })
    const sent = feed(pair, pair.listener, { bytesPerSecond: 20 * MBIT, durationUs: 2_000_000 })
    run(pair, 3_000_000)
    assert.deepEqual(pair.caller.received, countUp(sent.sent))
  })

  for (const keyLength of [16, 24, 32] as const) {
    test(`delivers encrypted packets with a key of ${keyLength} bytes in both directions, over 5 % loss`, () => {
      const keyRefresh = { everyPackets: 1000, announcePackets: 300 }
      const pair = connectPair({
        ...both({ ...LATENCY, keyRefresh }),
        keyLength,
        toListener: { loss: 0.05 },
        toCaller: { loss: 0.05 },
      })
      const up = feed(pair, pair.caller, { bytesPerSecond: 10 * MBIT, durationUs: 4_000_000 })
      const down = feed(pair, pair.listener, { bytesPerSecond: 10 * MBIT, durationUs: 4_000_000 })
      run(pair, 5_000_000)
      assert.deepEqual(pair.listener.received, countUp(up.sent))
      assert.deepEqual(pair.caller.received, countUp(down.sent))
      for (const { connection } of [pair.caller, pair.listener]) {
        assert.ok(connection.stats(0).keyRefreshes >= 3)
        assert.equal(connection.stats(0).receive.undecryptable, 0)
      }
    })
  }

  test('survives an outage of 2 s: drops what is too late, and goes on in order', () => {
    const pair = connectPair({ ...both(LATENCY) })
    const fromUs = pair.simulation.nowUs + 1_000_000
    pair.simulation.path('10.0.0.1', { delayUs: 20_000, outage: [fromUs, fromUs + 2_000_000] })
    pair.simulation.path('10.0.0.2', { delayUs: 20_000, outage: [fromUs, fromUs + 2_000_000] })
    const sent = feed(pair, pair.caller, { bytesPerSecond: 20 * MBIT, durationUs: 6_000_000 })
    run(pair, 8_000_000)
    const { received, connection } = pair.listener
    assertRising(received)
    const outagePackets = (20 * MBIT * 2) / 1316
    assert.ok(sent.sent - received.length <= outagePackets * 1.1, `${sent.sent - received.length} lost`)
    assert.equal(received.at(-1), sent.sent - 1)
    assert.equal(connection.stats(0).receive.dropped, sent.sent - received.length)
    assert.deepEqual(pair.caller.ended, [])
  })

  test('sends the last packets of a burst again when they are lost, since no gap shows that', () => {
    let isLosing = false
    const pair = connectPair({
      ...both(LATENCY),
      toListener: { lose: (datagram) => isLosing && !isControl(datagram) },
    })
    const sent = feed(pair, pair.caller, { bytesPerSecond: 5 * MBIT, durationUs: 1_000_000 })
    run(pair, 990_000)
    isLosing = true
    run(pair, 30_000)
    isLosing = false
    run(pair, 1_000_000)
    assert.deepEqual(pair.listener.received, countUp(sent.sent))
    assert.ok(pair.caller.connection.stats(0).send.timeouts > 0)
  })

  test('delivers each packet after the latency, in batches', () => {
    const pair = connectPair({ ...both(LATENCY) })
    const sent = feed(pair, pair.caller, { bytesPerSecond: 20 * MBIT, durationUs: 2_000_000 })
    run(pair, 3_000_000)
    const delays = pair.listener.receivedUs.map((us, at) => us - (sent.sentUs[at] ?? 0))
    // The transit time of the handshake comes on top, and up to one interval of delivery.
    assert.ok(Math.min(...delays) >= 220_000 && Math.max(...delays) <= 235_000, `${delays[0]}`)
    assert.ok(pair.listener.batches.length < sent.sent / 10)
  })

  test('measures the round trip', () => {
    const pair = connectPair({ ...both(LATENCY), toListener: { delayUs: 35_000 } })
    feed(pair, pair.caller, { bytesPerSecond: MBIT, durationUs: 1_000_000 })
    run(pair, 2_000_000)
    for (const { connection } of [pair.caller, pair.listener]) {
      const { rttUs } = connection.stats(0)
      assert.ok(rttUs > 54_000 && rttUs < 60_000, `${rttUs}`)
    }
  })

  test('acknowledges no more than it has to', () => {
    const pair = connectPair({ ...both(LATENCY) })
    pair.simulation.isRecording = true
    feed(pair, pair.caller, { bytesPerSecond: 5 * MBIT, durationUs: 2_000_000 })
    run(pair, 2_500_000)
    const typesOf = (from: string) =>
      pair.simulation.datagrams.filter((one) => one.from === from && isControl(one.datagram))
    const acks = typesOf('10.0.0.2').filter(({ datagram }) => readControlType(datagram) === CONTROL.ack)
    assert.ok(acks.length <= 210, `${acks.length} ACKs in 2 s`)
    pair.simulation.datagrams.length = 0
    run(pair, 10_000_000)
    const idle = pair.simulation.datagrams.map(({ datagram }) => readControlType(datagram))
    assert.deepEqual(new Set(idle), new Set([CONTROL.keepalive]))
    assert.ok(idle.length >= 18 && idle.length <= 22, `${idle.length} keepalives in 10 s`)
  })

  test('is one connection with a round trip of 300 ms and many repeated conclusions (mediamtx#3756)', () => {
    const pair = connectPair({ toListener: { delayUs: 150_000, duplicates: 0.5 }, toCaller: { delayUs: 150_000 } })
    run(pair, 3_000_000)
    assert.equal(pair.listener.endpoint.connectionCount, 1)
    assert.deepEqual(pair.caller.ended, [])
  })

  test('ends both sides when one closes, after all that was sent has been delivered', () => {
    const pair = connectPair({ ...both(LATENCY), toListener: { loss: 0.05 } })
    const sent = feed(pair, pair.caller, { bytesPerSecond: 20 * MBIT, durationUs: 1_000_000 })
    run(pair, 1_000_000)
    pair.caller.connection.close(pair.simulation.nowUs)
    pair.caller.endpoint.touch(pair.caller.connection)
    // libsrt drops what is not delivered when the shutdown comes: it comes later.
    run(pair, 225_000)
    assert.deepEqual(pair.listener.received, countUp(sent.sent))
    assert.deepEqual(pair.caller.ended, [])
    run(pair, 1_000_000)
    assert.deepEqual(pair.caller.ended, ['closed'])
    assert.deepEqual(pair.listener.ended, ['peer-closed'])
    assert.equal(pair.caller.endpoint.connectionCount + pair.listener.endpoint.connectionCount, 0)
  })

  test('ends when the peer is silent for 5 s, by default', () => {
    const pair = connectPair({ ...both(LATENCY) })
    pair.simulation.path('10.0.0.1', { loss: 1 })
    run(pair, 4_900_000)
    assert.deepEqual(pair.listener.ended, [])
    run(pair, 150_000)
    assert.deepEqual(pair.listener.ended, ['idle'])
  })

  test('spreads a batch over time instead of sending it at once', () => {
    const pair = connectPair({ ...both(LATENCY) })
    feed(pair, pair.caller, { bytesPerSecond: 100 * MBIT, durationUs: 2_000_000, batchUs: 20_000 })
    run(pair, 1_000_000)
    pair.simulation.isRecording = true
    run(pair, 1_500_000)
    const perMs = new Map<number, number>()
    for (const { from, datagram, atUs } of pair.simulation.datagrams) {
      const ms = Math.floor(atUs / 1000)
      if (from === '10.0.0.1' && !isControl(datagram)) perMs.set(ms, (perMs.get(ms) ?? 0) + 1)
    }
    // 190 packets each 20 ms.
    assert.ok(Math.max(...perMs.values()) <= 64, `${Math.max(...perMs.values())} packets in one millisecond`)
    assert.equal(pair.listener.connection.stats(0).receive.dropped, 0)
  })

  test('keeps up when its timers are late by 15 ms', () => {
    const pair = connectPair({ ...both(LATENCY) })
    const sent = feed(pair, pair.caller, { bytesPerSecond: 100 * MBIT, durationUs: 3_000_000, batchUs: 15_000 })
    // The endpoint is driven by the batches only.
    Object.defineProperty(pair.caller.endpoint, 'deadlineUs', { value: Infinity })
    run(pair, 4_000_000)
    assert.deepEqual(pair.listener.received.length, sent.sent - pair.caller.connection.stats(0).send.bufferedPackets)
    assert.equal(pair.caller.connection.stats(0).send.dropped, 0)
  })

  test('never exceeds maxBytesPerSecond, and tells the peer what it dropped', () => {
    const pair = connectPair({ caller: { ...LATENCY, maxBytesPerSecond: 10 * MBIT }, listener: LATENCY })
    const sent = feed(pair, pair.caller, { bytesPerSecond: 20 * MBIT, durationUs: 5_000_000 })
    pair.simulation.isRecording = true
    run(pair, 7_000_000)
    const bytes = pair.simulation.datagrams
      .filter(({ from }) => from === '10.0.0.1')
      .reduce((sum, { datagram }) => sum + datagram.length + 28, 0)
    assert.ok(bytes < 10 * MBIT * 6.3, `${bytes}`)
    assertRising(pair.listener.received)
    assert.ok(pair.listener.received.length < sent.sent)
    assert.ok(pair.caller.connection.stats(0).send.dropped > 0)
  })

  test('reports no loss for reordering within the tolerance, once it has seen it', () => {
    const path = { reordered: 0.05, reorderUs: 5_000 }
    const counts = [0, 50].map((reorderTolerance) => {
      const pair = connectPair({ caller: LATENCY, listener: { ...LATENCY, reorderTolerance }, toListener: path })
      feed(pair, pair.caller, { bytesPerSecond: 20 * MBIT, durationUs: 3_000_000 })
      run(pair, 4_000_000)
      return pair.caller.connection.stats(0).send.retransmitted
    })
    assert.ok(counts[1]! * 5 < counts[0]!, `${counts.join(' ')} retransmissions`)
  })

  test('carries payloads of any size up to what both MTUs allow, and refuses larger ones (mediamtx#4681)', () => {
    const pair = connectPair({ caller: LATENCY, listener: { ...LATENCY, mtu: 1300 }, toListener: { loss: 0.05 } })
    const { connection, endpoint } = pair.caller
    const got: number[] = []
    pair.listener.received.push = () => got.push(pair.listener.connection.stats(0).receive.deliveredBytes)
    assert.equal(connection.session.payloadBytes, 1256)
    const sizes = Array.from({ length: 200 }, (_, at) => [1256, 1255, 188, 187, 4, 5][at % 6]!)
    for (const size of sizes) assert.ok(connection.send(new Uint8Array(size), pair.simulation.nowUs))
    for (const size of [0, 1257, 1316]) assert.ok(!connection.send(new Uint8Array(size), pair.simulation.nowUs))
    connection.advance(pair.simulation.nowUs)
    endpoint.touch(connection)
    run(pair, 1_000_000)
    assert.equal(got.length, sizes.length)
    assert.equal(
      got.at(-1),
      sizes.reduce((sum, size) => sum + size, 0),
    )
  })

  test('reads payloads from a shared window, and requests a drop for those that have left it', () => {
    const kept = new Map<number, Uint8Array>()
    const source = { read: (position: number) => kept.get(position) }
    const pair = connectPair({ caller: { ...LATENCY, source }, listener: LATENCY, toListener: { loss: 0.1 } })
    let position = 0
    pair.simulation.every(5_000, pair.simulation.nowUs + 2_000_000, () => {
      const payload = new Uint8Array(1316)
      new DataView(payload.buffer).setUint32(0, position)
      kept.set(position, payload)
      kept.delete(position - 40)
      assert.ok(pair.caller.connection.sendAt(position++, 1316, pair.simulation.nowUs))
      pair.caller.connection.advance(pair.simulation.nowUs)
      pair.caller.endpoint.touch(pair.caller.connection)
    })
    run(pair, 3_000_000)
    assertRising(pair.listener.received)
    assert.ok(pair.listener.received.length > position * 0.98)
    kept.clear()
    assert.equal(pair.caller.connection.stats(0).send.bufferedPackets, 0)
  })
})

function both<T>(options: T): { caller: T; listener: T } {
  return { caller: options, listener: options }
}

function assertRising(numbers: readonly number[]): void {
  assert.ok(numbers.every((number, at) => at === 0 || number > numbers[at - 1]!))
}
