import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PlaceHistory, type Spot } from './place-history.js'

const spot = (node?: string): Spot => ({ view: 'nodes', node, pattern: undefined })

test('goes back and forward, and a new place forgets what was ahead', () => {
  const history = new PlaceHistory(spot())
  for (const node of ['a', 'b', 'b', 'c']) history.note(spot(node))
  assert.deepEqual([history.go(-1)?.node, history.go(-1)?.node, history.go(1)?.node], ['b', 'a', 'b'])
  history.note(spot('b'))
  history.note(spot('d'))
  assert.equal(history.go(1), undefined)
  assert.equal(history.go(-1)?.node, 'b')
})

test('the last place changes with each move, and the list is bounded', () => {
  const history = new PlaceHistory(spot())
  history.note(spot('a'))
  assert.equal(history.last.node, undefined)
  history.note(history.last)
  assert.equal(history.last.node, 'a')
  for (let count = 0; count < 500; count++) history.note(spot(String(count)))
  let steps = 0
  while (history.go(-1) !== undefined) steps++
  assert.equal(steps, 99)
})
