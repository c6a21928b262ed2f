import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { describeOptions, optionMeta } from './option-meta.js'
import { choice, count, duration, path, size, url } from './options.js'
import { visitOptions } from './visit-options.js'

test('meta is found behind every wrapper, and the outermost wins', () => {
  const inner = duration().meta({ description: 'inner', reload: 'live' })
  assert.deepEqual(optionMeta(inner.prefault('1s')), { description: 'inner', reload: 'live', unit: '' })
  assert.equal(optionMeta(inner.optional().nullable()).description, 'inner')
  assert.equal(optionMeta(inner.transform((ms) => ms / 1000).default(1)).description, 'inner')
  const outer = inner.default(5).meta({ description: 'outer' })
  assert.deepEqual(optionMeta(outer), { description: 'outer', reload: 'live', unit: '' })
  assert.deepEqual(optionMeta(z.string()), { description: '', reload: 'swap', unit: '' })
})

test('the rows of a schema have paths, kinds and defaults in YAML form', () => {
  const schema = z.strictObject({
    urls: z.array(url()).optional().meta({ description: 'Where from.', reload: 'source' }),
    start: choice('keyframe', 'now').prefault('keyframe').meta({ description: 'Where.' }),
    window: z
      .strictObject({
        duration: duration().default(90_000).meta({ description: 'Time.' }),
        size: size().prefault('64MiB').meta({ description: 'Bytes.', reload: 'swap' }),
      })
      .prefault({})
      .meta({ reload: 'live' }),
    max: count().meta({ description: 'How many.' }),
    title: z.string().default('').meta({ description: 'What.' }),
  })
  const rows = describeOptions(schema).map((row) => [row.path, row.kind, row.default, row.reload, row.required])
  assert.deepEqual(rows, [
    ['urls', 'list of url', undefined, 'source', false],
    ['start', 'keyframe | now', 'keyframe', 'swap', false],
    ['window.duration', 'duration', '90s', 'live', false],
    ['window.size', 'size', '64MiB', 'swap', false],
    ['max', 'count', undefined, 'swap', true],
    ['title', 'text', '', 'swap', false],
  ])
})

test('a visit reaches values, lists, unions, records and defaults', () => {
  const schema = z.strictObject({
    file: path().prefault('default.ts'),
    list: z.array(z.union([z.number(), z.strictObject({ at: path() })])).optional(),
    by: z.record(z.string(), path()).optional(),
    other: z.string().optional(),
  })
  const visit = (value: unknown): unknown =>
    visitOptions(schema, value, (kind, found) => (kind.name === 'path' ? `/x/${String(found)}` : found))
  assert.deepEqual(visit({}), { file: '/x/default.ts' })
  assert.deepEqual(visit({ file: 'a', list: [1, { at: 'b' }], by: { k: 'c' }, other: 'd' }), {
    file: '/x/a',
    list: [1, { at: '/x/b' }],
    by: { k: '/x/c' },
    other: 'd',
  })
})

test('a visit that changes nothing returns the same value', () => {
  const value = { a: { b: '1s' } }
  const schema = z.strictObject({ a: z.strictObject({ b: duration() }), c: duration().prefault('1s') })
  assert.equal(
    visitOptions(schema, value, (_, found) => found),
    value,
  )
})
