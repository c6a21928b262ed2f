import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseRange } from './byte-range.js'

const cases: readonly [header: string | undefined, length: number, expected: ReturnType<typeof parseRange>][] = [
  [undefined, 100, undefined],
  ['bytes=0-99', 100, { from: 0, to: 100 }],
  ['bytes=10-', 100, { from: 10, to: 100 }],
  ['bytes=-10', 100, { from: 90, to: 100 }],
  ['bytes=-1000', 100, { from: 0, to: 100 }],
  ['bytes=99-1000', 100, { from: 99, to: 100 }],
  ['bytes=100-', 100, 'unsatisfiable'],
  ['bytes=-0', 100, 'unsatisfiable'],
  ['bytes=0-', 0, 'unsatisfiable'],
  ['bytes=5-4', 100, undefined],
  ['bytes=-', 100, undefined],
  ['bytes=0-1,3-4', 100, undefined],
  ['bytes=9999999999999999-', 100, undefined],
  ['items=0-1', 100, undefined],
]

for (const [header, length, expected] of cases) {
  test(`Range "${header ?? ''}" of ${length} bytes`, () => assert.deepEqual(parseRange(header, length), expected))
}

test('whatever is asked, a range lies inside', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.stringMatching(/^bytes=\d{0,5}-\d{0,5}$/)),
      fc.nat(70_000),
      (header, length) => {
        const range = parseRange(header, length)
        if (range === undefined || range === 'unsatisfiable') return
        assert.ok(range.from >= 0 && range.from < range.to && range.to <= length)
      },
    ),
  )
})
