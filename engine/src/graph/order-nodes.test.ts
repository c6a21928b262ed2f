import assert from 'node:assert/strict'
import { test } from 'node:test'
import { orderNodes } from './order-nodes.js'

const order = (reads: Readonly<Record<string, readonly string[]>>): ReturnType<typeof orderNodes> =>
  orderNodes(new Map(Object.entries(reads)))

test('every node follows those it reads from', () => {
  const { order: found, cycles } = order({ out: ['gop'], gop: ['main'], main: [], other: ['main', 'gone'] })
  assert.deepEqual(found, ['main', 'other', 'gop', 'out'])
  assert.deepEqual(cycles, [])
})

test('each cycle is found once, whichever nodes depend on it', () => {
  const found = order({ x: ['b'], a: ['c'], b: ['a'], c: ['b'], self: ['self'], free: [] })
  assert.deepEqual(found.cycles, [['a', 'c', 'b'], ['self']])
  assert.deepEqual(found.order, ['free'])
})
