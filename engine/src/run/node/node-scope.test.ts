import assert from 'node:assert/strict'
import process from 'node:process'
import { test } from 'node:test'
import { type ScopedNode, NodeScope } from './node-scope.js'
import { inputOf, ScriptedSource, settings } from '../run.test.kit.js'

class Member implements ScopedNode {
  readonly settings = settings(
    'one/node',
    inputOf(() => new ScriptedSource()),
  )
  readonly isOnTrial = false
  readonly failures: unknown[] = []
  readonly stalls: number[] = []
  readonly id: string

  constructor(id: string) {
    this.id = id
  }

  fail(error: unknown): void {
    this.failures.push(error)
  }

  failUncaught(error: unknown): void {
    this.failures.push(error)
  }

  noteStall(ms: number): void {
    this.stalls.push(ms)
  }
}

/** A scope on a clock that only `take` moves. */
function scopeOf() {
  let nowMs = 0
  return { scope: new NodeScope(() => nowMs), take: (ms: number) => void (nowMs += ms) }
}

test('what a node throws fails that node, the inner one if two are nested, and ends its scope', () => {
  const { scope } = scopeOf()
  const [outer, inner] = [new Member('outer'), new Member('inner')]
  scope.enter(outer, () => {
    scope.enter(inner, () => {
      throw new Error('inside')
    })
    throw new Error('behind')
  })
  assert.deepEqual([outer.failures, inner.failures].map(String), ['Error: behind', 'Error: inside'])
  assert.equal(scope.current, undefined)
})

test('a caller can have what a node returns or throws', () => {
  const { scope } = scopeOf()
  const node = new Member('node')
  assert.equal(
    scope.call(node, () => 1),
    1,
  )
  const broken = new Error('broken')
  assert.throws(
    () =>
      scope.call(node, () => {
        throw broken
      }),
    broken,
  )
  assert.deepEqual(node.failures, [])
})

test('from Node 24 on, what a call leaves behind is known to be of its node', async () => {
  const { scope } = scopeOf()
  const node = new Member('node')
  const seen: (string | undefined)[] = []
  const note = (): void => void seen.push(scope.current?.id)
  await new Promise<void>((resolve) => {
    scope.enter(node, () => {
      void Promise.resolve().then(note)
      setTimeout(() => (note(), resolve()), 1)
      scope.leave(() => setImmediate(note))
    })
  })
  await new Promise((resolve) => setImmediate(resolve))
  const isFollowed = Number.parseInt(process.versions.node, 10) >= 24
  assert.deepEqual(
    seen.map((id) => id ?? 'none').sort(),
    isFollowed ? ['node', 'node', 'none'] : ['none', 'none', 'none'],
  )
})

test('a node that holds the event loop for 200 ms stalls it, not those whose code it calls or was called by', () => {
  const { scope, take } = scopeOf()
  const [outer, inner, innermost] = [new Member('outer'), new Member('inner'), new Member('innermost')]
  scope.enter(outer, () => {
    take(100)
    scope.enter(inner, () => {
      take(150)
      scope.enter(innermost, () => take(250))
      take(49)
    })
    scope.enter(innermost, () => take(10))
    scope.leave(() => take(500))
    take(99)
  })
  assert.deepEqual([outer.stalls, inner.stalls, innermost.stalls], [[], [], [250]])
  scope.enter(outer, () => {
    scope.enter(innermost, () => take(1))
    take(200)
  })
  assert.deepEqual([outer.stalls, innermost.stalls], [[200], [250]])
})

test('a call that ends with an error is measured too', () => {
  const { scope, take } = scopeOf()
  const [outer, inner] = [new Member('outer'), new Member('inner')]
  scope.enter(outer, () => {
    scope.enter(inner, () => {
      take(300)
      throw new Error('late')
    })
  })
  assert.deepEqual([outer.stalls, inner.stalls, inner.failures.length], [[], [300], 1])
})
