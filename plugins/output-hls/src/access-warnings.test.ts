import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accessWarnings } from './access-warnings.js'
import { options } from './options.js'

test('options that guard less than they seem to are warned of', () => {
  const base = { listener: 'web', path: '/one/index.m3u8' }
  const rows: readonly (readonly [given: object, warning: RegExp | undefined])[] = [
    [{}, undefined],
    [{ cdn: true }, undefined],
    [{ auth: 'viewers' }, undefined],
    [{ auth: 'viewers', redirect: false }, undefined],
    [{ redirect: false }, /"redirect" has no effect/],
    [{ encryption: {} }, /everybody gets the keys/],
    [{ auth: 'viewers', encryption: {} }, undefined],
    [{ auth: 'viewers', cdn: true }, /segments need no credentials.*add "encryption"/],
    [{ auth: 'viewers', cdn: true, encryption: { keyRotation: 0 } }, /encrypted segments need no credentials/],
  ]
  for (const [given, warning] of rows) {
    const warnings = accessWarnings(options.parse({ ...base, ...given }))
    assert.equal(warnings.length, warning === undefined ? 0 : 1, JSON.stringify(given))
    if (warning !== undefined) assert.match(warnings[0] ?? '', warning)
  }
})
