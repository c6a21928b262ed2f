import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { FairReader } from './fair-reader.js'

for (const { name, pieceBytes, workMs, most } of [
  { name: 'what costs much work', pieceBytes: 100, workMs: 5, most: 1 },
  { name: 'what is large', pieceBytes: 256 * 1024, workMs: 0, most: 2 },
  { name: 'little', pieceBytes: 100, workMs: 0, most: 20 },
]) {
  test(`${name} is read at most ${most} times in a turn of the event loop`, async () => {
    let [now, reads, ended] = [0, 0, 0]
    const stream = new Readable({ read: () => undefined, highWaterMark: 8 * 1024 * 1024 })
    const onBytes = (): void => {
      reads++
      now += workMs
    }
    const reader = new FairReader({ stream, nowMs: () => now, onBytes, onEnd: () => ended++ })
    for (let piece = 0; piece < 20; piece++) stream.push(new Uint8Array(pieceBytes))
    stream.push(null)
    const inTurns: number[] = []
    while (!reader.isEnded) {
      const before = reads
      await setImmediate()
      inTurns.push(reads - before)
    }
    assert.equal(Math.max(...inTurns), most)
    assert.deepEqual([reads, ended], [20, 1])
  })
}
