import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import {
  address,
  choice,
  count,
  duration,
  eventRate,
  flag,
  path,
  programArgument,
  rate,
  secret,
  size,
  url,
} from './options.js'

const NO = Symbol('refused')

const ROWS: readonly (readonly [name: string, schema: z.ZodType, given: unknown, expected: unknown])[] = [
  ['duration', duration(), '500ms', 500],
  ['duration', duration(), '2s', 2000],
  ['duration', duration(), '1.5s', 1500],
  ['duration', duration(), '1.1m', 66_000],
  ['duration', duration(), '1h', 3_600_000],
  ['duration', duration(), 0, 0],
  ['duration', duration(), 5, NO],
  ['duration', duration(), '5', NO],
  ['duration', duration(), '0.5ms', NO],
  ['duration', duration(), '600h', NO],
  ['duration', duration(), '', NO],
  ['duration', duration(), undefined, NO],
  ['duration', duration({ min: 1000 }), '999ms', NO],
  ['size', size(), '188B', 188],
  ['size', size(), '64KiB', 65_536],
  ['size', size(), '32MiB', 33_554_432],
  ['size', size(), '64KB', NO],
  ['size', size({ max: 1024 }), '1025B', NO],
  ['rate', rate(), '4Mb/s', 4_000_000],
  ['rate', rate(), '800kb/s', 800_000],
  ['rate', rate(), '4MB/s', NO],
  ['eventRate', eventRate(), '20/s', 20],
  ['eventRate', eventRate(), '30/m', 0.5],
  ['count', count(), 5, 5],
  ['count', count(), '5', 5],
  ['count', count(), '', NO],
  ['count', count(), '0x5', NO],
  ['count', count(), 1.5, NO],
  ['count', count(), -1, NO],
  ['count', count({ min: -2 }), '-1', -1],
  ['flag', flag(), true, true],
  ['flag', flag(), 'false', false],
  ['flag', flag(), 'yes', NO],
  ['flag', flag(), '', NO],
  ['url', url(), 'http://a/b', 'http://a/b'],
  ['url', url({ schemes: ['https'] }), 'http://a/b', NO],
  ['url', url(), '', NO],
  ['path', path(), 'a/b', 'a/b'],
  ['path', path(), '', NO],
  ['path', path(), 5, NO],
  ['secret', secret(), '', NO],
  ['programArgument', programArgument(), 'a b', 'a b'],
  ['programArgument', programArgument(), '', ''],
  ['programArgument', programArgument(), 48_000, '48000'],
  ['programArgument', programArgument(), 1.5, NO],
  ['programArgument', programArgument(), true, NO],
  ['programArgument', programArgument(), null, NO],
  ['programArgument', programArgument(), 'a\0b', NO],
  ['choice', choice('keyframe', 'now'), 'now', 'now'],
  ['choice', choice('keyframe', 'now'), 'no', NO],
  ['choice', choice('none', 'null'), null, 'null'],
  ['choice', choice('none', 'auto'), null, NO],
  ['address', address(), '0.0.0.0:8000', '0.0.0.0:8000'],
  ['address', address(), '[::]:0', '[::]:0'],
  ['address', address(), '::1:80', NO],
  ['address', address(), 'localhost', NO],
  ['address', address(), 'localhost:65536', NO],
  ['address', address(), 'local/host:80', NO],
  ['address', address(), '[fe80::1%eth0]:80', '[fe80::1%eth0]:80'],
  ['address', address(), '[fe80::1%a:b]:80', NO],
  ['address', address(), 'localhost:80', 'localhost:80'],
  ['address', address(), 'my_host.example.:80', 'my_host.example.:80'],
  ['address', address(), '*:8000', NO],
  ['address', address(), '+:8000', NO],
  ['address', address(), ':8000', NO],
  ['address', address(), '[*]:8000', NO],
  ['address', address(), '*', NO],
  ['address', address(), '8000', NO],
  ['address', address(), 8000, NO],
  ['address', address(), '256.0.0.1:80', NO],
  ['address', address(), '1.2.3:80', NO],
  ['address', address(), 'http://a:80', NO],
  ['address', address(), '-a:80', NO],
  ['address', address(), null, NO],
]

for (const [name, schema, given, expected] of ROWS) {
  test(`${name} ${expected === NO ? 'refuses' : 'reads'} ${JSON.stringify(given)}`, () => {
    const result = schema.safeParse(given)
    if (expected !== NO) assert.deepEqual(result, { success: true, data: expected })
    else assert.ok(!result.success && result.error.issues.length === 1)
  })
}

test('defaults are declared in YAML form', () => {
  const schema = z.strictObject({ wait: duration().prefault('10s'), start: choice('keyframe', 'now').default('now') })
  assert.deepEqual(schema.parse({}), { wait: 10_000, start: 'now' })
})

test('the JSON Schema preserves description and default, and allows an interpolation', () => {
  const schema = z.strictObject({
    wait: duration().meta({ description: 'How long.' }).prefault('10s'),
    start: choice('keyframe', 'now').prefault('keyframe').meta({ description: 'Where.' }),
    max: count({ max: 9 }).meta({ description: 'How many.' }),
  })
  const json = z.toJSONSchema(schema, { io: 'input', target: 'draft-07' })
  assert.deepEqual(json.required, ['max'])
  const { wait, start, max } = json.properties as Record<string, Record<string, unknown>>
  assert.equal(wait?.['description'], 'How long.')
  assert.equal(wait?.['default'], '10s')
  for (const property of [wait, start, max]) {
    const forms = property?.['anyOf'] as readonly { readonly pattern?: string }[]
    const patterns = forms.flatMap(({ pattern }) => (pattern === undefined ? [] : [new RegExp(pattern)]))
    assert.ok(patterns.some((pattern) => pattern.test('${NAME}')))
    assert.ok(patterns.every((pattern) => !pattern.test('nonsense')))
  }
})
