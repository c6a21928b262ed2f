import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WallClock } from './wall-clock.js'

const START_MS = Date.UTC(2026, 0, 1)

class Machine {
  nowMs = 5000
  unixMs = START_MS
  /** What a look at the clock of the machine takes. */
  readingMs = 0
  readonly steps: number[] = []
  readonly wall = new WallClock({
    nowMs: () => this.nowMs,
    unixMs: () => {
      this.pass(this.readingMs)
      return this.unixMs
    },
    onStep: (byMs) => this.steps.push(byMs),
  })

  pass(ms: number): void {
    this.nowMs += ms
    this.unixMs += ms
  }
}

for (const byMs of [3_600_000, -3_600_000, 150, -150]) {
  test(`a step of ${byMs} ms is noticed within a second and told once, and moments before it have right dates too`, () => {
    const machine = new Machine()
    const beforeMs = machine.nowMs
    machine.pass(10_000)
    assert.equal(machine.wall.of(beforeMs), START_MS)
    machine.unixMs += byMs
    machine.pass(1000)
    assert.equal(machine.wall.of(machine.nowMs), machine.unixMs)
    assert.equal(machine.wall.of(beforeMs), START_MS + byMs)
    for (let second = 0; second < 10; second++) {
      machine.pass(1000)
      machine.wall.check(machine.nowMs)
    }
    assert.deepEqual(machine.steps, [byMs])
  })
}

test('small differences are no steps, and neither is a reading that was interrupted', () => {
  const machine = new Machine()
  machine.unixMs += 40
  machine.pass(1000)
  assert.equal(machine.wall.of(machine.nowMs), machine.unixMs - 40)
  machine.readingMs = 500
  for (let second = 0; second < 10; second++) {
    machine.pass(1000)
    machine.wall.check(machine.nowMs)
  }
  assert.deepEqual(machine.steps, [])
})
