import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { z } from 'zod'
import type { Definition, Port } from './contract.js'
import { defineTransform } from './define.js'
import { describeDefinition } from './manifest.js'
import { readPorts } from './ports.js'

const options = z.strictObject({
  heights: z.array(z.number()).default([720]).meta({ description: 'For tests.' }),
  gain: z.number().default(0).meta({ description: 'For tests.', reload: 'live' }),
  rungs: z
    .record(
      z.string(),
      z.strictObject({
        kind: z.string().default('ts').meta({ description: 'For tests.' }),
        label: z.string().default('').meta({ description: 'For tests.', reload: 'live' }),
      }),
    )
    .readonly()
    .default({})
    .meta({ description: 'For tests.' }),
})
type Given = z.output<typeof options>

function encoder(ports: (options: Given) => readonly Port[]): Definition {
  return defineTransform({
    type: 'encoder',
    summary: 'For tests.',
    consumes: ['ts'],
    inlets: 'one',
    options,
    ports,
    examples: [],
    open: () => ({ apply: () => ({}), [Symbol.asyncDispose]: () => Promise.resolve() }),
  })
}

const read = (ports: (given: Given) => unknown, given: object = {}): unknown =>
  readPorts(encoder(ports as (given: Given) => readonly Port[]), options.parse(given))

describe('ports by options', () => {
  test('are a plain copy of what the function returns', () => {
    const made = [{ name: '720p', kind: 'bytes', more: 1 }]
    assert.deepEqual(
      read(() => made),
      [{ name: '720p', kind: 'bytes' }],
    )
    const ports = read(({ heights }) => heights.map((height) => ({ name: `${height}p`, kind: 'ts' })), {
      heights: [720, 360],
    })
    assert.deepEqual(ports, [
      { name: '720p', kind: 'ts' },
      { name: '360p', kind: 'ts' },
    ])
  })

  test('are not known without options, and the function is not called', () => {
    const never = encoder(() => assert.fail('it is called'))
    assert.equal(readPorts(never, undefined), undefined)
    assert.equal(describeDefinition(never).ports, 'by options')
  })

  const WRONG: readonly (readonly [name: string, ports: (given: Given) => unknown, message: RegExp])[] = [
    ['a function that throws', () => assert.fail('no rungs'), /^no rungs$/],
    ['no list', () => 'out', /string is not a list of ports/],
    ['a promise', () => Promise.resolve([]), /object is not a list/],
    ['no port', () => [], /no ports/],
    [
      '1000 ports',
      () => Array.from({ length: 1000 }, (_, n) => ({ name: `p${n}`, kind: 'ts' })),
      /1000 ports are more/,
    ],
    ['a port twice', () => [1, 2].map(() => ({ name: 'a', kind: 'ts' })), /port "a" is declared twice/],
    ['a dot in a name', () => [{ name: 'a.b', kind: 'ts' }], /port "a\.b" has no valid name/],
    ['a name of 1 KB', () => [{ name: 'a'.repeat(1024), kind: 'ts' }], /no valid name/],
    ['a name that is no text', () => [{ name: 7, kind: 'ts' }], /port 7 has no valid name/],
    ['nothing', () => [null], /port undefined has no valid name/],
    ['another kind', () => [{ name: 'a', kind: 'mkv' }], /port "a" has no kind \(ts, gop, bytes\)/],
    [
      'what depends on a live option',
      ({ gain }) => [{ name: `g${gain}`, kind: 'ts' }],
      /reads option "gain", which is live/,
    ],
  ]
  for (const [name, ports, message] of WRONG) {
    test(`refuse ${name}`, () => {
      assert.throws(() => read(ports), { name: 'TypeError', message })
    })
  }

  test('may read entries of a map, but not what is live in them', () => {
    const given = { rungs: { hd: {}, sd: {} } }
    const fixed = ({ rungs }: Given): unknown => Object.entries(rungs).map(([name, { kind }]) => ({ name, kind }))
    assert.equal((read(fixed, given) as readonly Port[]).length, 2)
    const live = ({ rungs }: Given): unknown =>
      Object.entries(rungs).map(([name, { label }]) => ({ name: name + label, kind: 'ts' }))
    assert.throws(() => read(live, given), /reads option "rungs\.\*\.label"/)
  })

  test('that a definition lists are checked when it is defined', () => {
    const define = (ports: unknown): unknown =>
      defineTransform({ ...(encoder(() => []) as ReturnType<typeof defineTransform>), ports: ports as readonly Port[] })
    assert.throws(
      () =>
        define([
          { name: 'a', kind: 'ts' },
          { name: 'a', kind: 'ts' },
        ]),
      /declared twice/,
    )
    assert.throws(() => define([]), /no ports/)
  })
})
