import assert from 'node:assert/strict'
import { test } from 'node:test'
import { matchesTag, prefersGzip } from './content-negotiation.js'

const encodings: readonly [header: string | undefined, expected: boolean][] = [
  [undefined, false],
  ['', false],
  ['gzip', true],
  ['GZIP;Q=0.5', true],
  ['deflate, gzip;q=1.0, *;q=0.5', true],
  ['*', true],
  ['gzip;q=0', false],
  ['gzip;q=0, *', false],
  ['identity;q=1, *;q=0', false],
  ['identity, gzip;q=0.5', false],
  ['br', false],
  ['gzip;q=nonsense', false],
  [`${'x,'.repeat(5000)}gzip`, false],
]

for (const [header, expected] of encodings) {
  test(`Accept-Encoding "${(header ?? '(none)').slice(0, 40)}" ${expected ? 'prefers' : 'does not prefer'} gzip`, () => {
    assert.equal(prefersGzip(header), expected)
  })
}

test('If-None-Match knows lists, weak tags and any', () => {
  for (const header of ['"a"', 'W/"a"', '"b", "a"', '*']) assert.equal(matchesTag(header, '"a"'), true, header)
  for (const header of [undefined, '', 'a', '"b"', '"a-gzip"']) assert.equal(matchesTag(header, '"a"'), false, header)
})
