import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { RateHistory } from '@millrace/engine/model'

describe('a rate history', () => {
  test('has a value for each second, whenever samples come', () => {
    const history = new RateHistory()
    for (const [counter, atMs] of [
      [0, 0],
      [125_000, 1000],
      [375_000, 3000],
      [500_000, 4000],
    ] as const)
      history.push(counter, atMs)
    assert.deepEqual(history.samples(), [1e6, 1e6, 1e6, 1e6])
  })

  test('keeps nothing that is older than a minute, also over a long gap', () => {
    const history = new RateHistory()
    for (let second = 0; second <= 60; second++) history.push(second * 125_000, second * 1000)
    history.push(60 * 125_000, 3_600_000)
    assert.deepEqual(
      history.samples(),
      Array.from({ length: 60 }, () => 0),
    )
  })

  test('goes on when a clock was put back', () => {
    const history = new RateHistory()
    history.push(0, 3_600_000)
    history.push(125_000, 1000)
    history.push(250_000, 2000)
    assert.equal(history.latest, 1e6)
  })
})
