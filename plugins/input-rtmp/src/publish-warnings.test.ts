import assert from 'node:assert/strict'
import { test } from 'node:test'
import { publishWarnings } from './publish-warnings.js'
import { rtmpOptions } from './rtmp-options.js'

test('an input that everybody beyond this machine can publish to is warned of', () => {
  const warned = (given: object, isLoopback = false, hasAuth = false): boolean => {
    const listener = (name: string) => (name === 'rtmp' ? { isLoopback, options: {} } : undefined)
    const around = { listener, hasAuth, batchMs: 20, lingerMs: undefined, hasSourceTimes: false, address: undefined }
    return publishWarnings(rtmpOptions.parse(given), around).length > 0
  }
  const listening = { listener: 'rtmp', app: 'live' }
  assert.equal(warned(listening), true)
  assert.equal(warned(listening, true), false)
  assert.equal(warned(listening, false, true), false)
  assert.equal(warned({ mode: 'pull', url: 'rtmp://host/app/name' }), false)
})
