import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MARK_MS, MARK_SIZE } from '@millrace/media/mpegts'
import type { AnyChunk, ArrivedBytes } from '../../plugin/contract.js'
import { defineInput } from '../../plugin/define.js'
import { buildTs } from '../../testing/index.js'
import { ArrivalTimes } from './arrival-times.js'
import { InputRunner } from './input-runner.js'
import { RunnerFixture, ScriptedSource, settings } from '../run.test.kit.js'
import { common } from '../scripted-nodes.test.kit.js'

test('times lie between the arrival before and now, whatever a node says', () => {
  const times = new ArrivalTimes()
  assert.equal(times.of(undefined, 100), 100)
  assert.equal(times.of(150, 200), 150)
  assert.equal(times.of(120, 210), 150, 'not before the bytes that came before')
  assert.equal(times.of(900, 220), 220, 'not in the future')
  assert.equal(times.of(Number.NaN, 230), 230)
  assert.equal(times.of(-Infinity, 240), 230)
})

test('chunks and marks carry the time at which an input says that bytes arrived', async () => {
  using fixture = new RunnerFixture()
  const source = new ScriptedSource<ArrivedBytes>()
  const definition = defineInput({ ...common, type: 'test-arrived', produces: 'bytes', open: () => source })
  const input = new InputRunner(settings('one/main', definition), fixture.services)
  const got: AnyChunk[] = []
  input.port.connect({ push: (chunk) => got.push(chunk), complete: () => undefined })
  await input.start()
  const { bytes } = buildTs({ durationS: 1 })
  const half = Math.floor(bytes.length / 376) * 188
  const startMs = fixture.clock.nowMs()
  fixture.clock.advance(40)
  // One object is used again for each part, as a plugin that saves allocations does.
  const item = { bytes, receivedAtMs: 0 }
  for (const [index, lateMs] of [5, 25].entries()) {
    item.bytes = bytes.subarray(index * half, (index + 1) * half)
    item.receivedAtMs = startMs + lateMs
    source.next(item)
  }
  fixture.clock.advance(50)
  assert.equal(got[0]?.receivedAtMs, startMs + 5)
  const times = new Set<number>()
  for (const { marks, receivedAtMs } of got) {
    for (let at = 0; at < marks.length; at += MARK_SIZE) times.add(receivedAtMs + marks[at + MARK_MS]! - startMs)
  }
  assert.deepEqual(
    [...times].sort((a, b) => a - b),
    [5, 25],
  )
  assert.equal(input.receivedBytes, 2 * half)
  await input.stop('test')
})
