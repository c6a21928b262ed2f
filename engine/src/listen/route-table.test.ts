import assert from 'node:assert/strict'
import { posix } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeTarget, RefusedHead } from './request-head.js'
import { type Route, RouteTable } from './route-table.js'

interface Named {
  readonly path: string
  readonly isPrefix?: boolean
}

function route(place: Named, onTaken?: () => void): Route {
  return { ...place, respond: () => undefined, ...(onTaken === undefined ? {} : { onTaken }) }
}

function tableOf(...places: readonly Named[]): RouteTable {
  const table = new RouteTable('web')
  for (const place of places) table.claim(route(place))
  return table
}

/** The path of the route that a request reaches; a prefix ends in `*`. */
function found(table: RouteTable, target: string): string | undefined {
  const reached = table.find(decodeTarget('GET', target), target)
  return reached === undefined ? undefined : `${reached.path}${reached.isPrefix === true ? '*' : ''}`
}

const ROUTES: readonly Named[] = [
  { path: '/one' },
  { path: '/one/', isPrefix: true },
  { path: '/one/two/', isPrefix: true },
  { path: '/one/two/live.ts' },
  { path: '/a b/ü' },
]
const REQUESTS: readonly (readonly [target: string, reached: string | undefined])[] = [
  ['/', undefined],
  ['/one', '/one'],
  ['/one?x=/../y%2f', '/one'],
  ['/one-more', undefined],
  ['/one/', '/one/*'],
  ['/one/x', '/one/*'],
  ['/one/x/', '/one/*'],
  ['/one/x?y=/../%2f', '/one/*'],
  ['http://host/one/x', '/one/*'],
  ['/one/two', '/one/*'],
  ['/one/two/', '/one/two/*'],
  ['/one/two/x/y', '/one/two/*'],
  ['/one/two/live.ts', '/one/two/live.ts'],
  ['/%6fne/two/live%2Ets', '/one/two/live.ts'],
  ['/a%20b/%C3%BC', '/a b/ü'],
  ['/one/..', undefined],
  ['/one/../secret', undefined],
  ['/one/%2e%2E/secret', undefined],
  ['/one/./x', undefined],
  ['/one//x', undefined],
  ['/one/..%2fsecret', undefined],
  ['/one/x%2fy', undefined],
  ['/one/..%5csecret', undefined],
  ['/one/..\\secret', undefined],
  ['/one/...', '/one/*'],
  ['/one/%252e%252e/x', '/one/*'],
  ['/one/two%2Flive.ts', undefined],
  ['/one/two%5clive.ts', undefined],
  ['/one/two/live.ts?next=%2Fa', '/one/two/live.ts'],
]

for (const [target, reached] of REQUESTS) {
  test(`${target} reaches ${reached ?? 'nothing'}`, () => assert.equal(found(tableOf(...ROUTES), target), reached))
}

test('a claim of a taken path or prefix, or of an invalid path, changes nothing', () => {
  const table = tableOf(...ROUTES)
  for (const place of ROUTES) assert.throws(() => table.claim(route(place)), { code: 'LISTEN_PATH_TAKEN' })
  assert.throws(() => table.claim(route({ path: 'one' })), { code: 'LISTEN_BAD_PATH' })
  assert.throws(() => table.claim(route({ path: '/x', isPrefix: true })), { code: 'LISTEN_BAD_PATH' })
  for (const [target, reached] of REQUESTS) assert.equal(found(table, target), reached)
})

test('a route that yields is taken by a later claim of its path or of a prefix above it, once', () => {
  const table = tableOf()
  const taken: string[] = []
  const claims = ['/a/x', '/a/y', '/b'].map((path) => table.claim(route({ path }, () => taken.push(path))))
  table.claim(route({ path: '/b' }))
  table.claim(route({ path: '/a/', isPrefix: true }))
  assert.deepEqual(taken, ['/b', '/a/x', '/a/y'])
  for (const claim of claims) claim[Symbol.dispose]()
  assert.deepEqual(
    ['/a/x', '/b'].map((path) => found(table, path)),
    ['/a/*', '/b'],
  )
  for (const path of ['/a/x', '/b'])
    assert.throws(() => table.claim(route({ path }, () => undefined)), { code: 'LISTEN_PATH_TAKEN' })
})

