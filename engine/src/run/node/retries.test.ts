import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defineErrors } from '../../errors.js'
import { FakeClock } from '../../testing/fake-clock.js'
import { Retries } from './retries.js'

const failure = defineErrors({ TEST_GONE: { sentence: 'It is gone.', hint: 'Wait.', reaction: 'retry' } })

function delays(targets: readonly string[], retryAfterMs: number, upMs = 0, retries = new Retries(new FakeClock())) {
  return targets.map((target) => {
    const error = failure('TEST_GONE', 'gone', { target, retryAfterMs })
    return retries.noteFailure(error, { id: 'one/main', upMs }).delayMs
  })
}

test('a node that always asks to be tried at once waits as long as the back-off says', () => {
  for (const retryAfterMs of [0, 1, 50]) {
    const waits = delays(Array<string>(30).fill('a'), retryAfterMs)
    assert.deepEqual(waits.slice(0, 5), Array(5).fill(retryAfterMs))
    assert.ok(waits[5]! > 10_000)
    const total = waits.reduce((sum, ms) => sum + ms, 0)
    assert.ok(total > 4 * 20_000, `${total}`)
  }
})

test('targets that change with each failure do not help', () => {
  const waits = delays(
    Array.from({ length: 330 }, (_, i) => `target ${i}`),
    0,
  )
  const long = waits.filter((ms) => ms > 0)
  assert.equal(long.length, 10)
  assert.ok(long.at(-1)! >= 20_000)
})

test('each of a list of targets is tried at once, round by round', () => {
  const retries = new Retries(new FakeClock())
  for (let round = 0; round < 10; round++) {
    assert.deepEqual(
      delays(
        Array.from({ length: 20 }, (_, i) => `url ${i}`),
        0,
        0,
        retries,
      ),
      Array(20).fill(0),
    )
    const last = retries.noteFailure(failure('TEST_GONE', 'gone', { target: 'last' }), { id: 'one/main', upMs: 0 })
    assert.ok(last.delayMs >= 350)
  }
})

test('after a long healthy time it is tried at once again', () => {
  assert.deepEqual(delays(Array<string>(50).fill('a'), 0, 10_000), Array(50).fill(0))
})

test('a delay that is no number is not used', () => {
  for (const ms of [NaN, -1, 'soon']) assert.ok(delays(['a'], ms as number)[0]! >= 350)
})
