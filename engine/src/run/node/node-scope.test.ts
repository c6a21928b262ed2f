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
  readonly isUnproven = false
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

test('an error fails the node that throws it, the inner one if two are nested, and ends its scope', () => {
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

test('`call` returns the result of a node and rethrows its error', () => {
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

test('from Node 24 on, the scope follows promises and timers that a call creates', async () => {
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

test('a call that blocks the event loop for 200 ms is a stall of its node, not of nodes that it calls or that called it', () => {
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

test('a call that throws is measured too', () => {
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
