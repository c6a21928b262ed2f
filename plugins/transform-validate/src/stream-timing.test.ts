import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { buildTs } from '@millrace/engine/testing'
import { Framer } from '@millrace/media/mpegts'
import type { TsChunk } from '@millrace/media/mpegts'
import type { TimingStatus } from './stream-timing.js'
import { TsCounts } from './ts-counts.js'

const DURATION_S = 6
const stream = buildTs({ durationS: DURATION_S })

/** In steps that take as long as the stream does; `late`: how much later step n arrives. */
function arrive(
  late: (step: number) => number,
  change: (chunk: TsChunk, step: number) => TsChunk = (chunk) => chunk,
): { readonly timing: TimingStatus; readonly observed: readonly number[] } {
  const observed: number[] = []
  const framer = new Framer()
  const counts = new TsCounts(undefined, (seconds) => void observed.push(seconds))
  const steps = DURATION_S * 100
  const size = Math.ceil(stream.bytes.length / steps / 188) * 188
  for (let step = 0; step * size < stream.bytes.length; step++) {
    const nowMs = Math.round((step * size * DURATION_S * 1000) / stream.bytes.length + late(step))
    const bytes = stream.bytes.subarray(step * size, (step + 1) * size)
    const chunks = [...framer.push(bytes, nowMs), ...framer.flush(nowMs)]
    for (const chunk of chunks) if (chunk.kind === 'ts') counts.push(change(chunk, step))
    if (step % 100 === 99) counts.measure(nowMs)
  }
  return { timing: counts.timing.status(), observed }
}

describe('the timing of a stream', () => {
  test('is known for one that comes as its clock says: small jitter, interval of its PCRs, sound with its picture', () => {
    const { timing, observed } = arrive(() => 0)
    const { pcrIntervalMs = 0, pcrIntervalMaxMs = 0, pcrJitterMs = 1e9, avOffsetMs = 1e9 } = timing
    assert.ok(pcrIntervalMs > 0 && pcrIntervalMaxMs >= pcrIntervalMs && pcrIntervalMaxMs <= 100, JSON.stringify(timing))
    assert.ok(pcrJitterMs < 100 && Math.abs(avOffsetMs) < 300, JSON.stringify(timing))
    assert.ok(observed.length > 100)
  })

  test('shows as jitter what the network adds, and keeps it for ten seconds only', () => {
    const quiet = arrive(() => 0).timing.pcrJitterMs ?? 0
    const { timing } = arrive((step) => (step > 400 && step < 420 ? 250 : 0))
    const found = (timing.pcrJitterMs ?? 0) - quiet
    assert.ok(found > 150 && found < 300, String(found))
    const counts = new TsCounts()
    for (let second = 0; second < 10; second++) counts.measure(second * 1000)
    assert.deepEqual(counts.timing.status(), {})
  })

  test('begins anew with a new source, and takes no jump of the clock for jitter', () => {
    const { observed } = arrive(
      (step) => (step < 300 ? 0 : 5000),
      (chunk, step) => (step === 300 ? { ...chunk, discontinuity: 'source' } : chunk),
    )
    assert.ok(Math.max(...observed) < 1, String(Math.max(...observed)))
  })

  test('of a program without sound has no offset', () => {
    const counts = new TsCounts()
    const framer = new Framer()
    const { bytes } = buildTs({ durationS: 2, programs: [{ audio: [] }] })
    for (const chunk of [...framer.push(bytes, 0), ...framer.finish(0)]) counts.push(chunk)
    assert.equal(counts.timing.avOffsetMs, undefined)
  })
})
