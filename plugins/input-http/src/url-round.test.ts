import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UrlRound } from './url-round.js'

/** Takes until the round is over. */
function takeRound(round: UrlRound): number[] {
  const taken = [round.next()]
  while (round.hasMore) taken.push(round.next())
  return taken
}

/** A generator of numbers in [0, 1) that is the same in every run. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 16_807) % 2_147_483_647
    return state / 2_147_483_647
  }
}

test('listed URLs are asked in their order, round after round', () => {
  const round = new UrlRound(3, 'listed', Math.random)
  assert.deepEqual(takeRound(round), [0, 1, 2])
  assert.deepEqual(takeRound(round), [0, 1, 2])
})

test('after a URL that was good for a while, all others are asked before it', () => {
  const round = new UrlRound(3, 'listed', Math.random)
  round.next()
  round.next()
  round.restart()
  assert.deepEqual(takeRound(round), [2, 0])
  assert.deepEqual(takeRound(round), [1, 2, 0])
})

test('a single URL never has another one beside it', () => {
  for (const order of ['listed', 'random'] as const) {
    const round = new UrlRound(1, order, Math.random)
    assert.deepEqual(takeRound(round), [0])
    round.restart()
    assert.equal(round.hasMore, false)
    assert.deepEqual(takeRound(round), [0])
  }
})

test('at random each round has every URL once, in changing orders, and never the last one first', () => {
  const round = new UrlRound(4, 'random', seeded(7))
  const orders = new Set<string>()
  let last = -1
  for (let count = 0; count < 200; count++) {
    const taken = takeRound(round)
    assert.equal(taken.length, 4)
    assert.deepEqual(new Set(taken), new Set([0, 1, 2, 3]))
    assert.notEqual(taken[0], last)
    last = taken.at(-1) ?? -1
    orders.add(taken.join(''))
  }
  assert.ok(orders.size > 15, `only ${orders.size} orders`)
})
