import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pushWarnings } from './push-warnings.js'
import { rtmpOutputOptions } from './rtmp-output-options.js'

function warningsOf(given: object, lingerMs?: number): string {
  const around = {
    address: undefined,
    listener: () => undefined,
    hasAuth: false,
    batchMs: 50,
    hasSourceTimes: false,
    lingerMs,
  }
  return pushWarnings(rtmpOutputOptions.parse(given), around).join()
}

test('a push of a pattern pipeline is warned of that has no key of the stream, or is held for longer than its stream', () => {
  const one = { mode: 'push', url: 'rtmp://live.example/app/key' }
  const each = { mode: 'push', url: 'rtmp://live.example/app/${stream}' }
  assert.equal(warningsOf({ ...one, holdFor: '30s' }), '')
  assert.match(warningsOf(one, 10_000), /^all streams are published under one name: put \$\{stream\} into "url"$/)
  assert.equal(warningsOf({ ...each, holdFor: '10s' }, 10_000), '')
  assert.match(
    warningsOf({ ...each, holdFor: '30s' }, 10_000),
    /^"holdFor" \(30000 ms\) is longer than "linger" .*10000 ms/,
  )
  assert.equal(warningsOf({ mode: 'serve', listener: 'rtmp', app: 'live' }, 10_000), '')
})
