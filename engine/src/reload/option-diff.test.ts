import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { SecretMask } from '../graph/secret-mask.js'
import { duration, secret, size, url } from '../plugin/options.js'
import { diffOptions } from './option-diff.js'
import { LONGEST_VALUE, OptionText } from './option-text.js'
import { ReloadClasses } from './reload-classes.js'

const about = { description: 'x' }
const schema = z.strictObject({
  plain: z.string().meta(about),
  hosts: z.array(z.string()).meta({ ...about, reload: 'live' }),
  group: z
    .strictObject({
      inherits: z.string().meta(about),
      own: z.string().meta({ ...about, reload: 'restart' }),
      deep: z.strictObject({ inherits: z.string().meta(about) }),
    })
    .meta({ reload: 'rebind' }),
  rungs: z.array(z.strictObject({ name: z.string().meta(about), gain: z.number().meta({ ...about, reload: 'live' }) })),
  users: z.record(z.string(), z.string()).meta({ ...about, reload: 'live' }),
  rooms: z
    .record(z.string(), z.strictObject({ size: z.number().meta({ ...about, reload: 'live' }) }))
    .meta({ ...about, reload: 'source' }),
  either: z
    .union([z.literal('off'), z.strictObject({ at: z.string().meta({ ...about, reload: 'restart' }) })])
    .meta({ ...about, reload: 'live' }),
})
const classes = new ReloadClasses(schema)

const diff = (before: unknown, after: unknown): readonly (readonly [path: string, reload: string])[] =>
  diffOptions(classes, before, after).map(({ path, reload }) => [path, reload] as const)

const ROWS: readonly {
  readonly name: string
  readonly before: unknown
  readonly after: unknown
  readonly found: readonly (readonly [path: string, reload: string])[]
}[] = [
  { name: 'nothing', before: { plain: 'a', hosts: ['x'] }, after: { plain: 'a', hosts: ['x'] }, found: [] },
  { name: 'no value and no key', before: { plain: undefined }, after: {}, found: [] },
  { name: 'the default class', before: { plain: 'a' }, after: { plain: 'b' }, found: [['plain', 'swap']] },
  { name: 'a list as a whole', before: { hosts: ['a'] }, after: { hosts: ['b', 'c'] }, found: [['hosts', 'live']] },
  {
    name: 'members of a group without a description',
    before: { group: { inherits: 'a', own: 'a', deep: { inherits: 'a' } } },
    after: { group: { inherits: 'b', own: 'b', deep: { inherits: 'b' } } },
    found: [
      ['group.inherits', 'rebind'],
      ['group.own', 'restart'],
      ['group.deep.inherits', 'rebind'],
    ],
  },
  {
    name: 'a group that did not exist, in its members',
    before: {},
    after: { group: { inherits: 'b' } },
    found: [['group.inherits', 'rebind']],
  },
  { name: 'an empty group', before: {}, after: { group: {} }, found: [['group', 'swap']] },
  {
    name: 'an element of a list of groups',
    before: { rungs: [{ name: 'a', gain: 1 }] },
    after: { rungs: [{ name: 'a', gain: 2 }] },
    found: [['rungs[0].gain', 'live']],
  },
  {
    name: 'an added element, in the class of the list',
    before: { rungs: [{ name: 'a', gain: 1 }] },
    after: {
      rungs: [
        { name: 'a', gain: 1 },
        { name: 'b', gain: 1 },
      ],
    },
    found: [['rungs', 'swap']],
  },
  {
    name: 'an entry of a map',
    before: { users: {} },
    after: { users: { anna: 'x' } },
    found: [['users.anna', 'live']],
  },
  {
    name: 'a group in a map',
    before: { rooms: { a: { size: 1 } } },
    after: { rooms: { a: { size: 2 } } },
    found: [['rooms.a.size', 'live']],
  },
  {
    name: 'an added group in a map, in the class of the map',
    before: { rooms: {} },
    after: { rooms: { a: { size: 2 } } },
    found: [['rooms.a', 'source']],
  },
  {
    name: 'another branch of a union, in the strongest class in it',
    before: { either: 'off' },
    after: { either: { at: 'x' } },
    found: [['either', 'restart']],
  },
  {
    name: 'an undeclared option, in the class of its group',
    before: { users: { anna: { hash: [1] } }, extra: 1 },
    after: { users: { anna: { hash: [2] } }, extra: 2 },
    found: [
      ['users.anna.hash', 'live'],
      ['extra', 'swap'],
    ],
  },
  {
    name: 'values that are not plain data',
    before: { plain: new Date(0) },
    after: { plain: new Date(1) },
    found: [['plain', 'swap']],
  },
  {
    name: 'equal values that are not plain data',
    before: { plain: new Date(0) },
    after: { plain: new Date(0) },
    found: [],
  },
  { name: 'options that are not a group', before: 1, after: 2, found: [['', 'swap']] },
]

test('differences are found where they are:', async (t) => {
  for (const { name, before, after, found } of ROWS) {
    await t.test(name, () => assert.deepEqual(diff(before, after), found))
  }
})

test('data that contains itself can be compared', () => {
  const endless = (end: number): object => {
    const value: { self?: unknown; end: number } = { end }
    value.self = value
    return { plain: value }
  }
  assert.deepEqual(diff(endless(1), endless(1)), [])
  assert.ok(diff(endless(1), endless(2)).length > 0)
})

test('values are written in YAML form, secrets of both graphs as ***', () => {
  const [old, next] = [new SecretMask(), new SecretMask()]
  old.add('hunter2')
  next.add('correcthorse', 'anna')
  const text = new OptionText([old, next])
  const options = z.strictObject({
    wait: duration().meta(about),
    sizes: z.array(size()).meta(about),
    url: url().meta(about),
    password: secret().meta(about),
    map: z.record(z.string(), z.string()).meta(about),
  })
  const write = (key: string, value: unknown): string | undefined => text.write(options, [key], value)
  assert.equal(write('wait', 60_000), '1m')
  assert.equal(write('sizes', [65_536, 188]), '[64KiB, 188B]')
  assert.equal(write('url', 'http://u:hunter2@a.example/correcthorse'), 'http://u:***@a.example/***')
  assert.equal(write('url', 'http://a.example/?of-this-service=unknown'), 'http://a.example/?of-this-service=***')
  assert.equal(write('password', 'never seen before'), '***')
  assert.equal(write('map', { a: 'hunter2', b: 'x' }), '{ a: ***, b: x }')
  assert.equal(write('map', {}), '{}')
  assert.equal(write('map', undefined), undefined)
})

test('a value is one line of at most 80 characters, and a secret is masked before it is cut', () => {
  const mask = new SecretMask()
  mask.add('s'.repeat(40))
  const text = new OptionText([mask])
  const long = text.write(schema, ['plain'], `${'a'.repeat(70)}${'s'.repeat(40)}`)
  assert.equal(long?.length, 73)
  const cut = text.write(schema, ['plain'], 'a\nb '.repeat(100))
  assert.equal(cut?.length, LONGEST_VALUE)
  assert.match(cut ?? '', /^[ab ]+\.\.\.$/)
  assert.doesNotMatch(text.plain('\u{1F4FA}'.repeat(50)), /\p{Surrogate}/u)
})

test('a value without a text form is shown as its type', () => {
  const text = new OptionText([])
  const hostile = { toString: 1, [Symbol.toPrimitive]: 1 }
  assert.equal(text.write(z.strictObject({ at: duration() }), ['at'], hostile), '(object)')
  assert.equal(typeof text.write(schema, ['plain'], () => 1), 'string')
})
