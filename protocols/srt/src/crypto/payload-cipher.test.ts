import assert from 'node:assert/strict'
import { createCipheriv, createHash } from 'node:crypto'
import { test } from 'node:test'
import { PayloadCipher } from './payload-cipher.js'

/** Bytes that are the same in each run. */
function bytesOf(seed: string, length: number): Uint8Array {
  const parts = Array.from({ length: Math.ceil(length / 32) }, (_, at) =>
    createHash('sha256').update(`${seed} ${at}`).digest(),
  )
  return Uint8Array.from(Buffer.concat(parts).subarray(0, length))
}

for (const keyBytes of [16, 24, 32]) {
  test(`a payload of any length and place is encrypted as by counter mode, with a key of ${keyBytes} bytes`, () => {
    const [key, salt] = [bytesOf('key', keyBytes), bytesOf('salt', 16)]
    const cipher = new PayloadCipher(key, salt)
    const memory = bytesOf('payload', 9000)
    for (const sequence of [0, 1, 255, 256, 0x0102_0304, 0x7fff_ffff]) {
      for (const length of [1, 3, 4, 15, 16, 17, 188, 1316, 1456, 1457, 8972]) {
        for (const offset of [0, 16, 17]) {
          const payload = memory.subarray(offset, offset + length)
          const before = payload.slice()
          const counter = salt.slice()
          counter.fill(0, 14)
          new DataView(counter.buffer).setUint32(10, new DataView(salt.buffer).getUint32(10) ^ sequence)
          const expected = createCipheriv(`aes-${keyBytes * 8}-ctr`, key, counter).update(payload)
          const encrypted = cipher.apply(payload, sequence)
          assert.deepEqual(Buffer.compare(encrypted, expected), 0, `${length} bytes at ${offset}, ${sequence}`)
          assert.deepEqual(payload, before, 'the payload stays as it is')
          assert.deepEqual(Buffer.compare(cipher.apply(encrypted, sequence), payload), 0)
        }
      }
    }
  })
}
