// Numbers that wrap on the wire, and clocks that run apart, over hours of simulated time.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readTimestamp } from './packet/header.js'
import { CALLER, connectPair, countUp, feed, run } from './simulated-network.test.kit.js'

const MBIT = 125_000
const LATENCY = { receiveLatencyUs: 200_000, sendLatencyUs: 200_000 }
const LOSSY = { loss: 0.05, duplicates: 0.02, reordered: 0.02 }
const LAST_SEQUENCE = 0x7fff_ffff
const TIMESTAMPS_US = 2 ** 32

describe('a connection', () => {
  for (const before of [0, 1, 700, 1500]) {
    test(`goes on over the wrap of sequence numbers, ${before} packets after its start, over loss`, () => {
      const pair = connectPair({
        ...{ caller: LATENCY, listener: LATENCY, toListener: LOSSY, toCaller: LOSSY },
        firstSequence: LAST_SEQUENCE - before,
      })
      const up = feed(pair, pair.caller, { bytesPerSecond: 10 * MBIT, durationUs: 2_000_000 })
      const down = feed(pair, pair.listener, { bytesPerSecond: 10 * MBIT, durationUs: 2_000_000 })
      run(pair, 3_000_000)
      assert.deepEqual(pair.listener.received, countUp(up.sent))
      assert.deepEqual(pair.caller.received, countUp(down.sent))
      for (const { connection } of [pair.caller, pair.listener]) {
        const { receive, send } = connection.stats(0)
        assert.deepEqual([receive.dropped, receive.overflowed, send.dropped, send.bufferedPackets], [0, 0, 0, 0])
        assert.ok(send.retransmitted < send.packets / 5, `${send.retransmitted} of ${send.packets} sent again`)
      }
    })
  }

  test('drops what is too late over the wrap of sequence numbers, on both sides', () => {
    const pair = connectPair({ caller: LATENCY, listener: LATENCY, firstSequence: LAST_SEQUENCE - 900 })
    const fromUs = pair.simulation.nowUs + 500_000
    pair.simulation.path(CALLER, { delayUs: 20_000, outage: [fromUs, fromUs + 2_000_000] })
    const sent = feed(pair, pair.caller, { bytesPerSecond: 10 * MBIT, durationUs: 4_000_000 })
    run(pair, 6_000_000)
    const { received, connection } = pair.listener
    assert.equal(received.at(-1), sent.sent - 1)
    assert.equal(connection.stats(0).receive.dropped, sent.sent - received.length)
    assert.equal(pair.caller.connection.stats(0).send.bufferedPackets, 0)
  })

  test('refreshes its key over the wrap of sequence numbers', () => {
    const keyRefresh = { everyPackets: 600, announcePackets: 200 }
    const pair = connectPair({
      ...{ caller: { ...LATENCY, keyRefresh }, listener: LATENCY, toListener: LOSSY, toCaller: LOSSY },
      ...{ keyLength: 16, firstSequence: LAST_SEQUENCE - 600 },
    })
    const sent = feed(pair, pair.caller, { bytesPerSecond: 10 * MBIT, durationUs: 2_000_000 })
    run(pair, 3_000_000)
    assert.deepEqual(pair.listener.received, countUp(sent.sent))
    assert.ok(pair.listener.connection.stats(0).keyRefreshes >= 2)
  })

  test('goes on over the wrap of timestamps while data flows, over loss', () => {
    const pair = connectPair({ caller: LATENCY, listener: LATENCY, toListener: LOSSY, toCaller: LOSSY })
    run(pair, TIMESTAMPS_US - 2_000_000)
    pair.simulation.isRecording = true
    const sent = feed(pair, pair.caller, { bytesPerSecond: 5 * MBIT, durationUs: 4_000_000 })
    run(pair, 5_000_000)
    assert.deepEqual(pair.listener.received, countUp(sent.sent))
    const times = pair.simulation.datagrams.map(({ datagram }) => readTimestamp(datagram))
    assert.ok(times.some((us) => us > TIMESTAMPS_US * 0.99) && times.some((us) => us < TIMESTAMPS_US * 0.01))
    const delays = pair.listener.receivedUs.map((us, at) => us - (sent.sentUs[at] ?? 0))
    assert.ok(Math.min(...delays) >= 210_000 && Math.max(...delays) <= 245_000)
  })

  test('follows a clock that runs 100 ppm fast for hours', () => {
    for (const ppm of [100, -100]) {
      const pair = connectPair({ ...{ caller: LATENCY, listener: LATENCY }, ppm })
      const sent = feed(pair, pair.caller, { bytesPerSecond: 3000, durationUs: 4 * 3600e6, batchUs: 500_000 })
      run(pair, 4 * 3600e6 + 1e6)
      assert.deepEqual(pair.listener.received, countUp(sent.sent))
      const last = pair.listener.receivedUs.at(-1)! - sent.sentUs.at(-1)!
      assert.ok(Math.abs(last - 225_000) < 20_000, `${ppm} ppm: ${last} us of latency at the end`)
      assert.ok(Math.abs(Math.abs(pair.listener.connection.stats(0).receive.driftUs) - 1_440_000) < 20_000)
    }
  })

  for (const ppm of [100, -100]) {
    test(`takes a minute of data after 80 minutes of keepalives only, in simulated time, at ${ppm} ppm (libsrt#1936)`, () => {
      const pair = connectPair({ caller: LATENCY, listener: LATENCY, ppm })
      run(pair, 80 * 60e6)
      assert.deepEqual([pair.listener.received.length, pair.listener.ended.length], [0, 0])
      const sent = feed(pair, pair.caller, { bytesPerSecond: MBIT, durationUs: 60_000_000 })
      run(pair, 61_000_000)
      assert.deepEqual(pair.listener.received, countUp(sent.sent))
      const delays = pair.listener.receivedUs.map((us, at) => us - (sent.sentUs[at] ?? 0))
      assert.ok(Math.min(...delays) >= 200_000 && Math.max(...delays) <= 250_000, `${Math.min(...delays)}`)
      assert.deepEqual([pair.caller.ended, pair.listener.ended], [[], []])
    })
  }
})
