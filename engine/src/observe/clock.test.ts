import assert from 'node:assert/strict'
import { performance } from 'node:perf_hooks'
import { mock, test } from 'node:test'
import { createClock } from './clock.js'

test('the clock is monotonic and maps to wall time', () => {
  using clock = createClock()
  const nowMs = clock.nowMs()
  assert.ok(Math.abs(nowMs - performance.now()) < 1000)
  assert.ok(Math.abs(clock.wallMs(nowMs) - Date.now()) < 1000)
  assert.equal(clock.wallMs(nowMs + 500) - clock.wallMs(nowMs), 500)
})

test('timers run once or repeatedly until they are disposed', () => {
  mock.timers.enable({ apis: ['setTimeout', 'setInterval'] })
  try {
    using clock = createClock()
    const calls: string[] = []
    clock.after(10, () => calls.push('after'))
    const repeated = clock.every(10, () => calls.push('every'))
    const cancelled = clock.after(10, () => calls.push('cancelled'))
    cancelled[Symbol.dispose]()
    mock.timers.tick(10)
    mock.timers.tick(10)
    repeated[Symbol.dispose]()
    repeated[Symbol.dispose]()
    mock.timers.tick(50)
    assert.deepEqual(calls, ['after', 'every', 'every'])
  } finally {
    mock.timers.reset()
  }
})

test('a delay longer than Node supports is waited in steps', () => {
  mock.timers.enable({ apis: ['setTimeout', 'setInterval'] })
  try {
    using clock = createClock()
    let calls = 0
    clock.after(2 ** 31 + 1000, () => calls++)
    mock.timers.tick(2 ** 31 - 1)
    assert.equal(calls, 0)
    mock.timers.tick(1001)
    assert.equal(calls, 1)
  } finally {
    mock.timers.reset()
  }
})

test('disposing a clock ends its timers and those of its scopes, and later ones never run', () => {
  mock.timers.enable({ apis: ['setTimeout', 'setInterval'] })
  try {
    const clock = createClock()
    const scope = clock.scope()
    let calls = 0
    clock.after(5, () => calls++)
    scope.every(5, () => calls++)
    clock[Symbol.dispose]()
    clock.after(5, () => calls++)
    scope.after(5, () => calls++)
    clock.scope().every(5, () => calls++)
    mock.timers.tick(100)
    assert.equal(calls, 0)
  } finally {
    mock.timers.reset()
  }
})

test('a scope can end alone, and runs its timers through its enter function', () => {
  mock.timers.enable({ apis: ['setTimeout', 'setInterval'] })
  try {
    using clock = createClock()
    const errors: unknown[] = []
    const scope = clock.scope((run) => {
      try {
        run()
      } catch (error) {
        errors.push(error)
      }
    })
    let calls = 0
    clock.every(5, () => calls++)
    scope.after(5, () => {
      throw new Error('broken')
    })
    mock.timers.tick(5)
    scope[Symbol.dispose]()
    mock.timers.tick(5)
    assert.equal(calls, 2)
    assert.match(String(errors[0]), /broken/)
  } finally {
    mock.timers.reset()
  }
})

test('the delay of a repeated timer, including its own run time, is reported', () => {
  mock.timers.enable({ apis: ['setTimeout', 'setInterval'] })
  try {
    const delays: number[] = []
    using clock = createClock({ onTimerRun: (lateMs) => delays.push(lateMs) })
    clock.every(1000, () => {
      const untilMs = clock.nowMs() + 20
      while (clock.nowMs() < untilMs);
    })
    clock.after(1000, () => undefined)
    mock.timers.tick(1000)
    assert.equal(delays.length, 1)
    // Timers are mocked and the time is not: this one ran almost a second early.
    assert.ok(delays[0]! > -1000 + 20 && delays[0]! < 0)
  } finally {
    mock.timers.reset()
  }
})

test('each timer runs in `enter` of the first clock, unless a scope has its own', async () => {
  const entered: string[] = []
  using clock = createClock({
    enter: (run) => {
      entered.push('engine')
      run()
    },
  })
  await new Promise<void>((resolve) => clock.after(0, resolve))
  const scope = clock.scope((run) => {
    entered.push('node')
    run()
  })
  await new Promise<void>((resolve) => scope.after(0, resolve))
  await new Promise<void>((resolve) => clock.every(1, resolve))
  assert.deepEqual(entered.slice(0, 3), ['engine', 'node', 'engine'])
})

test('the clock of the machine is set: dates follow, timers and the time in between do not', async () => {
  let setByMs = 0
  const now = mock.method(Date, 'now', () => performance.timeOrigin + performance.now() + setByMs)
  try {
    const steps: number[] = []
    using clock = createClock({ onWallStep: (byMs) => steps.push(Math.round(byMs / 1000)) })
    const beforeMs = clock.nowMs()
    setByMs = 86_400_000
    await new Promise<void>((resolve) => clock.every(10, () => steps.length > 0 && resolve()))
    assert.deepEqual(steps, [86_400])
    assert.ok(Math.abs(clock.wallMs(beforeMs) - (performance.timeOrigin + beforeMs + setByMs)) < 100)
    assert.ok(clock.nowMs() - beforeMs < setByMs)
  } finally {
    now.mock.restore()
  }
})
