import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { z } from 'zod'
import { defineService } from '../../plugin/define.js'
import type { Resource } from '../../plugin/resource.js'
import { ResourceHolders } from './resource-holders.js'
import { readResources, renderResource, resourcesOverlap } from './resources.js'

const http = (path: string, prefix = false, listener = 'web'): Resource => ({ kind: 'http', listener, path, prefix })
const over = (path: string, prefix = false): Resource => ({ ...http(path, prefix), overPrefix: true }) as Resource
const udp = (address: string, shared = false): Resource => ({ kind: 'udp', address, shared })

const PAIRS: readonly (readonly [Resource, Resource, overlaps: boolean])[] = [
  [http('/a'), http('/a'), true],
  [http('/a'), http('/b'), false],
  [http('/a'), http('/a', false, 'api'), false],
  [http('/one/', true), http('/one/x/y.ts'), true],
  [http('/one/', true), http('/one/'), true],
  [http('/one/'), http('/one/x'), false],
  [http('/one/', true), http('/one'), false],
  [http('/one/', true), http('/one-more'), false],
  [http('/one/', true), http('/one/two/', true), true],
  [http('/one/', true), http('/two/', true), false],
  [http('/', true), http('/two/', true), true],
  [http('/one/', true), over('/one/a.jpg'), false],
  [http('/one/a.jpg'), over('/one/a.jpg'), true],
  [over('/one/a.jpg'), over('/one/a.jpg'), true],
  [http('/one/', true), over('/one/'), true],
  [http('/one/', true), over('/one/two/', true), true],
  [udp('0.0.0.0:5000'), udp('127.0.0.1:5000'), true],
  [udp('127.0.0.2:5000'), udp('127.0.0.1:5000'), false],
  [udp('127.0.0.1:5000'), udp('127.0.0.1:5001'), false],
  [udp('127.0.0.1:0'), udp('127.0.0.1:0'), false],
  [udp('0.0.0.0:5000'), { kind: 'tcp', address: '0.0.0.0:5000' }, false],
  [udp('239.1.1.1:5000', true), udp('239.1.1.1:5000', true), false],
  [udp('127.0.0.1:5000', true), udp('127.0.0.1:5000'), true],
  [{ kind: 'file', path: '/rec/a.ts' }, { kind: 'file', path: '/rec/./x/../a.ts' }, true],
  [{ kind: 'file', path: '/rec/a.ts' }, { kind: 'file', path: '/rec/b.ts' }, false],
  [{ kind: 'device', name: 'stdin' }, { kind: 'device', name: 'stdin' }, true],
  [{ kind: 'device', name: '/a' }, { kind: 'file', path: '/a' }, false],
]

const name = (resource: Resource): string =>
  `${'overPrefix' in resource ? 'over prefixes, ' : ''}${'shared' in resource && resource.shared === true ? 'shared ' : ''}${renderResource(resource)}`

for (const [a, b, overlaps] of PAIRS) {
  test(`${name(a)} ${overlaps ? 'overlaps' : 'does not overlap'} ${name(b)}`, () => {
    assert.equal(resourcesOverlap(a, b), overlaps)
    assert.equal(resourcesOverlap(b, a), overlaps)
    const holders = new ResourceHolders<string>()
    holders.add(a, 'first')
    assert.deepEqual(holders.of(b), overlaps ? ['first'] : [])
  })
}

test('the index finds the holders of all overlapping resources, and no others', () => {
  const path = fc
    .tuple(fc.array(fc.constantFrom('a', 'b', 'ab'), { maxLength: 3 }), fc.boolean())
    .map(([parts, isFolder]) => `/${parts.join('/')}${isFolder && parts.length > 0 ? '/' : ''}`)
  const resource = fc.tuple(path, fc.boolean(), fc.constantFrom('web', 'api')).map(([at, prefix, listener]) =>
    // A prefix ends with a slash.
    http(at, prefix && at.endsWith('/'), listener),
  )
  fc.assert(
    fc.property(fc.array(resource, { maxLength: 20 }), resource, (held, asked) => {
      const holders = new ResourceHolders<number>()
      for (const [index, each] of held.entries()) holders.add(each, index)
      const expected = held.flatMap((each, index) => (resourcesOverlap(each, asked) ? [index] : []))
      assert.deepEqual(
        [...holders.of(asked)].sort((a, b) => a - b),
        expected,
      )
    }),
    { numRuns: 1000 },
  )
})

test('the resources of a node are checked: a plugin in JavaScript can return anything', () => {
  const read = (returned: unknown): readonly Resource[] =>
    readResources({
      definition: defineService({
        type: 'any',
        summary: 'Needs something.',
        options: z.strictObject({}),
        examples: [],
        exclusive: () => [returned] as readonly Resource[],
        open: () => ({ [Symbol.asyncDispose]: () => Promise.resolve() }),
      }),
      options: {},
    })
  const noSlash = { kind: 'http', listener: 'web', path: '/a', prefix: true }
  for (const wrong of [
    'stdin',
    null,
    {},
    noSlash,
    { kind: 'http', path: '/a' },
    { kind: 'file' },
    { kind: 'ftp', path: '/a' },
  ])
    assert.throws(() => read(wrong), /is not a resource/)
  assert.throws(() => read(udp('nowhere')), { code: 'LISTEN_BAD_ADDRESS' })
  assert.deepEqual(read(udp('0.0.0.0:1')), [udp('0.0.0.0:1')])
})
