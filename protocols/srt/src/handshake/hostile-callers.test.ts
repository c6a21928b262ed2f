// Floods, forged cookies, replays and other peers' socket ids: no state before a valid cookie, and little after it.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CONTROL } from '../packet/header.js'
import { Bench, HSREQ, INDUCTION, MINUTE_US, PASSPHRASE, PEER, keyRequest, render } from './listener-bench.test.kit.js'
import { REJECT } from './reject-code.js'

describe('a listener', () => {
  test('takes a cookie for one to two minutes, from its own address and port only', () => {
    const bench = new Bench()
    const cookie = bench.cookie()
    bench.send(render({ cookie }), { ...PEER, port: 5001 })
    bench.send(render({ cookie: cookie + 1 }))
    bench.nowUs += 2 * MINUTE_US
    bench.send(render({ cookie }))
    assert.equal(bench.requests.length, 0)
    assert.equal(bench.sent.length, 0)
    bench.nowUs -= MINUTE_US
    bench.send(render({ cookie }))
    assert.equal(bench.requests.length, 1)
  })

  test('lets no more than so many conclusions wait, and takes a refused one when there is room', () => {
    const bench = new Bench()
    for (let socketId = 1; socketId <= 4; socketId++) bench.conclude({ socketId })
    assert.equal(bench.conclude({ socketId: 5 })?.type, 1000 + REJECT.backlog)
    bench.requests[0]!.reject(1404, bench.nowUs)
    bench.conclude({ socketId: 5 })
    assert.equal(bench.requests.length, 5)
  })

  test('keeps nothing of a flood of inductions, forged cookies and undecided requests but those that may wait', () => {
    const bench = new Bench()
    for (let at = 0; at < 20_000; at++) {
      const from = { address: `198.51.100.${at & 0xff}`, port: 1024 + (at >> 8) }
      const answer = at % 10 === 0 ? bench.cookie(from) : 0
      bench.send(render({ cookie: at % 100 === 0 ? answer : at }), from)
      bench.nowUs += 200
    }
    assert.equal(bench.requests.length, 4)
    assert.equal(bench.endpoint.connectionCount, 0)
    assert.deepEqual(new Set(bench.refused), new Set([REJECT.backlog]))
    const { inductions, conclusions, badCookies, passedOver } = bench.endpoint.stats()
    assert.deepEqual([inductions, conclusions, badCookies, passedOver], [2000, 200, 19_800, 0])
  })

  test('passes over inductions above 5000 a second, but not conclusions of those who have a cookie', () => {
    const bench = new Bench()
    const cookie = bench.cookie()
    bench.nowUs += 10_000
    const answersIn10Ms = (): number => {
      let answered = 0
      for (let at = 0; at < 1000; at++) {
        const from = { address: `198.51.${at >> 8}.${at & 0xff}`, port: 1024 }
        if (bench.send(INDUCTION, from) !== undefined) answered++
      }
      bench.nowUs += 10_000
      return answered
    }
    assert.deepEqual([answersIn10Ms(), answersIn10Ms()], [50, 50])
    assert.deepEqual([bench.endpoint.stats().inductions, bench.endpoint.stats().passedOver], [101, 1900])
    for (let at = 0; at < 100; at++) bench.send(INDUCTION)
    assert.equal(bench.sent.length, 0)
    bench.send(render({ cookie }))
    assert.ok(typeof bench.accept() !== 'number')
  })

  for (const [who, address] of [
    ['one IPv4 address', () => '198.51.100.9'],
    ['one IPv6 network', (at: number) => `2001:db8:0:1::${at.toString(16)}`],
  ] as const) {
    test(`takes callers from elsewhere while ${who} floods it with inductions and forged cookies`, () => {
      const bench = new Bench()
      const floodFor1Ms = (): void => {
        for (let at = 0; at < 50; at++) {
          const from = { address: address(at), port: 1024 + at }
          bench.endpoint.receive(INDUCTION, from, bench.nowUs)
          bench.endpoint.receive(render({ cookie: 1 + at, socketId: at + 1 }), from, bench.nowUs)
        }
        bench.nowUs += 1000
      }
      for (let ms = 0; ms < 50; ms++) floodFor1Ms()
      for (let caller = 0; caller < 4; caller++) {
        const from = { address: `192.0.2.${caller}`, port: 7000 }
        // Each window has another hash: a caller that shares that of the flood comes in when it repeats itself.
        let cookie: number | undefined
        for (let tries = 0; tries < 12 && cookie === undefined; tries++) {
          for (let ms = 0; ms < 10; ms++) floodFor1Ms()
          cookie = bench.send(INDUCTION, from)?.cookie
        }
        assert.ok(cookie !== undefined, 'no cookie')
        for (let tries = 0; tries < 12 && bench.requests.length <= caller; tries++) {
          for (let ms = 0; ms < 10; ms++) floodFor1Ms()
          bench.send(render({ cookie, socketId: 5000 + caller }), from)
        }
        assert.equal(bench.requests.length, caller + 1)
      }
    })
  }

  test('looks at 60 callers of one address that come at once, without a flood', () => {
    const bench = new Bench()
    const answered = new Set<number>()
    for (let round = 0; round < 2; round++) {
      for (let port = 1; port <= 60; port++)
        if (bench.send(INDUCTION, { ...PEER, port }) !== undefined) answered.add(port)
      bench.nowUs += 250_000
      for (let port = 60; port >= 1; port--)
        if (bench.send(INDUCTION, { ...PEER, port }) !== undefined) answered.add(port)
      bench.nowUs += 250_000
    }
    assert.equal(answered.size, 60)
  })

  test('opens nothing by a conclusion that is replayed after its connection, nor from elsewhere', () => {
    const bench = new Bench()
    const conclusion = render({ cookie: bench.cookie() })
    bench.send(conclusion)
    const connection = bench.accept()
    assert.ok(typeof connection !== 'number')
    connection.end('closed')
    for (let times = 0; times < 20; times++) {
      bench.send(conclusion)
      bench.send(conclusion, { ...PEER, port: 5001 })
      bench.nowUs += MINUTE_US / 5
    }
    assert.equal(bench.requests.length, 1)
    assert.equal(bench.endpoint.connectionCount, 0)
    const { repeatedConclusions, badCookies } = bench.endpoint.stats()
    assert.equal(repeatedConclusions + badCookies, 40)
    assert.ok(repeatedConclusions > 0 && repeatedConclusions <= 10)
  })

  test('reads handshakes cut at any byte, and with extensions that run past the end', () => {
    const bench = new Bench()
    const whole = render({ cookie: bench.cookie(), extensions: [HSREQ, keyRequest(PASSPHRASE)] })
    for (let length = 0; length < whole.length; length++) {
      bench.send(whole.slice(0, length), PEER)
      bench.nowUs += 1000
    }
    assert.ok(bench.endpoint.stats().malformed >= 60)
    for (const at of [66, 67, 82, 83]) {
      const longer = render({
        cookie: bench.cookie(),
        socketId: 1000 + at,
        extensions: [HSREQ, keyRequest(PASSPHRASE)],
      })
      longer[at] = 0xff
      bench.send(longer)
      bench.nowUs += 1000
    }
    assert.ok(bench.requests.length <= 4)
    assert.equal(bench.endpoint.connectionCount, 0)
  })

  for (const size of [0, 1, 0x7fff_ffff, 0xffff_ffff]) {
    test(`keeps to its own sizes when a caller announces an MTU and a buffer of ${size}`, () => {
      const bench = new Bench()
      bench.conclude({ mtu: size, flowWindow: size })
      const connection = bench.accept({ options: { bufferPackets: 64 } })
      assert.ok(typeof connection !== 'number')
      const { payloadBytes } = connection.session
      assert.ok(payloadBytes >= 188 && payloadBytes <= 1456)
      let taken = 0
      while (taken < 1000 && connection.send(new Uint8Array(188), bench.nowUs)) taken++
      connection.advance(bench.nowUs)
      const { send } = connection.stats(bench.nowUs)
      assert.deepEqual([taken, send.bufferedPackets], [64, 64])
      assert.ok(send.inFlight >= 1 && send.inFlight <= Math.max(1, Math.min(size, 64)))
    })
  }

  test('ignores datagrams for a connection that come from another address or port', () => {
    const bench = new Bench()
    bench.conclude({})
    const connection = bench.accept()
    assert.ok(typeof connection !== 'number')
    const shutdown = new Uint8Array(20)
    shutdown.set([0x80, CONTROL.shutdown])
    new DataView(shutdown.buffer).setUint32(12, connection.session.localId)
    bench.send(shutdown, { ...PEER, port: 5001 })
    bench.send(shutdown, { ...PEER, address: '192.0.2.2' })
    assert.equal(connection.isEnded, false)
    new DataView(shutdown.buffer).setUint32(12, connection.session.localId + 1)
    bench.send(shutdown)
    assert.equal(connection.isEnded, false)
    assert.deepEqual([bench.endpoint.stats().strangers, bench.endpoint.stats().unknownIds], [2, 1])
    new DataView(shutdown.buffer).setUint32(12, connection.session.localId)
    bench.send(shutdown)
    assert.equal(connection.isEnded, true)
  })
})
