import assert from 'node:assert/strict'
import { test } from 'node:test'
import { publishWarnings } from './publish-warnings.js'
import { srtOptions } from './srt-options.js'

test('an input that everybody beyond this machine can publish to is warned of', () => {
  const warned = (given: object, options: object, isLoopback = false, hasAuth = false): boolean => {
    const listener = (name: string) => (name === 'srt' ? { isLoopback, options } : undefined)
    const around = { listener, hasAuth, batchMs: 20, lingerMs: undefined, hasSourceTimes: false, address: undefined }
    return publishWarnings(srtOptions.parse(given), around).length > 0
  }
  const passphrase = 'ten-characters'
  assert.equal(warned({ listener: 'srt' }, {}), true)
  assert.equal(warned({ listener: 'srt' }, {}, true), false)
  assert.equal(warned({ listener: 'srt' }, {}, false, true), false)
  assert.equal(warned({ listener: 'srt', passphrase }, {}), false)
  assert.equal(warned({ listener: 'srt' }, { passphrase }), false)
  assert.equal(warned({ mode: 'caller', address: 'a.example:1' }, {}), false)
})
