import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StreamTime } from './stream-time.js'
import { WRAP_90K } from './timestamps.js'

const PCR_PID = 0x100
const STEP = 40 * 90

test('time passes with the PCR, whenever it arrives, across the wrap', () => {
  const time = new StreamTime()
  for (let count = 0; count <= 25; count++) time.notePcr(PCR_PID, (WRAP_90K - STEP * 5 + count * STEP) % WRAP_90K, 0)
  assert.equal(time.nowMs, 1000)
})

test('jumps and outages are short steps, and time never goes back', () => {
  const time = new StreamTime()
  for (const pcr of [0, 3600 * 90_000, 0, STEP, 60 * 90_000]) time.notePcr(PCR_PID, pcr, 0)
  assert.equal(time.nowMs, 500 + 40 + 500)
})

test('without PCR, and where it stands still, time of arrival counts', () => {
  const time = new StreamTime()
  for (let ms = 0; ms <= 1000; ms += 100) time.noteArrival(ms)
  assert.equal(time.nowMs, 1000)
  time.notePcr(PCR_PID, 0, 1000)
  time.notePcr(PCR_PID, STEP, 1040)
  for (let ms = 1100; ms <= 3000; ms += 100) {
    time.notePcr(PCR_PID, STEP, ms)
    time.noteArrival(ms)
  }
  assert.equal(time.nowMs, 1040 + 1000)
})

test('another PID is the reference once the first one has no more PCRs', () => {
  const time = new StreamTime()
  for (let count = 0; count < 50; count++) {
    time.notePcr(PCR_PID, count * STEP, 0)
    for (const other of [0x200, 0x300]) time.notePcr(other, 77_777 + count * STEP * 2, 0)
  }
  assert.equal(time.nowMs, 49 * 40)
  for (let count = 50; count < 100; count++) time.notePcr(0x200, 77_777 + count * STEP * 2, 0)
  assert.ok(time.nowMs > 49 * 40 + 30 * 80)
})
