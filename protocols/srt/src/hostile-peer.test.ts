// What a peer may send to a connection that it should not, and what comes of it.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { renderDropRequest, renderNak } from './packet/control.js'
import { connect, controlPacket, dataPacket, inject } from './hostile-peer.test.kit.js'
import { CONTROL, KEY, POSITION, isControl, readControlType, writeU32 } from './packet/header.js'
import { CALLER, LISTENER, feed, run } from './simulated-network.test.kit.js'

const MBIT = 125_000

describe('a connection', () => {
  test('drops packets of a packet filter (message number 0) without their taking the place of data (libsrt#3131)', () => {
    const pair = connect()
    inject(pair, dataPacket(pair, 0, { messageNumber: 0, payload: [0, 0, 0, 99] }))
    inject(pair, dataPacket(pair, 0))
    run(pair, 1_000_000)
    assert.deepEqual(pair.listener.received, [0])
    assert.equal(pair.listener.connection.stats(0).receive.refused, 1)
  })

  test('drops plain data when it is secured, and encrypted data when it is not', () => {
    for (const [options, key] of [
      [{ keyLength: 16 }, KEY.none],
      [{}, KEY.even],
    ] as const) {
      const pair = connect(options)
      for (let at = 0; at < 10; at++) inject(pair, dataPacket(pair, at, { key }))
      run(pair, 1_000_000)
      assert.deepEqual(pair.listener.received, [])
      assert.equal(pair.listener.connection.stats(0).receive.refused, 10)
    }
  })

  test('ends after some seconds of data that no key fits, so that the peer comes back with one (libsrt#3362)', () => {
    const pair = connect({ keyLength: 16 })
    for (let at = 0; at < 60; at++) {
      inject(pair, dataPacket(pair, at, { key: KEY.odd }))
      run(pair, 100_000)
    }
    assert.deepEqual(pair.listener.ended, ['undecryptable'])
    assert.ok(pair.listener.connection.stats(0).receive.undecryptable > 30)
    assert.deepEqual(pair.listener.received, [])
  })

  test('is not led astray by timestamps that make no sense', () => {
    const pair = connect({ caller: { sendLatencyUs: 100_000 } })
    const sent = feed(pair, pair.caller, { bytesPerSecond: MBIT, durationUs: 3_000_000 })
    for (let at = 0; at < 40; at++) {
      const keepalive = controlPacket(pair, CONTROL.keepalive, new Uint8Array(20))
      writeU32(keepalive, 8, (at * 0x1400_0000) >>> 0)
      inject(pair, keepalive)
      run(pair, 50_000)
    }
    run(pair, 2_000_000)
    assert.equal(pair.listener.received.length, sent.sent)
    assert.ok(pair.listener.receivedUs.at(-1)! - sent.sentUs.at(-1)! < 200_000)
  })

  test('can be ended from within the delivery of its payloads', () => {
    const pair = connect()
    const { connection, received } = pair.listener
    received.push = () => {
      connection.end('closed')
      return 0
    }
    feed(pair, pair.caller, { bytesPerSecond: MBIT, durationUs: 1_000_000 })
    run(pair, 2_000_000)
    assert.deepEqual(pair.listener.ended, ['closed'])
    assert.deepEqual(pair.caller.ended, ['peer-closed'])
  })

  test('goes on with the old key for as long as the announcements of the next one are lost', () => {
    const isKeyRequest = (datagram: Uint8Array) =>
      isControl(datagram) && readControlType(datagram) === CONTROL.user && datagram[3] === 3
    const pair = connect({
      keyLength: 16,
      caller: { keyRefresh: { everyPackets: 300, announcePackets: 100 } },
      toListener: { lose: isKeyRequest },
    })
    const sent = feed(pair, pair.caller, { bytesPerSecond: 5 * MBIT, durationUs: 4_000_000 })
    run(pair, 5_000_000)
    assert.equal(pair.listener.received.length, sent.sent)
    assert.equal(pair.listener.connection.stats(0).keyRefreshes, 0)
    pair.simulation.path(CALLER, { delayUs: 20_000 })
    feed(pair, pair.caller, { bytesPerSecond: 5 * MBIT, durationUs: 4_000_000 })
    run(pair, 5_000_000)
    assert.ok(pair.listener.connection.stats(0).keyRefreshes > 0)
    assert.equal(pair.listener.connection.stats(0).receive.undecryptable, 0)
  })

  test('ends before its key stream would repeat, if the peer never confirms the next key', () => {
    const isKeyRequest = (datagram: Uint8Array) =>
      isControl(datagram) && readControlType(datagram) === CONTROL.user && datagram[3] === 3
    const pair = connect({
      keyLength: 16,
      caller: { keyRefresh: { everyPackets: 300, announcePackets: 100, mostPackets: 1000 } },
      toListener: { lose: isKeyRequest },
    })
    feed(pair, pair.caller, { bytesPerSecond: 5 * MBIT, durationUs: 4_000_000 })
    run(pair, 5_000_000)
    assert.deepEqual([pair.caller.ended, pair.listener.ended], [['key-unconfirmed'], ['peer-closed']])
    assert.ok(pair.listener.received.length < 1100, `${pair.listener.received.length}`)
  })

  test('puts a message of several packets together, and drops one that has a hole', () => {
    const pair = connect()
    const { first, middle, last } = POSITION
    inject(pair, dataPacket(pair, 0, { position: first, payload: [0, 0] }))
    inject(pair, dataPacket(pair, 2, { position: last, payload: [7, 7, 7] }))
    inject(pair, dataPacket(pair, 1, { position: middle, payload: [1, 2] }))
    inject(pair, dataPacket(pair, 3, { position: first }))
    inject(pair, dataPacket(pair, 5, { position: last }))
    inject(pair, dataPacket(pair, 6))
    run(pair, 1_000_000)
    assert.deepEqual(pair.listener.received, [0x0102, 6])
    assert.equal(pair.listener.connection.stats(0).receive.droppedParts, 2)
  })

  test('takes no packet that its buffer has no room for, and goes on', () => {
    const pair = connect()
    inject(pair, dataPacket(pair, 0))
    for (const offset of [256, 257, 5000, 0x3fff_ffff])
      inject(pair, dataPacket(pair, offset, { payload: [1], messageNumber: 1 }))
    inject(pair, dataPacket(pair, -5 & 0x7fff_ffff, { payload: [1], messageNumber: 1 }))
    inject(pair, dataPacket(pair, 255))
    run(pair, 1_000_000)
    const { receive } = pair.listener.connection.stats(0)
    assert.deepEqual(pair.listener.received, [0, 255])
    assert.deepEqual([receive.overflowed, receive.belated, receive.lost, receive.dropped], [4, 1, 254, 254])
  })

  test('asks for 254 single holes in packets that fit the MTU, and no faster than each 20 ms', () => {
    const pair = connect()
    pair.simulation.isRecording = true
    for (let at = 0; at < 256; at += 2) inject(pair, dataPacket(pair, at))
    run(pair, 60_000)
    const naks = pair.simulation.datagrams.filter(
      ({ from, datagram }) => from === LISTENER && isControl(datagram) && readControlType(datagram) === CONTROL.nak,
    )
    assert.ok(naks.length >= 127 && naks.length <= 127 + 4, `${naks.length}`)
    assert.ok(naks.every(({ datagram }) => datagram.length <= 1456))
  })

  test('stops asking for what the sender gives up, and skips it in time', () => {
    const pair = connect()
    inject(pair, dataPacket(pair, 0))
    inject(pair, dataPacket(pair, 10))
    const { firstSequence } = pair.listener.connection.session
    inject(pair, controlPacket(pair, CONTROL.dropRequest, renderDropRequest(firstSequence + 1, firstSequence + 0x2000)))
    pair.simulation.isRecording = true
    run(pair, 1_000_000)
    assert.deepEqual(pair.listener.received, [0, 10])
    const types = pair.simulation.datagrams.filter(({ from }) => from === LISTENER).map(({ datagram }) => datagram[1])
    assert.ok(!types.includes(CONTROL.nak))
  })

  test('answers loss reports for everything at most once per round trip', () => {
    const pair = connect()
    feed(pair, pair.listener, { bytesPerSecond: 10 * MBIT, durationUs: 500_000 })
    run(pair, 250_000)
    const before = pair.listener.connection.stats(0).send
    const { firstSequence } = pair.listener.connection.session
    for (let times = 0; times < 50; times++) {
      const nak = renderNak([firstSequence, (firstSequence + 0x3fff_ffff) & 0x7fff_ffff], 0, 1)
      inject(pair, controlPacket(pair, CONTROL.nak, nak))
      run(pair, 100)
    }
    const after = pair.listener.connection.stats(0).send
    assert.ok(after.retransmitted - before.retransmitted <= before.inFlight + 20)
    assert.equal(after.dropped, 0)
  })

  test('answers a report of many packets that are gone with few drop requests, and lowers no counter', () => {
    const pair = connect()
    const sent = feed(pair, pair.listener, { bytesPerSecond: 10 * MBIT, durationUs: 500_000 })
    run(pair, 1_000_000)
    const { firstSequence } = pair.listener.connection.session
    const ranges = Array.from({ length: 180 }, (_, at) => (firstSequence + at * 2) & 0x7fff_ffff)
    pair.simulation.isRecording = true
    const nak = renderNak(
      ranges.flatMap((one) => [one, one]),
      0,
      ranges.length,
    )
    inject(pair, controlPacket(pair, CONTROL.nak, nak))
    const { send } = pair.listener.connection.stats(0)
    assert.deepEqual([send.lost, send.dropped, send.retransmitted], [0, 0, 0])
    const answers = pair.simulation.datagrams.filter(({ from }) => from === LISTENER)
    assert.ok(answers.length > 0 && answers.length <= 32, `${answers.length}`)
    run(pair, 1_000_000)
    assert.equal(pair.caller.received.length, sent.sent)
  })

  test('answers a storm of reports of what is gone with few drop requests', () => {
    const pair = connect()
    feed(pair, pair.listener, { bytesPerSecond: 10 * MBIT, durationUs: 500_000 })
    run(pair, 1_000_000)
    const { firstSequence } = pair.listener.connection.session
    pair.simulation.isRecording = true
    for (let times = 0; times < 100; times++) {
      const ranges = Array.from({ length: 180 }, (_, at) => (firstSequence + at * 2) & 0x7fff_ffff)
      const nak = renderNak(
        ranges.flatMap((one) => [one, one]),
        0,
        ranges.length,
      )
      inject(pair, controlPacket(pair, CONTROL.nak, nak))
      run(pair, 100)
    }
    const answers = pair.simulation.datagrams.filter(
      ({ from, datagram }) => from === LISTENER && datagram[1] === CONTROL.dropRequest,
    )
    assert.ok(answers.length > 0 && answers.length <= 64, `${answers.length}`)
  })

  test('announces a key that is never confirmed less and less often', () => {
    const isKeyRequest = (datagram: Uint8Array) =>
      isControl(datagram) && readControlType(datagram) === CONTROL.user && datagram[3] === 3
    const pair = connect({
      keyLength: 16,
      caller: { keyRefresh: { everyPackets: 300, announcePackets: 200 } },
      toListener: { lose: isKeyRequest },
    })
    pair.simulation.isRecording = true
    feed(pair, pair.caller, { bytesPerSecond: 5 * MBIT, durationUs: 20_000_000 })
    run(pair, 20_000_000)
    const announced = pair.simulation.datagrams.filter(({ datagram }) => isKeyRequest(datagram))
    assert.ok(announced.length >= 64 && announced.length <= 90, `${announced.length}`)
  })

  test('ignores acknowledgements of what was never sent', () => {
    const pair = connect()
    const sent = feed(pair, pair.listener, { bytesPerSecond: MBIT, durationUs: 500_000 })
    run(pair, 100_000)
    for (const offset of [100_000, -100_000, 0x3fff_ffff]) {
      const ack = new Uint8Array(44)
      writeU32(ack, 16, (pair.listener.connection.session.firstSequence + offset) & 0x7fff_ffff)
      inject(pair, controlPacket(pair, CONTROL.ack, ack))
    }
    run(pair, 1_000_000)
    assert.equal(pair.caller.received.length, sent.sent)
  })

  test('goes on sending when the peer says that it has no room, and then that it has', () => {
    const pair = connect({ caller: { bufferPackets: 32, receiveLatencyUs: 300_000 }, listener: {} })
    const sent = feed(pair, pair.listener, { bytesPerSecond: 10 * MBIT, durationUs: 1_000_000 })
    run(pair, 6_000_000)
    const { received } = pair.caller
    assert.ok(received.length > 60 && received.length < sent.sent)
    assert.ok(received.every((number, at) => at === 0 || number > received[at - 1]!))
    feed(pair, pair.listener, { bytesPerSecond: MBIT / 2, durationUs: 1_000_000 })
    const before = received.length
    run(pair, 2_000_000)
    assert.ok(received.length >= before + 45)
  })
})
