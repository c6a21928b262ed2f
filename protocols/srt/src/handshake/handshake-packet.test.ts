// Packets of libsrt 1.5.1 (srt-live-transmit as caller, with StreamID publish:cam and a passphrase).
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readConclusion } from './conclusion.js'
import {
  EXTENSION,
  HANDSHAKE_TYPE,
  parseHandshake,
  parseHandshakeExtension,
  parseTextExtension,
  renderHandshake,
  renderTextExtension,
} from './handshake-packet.js'

const INDUCTION =
  '80000000000000000000007600000000' +
  '000000040000000209a6e63c000005dc00002000000000011ffa31a2000000000100007f000000000000000000000000'
const CONCLUSION =
  '800000000000000000003d6800000000' +
  '000000050002000709a6e63c000005dc00002000ffffffff1ffa31a29ec0ec190100007f000000000000000000000000' +
  '0001000300010501000000bf00780000' +
  '000500036c6275703a687369006d6163' +
  '0003000e12202901000000000200020000000404a17ab445e3e4b365d40d23e8ea45e3466b289d94874ad7ddfb0258cf4d57be0271a894250727d7c4'

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex'))
}

describe('a handshake packet', () => {
  test('of an induction is read and written as libsrt writes it', () => {
    const handshake = parseHandshake(bytesOf(INDUCTION))
    assert.ok(handshake !== undefined)
    assert.equal(handshake.version, 4)
    assert.equal(handshake.type, HANDSHAKE_TYPE.induction)
    assert.equal(handshake.firstSequence, 0x09a6e63c)
    assert.equal(handshake.socketId, 0x1ffa31a2)
    const written = renderHandshake(handshake, { destination: 0, timestamp: 0x76, peer: '127.0.0.1' })
    assert.equal(Buffer.from(written).toString('hex'), INDUCTION)
  })

  test('of a conclusion carries extensions, and is written as libsrt writes it', () => {
    const handshake = parseHandshake(bytesOf(CONCLUSION))
    assert.ok(handshake !== undefined)
    assert.deepEqual(
      handshake.extensions.map(({ type, body }) => [type, body.length]),
      [
        [EXTENSION.handshakeRequest, 12],
        [EXTENSION.streamId, 12],
        [EXTENSION.keyRequest, 56],
      ],
    )
    assert.deepEqual(parseHandshakeExtension(handshake.extensions[0]!), {
      version: 0x010501,
      flags: 0xbf,
      receiveLatencyMs: 120,
      sendLatencyMs: 0,
    })
    assert.equal(parseTextExtension(handshake.extensions[1]!), 'publish:cam')
    const written = renderHandshake(handshake, { destination: 0, timestamp: 0x3d68, peer: '127.0.0.1' })
    assert.equal(Buffer.from(written).toString('hex'), CONCLUSION)
    const conclusion = readConclusion(handshake)
    assert.ok(typeof conclusion !== 'number')
    assert.equal(conclusion.material?.keyLength, 16)
  })

  test('that is cut anywhere is read without its last extensions, or not at all', () => {
    const whole = bytesOf(CONCLUSION)
    for (let length = 0; length < whole.length; length++) {
      const handshake = parseHandshake(whole.subarray(0, length))
      if (length < 64) assert.equal(handshake, undefined)
      else assert.ok(handshake !== undefined && handshake.extensions.length < 3)
    }
  })
})

describe('a text extension', () => {
  for (const text of ['a', 'abcd', '#!::r=kanäle/eins,m=publish', 'x'.repeat(512)]) {
    test(`keeps ${text.slice(0, 30)}`, () => {
      assert.equal(parseTextExtension(renderTextExtension(EXTENSION.streamId, text)), text)
    })
  }

  test('longer than 512 bytes is refused in both directions', () => {
    assert.throws(() => renderTextExtension(EXTENSION.streamId, 'x'.repeat(513)), RangeError)
    assert.equal(parseTextExtension({ type: EXTENSION.streamId, body: new Uint8Array(516) }), undefined)
  })

  test('that is not UTF-8 is refused', () => {
    assert.equal(parseTextExtension({ type: EXTENSION.streamId, body: new Uint8Array(4).fill(0xff) }), undefined)
  })
})
