// Which times packets have on the wire, and when they are delivered, though a handshake, a clock or a source is out of line.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseHandshake, HANDSHAKE_TYPE } from './handshake/handshake-packet.js'
import { connect, controlPacket, inject } from './hostile-peer.test.kit.js'
import { CONTROL, isControl, readControlType, readTimestamp, writeU32 } from './packet/header.js'
import { CALLER, LISTENER, connectPair, countUp, feed, run } from './simulated-network.test.kit.js'
import type { Feed, Pair, Side } from './simulated-network.test.kit.js'

const MBIT = 125_000
const LATENCY = { receiveLatencyUs: 200_000, sendLatencyUs: 200_000 }

function delaysOf({ receivedUs }: Side, { sentUs }: Feed): number[] {
  return receivedUs.map((us, at) => us - (sentUs[at] ?? 0))
}

function isConclusion(datagram: Uint8Array): boolean {
  const isHandshake = isControl(datagram) && readControlType(datagram) === CONTROL.handshake
  return isHandshake && parseHandshake(datagram)?.type === HANDSHAKE_TYPE.conclusion
}

function stampsOf({ simulation }: Pair, from: string): number[] {
  const data = simulation.datagrams.filter((each) => each.from === from && !isControl(each.datagram))
  return data.map(({ datagram }) => readTimestamp(datagram))
}

describe('a connection', () => {
  test('gives packets that are older than itself its first time: a peer would take them for 71 minutes newer', () => {
    const pair = connectPair({ caller: LATENCY, listener: LATENCY })
    const { connection, endpoint } = pair.listener
    const { startUs } = connection.session
    pair.simulation.isRecording = true
    for (const originUs of [startUs - 90_000, startUs - 1, startUs, startUs + 5_000])
      assert.ok(connection.send(new Uint8Array(1316), pair.simulation.nowUs, originUs))
    endpoint.touch(connection)
    run(pair, 500_000)
    assert.deepEqual(stampsOf(pair, LISTENER), [0, 0, 0, 5_000])
    assert.equal(pair.caller.received.length, 4)
  })

  test('has its latency also where the answer to its caller was lost, and repeated', () => {
    let lost = 0
    const lose = (datagram: Uint8Array): boolean => isConclusion(datagram) && lost++ < 3
    const pair = connectPair({ caller: LATENCY, listener: LATENCY, toCaller: { lose } })
    const sent = feed(pair, pair.listener, { bytesPerSecond: MBIT, durationUs: 1_000_000 })
    run(pair, 2_000_000)
    assert.ok(lost > 3)
    assert.deepEqual(pair.caller.received, countUp(sent.sent))
    const delays = delaysOf(pair.caller, sent)
    assert.ok(Math.min(...delays) >= 210_000 && Math.max(...delays) <= 245_000, `${Math.max(...delays)}`)
  })

  for (const { name, outageUs, mbit } of [
    { name: 'of 4.5 s', outageUs: 4_500_000, mbit: 20 },
    { name: 'of 1.5 s at a high rate', outageUs: 1_500_000, mbit: 100 },
  ]) {
    test(`goes on after an outage ${name}, in which more packets are lost than its buffer holds`, () => {
      const pair = connectPair({ caller: LATENCY, listener: LATENCY })
      const fromUs = pair.simulation.nowUs + 500_000
      const path = { delayUs: 20_000, outage: [fromUs, fromUs + outageUs] } as const
      for (const side of [CALLER, LISTENER]) pair.simulation.path(side, path)
      const durationUs = outageUs + 1_500_000
      const sent = feed(pair, pair.caller, { bytesPerSecond: mbit * MBIT, durationUs })
      run(pair, durationUs + 2_000_000)
      const { received, receivedUs, connection, ended } = pair.listener
      const { lost, dropped, overflowed } = connection.stats(0).receive
      assert.deepEqual([ended, received.at(-1)], [[], sent.sent - 1])
      assert.ok(dropped > 8192 && lost >= dropped, `${dropped} of ${lost}`)
      assert.deepEqual([received.length + dropped, overflowed], [sent.sent, 0])
      const after = received.findIndex((number, at) => at > 0 && number !== received[at - 1]! + 1)
      const late = receivedUs[after]! - (fromUs + outageUs)
      assert.ok(late < 700_000, `the first packet after it came ${late} us later`)
      assert.equal(pair.caller.connection.stats(0).send.bufferedPackets, 0)
    })
  }

  test('corrects a latency that its handshake has made seconds too long', () => {
    const pair = connectPair({ caller: LATENCY, listener: LATENCY, toListener: { delayUs: 2_000_000 } })
    pair.simulation.path(CALLER, { delayUs: 20_000 })
    const sent = feed(pair, pair.caller, { bytesPerSecond: MBIT / 4, durationUs: 60_000_000 })
    run(pair, 70_000_000)
    assert.deepEqual(pair.listener.received, countUp(sent.sent))
    const delays = delaysOf(pair.listener, sent)
    assert.ok(delays[0]! > 2_000_000 && Math.abs(delays.at(-1)! - 225_000) < 50_000, `${delays[0]} ${delays.at(-1)}`)
  })

  for (const jumpUs of [-3_000_000, 3_000_000]) {
    test(`follows a peer whose clock jumps by ${jumpUs / 1e6} s, as that of a machine that stood still`, () => {
      const pair = connectPair({ caller: LATENCY, listener: LATENCY })
      feed(pair, pair.caller, { bytesPerSecond: MBIT / 10, durationUs: 40_000_000 })
      run(pair, 15_000_000)
      pair.simulation.jump(CALLER, jumpUs)
      run(pair, 30_000_000)
      for (const list of [pair.listener.received, pair.listener.receivedUs]) list.length = 0
      pair.simulation.path(CALLER, { delayUs: 20_000, loss: 0.05 })
      const sent = feed(pair, pair.caller, { bytesPerSecond: MBIT, durationUs: 5_000_000 })
      run(pair, 10_000_000)
      assert.deepEqual(pair.listener.received, countUp(sent.sent), 'what is lost comes again in time')
      const delays = delaysOf(pair.listener, sent)
      assert.ok(Math.max(...delays) < 300_000, `${Math.max(...delays)}`)
    })
  }

  test('keeps its clock through keepalives whose times make no sense, with data and without', () => {
    const pair = connect({ caller: LATENCY, listener: LATENCY })
    for (const bytesPerSecond of [0, MBIT]) {
      const sent = feed(pair, pair.caller, { bytesPerSecond, durationUs: 30_000_000 })
      for (let second = 0; second < 30; second++) {
        const keepalive = controlPacket(pair, CONTROL.keepalive, new Uint8Array(20))
        writeU32(keepalive, 8, 0)
        for (let copy = 0; copy < 4; copy++) inject(pair, keepalive)
        run(pair, 1_000_000)
      }
      run(pair, 1_000_000)
      assert.deepEqual(pair.listener.received, countUp(sent.sent))
      const delays = delaysOf(pair.listener, sent)
      assert.ok(
        delays.every((us) => Math.abs(us - 225_000) < 60_000),
        `${delays.at(-1)}`,
      )
    }
  })
})
