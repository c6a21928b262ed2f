import assert from 'node:assert/strict'
import { test } from 'node:test'
import { whyChanged } from './plan-reasons.js'
import { upstream } from './planned-graph.test.kit.js'

test('the plan says that streams end when an input takes other keys', () => {
  const why = (path: string): string =>
    whyChanged('live', upstream, [{ path, reload: 'live', before: 'cam-*', after: 'tv-*' }])
  assert.match(why('streams'), /streams whose keys it no longer takes end/)
  assert.match(why('keys'), /streams whose keys it no longer takes end/)
  assert.equal(why('linger'), 'takes effect at once; nothing is interrupted')
})
