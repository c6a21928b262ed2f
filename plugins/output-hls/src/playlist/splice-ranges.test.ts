import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SpliceRanges } from './splice-ranges.js'

test('a splice is cut at once, not again when the 33-bit clock comes by a day later', () => {
  const ranges = new SpliceRanges()
  const info = { command: 'time', pts90k: 900_000, insert: undefined, segmentations: [] } as const
  assert.equal(ranges.hear({ info, section: new Uint8Array(20) }, 450_000), true)
  assert.ok((ranges.ticksAfter(450_000) ?? 0) > 0)
  const hour = 3600 * 90_000
  for (let hours = 1; hours <= 14; hours++) ranges.settle({ start90k: hours * hour, dateMs: hours * 3_600_000 }, 0)
  assert.equal(ranges.ticksAfter(14 * hour), undefined)
})
