import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventData, eventOf } from './event-data.js'

test('the data of an event is bounded: keys, their number, and texts, which are masked first', () => {
  const many = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`key ${index}`, index]))
  assert.equal(Object.keys(eventData(many, String)).length, 32)
  const secret = 's'.repeat(2000)
  const {
    text,
    count,
    ['k'.repeat(1024)]: cut,
  } = eventData({ text: `${'x'.repeat(5000)}`, count: 7, ['k'.repeat(5000)]: secret }, (given) =>
    given === secret ? '***' : given,
  )
  assert.deepEqual([String(text).length, count, cut], [1025, 7, '***'])
  assert.equal(eventOf('one/main', 'e'.repeat(5000), {}, String).kind.length, 1024)
})
