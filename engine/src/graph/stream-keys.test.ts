import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { expressionProblem, KeyCheck } from './stream-keys.js'

describe('keys of published streams', () => {
  const REFUSED = [
    '',
    '.',
    '..',
    '.a',
    'a/b',
    'a\\b',
    '/a',
    'a b',
    'a\n',
    'a\0',
    'ä',
    'a?b',
    'a#b',
    '%2e',
    'x'.repeat(129),
    'y'.repeat(1024),
    '\ud800',
  ]
  const TAKEN = ['a', 'A.b_c-1', '-a', '_', 'a..b', '0', 'x'.repeat(128)]
  test('are letters, digits and . _ - by default', () => {
    const check = new KeyCheck({ streams: '*' })
    for (const key of REFUSED) assert.notEqual(check.problemOf(key), undefined, JSON.stringify(key))
    for (const key of TAKEN) assert.equal(check.problemOf(key), undefined, key)
  })

  test('never leave a path segment, however wide `keys` is', () => {
    const check = new KeyCheck({ streams: '*', keys: '.*' })
    assert.equal(check.problemOf('größe:1,2@x'), undefined)
    assert.match(check.problemOf('ö'.repeat(100)) ?? '', /bytes/)
    for (const key of REFUSED.filter((key) => key !== 'ä'))
      assert.notEqual(check.problemOf(key), undefined, JSON.stringify(key))
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (key) => {
        if (check.problemOf(key) !== undefined) return
        const url = new URL(`http://x/live/${encodeURIComponent(key)}/tail`)
        assert.equal(decodeURIComponent(url.pathname), `/live/${key}/tail`)
      }),
    )
  })

  test('must match the pattern of the input', () => {
    const check = new KeyCheck({ streams: 'cam-*-hd' })
    assert.deepEqual(
      ['cam-1-hd', 'cam--hd', 'cam-hd', 'cam-1'].map((key) => check.problemOf(key) === undefined),
      [true, true, false, false],
    )
    assert.equal(new KeyCheck({ streams: 'main' }).problemOf('other'), 'the key is not one of main')
  })

  test('have expressions without groups, and few quantifiers', () => {
    for (const good of ['[a-z]+', 'a|b|c', '\\d{4}-[\\w.-]*', '[()|]+', 'a{2}b{3}c{4}d{5}e*'])
      assert.equal(expressionProblem(good), undefined, good)
    for (const bad of ['', '(a+)+', 'a*a*a*a*', '(?=x)', '[', 'a)', 'x'.repeat(300), '[a-'])
      assert.notEqual(expressionProblem(bad), undefined, bad)
  })

  test('are compared in bounded time, whatever the expression', () => {
    const check = new KeyCheck({ streams: '*', keys: 'a*a*a*b' })
    const began = process.cpuUsage()
    check.problemOf('a'.repeat(128))
    const { user, system } = process.cpuUsage(began)
    assert.ok(user + system < 1_000_000, `${user + system} µs`)
  })
})
