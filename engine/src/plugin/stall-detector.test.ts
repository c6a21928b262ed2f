import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StallDetector } from './stall-detector.js'

const PERIOD_MS = 250

/**
 * Checks every period from 0 to `untilMs`; returns the first fault, and when. `bytesAt` returns the bytes since the
 * last check.
 */
function firstFault(untilMs: number, bytesAt: (ms: number) => number): string | undefined {
  const detector = new StallDetector(() => 5000, 0)
  for (let ms = PERIOD_MS; ms <= untilMs; ms += PERIOD_MS) {
    const bytes = bytesAt(ms)
    if (bytes > 0) detector.note(bytes, ms)
    const fault = detector.check(ms, PERIOD_MS)
    if (fault !== undefined) return `${ms}: ${fault}`
  }
  return undefined
}

test('a body without a byte has stalled after the read timeout', () => {
  assert.equal(
    firstFault(20_000, () => 0),
    '5000: no byte for 5 s',
  )
})

test('a trickle of less than one packet in twice the read timeout has stalled', () => {
  assert.equal(
    firstFault(60_000, (ms) => (ms % 1000 === 0 ? 3 : 0)),
    '10000: only 30 bytes in 10 s',
  )
})

test('one packet within each read timeout is enough', () => {
  assert.equal(
    firstFault(120_000, (ms) => (ms % 4500 === 0 ? 188 : 0)),
    undefined,
  )
})

test('time in which the process itself was blocked does not count as silence', () => {
  const detector = new StallDetector(() => 5000, 0)
  assert.equal(detector.check(250, PERIOD_MS), undefined)
  assert.equal(detector.check(60_000, PERIOD_MS), undefined)
  assert.equal(detector.check(60_250, PERIOD_MS), undefined)
  assert.equal(detector.check(64_250, 4000), undefined)
  assert.equal(detector.check(64_500, PERIOD_MS), 'no byte for 5 s')
})

test('a changed timeout takes effect at once', () => {
  let timeoutMs = 5000
  const detector = new StallDetector(() => timeoutMs, 0)
  assert.equal(detector.check(1000, 1000), undefined)
  timeoutMs = 1500
  assert.equal(detector.check(2000, 1000), 'no byte for 1.5 s')
})
