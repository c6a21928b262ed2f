import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Commands } from './contract.js'
import { z } from 'zod'
import type { Definition, NodeContext, Service } from './contract.js'
import { defineService, defineTransform } from './define.js'
import { duration } from './options.js'
import { CLOCK } from './tokens.js'

const service: Service = { [Symbol.asyncDispose]: () => Promise.resolve() }
const GOOD = {
  type: 'probe',
  summary: 'Looks.',
  options: z.strictObject({ every: duration().prefault('1s').meta({ description: 'How often.' }) }),
  examples: [],
  open: () => service,
}

test('open knows the types of its options and of its injections', () => {
  const defined = defineService({
    ...GOOD,
    inject: { clock: CLOCK },
    open(options$, context: NodeContext, { clock }) {
      const due: number = clock.nowMs() + options$.value.every
      context.log.debug(`due at ${due}`)
      return service
    },
  })
  const definition: Definition = defined
  assert.equal(definition.kind, 'service')
})

const HISTOGRAM = { name: 'a_seconds', kind: 'histogram', help: 'x', buckets: [0.1, 1] }
const described = { description: 'x' }
const REFUSED: readonly (readonly [name: string, change: Record<string, unknown>, message: RegExp])[] = [
  ['an option without description', { options: z.strictObject({ a: duration() }) }, /"probe".*"a" needs/],
  [
    'an option in a group without description',
    { options: z.strictObject({ g: z.strictObject({ a: duration().optional() }) }) },
    /"g\.a" needs/,
  ],
  ['a key of the engine', { options: z.strictObject({ batch: duration().meta(described) }) }, /"batch" is a key/],
  ['options that accept unknown keys', { options: z.object({}) }, /strictObject/],
  [
    'a group that accepts unknown keys',
    { options: z.strictObject({ g: z.object({}).meta(described) }) },
    /"g" must be z\.strictObject/,
  ],
  ['a bad type name', { type: 'Probe' }, /"Probe"/],
  ['no examples', { examples: undefined }, /examples/],
  ['a counter that does not end in _total', { metrics: [{ name: 'a', kind: 'counter', help: 'x' }] }, /_total/],
  ['a gauge that ends in _total', { metrics: [{ name: 'a_total', kind: 'gauge', help: 'x' }] }, /_total/],
  ['a metric name in capitals', { metrics: [{ name: 'Aa', kind: 'gauge', help: 'x' }] }, /valid name/],
  ['a metric with the prefix', { metrics: [{ name: 'millrace_a', kind: 'gauge', help: 'x' }] }, /prefix/],
  ['a histogram without buckets', { metrics: [{ ...HISTOGRAM, buckets: undefined }] }, /has buckets/],
  ['a histogram of no buckets', { metrics: [{ ...HISTOGRAM, buckets: [] }] }, /must be finite, and increase/],
  ['buckets that do not increase', { metrics: [{ ...HISTOGRAM, buckets: [1, 1] }] }, /must be finite, and increase/],
  ['an infinite bucket', { metrics: [{ ...HISTOGRAM, buckets: [1, Infinity] }] }, /must be finite, and increase/],
  ['a histogram with labels', { metrics: [{ ...HISTOGRAM, labels: ['pid'] }] }, /no labels/],
  ['a gauge with buckets', { metrics: [{ ...HISTOGRAM, kind: 'gauge' }] }, /has buckets/],
  ['a label of the engine', { metrics: [{ name: 'a', kind: 'gauge', help: 'x', labels: ['node'] }] }, /label/],
]

test('a histogram is declared with its buckets', () => {
  assert.ok(defineService({ ...GOOD, metrics: [{ ...HISTOGRAM, kind: 'histogram' }] }))
})

for (const [name, change, message] of REFUSED) {
  test(`${name} is refused when the definition is made`, () => {
    const definition = { ...GOOD, ...change } as typeof GOOD
    assert.throws(
      () => defineService(definition),
      (error) => error instanceof TypeError && message.test(error.message),
    )
  })
}

test('a transform needs ports with different names', () => {
  const make = (...names: readonly string[]): unknown =>
    defineTransform({
      ...GOOD,
      consumes: ['ts'],
      inlets: 'one',
      ports: names.map((name) => ({ name, kind: 'ts' })),
      open: () => ({ apply: () => ({}), [Symbol.asyncDispose]: () => Promise.resolve() }),
    })
  assert.ok(make('out', '720p'))
  assert.throws(() => make(), TypeError)
  assert.throws(() => make('out', 'out'), TypeError)
  assert.throws(() => make('a.b'), TypeError)
})

test('a command needs a name, a summary, a function, and an input of a strict object with descriptions', () => {
  const text = z.string().meta({ description: 'For tests.' })
  const good = { summary: 'For tests.', input: z.strictObject({ to: text }), run: () => null }
  const make = (commands: Readonly<Record<string, unknown>>): unknown =>
    defineService({
      type: 'commanded',
      summary: 'For tests.',
      options: z.strictObject({}),
      examples: [],
      commands: commands as Commands,
      open: () => ({ [Symbol.asyncDispose]: () => Promise.resolve() }),
    })
  assert.ok(make({ 'go-on': good }))
  for (const [commands, message] of [
    [{ Go: good }, /command "Go" has no valid name/],
    [{ go: { ...good, summary: '' } }, /needs a summary/],
    [{ go: { ...good, run: 7 } }, /needs run\(\)/],
    [{ go: { ...good, input: z.object({ to: text }) } }, /must be z\.strictObject/],
    [{ go: { ...good, input: text } }, /needs an input of z\.strictObject/],
    [{ go: { ...good, input: z.strictObject({ to: z.string() }) } }, /value "to" of command "go" needs/],
    [Object.fromEntries(Array.from({ length: 33 }, (_, n) => [`c${n}`, good])), /more than 32 commands/],
  ] as const) {
    assert.throws(() => make(commands), { name: 'TypeError', message })
  }
})
