// What a peer may make a connection hold, and for how long.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { connect, controlPacket, dataPacket, inject } from './hostile-peer.test.kit.js'
import { CONTROL } from './packet/header.js'
import { CALLER, LISTENER, connectPair, countUp, feed, run } from './simulated-network.test.kit.js'
import type { Pair } from './simulated-network.test.kit.js'

const MBIT = 125_000
const MINUTE_US = 60_000_000

const receiving = ({ listener }: Pair) => listener.connection.stats(0).receive
const sayGoodbye = (pair: Pair): void => inject(pair, controlPacket(pair, CONTROL.shutdown, new Uint8Array(20)))

describe('a connection', () => {
  for (const [mtu, most] of [
    [1500, 1456],
    [576, 1456],
    [9000, 8956],
  ] as const) {
    test(`takes payloads of ${most} bytes, and refuses longer ones, with an MTU of ${mtu}`, () => {
      const pair = connect({ listener: { mtu, bufferPackets: 256 } })
      inject(pair, dataPacket(pair, 0, { payload: new Uint8Array(most) }))
      inject(pair, dataPacket(pair, 1, { payload: new Uint8Array(most + 1) }))
      inject(pair, dataPacket(pair, 2, { payload: new Uint8Array(65_491) }))
      assert.deepEqual([receiving(pair).bufferedBytes, receiving(pair).refused], [most, 2])
    })
  }

  test('refuses packets whose time lies minutes ahead, so that those behind them do not wait', () => {
    const pair = connect()
    inject(pair, dataPacket(pair, 0, { aheadUs: 30 * MINUTE_US }))
    for (let at = 1; at < 200; at++) inject(pair, dataPacket(pair, at, { payload: [0, 0, 0, at] }))
    inject(pair, dataPacket(pair, 200, { aheadUs: MINUTE_US }))
    assert.deepEqual([receiving(pair).bufferedPackets, receiving(pair).refused], [199, 2])
    run(pair, 1_000_000)
    assert.deepEqual(pair.listener.received, countUp(200).slice(1))
    assert.deepEqual(pair.listener.ended, [])
  })

  test('ends after some seconds of data whose time lies too far ahead, so that a new one follows the clock of the peer', () => {
    const pair = connect()
    for (let at = 0; at < 60; at++) {
      inject(pair, dataPacket(pair, at, { aheadUs: MINUTE_US }))
      run(pair, 100_000)
    }
    assert.deepEqual(pair.listener.ended, ['clock'])
    assert.deepEqual(pair.listener.received, [])
  })

  test('refuses all data where the peer may send none, and goes on sending', () => {
    const pair = connect({ listener: { receivesData: false } })
    const up = feed(pair, pair.caller, { bytesPerSecond: MBIT, durationUs: 1_000_000 })
    const down = feed(pair, pair.listener, { bytesPerSecond: MBIT, durationUs: 1_000_000 })
    run(pair, 3_000_000)
    assert.deepEqual([pair.listener.received, pair.caller.received], [[], countUp(down.sent)])
    assert.deepEqual([receiving(pair).bufferedPackets, receiving(pair).lost], [0, 0])
    assert.ok(receiving(pair).refused >= up.sent)
    assert.deepEqual([pair.caller.ended, pair.listener.ended], [[], []])
  })

  test('is over soon after the goodbye of a peer whose packets would fall due later', () => {
    const pair = connect()
    inject(pair, dataPacket(pair, 0))
    inject(pair, dataPacket(pair, 1, { aheadUs: 4_500_000 }))
    sayGoodbye(pair)
    run(pair, 2_000_000)
    assert.deepEqual([pair.listener.received, pair.listener.ended], [[0], []])
    run(pair, 500_000)
    assert.deepEqual([pair.listener.received, pair.listener.ended], [[0], ['peer-closed']])
    assert.equal(pair.listener.endpoint.connectionCount, 0)
  })

  test('delivers all of a sender with a latency of 16 s, also what it has sent before its goodbye', () => {
    const latency = { receiveLatencyUs: 16_000_000, sendLatencyUs: 16_000_000, maxLatencyUs: 16_000_000 }
    const pair = connectPair({ caller: latency, listener: latency, toListener: { loss: 0.05, jitterUs: 300_000 } })
    const sent = feed(pair, pair.caller, { bytesPerSecond: 2 * MBIT, durationUs: 5_000_000 })
    run(pair, 10_000_000)
    assert.deepEqual([receiving(pair).bufferedPackets, receiving(pair).refused], [sent.sent, 0])
    sayGoodbye(pair)
    run(pair, 20_000_000)
    assert.deepEqual(pair.listener.received, countUp(sent.sent))
    assert.deepEqual(pair.listener.ended, ['peer-closed'])
  })

  for (const ppm of [-300, 300]) {
    test(`refuses nothing of a sender whose clock differs by ${ppm} ppm, over a wrap of its timestamps, after an hour of silence`, () => {
      const pair = connectPair({ ppm, caller: { sendLatencyUs: 200_000 } })
      run(pair, 70 * MINUTE_US)
      const sent = feed(pair, pair.caller, { bytesPerSecond: MBIT / 10, durationUs: 4 * MINUTE_US })
      run(pair, 5 * MINUTE_US)
      assert.deepEqual([pair.listener.received.length, receiving(pair).refused], [sent.sent, 0])
    })
  }

  test('refuses nothing of a sender whose handshake took seconds longer than its data', () => {
    const pair = connectPair({ toListener: { delayUs: 3_000_000 }, caller: { sendLatencyUs: 200_000 } })
    pair.simulation.path(CALLER, { delayUs: 10_000 })
    pair.simulation.path(LISTENER, { delayUs: 10_000 })
    const sent = feed(pair, pair.caller, { bytesPerSecond: MBIT, durationUs: 1_000_000 })
    run(pair, 6_000_000)
    assert.deepEqual([pair.listener.received.length, receiving(pair).refused], [sent.sent, 0])
  })
})
