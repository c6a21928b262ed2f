// The calls of an endpoint, and the answers that it gets.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Connection } from '../connection.js'
import { deriveKekSync } from '../crypto/key-material.js'
import { makeSalt } from '../crypto/session-keys.js'
import { Endpoint } from '../endpoint.js'
import { EXTENSION, HANDSHAKE_TYPE, SRT_MAGIC, parseHandshake, renderHandshake } from './handshake-packet.js'
import type { Handshake } from './handshake-packet.js'
import { HSREQ, PASSPHRASE, PEER } from './listener-bench.test.kit.js'
import { REJECT } from './reject-code.js'

describe('a caller', () => {
  function call(options: { passphrase?: string; timeoutUs?: number } = {}) {
    const sent: Uint8Array[] = []
    const results: (Connection | number)[] = []
    const endpoint = new Endpoint({ transmit: (datagram) => void sent.push(datagram) })
    const salt = makeSalt()
    const secret = options.passphrase && { secret: { salt, kek: deriveKekSync(options.passphrase, salt, 16) } }
    endpoint.call(
      {
        peer: PEER,
        streamId: 'publish:cam',
        ...(secret === undefined || secret === '' ? {} : secret),
        ...(options.timeoutUs === undefined ? {} : { timeoutUs: options.timeoutUs }),
        connected: (connection) => {
          results.push(connection)
          return { deliver: () => {}, ended: () => {} }
        },
        failed: (code) => void results.push(code),
      },
      0,
    )
    const last = () => parseHandshake(sent.at(-1) ?? assert.fail('nothing sent')) ?? assert.fail('no handshake')
    const answer = (changes: Partial<Handshake>, destination = last().socketId, from = PEER) => {
      const handshake = { ...last(), extensions: [], ...changes }
      endpoint.receive(renderHandshake(handshake, { destination, timestamp: 0, peer: '' }), from, 1000)
    }
    const induced = () => answer({ version: 5, extensionField: SRT_MAGIC, cookie: 99 })
    return { endpoint, sent, results, last, answer, induced }
  }

  const HSRSP = { ...HSREQ, type: EXTENSION.handshakeResponse }

  test('repeats induction and conclusion each 250 ms, and gives up in time', () => {
    const { endpoint, sent, results, last, induced } = call({ timeoutUs: 2_000_000 })
    for (let us = 0; us <= 600_000; us += 50_000) endpoint.advance(us)
    assert.equal(sent.length, 3)
    assert.equal(last().type, HANDSHAKE_TYPE.induction)
    induced()
    assert.equal(last().type, HANDSHAKE_TYPE.conclusion)
    assert.equal(last().cookie, 99)
    for (let us = 600_000; us <= 2_000_000; us += 50_000) endpoint.advance(us)
    assert.deepEqual(results, [REJECT.timeout])
    assert.equal(endpoint.deadlineUs, Infinity)
  })

  test('connects with an answer to its own socket id, or to 0 as old listeners send it (mediamtx#5169)', () => {
    for (const toZero of [false, true]) {
      const { results, induced, answer, last } = call()
      induced()
      answer({ socketId: 555, extensions: [HSRSP] }, toZero ? 0 : last().socketId)
      const [connection] = results
      assert.ok(connection !== undefined && typeof connection !== 'number')
      assert.equal(connection.session.peerId, 555)
    }
  })

  test('ignores answers from elsewhere, and to other socket ids', () => {
    const { results, induced, answer, last } = call()
    induced()
    answer({ extensions: [HSRSP] }, last().socketId, { ...PEER, port: 1 })
    answer({ extensions: [HSRSP] }, last().socketId + 1)
    assert.deepEqual(results, [])
  })

  const failures: { name: string; code: number; changes: Partial<Handshake>; passphrase?: string }[] = [
    { name: 'a rejection', code: 1403, changes: { type: 2403 } },
    { name: 'an application code', code: 2042, changes: { type: 3042 } },
    { name: 'an answer without extension', code: REJECT.rogue, changes: {} },
    {
      name: 'a wrong passphrase that the listener lets pass',
      code: REJECT.badSecret,
      changes: { extensions: [HSRSP, { type: EXTENSION.keyResponse, body: new Uint8Array(4).fill(4) }] },
      passphrase: PASSPHRASE,
    },
    {
      name: 'a listener without passphrase',
      code: REJECT.unsecure,
      changes: { extensions: [HSRSP] },
      passphrase: PASSPHRASE,
    },
  ]
  for (const { name, code, changes, passphrase } of failures) {
    test(`fails with ${code} at ${name}`, () => {
      const { results, induced, answer } = call(passphrase === undefined ? {} : { passphrase })
      induced()
      answer(changes)
      assert.deepEqual(results, [code])
    })
  }

  test('refuses a listener of handshake 4', () => {
    const { results, answer } = call()
    answer({ version: 4, extensionField: 2 })
    assert.deepEqual(results, [REJECT.version])
  })
})
