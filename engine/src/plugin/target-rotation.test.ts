import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TargetRotation } from './target-rotation.js'

/** Takes URLs until the round is over. */
function takeRound(rotation: TargetRotation): number[] {
  const taken = [rotation.next()]
  while (rotation.failed(4999).retryAfterMs === 0) taken.push(rotation.next())
  return taken
}

/** Generates numbers in [0, 1), the same in every run. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 16_807) % 2_147_483_647
    return state / 2_147_483_647
  }
}

test('listed URLs are tried in order, round after round', () => {
  const rotation = new TargetRotation(3, 'listed', Math.random)
  assert.deepEqual(takeRound(rotation), [0, 1, 2])
  assert.deepEqual(takeRound(rotation), [0, 1, 2])
})

test('after a URL that was good for a while, all others are tried before it', () => {
  const rotation = new TargetRotation(3, 'listed', Math.random)
  rotation.next()
  rotation.next()
  assert.deepEqual(rotation.failed(5000), { retryAfterMs: 0 })
  assert.deepEqual(takeRound(rotation), [2, 0])
  assert.deepEqual(takeRound(rotation), [1, 2, 0])
})

test('a single URL is a round of its own', () => {
  for (const order of ['listed', 'random'] as const) {
    const rotation = new TargetRotation(1, order, Math.random)
    assert.deepEqual(takeRound(rotation), [0])
    assert.deepEqual(rotation.failed(5000), {})
    assert.deepEqual(takeRound(rotation), [0])
  }
})

test('in random order, each round has every URL once, in a changing order, and never begins with the last one tried', () => {
  const rotation = new TargetRotation(4, 'random', seeded(7))
  const orders = new Set<string>()
  let last = -1
  for (let count = 0; count < 200; count++) {
    const taken = takeRound(rotation)
    assert.equal(taken.length, 4)
    assert.deepEqual(new Set(taken), new Set([0, 1, 2, 3]))
    assert.notEqual(taken[0], last)
    last = taken.at(-1) ?? -1
    orders.add(taken.join(''))
  }
  assert.ok(orders.size > 15, `only ${orders.size} orders`)
})