test('a disposed claim frees its path, and only its own', () => {
  const table = tableOf()
  const first = table.claim(route({ path: '/a/', isPrefix: true }))
  first[Symbol.dispose]()
  assert.equal(found(table, '/a/x'), undefined)
  table.claim(route({ path: '/a/', isPrefix: true }))
  first[Symbol.dispose]()
  assert.equal(found(table, '/a/x'), '/a/*')
})

const segment = fc.constantFrom(
  'a',
  'b',
  '',
  '.',
  '..',
  'a.b',
  '%2e',
  '%2E%2e',
  'a%2Fb',
  '%5c',
  '\\',
  '%61',
  'ä',
  '%252e',
)
const target = fc
  .tuple(fc.array(segment, { maxLength: 5 }), fc.constantFrom('', '?a/../b%2f'))
  .map(([segments, query]) => `/${segments.join('/')}${query}`)
const places = fc.uniqueArray(
  fc.record({ segments: fc.array(fc.constantFrom('a', 'b'), { maxLength: 3 }), isPrefix: fc.boolean() }),
  { maxLength: 8, selector: ({ segments, isPrefix }) => `${segments.join('/')}${isPrefix}` },
)

test('any request reaches the exact route, else the longest prefix of its segments, and never leaves it', () => {
  fc.assert(
    fc.property(places, target, (wanted, asked) => {
      const named = wanted.map(({ segments, isPrefix }) => ({
        path: `/${segments.map((each) => `${each}/`).join('')}`.slice(0, isPrefix ? undefined : -1) || '/',
        isPrefix,
      }))
      const unique = [...new Map(named.map((place) => [`${place.path}${place.isPrefix}`, place])).values()]
      const reached = found(tableOf(...unique), asked)
      assert.equal(reached, expected(unique, asked))
      if (reached?.endsWith('*') !== true) return
      const path = decodeTarget('GET', asked)
      const prefix = reached.slice(0, -1)
      assert.ok(posix.resolve('/root', path.slice(prefix.length)).startsWith('/root'))
      assert.ok(posix.normalize(path).startsWith(prefix))
    }),
    { numRuns: Number(process.env['FUZZ_RUNS'] ?? 2000) },
  )
})

/** Segment by segment, each decoded on its own. */
function expected(routes: readonly Required<Named>[], asked: string): string | undefined {
  const raw = asked.split('?')[0] ?? ''
  const exact = routes.find(({ path, isPrefix }) => !isPrefix && path === decodeURIComponent(raw))
  if (exact !== undefined) return /%(?:2f|5c)/i.test(raw) ? undefined : exact.path
  const segments = raw.split('/').slice(1).map(decodeURIComponent)
  const isStrange = (text: string): boolean => /[/\\]/.test(text) || ['.', '..', ''].includes(text)
  if (segments.some((text, index) => isStrange(text) && !(text === '' && index === segments.length - 1)))
    return undefined
  const above = routes.filter(({ path, isPrefix }) => {
    const own = path.split('/').slice(1, -1)
    return isPrefix && own.length < segments.length && own.every((text, index) => text === segments[index])
  })
  const longest = above.sort((a, b) => b.path.length - a.path.length)[0]
  return longest === undefined ? undefined : `${longest.path}*`
}

test('any bytes are a path or a refused request', () => {
  const table = tableOf(...ROUTES)
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
      try {
        found(table, `/one/${text}`)
      } catch (error) {
        assert.ok(error instanceof RefusedHead)
      }
    }),
  )
})
