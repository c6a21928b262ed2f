import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Slab } from './slab.js'

test('a full block is filled again only when nothing in it is needed', () => {
  let isFree = false
  const slab = new Slab(() => isFree)
  const blocks = (): Set<ArrayBufferLike> => new Set(Array.from({ length: 1000 }, () => slab.take(1332).buffer))
  assert.ok(blocks().size > 15)
  isFree = true
  assert.equal(blocks().size, 1)
  const first = slab.take(100)
  const second = slab.take(100)
  assert.ok(first.byteOffset + 100 <= second.byteOffset)
  assert.equal(slab.take(100_000).length, 100_000)
})
