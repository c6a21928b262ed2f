// What a listener answers, and what it agrees on with a caller.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readDestination, readTimestamp } from '../packet/header.js'
import { SRT_MAGIC, parseHandshakeExtension, renderTextExtension } from './handshake-packet.js'
import { Bench, INDUCTION, PEER, handshakeRequest, render } from './listener-bench.test.kit.js'

describe('a listener', () => {
  test('answers an induction with its version, the magic number and a cookie, and keeps no state', () => {
    const bench = new Bench()
    const answer = bench.send(INDUCTION)
    assert.ok(answer !== undefined)
    assert.deepEqual([answer.version, answer.extensionField, answer.firstSequence], [5, SRT_MAGIC, 1234])
    assert.equal(readDestination(bench.sent[0]!), 77)
    assert.notEqual(answer.cookie, bench.cookie({ ...PEER, port: 5001 }))
    assert.equal(bench.requests.length, 0)
  })

  test('accepts with the latencies that both sides want, and an answer that goes to the caller', () => {
    const bench = new Bench()
    bench.conclude({ extensions: [handshakeRequest({ receive: 300, send: 500 }), renderTextExtension(5, 'cam')] })
    assert.equal(bench.requests[0]?.streamId, 'cam')
    const connection = bench.accept()
    assert.ok(typeof connection !== 'number')
    const { session } = connection
    assert.deepEqual([session.receiveLatencyUs, session.sendLatencyUs], [500_000, 300_000])
    assert.deepEqual([session.peerId, session.firstSequence, session.payloadBytes], [77, 1234, 1456])
    assert.equal(bench.answer.socketId, session.localId)
    const response = parseHandshakeExtension(bench.answer.extensions[0]!)
    assert.deepEqual([response?.receiveLatencyMs, response?.sendLatencyMs], [500, 300])
  })

  test('cuts wishes of the peer: latency at 8 s, payload at its MTU', () => {
    const bench = new Bench()
    bench.conclude({ mtu: 1300, extensions: [handshakeRequest({ receive: 60_000, send: 60_000 })] })
    const connection = bench.accept()
    assert.ok(typeof connection !== 'number')
    assert.equal(connection.session.receiveLatencyUs, 8_000_000)
    assert.equal(connection.session.sendLatencyUs, 8_000_000)
    assert.equal(connection.session.payloadBytes, 1256)
  })

  test('asks once for a conclusion that is repeated, and repeats its answer', () => {
    const bench = new Bench()
    const cookie = bench.cookie()
    for (let times = 0; times < 3; times++) assert.equal(bench.send(render({ cookie })), undefined)
    assert.equal(bench.requests.length, 1)
    const connection = bench.accept()
    assert.ok(typeof connection !== 'number')
    const answer = bench.sent[0]
    bench.send(render({ cookie }))
    assert.deepEqual(bench.sent[0], answer)
    connection.end('closed')
    bench.send(render({ cookie }))
    assert.equal(bench.requests.length, 1, 'a replayed conclusion opens nothing')
    assert.equal(bench.endpoint.connectionCount, 0)
  })

  test('repeats its answer with the time at which it does, where the clock of the caller begins', () => {
    const bench = new Bench()
    const cookie = bench.cookie()
    bench.send(render({ cookie }))
    bench.nowUs += 40_000
    bench.accept()
    assert.equal(readTimestamp(bench.sent[0]!), 40_000)
    bench.nowUs += 250_000
    bench.send(render({ cookie }))
    assert.equal(readTimestamp(bench.sent[0]!), 290_000)
  })

  test('repeats a rejection, too', () => {
    const bench = new Bench()
    const cookie = bench.cookie()
    bench.send(render({ cookie }))
    bench.requests[0]!.reject(1403, bench.nowUs)
    assert.equal(bench.sent.length, 1)
    assert.equal(bench.answer.type, 2403, 'on the wire it is 1000 more')
    assert.equal(bench.send(render({ cookie }))?.type, 2403)
    assert.equal(bench.requests.length, 1)
    assert.throws(() => bench.requests[0]!.reject(1403, bench.nowUs), /already/)
  })

  test('knows earlier connections from the same address and port with the same StreamID', () => {
    const bench = new Bench()
    bench.conclude({})
    const first = bench.accept()
    bench.conclude({ socketId: 78 })
    assert.deepEqual(bench.requests.at(-1)?.earlier, [first])
    bench.conclude({ socketId: 79 }, { ...PEER, port: 5001 })
    assert.deepEqual(bench.requests.at(-1)?.earlier, [])
  })
})
