import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keepStreams } from './cli-streams.test.kit.js'
import { piped } from './piped.test.kit.js'
import { readSecret, type SecretInput } from './read-secret.js'

test('a terminal shows nothing of what is typed', async () => {
  const modes: boolean[] = []
  const terminal = (keys: string): SecretInput =>
    Object.assign(piped(keys), { isTTY: true, setRawMode: (raw: boolean) => modes.push(raw) })
  const streams = keepStreams()
  assert.equal(await readSecret(terminal('sx\u007fecret\rmore'), streams.err, 'password: '), 'secret')
  assert.equal(streams.errText(), 'password: \n')
  assert.deepEqual(modes, [true, false])
  assert.equal(await readSecret(terminal('se\u0003'), streams.err, ''), undefined)
})
