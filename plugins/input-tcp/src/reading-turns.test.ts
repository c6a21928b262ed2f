import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { ReadingTurns, type TurnTaker } from './reading-turns.js'

/** A connection that always has something to read: up to 32 times in a row, like a socket. */
class Endless implements TurnTaker {
  reads = 0
  isPaused = false
  pause(): void {
    this.isPaused = true
  }
  resume(): void {
    this.isPaused = false
  }
}

test('many connections that are always readable take a few milliseconds of a turn, and go on in order', async () => {
  let nowMs = 0
  const turns = new ReadingTurns(() => nowMs)
  const all = Array.from({ length: 100 }, () => new Endless())
  const poll = (): void => {
    for (const each of all) {
      for (let read = 0; read < 32 && !each.isPaused; read++) {
        each.reads++
        turns.spend(each, 65_536, () => (nowMs += 1))
      }
    }
  }
  poll()
  await nextTurn()
  for (let turn = 0; turn < 50; turn++) {
    const before = nowMs
    poll()
    assert.ok(nowMs - before <= 5 + 16, `${nowMs - before} ms in a turn`)
    await nextTurn()
  }
  const reads = all.map((each) => each.reads)
  assert.ok(Math.min(...reads) >= 7 && Math.max(...reads) <= 64, reads.join(' '))
})

test('a connection with little to read never waits, and one that has left is not resumed', async () => {
  let nowMs = 0
  const turns = new ReadingTurns(() => nowMs)
  const [one, gone] = [new Endless(), new Endless()]
  for (let count = 0; count < 10; count++) {
    turns.spend(one, 1316, () => (nowMs += 1))
    assert.equal(turns.isResting(one), false)
    await nextTurn()
  }
  turns.spend(gone, 5 * 1024 * 1024, () => undefined)
  assert.deepEqual([turns.isResting(gone), gone.isPaused], [true, true])
  turns.leave(gone)
  await nextTurn()
  assert.equal(gone.isPaused, true)
})

test('work that throws is counted, and thrown', () => {
  let nowMs = 0
  const turns = new ReadingTurns(() => nowMs)
  const one = new Endless()
  assert.throws(() => {
    turns.spend(one, 1, () => {
      nowMs += 6
      throw new Error('broken')
    })
  }, /broken/)
  assert.equal(one.isPaused, true)
})
