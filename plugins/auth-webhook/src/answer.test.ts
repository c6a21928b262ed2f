import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readAnswer } from './answer.js'

test('whatever the hook sends, the answer never throws, and admits only with 200 or 204', () => {
  const bodies = fc.oneof(
    fc.uint8Array(),
    fc.json().map((text) => new TextEncoder().encode(text)),
  )
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 999 }), bodies, fc.boolean(), (status, body, isWhole) => {
      const answer = readAnswer(status, body, isWhole)
      if (typeof answer === 'string') return
      if (answer.verdict === 'allow') assert.ok((status === 200 || status === 204) && isWhole)
      assert.ok((answer.ttlMs ?? 0) <= 3_600_000)
    }),
  )
})

test('a body that was cut off never admits', () => {
  assert.equal(readAnswer(200, new Uint8Array(), false), 'its answer was cut off or is too long')
  assert.deepEqual(readAnswer(403, new Uint8Array(), false), { verdict: 'deny', reason: undefined, ttlMs: undefined })
})

test('a body that only says something else never admits', () => {
  for (const text of ['{"allowed":false}', '{"error":"denied"}', '{"Allow":false}', '{"result":{"allow":false}}']) {
    const answer = readAnswer(200, new TextEncoder().encode(text), true)
    assert.equal(answer, 'its answer is not the JSON that it should be', text)
  }
  const more = readAnswer(200, new TextEncoder().encode('{"user":"anna","plan":"gold"}'), true)
  assert.equal(typeof more === 'string' ? more : more.verdict, 'allow')
  assert.equal((readAnswer(200, new TextEncoder().encode('{}'), true) as { verdict: string }).verdict, 'allow')
})
