import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KeptLog } from '../listen/loopback.test.kit.js'
import { SkipReport } from './skip-report.js'

test('tells of the viewer that was furthest behind, how far, where, and how often', () => {
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
      "slow viewer a:1 was 300 bytes behind and beyond the kernel's buffers, and skipped ahead, the furthest of 2 skips",
    ],
  )
  const data = { node: 'one/ts', client: 'a:1', skippedBytes: 100, behindBytes: 300, heldBytes: 50, times: 2 }
  assert.deepEqual(lines[1]?.data, data)
})
