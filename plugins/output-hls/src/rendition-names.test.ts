import assert from 'node:assert/strict'
import { test } from 'node:test'
import { renditionNames } from './rendition-names.js'

test('renditions are named after ports, after nodes where ports say nothing, and never alike', () => {
  assert.deepEqual(renditionNames(['one/gops.out']), ['main'])
  assert.deepEqual(renditionNames(['one/enc.240p', 'one/enc.720p']), ['240p', '720p'])
  assert.deepEqual(renditionNames(['one/low.out', 'one/high.out']), ['low', 'high'])
  assert.deepEqual(renditionNames(['one/a.720p', 'one/b.720p']), ['a-720p', 'b-720p'])
  assert.deepEqual(renditionNames(['one@x.y/a.720p', 'one@x.y/b.240p']), ['720p', '240p'])
})
