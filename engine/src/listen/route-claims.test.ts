import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RouteClaims } from './route-claims.js'
import { type Route, RouteTable } from './route-table.js'

const NAMES = new WeakMap<Route, string>()

function route(path: string, name: string, onTaken?: () => void): Route {
  const made = {
    path,
    isPrefix: path.endsWith('/'),
    respond: () => undefined,
    ...(onTaken === undefined ? {} : { onTaken }),
  }
  NAMES.set(made, name)
  return made
}

/** Which owners answer the paths. */
function owners(table: RouteTable, ...paths: readonly string[]): (string | undefined)[] {
  return paths.map((path) => {
    const found = table.find(path, path)
    return found === undefined ? undefined : NAMES.get(found)
  })
}

test('owners exchange their paths: each is withdrawn, claims the other path, and is restored', () => {
  const table = new RouteTable('web')
  const [a, b] = [new RouteClaims(), new RouteClaims()]
  const [heldA, heldB] = [a.claim(table, route('/a', 'a')), b.claim(table, route('/b', 'b'))]
  assert.throws(() => a.claim(table, route('/b', 'a')), { code: 'LISTEN_PATH_TAKEN' })
  for (const owner of [a, b]) owner.withdraw()
  assert.deepEqual(owners(table, '/a', '/b'), [undefined, undefined])
  a.claim(table, route('/b', 'a'))
  b.claim(table, route('/a', 'b'))
  heldA[Symbol.dispose]()
  heldB[Symbol.dispose]()
  for (const owner of [a, b]) owner.restore()
  assert.deepEqual(owners(table, '/a', '/b'), ['b', 'a'])
})

test('a withdrawn owner gets back what it had when it is restored; an invalid path is refused at once', () => {
  const table = new RouteTable('web')
  const standby = new RouteClaims(true)
  standby.claim(table, route('/a', 'a'))
  assert.throws(() => standby.claim(table, route('a', 'a')), { code: 'LISTEN_BAD_PATH' })
  assert.deepEqual([standby.isWithdrawn, ...owners(table, '/a')], [true, undefined])
  for (let times = 0; times < 2; times++) {
    standby.restore()
    assert.deepEqual([standby.isWithdrawn, ...owners(table, '/a')], [false, 'a'])
    standby.withdraw()
    assert.deepEqual(owners(table, '/a'), [undefined])
  }
})

test('paths that the next owner wants too stay until it takes them over; it has its others before', () => {
  const table = new RouteTable('web')
  const [before, next] = [new RouteClaims(), new RouteClaims(true)]
  for (const path of ['/both', '/old', '/x/']) before.claim(table, route(path, 'before'))
  for (const path of ['/both', '/new', '/x']) next.claim(table, route(path, 'next'))
  before.withdraw(next)
  next.restore(before)
  assert.deepEqual(owners(table, '/both', '/old', '/new', '/x', '/x/y'), [
    'before',
    undefined,
    'next',
    'next',
    undefined,
  ])
  before.withdraw()
  next.restore()
  assert.deepEqual(owners(table, '/both', '/old', '/new'), ['next', undefined, 'next'])
})

test('a taken path fails the restore, and withdrawing again frees the rest', () => {
  const table = new RouteTable('web')
  const owner = new RouteClaims(true)
  for (const path of ['/a', '/b', '/c']) owner.claim(table, route(path, 'owner'))
  table.claim(route('/b', 'other'))
  assert.throws(() => owner.restore(), { code: 'LISTEN_PATH_TAKEN' })
  owner.withdraw()
  assert.deepEqual(owners(table, '/a', '/b', '/c'), [undefined, 'other', undefined])
})

test('a claim that yields is dropped if its path is taken when it is restored', () => {
  const table = new RouteTable('web')
  const owner = new RouteClaims()
  const dropped: string[] = []
  owner.claim(table, route('/new', 'owner'))
  owner.claim(
    table,
    route('/old', 'owner', () => dropped.push('/old')),
  )
  owner.withdraw()
  table.claim(route('/old', 'other'))
  owner.restore()
  assert.deepEqual([dropped, ...owners(table, '/new', '/old')], [['/old'], 'owner', 'other'])
})

test('a released owner has no claims, and restoring it claims nothing', () => {
  const table = new RouteTable('web')
  const owner = new RouteClaims()
  owner.claim(table, route('/a', 'owner'))
  owner.release()
  owner.restore()
  assert.deepEqual(owners(table, '/a'), [undefined])
})

test('an owner that leaves still answers where its paths are free, and yields to whoever claims them', () => {
  const table = new RouteTable('web')
  const [leaving, other] = [new RouteClaims(), new RouteClaims()]
  leaving.claim(table, route('/a', 'leaving'))
  leaving.claim(table, route('/b/', 'leaving'))
  leaving.withdraw()
  other.claim(table, route('/a', 'other'))
  leaving.linger()
  assert.deepEqual(owners(table, '/a'), ['other'])
  assert.notEqual(table.find('/b/x', '/b/x'), undefined)
  other.claim(table, route('/b/', 'other'))
  assert.deepEqual(owners(table, '/b/x'), ['other'])
  leaving.release()
  assert.deepEqual(owners(table, '/a', '/b/x'), ['other', 'other'])
})

test('an owner that leaves gives up its paths when it is released', () => {
  const table = new RouteTable('web')
  const leaving = new RouteClaims()
  leaving.claim(table, route('/a', 'leaving'))
  leaving.withdraw()
  leaving.linger()
  leaving.release()
  assert.equal(table.find('/a', '/a'), undefined)
})
