import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { findDigest, HANDSHAKE_BYTES, isSigned, makeBlock } from './digest.js'
import { ClientHandshake, ServerHandshake } from './handshake.js'

const s1Of = (answer: Uint8Array): Uint8Array => answer.subarray(1, 1 + HANDSHAKE_BYTES)
const s2Of = (answer: Uint8Array): Uint8Array => answer.subarray(1 + HANDSHAKE_BYTES)

describe('server', () => {
  test('echoes a block without a digest, and sends S0, S1 and S2 in one piece', () => {
    const server = new ServerHandshake()
    const c1 = makeBlock(0, 0)
    const { answer, taken } = server.push(Buffer.concat([Uint8Array.of(3), c1]), 77)
    assert.deepEqual([answer.length, answer[0], taken], [1 + 2 * HANDSHAKE_BYTES, 3, 1 + HANDSHAKE_BYTES])
    assert.deepEqual([...s1Of(answer).subarray(0, 8)], [0, 0, 0, 77, 0, 0, 0, 0])
    assert.deepEqual(Buffer.from(s2Of(answer)), Buffer.from(c1))
    assert.equal(server.isDone, false)
  })

  for (const schema of [0, 1] as const) {
    test(`answers a digest of schema ${schema} with one, and signs`, () => {
      const c1 = makeBlock(0, 0x09007c02, { side: 'player', schema })
      const { answer } = new ServerHandshake().push(Buffer.concat([Uint8Array.of(3), c1]), 0)
      assert.equal(findDigest(s1Of(answer), 'server')?.schema, schema)
      assert.ok(isSigned(s2Of(answer), findDigest(c1, 'player')!.digest, 'server'))
    })
  }

  test('byte by byte, and everything at once with what follows', () => {
    const bytes = Buffer.concat([Uint8Array.of(3), Buffer.alloc(2 * HANDSHAKE_BYTES), Buffer.from('next')])
    const whole = new ServerHandshake()
    const { answer, taken } = whole.push(bytes, 0)
    assert.deepEqual([whole.isDone, answer.length, bytes.length - taken], [true, 1 + 2 * HANDSHAKE_BYTES, 4])
    const slow = new ServerHandshake()
    let answered = 0
    for (let at = 0; at < bytes.length && !slow.isDone; at++)
      answered += slow.push(bytes.subarray(at, at + 1), 0).answer.length
    assert.deepEqual([slow.isDone, answered], [true, 1 + 2 * HANDSHAKE_BYTES])
  })

  for (const [name, first] of [
    ['HTTP', 0x47],
    ['TLS', 0x16],
    ['RTMPE', 6],
    ['zeros', 0],
  ] as const) {
    test(`refuses ${name} at its first byte`, () => {
      const server = new ServerHandshake()
      assert.equal(server.push(Uint8Array.of(first), 0).answer.length, 0)
      assert.equal(server.isForeign, true)
    })
  }
})

describe('client', () => {
  test('shakes hands with our server by digests', () => {
    const [client, server] = [new ClientHandshake(), new ServerHandshake()]
    const c0c1 = client.start(0)
    const { answer } = server.push(c0c1, 0)
    const { answer: c2 } = client.push(answer, 0)
    assert.ok(isSigned(c2, findDigest(s1Of(answer), 'server')!.digest, 'player'))
    server.push(c2, 0)
    assert.deepEqual([client.isDone, server.isDone], [true, true])
  })

  test('echoes the block of a server that knows no digests', () => {
    const s1 = makeBlock(0, 0)
    const client = new ClientHandshake()
    client.start(0)
    const { answer } = client.push(Buffer.concat([Uint8Array.of(3), s1, Buffer.alloc(HANDSHAKE_BYTES)]), 0)
    assert.deepEqual(Buffer.from(answer), Buffer.from(s1))
    assert.equal(client.isDone, true)
  })
})
