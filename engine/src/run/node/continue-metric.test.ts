import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { MetricRead } from '../../plugin/contract.js'
import { continueMetric } from './continue-metric.js'

function rowsOf(read: MetricRead): [Record<string, string>, number][] {
  const now = read()
  return typeof now === 'number' ? [[{}, now]] : [...now].map(([labels, value]) => [{ ...labels }, value])
}

describe('a counter that continues another', () => {
  test('starts at the value of the old one, and grows with the new one', () => {
    let [before, next] = [100, 7]
    const read = continueMetric(
      () => before,
      () => next,
    )
    assert.deepEqual(rowsOf(read), [[{}, 100]])
    next = 10
    assert.deepEqual(rowsOf(read), [[{}, 103]])
    // The old counter no longer counts.
    before = 500
    assert.deepEqual(rowsOf(read), [[{}, 103]])
  })

  test('keeps the rows of both, whatever the order of their labels', () => {
    const rows: [Record<string, string>, number][] = [
      [{ pid: '256', kind: 'video' }, 5],
      [{ kind: 'audio', pid: '257' }, 3],
    ]
    const own: [Record<string, string>, number][] = []
    const read = continueMetric(
      () => rows,
      () => own,
    )
    own.push([{ kind: 'video', pid: '256' }, 2], [{ kind: 'data', pid: '258' }, 1])
    const byPid = new Map(rowsOf(read).map(([{ pid }, value]) => [pid, value]))
    assert.deepEqual(
      byPid,
      new Map([
        ['256', 7],
        ['257', 3],
        ['258', 1],
      ]),
    )
  })

  test('is never negative', () => {
    let next = 5
    const read = continueMetric(
      () => 2,
      () => next,
    )
    next = 0
    assert.deepEqual(rowsOf(read), [[{}, 0]])
  })

  test('counts one that cannot be read as without rows', () => {
    let isBroken = true
    const broken = (): number => {
      if (isBroken) throw new Error('unreadable')
      return 5
    }
    assert.deepEqual(rowsOf(continueMetric(broken, () => 2)), [[{}, 0]])
    const read = continueMetric(() => 10, broken)
    isBroken = false
    assert.deepEqual(rowsOf(read), [[{}, 15]])
  })

  test('reads a bounded number of rows, however many there are', () => {
    const endless = function* (): Generator<[Record<string, string>, number]> {
      for (let pid = 0; ; pid++) yield [{ pid: String(pid) }, 1]
    }
    assert.equal(rowsOf(continueMetric(endless, endless)).length, 1001)
  })

  test('can be continued again by another node', () => {
    let [first, second, third] = [10, 0, 0]
    const once = continueMetric(
      () => first,
      () => second,
    )
    second = 4
    const twice = continueMetric(once, () => third)
    first = 0
    third = 1
    assert.deepEqual(rowsOf(twice), [[{}, 15]])
  })
})
