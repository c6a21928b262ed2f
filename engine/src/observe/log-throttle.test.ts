import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { createClock } from './clock.js'
import { LogThrottle } from './log-throttle.js'

function withTimers(run: () => void): void {
  mock.timers.enable({ apis: ['setTimeout', 'setInterval'] })
  try {
    run()
  } finally {
    mock.timers.reset()
  }
}

test('the first line of a kind is written at once, the others of the second as one with their number', () => {
  withTimers(() => {
    using clock = createClock()
    const limit = new LogThrottle(clock)
    const lines: string[] = []
    for (let n = 1; n <= 5; n++) limit.pass('cc', (more) => lines.push(`error ${n}${more}`))
    limit.pass('sync', (more) => lines.push(`sync${more}`))
    assert.deepEqual(lines, ['error 1', 'sync'])
    mock.timers.tick(1000)
    assert.deepEqual(lines, ['error 1', 'sync', 'error 5 (3 more)'])
    mock.timers.tick(5000)
    limit.pass('cc', (more) => lines.push(`again${more}`))
    assert.equal(lines.at(-1), 'again')
  })
})

test('a kind that goes on is written once a period', () => {
  withTimers(() => {
    using clock = createClock()
    const limit = new LogThrottle(clock)
    let written = 0
    for (let n = 0; n < 100; n++) {
      limit.pass('cc', () => written++)
      mock.timers.tick(50)
    }
    assert.ok(written >= 5 && written <= 6, `${written}`)
  })
})

test('disposing writes what was counted', () => {
  withTimers(() => {
    using clock = createClock()
    const lines: string[] = []
    const limit = new LogThrottle(clock)
    limit.pass('cc', (more) => lines.push(`a${more}`))
    limit.pass('cc', (more) => lines.push(`b${more}`))
    limit[Symbol.dispose]()
    mock.timers.tick(2000)
    assert.deepEqual(lines, ['a', 'b'])
  })
})

test('kinds beyond the limit share one', () => {
  withTimers(() => {
    using clock = createClock()
    const limit = new LogThrottle(clock)
    let written = 0
    for (let n = 0; n < 1000; n++) limit.pass(`kind ${n}`, () => written++)
    assert.equal(written, 65)
    limit[Symbol.dispose]()
  })
})
