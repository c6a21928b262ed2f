import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { AnswerCache } from './answer-cache.js'

const DENIED = { allowed: false, reason: 'denied' } as const

test('any number of guesses evicts no allowed client, and the number of both is bounded', () => {
  const cache = new AnswerCache(10)
  cache.set(cache.keyOf('good'), { allowed: true }, 100)
  for (let count = 0; count < 1000; count++) cache.set(cache.keyOf(`bad ${count}`), DENIED, 100)
  assert.deepEqual([cache.get(cache.keyOf('good'), 99), cache.size], [{ allowed: true }, 11])
  assert.deepEqual([cache.get(cache.keyOf('bad 0'), 0), cache.get(cache.keyOf('bad 999'), 99)], [undefined, DENIED])
  assert.equal(cache.get(cache.keyOf('good'), 100), undefined)
  cache.clear()
  assert.equal(cache.size, 0)
})

test('keys tell nothing about a question, and differ between processes', () => {
  const [one, other] = [new AnswerCache(), new AnswerCache()]
  one.set(one.keyOf('token=geheim'), { allowed: true }, 1)
  assert.ok(!inspect(one, { depth: 9, showHidden: true }).includes('geheim'))
  assert.notEqual(one.keyOf('a'), other.keyOf('a'))
})
