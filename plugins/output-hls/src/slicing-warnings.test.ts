import assert from 'node:assert/strict'
import { test } from 'node:test'
import { slicingWarnings } from './slicing-warnings.js'

test('what several origins need is warned of', () => {
  assert.deepEqual(slicingWarnings({ slicing: 'keyframe' }, false), [])
  for (const [hasSourceTimes, warnings] of [
    [true, [/numbers\.json.*balancer/]],
    [undefined, [/numbers\.json.*balancer/]],
    [false, [/numbers\.json.*balancer/, /"timeline: source"/]],
  ] as const) {
    const given = slicingWarnings({ slicing: 'aligned' }, hasSourceTimes)
    assert.equal(given.length, warnings.length)
    for (const [index, warning] of warnings.entries()) assert.match(given[index] ?? '', warning)
  }
})
