import assert from 'node:assert/strict'
import { test } from 'node:test'
import { namingWarnings } from './naming-warnings.js'

test('a granularity that no name has is warned of', () => {
  assert.match(namingWarnings({ naming: 'sequence', granularity: 90_000 })[0] ?? '', /"granularity" has no effect/)
  for (const naming of ['timestamp', 'system'] as const) {
    assert.deepEqual(namingWarnings({ naming, granularity: 90_000 }), [])
  }
  assert.deepEqual(namingWarnings({ naming: 'sequence', granularity: 1 }), [])
})
