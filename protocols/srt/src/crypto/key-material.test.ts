import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { LIBSRT, bytesOf } from './crypto.test.kit.js'
import { deriveKek, deriveKekSync, parseKeyMaterial, renderKeyMaterial, unwrapKeys, wrapKeys } from './key-material.js'
import { PayloadCipher } from './payload-cipher.js'

describe('key material', () => {
  test('of libsrt is unwrapped with its passphrase, and decrypts its data', () => {
    const material = parseKeyMaterial(bytesOf(LIBSRT.material))
    assert.ok(typeof material !== 'string')
    const keys = unwrapKeys(material, deriveKekSync(LIBSRT.passphrase, material.salt, material.keyLength))
    assert.ok(keys?.even !== undefined && keys.odd === undefined)
    const plain = new PayloadCipher(keys.even, material.salt).apply(bytesOf(LIBSRT.encrypted), LIBSRT.sequence)
    assert.equal(Buffer.from(plain).toString(), LIBSRT.plain)
    assert.equal(Buffer.from(renderKeyMaterial(material)).toString('hex'), LIBSRT.material)
  })

  test('is not unwrapped with another passphrase, or for another key length', async () => {
    const material = parseKeyMaterial(bytesOf(LIBSRT.material))
    assert.ok(typeof material !== 'string')
    assert.equal(unwrapKeys(material, deriveKekSync('wrong passphrase', material.salt, 16)), undefined)
    assert.equal(unwrapKeys(material, await deriveKek(LIBSRT.passphrase, material.salt, 32)), undefined)
  })

  for (const keyLength of [16, 24, 32] as const) {
    for (const slots of [['even'], ['odd'], ['even', 'odd']] as const) {
      test(`wraps the ${slots.join(' and the ')} key of ${keyLength} bytes, and unwraps it`, () => {
        const salt = new Uint8Array(16).fill(7)
        const kek = deriveKekSync('some passphrase', salt, keyLength)
        const keys = Object.fromEntries(slots.map((slot, at) => [slot, new Uint8Array(keyLength).fill(at + 1)]))
        const material = parseKeyMaterial(renderKeyMaterial(wrapKeys(keys, salt, kek)))
        assert.ok(typeof material !== 'string')
        const found = unwrapKeys(material, kek)
        for (const slot of ['even', 'odd'] as const)
          assert.deepEqual(found?.[slot] && [...found[slot]], keys[slot] && [...keys[slot]])
      })
    }
  }

  test('that asks for AES-GCM is refused by name, other ciphers and lengths as damaged', () => {
    const changed = (at: number, value: number) => {
      const message = bytesOf(LIBSRT.material)
      message[at] = value
      return parseKeyMaterial(message)
    }
    assert.equal(changed(8, 4), 'gcm')
    for (const [at, value] of [
      ...[
        [0, 0x13],
        [1, 0],
        [3, 0],
        [3, 3],
        [8, 3],
        [10, 1],
        [14, 0],
        [14, 5],
        [15, 0],
        [15, 5],
        [15, 8],
        [15, 255],
      ],
    ] as [number, number][])
      assert.equal(changed(at, value), 'damaged', `${at} ${value}`)
    for (let length = 0; length < 56; length++)
      assert.equal(parseKeyMaterial(bytesOf(LIBSRT.material).subarray(0, length)), 'damaged')
  })
})
