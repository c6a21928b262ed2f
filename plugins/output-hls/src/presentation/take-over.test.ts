import assert from 'node:assert/strict'
import { test } from 'node:test'
import { paced, PresentationBench, type TimedChunk } from '../presentation.test.kit.js'
import type { PresentationHost } from './presentation-host.js'
import { TakeOver } from './take-over.js'

const stream = (fromS: number, durationS: number): TimedChunk[] =>
  paced({ durationS, startPts90k: 900_000 + fromS * 90_000, video: { gopFrames: 50 } }, { fromMs: fromS * 1000 })

/** A node of the same output, with other options. */
function nextHost({ host }: PresentationBench, targetDuration: number): PresentationHost {
  return { ...host, settings: { ...host.settings, targetDuration } }
}

test('a node that is opened for a reload changes nothing before its first chunk, and nothing if it is given up', () => {
  const bench = new PresentationBench({}, ['low', 'high'])
  const { presentation } = bench
  bench.play([stream(0, 9), stream(0, 9)])
  const { life } = presentation
  const host = nextHost(bench, 7)
  const next = new TakeOver(presentation, { host, names: ['high', 'more'], isNew: () => false })
  next.check()
  assert.deepEqual([presentation.isRunBy(bench.host), presentation.life], [true, life])

  presentation.release(host)
  new TakeOver(presentation, { host: bench.host, names: bench.names, isNew: () => false }).check()
  bench.play([stream(9, 9), stream(9, 9)])
  assert.equal(presentation.life, life)
  for (const name of bench.names) assert.ok(bench.playlist(name).segments.every(({ isGap }) => !isGap))
})

test('with its first chunk a node runs the presentation; late chunks of the one before go where they belong', () => {
  const bench = new PresentationBench({}, ['low', 'high'])
  const { presentation } = bench
  presentation.release(bench.host)
  const before = new TakeOver(presentation, { host: bench.host, names: bench.names, isNew: () => false })
  bench.play([stream(0, 9), stream(0, 9)])
  const { life } = presentation
  const host = nextHost(bench, life!.targetSeconds)
  const next = new TakeOver(presentation, { host, names: ['high', 'low'], isNew: () => false })
  for (const { atMs, chunk } of stream(9, 9)) {
    bench.clock.advance(Math.max(0, atMs - bench.clock.nowMs()))
    next.push(0, chunk)
    // Of the low rendition, which its reader still gets from the old node.
    before.push(0, chunk)
  }
  assert.ok(presentation.isRunBy(host))
  assert.equal(presentation.life, life)
  const gaps = ['low', 'high'].map((name) => bench.playlist(name).segments.filter(({ isGap }) => isGap).length)
  assert.deepEqual(gaps, [0, 0])
  assert.deepEqual(
    presentation.renditions.map(({ name }) => name),
    ['high', 'low'],
  )
})

test('when the node that runs it stops, the one that is left goes on: the next one, or the one before', () => {
  const bench = new PresentationBench()
  const { presentation } = bench
  presentation.release(bench.host)
  const before = new TakeOver(presentation, { host: bench.host, names: bench.names, isNew: () => false })
  bench.play([stream(0, 9)])
  const host = nextHost(bench, presentation.life!.targetSeconds)
  const next = new TakeOver(presentation, { host, names: bench.names, isNew: () => false })
  presentation.release(bench.host)
  next.check()
  assert.ok(presentation.isRunBy(host), 'nothing comes any more')

  presentation.release(host)
  before.check()
  assert.ok(presentation.isRunBy(bench.host), 'the next node could not take over')
})
