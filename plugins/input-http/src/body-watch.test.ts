import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BodyWatch } from './body-watch.js'

const PERIOD_MS = 250

/** Asks every period from 0 to `untilMs`; returns the first complaint, and when. `bytesAt` says what came since. */
function watch(untilMs: number, bytesAt: (ms: number) => number): string | undefined {
  const body = new BodyWatch(() => 5000, 0)
  for (let ms = PERIOD_MS; ms <= untilMs; ms += PERIOD_MS) {
    const bytes = bytesAt(ms)
    if (bytes > 0) body.took(bytes, ms)
    const fault = body.check(ms, PERIOD_MS)
    if (fault !== undefined) return `${ms}: ${fault}`
  }
  return undefined
}

test('a body without a byte is silent after the read timeout', () => {
  assert.equal(
    watch(20_000, () => 0),
    '5000: no byte for 5 s',
  )
})

test('a byte each read timeout but one is no stream: less than a packet in twice the time', () => {
  assert.equal(
    watch(60_000, (ms) => (ms % 1000 === 0 ? 3 : 0)),
    '10000: only 30 bytes in 10 s',
  )
})

test('a packet now and then is enough', () => {
  assert.equal(
    watch(120_000, (ms) => (ms % 4500 === 0 ? 188 : 0)),
    undefined,
  )
})

test('time in which the process itself did not run is nobody else\u2019s silence', () => {
  const body = new BodyWatch(() => 5000, 0)
  assert.equal(body.check(250, PERIOD_MS), undefined)
  assert.equal(body.check(60_000, PERIOD_MS), undefined)
  assert.equal(body.check(60_250, PERIOD_MS), undefined)
  assert.equal(body.check(64_250, 4000), undefined)
  assert.equal(body.check(64_500, PERIOD_MS), 'no byte for 5 s')
})

test('a changed timeout counts at once', () => {
  let timeoutMs = 5000
  const body = new BodyWatch(() => timeoutMs, 0)
  assert.equal(body.check(1000, 1000), undefined)
  timeoutMs = 1500
  assert.equal(body.check(2000, 1000), 'no byte for 1.5 s')
})
