import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { FakeClock } from './fake-clock.js'

describe('the fake clock', () => {
  test('runs timers in the order of their times, each at its time', () => {
    const clock = new FakeClock()
    const ran: string[] = []
    const note = (name: string) => (): void => void ran.push(`${name} ${clock.nowMs()}`)
    clock.after(30, note('late'))
    clock.after(10, note('early'))
    const every = clock.every(20, note('every'))
    clock.after(15, note('never'))[Symbol.dispose]()
    clock.advance(45)
    assert.deepEqual(ran, ['early 10', 'every 20', 'late 30', 'every 40'])
    assert.deepEqual([clock.nowMs(), clock.pending], [45, 1])
    every[Symbol.dispose]()
    clock.advance(100)
    assert.deepEqual([ran.length, clock.pending], [4, 0])
  })

  test('also runs timers that a timer sets, if they are due', () => {
    const clock = new FakeClock()
    const ran: number[] = []
    clock.after(10, () => clock.after(10, () => ran.push(clock.nowMs())))
    clock.advance(20)
    assert.deepEqual(ran, [20])
  })

  test('runs each timer once, late, after it has slept', () => {
    const clock = new FakeClock()
    const ran: number[] = []
    clock.every(10, () => ran.push(clock.nowMs()))
    clock.sleep(1000)
    clock.advance(10)
    assert.deepEqual(ran, [1000, 1010])
  })

  test('ends the timers of a scope with it, and runs them through its enter function', () => {
    const clock = new FakeClock()
    const errors: unknown[] = []
    const scope = clock.scope((run) => {
      try {
        run()
      } catch (error) {
        errors.push(error)
      }
    })
    const broken = new Error('broken')
    scope.every(10, () => {
      throw broken
    })
    clock.advance(10)
    assert.deepEqual(errors, [broken])
    scope[Symbol.dispose]()
    scope.after(1, () => assert.fail('a timer of a scope that is over'))
    clock.advance(100)
    assert.deepEqual([errors.length, clock.pending], [1, 0])
    clock.after(1, () => {
      throw broken
    })
    assert.throws(() => clock.advance(1), broken)
  })
})
