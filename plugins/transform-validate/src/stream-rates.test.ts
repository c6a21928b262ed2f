import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NULL_PID, PACKET_SIZE } from '@millrace/media/mpegts'
import { StreamRates } from './stream-rates.js'

test('rates are what came between two looks, by PID; PIDs that nobody names have none', () => {
  const rates = new StreamRates()
  rates.keep(new Set([256]))
  rates.measure(0)
  rates.push(packetsOf(...Array.from({ length: 1000 }, () => 256)))
  rates.push(packetsOf(...Array.from({ length: 10 }, () => NULL_PID), 300))
  rates.measure(1000)
  assert.deepEqual(
    [256, NULL_PID, 300].map((pid) => rates.kbps(pid)),
    [1504, 15, 0],
  )
  rates.measure(2000)
  assert.equal(rates.kbps(256), 0)
})

test('more PIDs than there is room for share one count, which is nobody’s', () => {
  const rates = new StreamRates()
  const pids = Array.from({ length: 1000 }, (_, pid) => pid)
  rates.keep(new Set(pids))
  rates.measure(0)
  rates.push(packetsOf(...pids))
  rates.measure(1000)
  assert.equal(Array.from({ length: 1000 }, (_, pid) => rates.kbps(pid)).filter((rate) => rate > 0).length, 64)
})

test('a PID that is not named any more makes room for another', () => {
  const rates = new StreamRates()
  for (let first = 0; first < 1000; first += 64) {
    rates.keep(new Set(Array.from({ length: 64 }, (_, index) => first + index)))
    rates.measure(0)
    rates.push(packetsOf(first, first + 63, first + 64))
    rates.measure(1000)
    assert.deepEqual(
      [first - 1, first, first + 63, first + 64].map((pid) => (pid < 0 ? 0 : rates.kbps(pid))),
      [0, 2, 2, 0],
    )
  }
})

function packetsOf(...pids: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(pids.length * PACKET_SIZE)
  for (const [at, pid] of pids.entries()) bytes.set([0x47, pid >> 8, pid & 0xff, 0x10], at * PACKET_SIZE)
  return bytes
}
