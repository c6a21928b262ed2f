import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lengthWarnings } from './length-warnings.js'
import { options } from './options.js'

test('lengths that the playlists cannot have are warned of', () => {
  const base = { listener: 'web', path: '/one/index.m3u8' }
  const rows: readonly (readonly [given: object, warning: RegExp | undefined])[] = [
    [{}, undefined],
    [{ window: '9s' }, undefined],
    [{ window: '8s' }, /three target durations: the playlists have 9s/],
    [{ window: '11s', slicing: 'aligned' }, /have 12s/],
    [{ window: '20s', targetDuration: '8s' }, /have 24s/],
    [{ dvr: '30s' }, /"dvr" is not longer/],
    [{ dvr: '61s' }, undefined],
    [{ dvr: '5h' }, /"memory" holds all of "dvr" up to 119 kb\/s of all renditions/],
    [{ dvr: '5h', store: { path: 'hls' } }, undefined],
    [{ dvr: '5h', memory: '8GiB' }, undefined],
    [{ dvr: '10m' }, undefined],
  ]
  for (const [given, warning] of rows) {
    const warnings = lengthWarnings(options.parse({ ...base, ...given }))
    assert.equal(warnings.length, warning === undefined ? 0 : 1, JSON.stringify(given))
    if (warning !== undefined) assert.match(warnings[0] ?? '', warning)
  }
})
