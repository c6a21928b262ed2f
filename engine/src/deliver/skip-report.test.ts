import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KeptLog } from '../listen/loopback.test.kit.js'
import { SkipReport } from './skip-report.js'

test('reports the viewer that was furthest behind, how far and where, and how often viewers skipped', () => {
  const report = new SkipReport()
  const { lines, log } = new KeptLog()
  report.flush(log, 'one/ts')
  report.add({ client: 'a:1', skippedBytes: 100, behindBytes: 150, heldBytes: 0 })
  report.flush(log, 'one/ts')
  report.add({ client: 'a:1', skippedBytes: 100, behindBytes: 300, heldBytes: 50 })
  report.add({ client: 'b:1', skippedBytes: 200, behindBytes: 250, heldBytes: 0 })
  report.flush(log, 'one/ts')
  report.flush(log, 'one/ts')
  assert.deepEqual(
    lines.map(({ text }) => text),
    [
      'slow viewer a:1 was 150 bytes behind, and skipped ahead',
      "slow viewer a:1 was 300 bytes behind, more than the kernel's buffers hold, and skipped ahead; it was the furthest behind of 2 skips",
    ],
  )
  const data = { node: 'one/ts', client: 'a:1', skippedBytes: 100, behindBytes: 300, heldBytes: 50, times: 2 }
  assert.deepEqual(lines[1]?.data, data)
})
