import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { WarningContext } from '@millrace/engine/plugin'
import { sendWarnings } from './send-warnings.js'
import { srtOutputOptions } from './srt-output-options.js'

function warningsOf(
  given: object,
  maxLatency: number,
  batchMs: number,
  latency = 120,
  lingerMs?: number,
): readonly string[] {
  const around: WarningContext = {
    listener: (name) => (name === 'srt' ? { isLoopback: true, options: { maxLatency, latency } } : undefined),
    ...{ hasAuth: false, batchMs, hasSourceTimes: false, address: undefined, lingerMs },
  }
  return sendWarnings(srtOutputOptions.parse(given), around)
}

test('batches over 20 ms, and a window that is shorter than latencies may be, are warned of', () => {
  assert.deepEqual(warningsOf({ listener: 'srt' }, 8000, 20), [])
  assert.match(warningsOf({ listener: 'srt' }, 8000, 50).join(), /batches of 50 ms/)
  assert.match(warningsOf({ listener: 'srt', window: { duration: '2s' } }, 8000, 20).join(), /2000 ms.*8000 ms/)
  assert.match(warningsOf({ listener: 'srt' }, 20_000, 20).join(), /10000 ms.*20000 ms/)
  assert.match(warningsOf({ listener: 'srt', latency: '20s' }, 8000, 20).join(), /10000 ms.*"latency" \(20000 ms/)
  assert.match(warningsOf({ listener: 'srt' }, 8000, 20, 20_000).join(), /10000 ms.*"latency" \(20000 ms/)
  assert.deepEqual(warningsOf({ listener: 'srt', latency: '1s' }, 8000, 20, 20_000), [])
  assert.deepEqual(warningsOf({ listener: 'other' }, 20_000, 20), [])
  assert.match(warningsOf({ mode: 'caller', address: 'a.example:1' }, 20_000, 50).join(), /^its inputs have batches/)
})

test('a push of a pattern pipeline is warned of that has no key of the stream, or is held for longer than its stream', () => {
  const pushed = (given: object, lingerMs?: number): string =>
    warningsOf({ mode: 'caller', address: 'a.example:1', ...given }, 8000, 20, 120, lingerMs).join()
  assert.equal(pushed({ holdFor: '30s' }), '')
  assert.match(pushed({}, 10_000), /^all streams are published to one receiver: put \$\{stream\} into "streamId"/)
  const named = { streamId: '#!::r=${stream},m=publish' }
  assert.equal(pushed({ ...named, holdFor: '10s' }, 10_000), '')
  assert.match(
    pushed({ ...named, holdFor: '30s' }, 10_000),
    /^"holdFor" \(30000 ms\) is longer than "linger" .*10000 ms/,
  )
})
