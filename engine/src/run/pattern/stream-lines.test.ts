import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { FakeClock } from '../../testing/fake-clock.js'
import { StreamLines } from './stream-lines.js'

class Lines {
  readonly clock = new FakeClock()
  readonly written: unknown[] = []
  readonly lines = new StreamLines('live', this.clock, {
    info: (fields: object) => void this.written.push(fields),
  } as never)
}

describe('the lines about streams', () => {
  test('are one each while they are few', () => {
    const { lines, written, clock } = new Lines()
    lines.published('a', { client: '192.0.2.1:5000', user: 'anna' })
    lines.ended('a', 'its publisher has left')
    assert.deepEqual(written, [
      { pipeline: 'live', stream: 'a', client: '192.0.2.1:5000', user: 'anna' },
      { pipeline: 'live', stream: 'a', why: 'its publisher has left' },
    ])
    assert.equal(clock.pending, 0)
  })

  test('are one a second for all that come and go beyond twenty a second', () => {
    const { lines, written, clock } = new Lines()
    for (let second = 0; second < 60; second++) {
      for (let count = 0; count < 500; count++) {
        lines.published(`k${count}`, undefined)
        lines.ended(`k${count}`, 'its publisher has left')
      }
      clock.advance(1000)
    }
    const counted = (written as readonly { published?: number; ended?: number }[]).filter((line) => 'ended' in line)
    const sum = counted.reduce((total, { published = 0, ended = 0 }) => total + published + ended, 0)
    assert.equal(sum + written.length - counted.length, 60 * 1000)
    assert.ok(written.length <= 100 + 60 * 21, String(written.length))
    lines.published('after it', undefined)
    assert.deepEqual(written.at(-1), { pipeline: 'live', stream: 'after it' })
  })

  test('that are left at the end are told', () => {
    const { lines, written, clock } = new Lines()
    for (let count = 0; count < 150; count++) lines.published(`k${count}`, undefined)
    lines[Symbol.dispose]()
    assert.deepEqual(written.at(-1), { pipeline: 'live', published: 50, ended: 0 })
    assert.equal(clock.pending, 0)
  })
})
