import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isPassword, parsePasswordHash } from '../../access/password-hash.js'
import { keepStreams } from '../cli-streams.test.kit.js'
import { piped } from '../piped.test.kit.js'
import { hashVerb } from './hash.js'

test('a line from a pipe becomes a hash that fits it', async () => {
  const streams = keepStreams()
  assert.equal(await hashVerb.run({ streams, input: () => piped('se ', 'cret\n') }), 0)
  const hash = parsePasswordHash(streams.outText().trim())
  assert.ok(hash !== undefined)
  assert.equal(await isPassword('se cret', hash), true)
})

test('input that is not a password makes no hash', async () => {
  for (const parts of [[''], ['\n'], ['a\nb\n'], ['a'.repeat(5000)], [Uint8Array.of(0xff)]]) {
    const streams = keepStreams()
    assert.equal(await hashVerb.run({ streams, input: () => piped(...parts) }), 2)
    assert.equal(streams.outText(), '')
  }
})
