import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { paced, PresentationBench, type TimedChunk } from './presentation.test.kit.js'

const FPS = 25
const WRAP = 2 ** 33

function gops(seconds: number, more: object = {}): object {
  return { video: { gopFrames: Math.round(seconds * FPS), fps: FPS, ...more } }
}

describe('segments of a steady stream', () => {
  const cases = [
    { gop: 0.72, target: 3, seconds: 2.16 },
    { gop: 2, target: 3, seconds: 2 },
    { gop: 3.32, target: 4, seconds: 3.32 },
    { gop: 10, target: 10, seconds: 10 },
  ]
  for (const { gop, target, seconds } of cases) {
    test(`with a GOP of ${gop} s last ${seconds} s, and the target duration is ${target} s`, () => {
      const bench = new PresentationBench()
      bench.play([paced({ durationS: 35, ...gops(gop) })])
      const playlist = bench.playlist()
      assert.equal(playlist.target, target)
      assert.ok(playlist.segments.length >= 3, `${playlist.segments.length} segments`)
      for (const each of playlist.segments) assert.ok(Math.abs(each.seconds - seconds) < 1e-4, `${each.seconds} s`)
      assert.equal(playlist.isIndependent, true)
      assert.equal(bench.presentation.counters.forcedCuts, 0)
      assert.equal(bench.presentation.counters.gaps, 0)
    })
  }

  test('are the same across the wrap of the 33-bit clock, with B pictures', () => {
    const plan = { durationS: 24, ...gops(2, { bFrames: 2 }) }
    const lengths = [WRAP - 90_000 * 7.7, 900_000].map((startPts90k) => {
      const bench = new PresentationBench()
      bench.play([paced({ ...plan, startPts90k: Math.floor(startPts90k) })])
      assert.equal(bench.presentation.counters.discontinuities, 1)
      return bench.playlist().segments.map(({ seconds }) => seconds)
    })
    assert.deepEqual(lengths[0], lengths[1])
    assert.ok(lengths[0]!.length >= 5)
  })

  test('each is told with the arrival of its first unit when it is listed, but no gap is', () => {
    const bench = new PresentationBench({ targetDuration: 4, isIndependent: true, windowMs: 300_000 })
    bench.play([paced({ durationS: 41, ...gops(10) })])
    const { counters } = bench.presentation
    assert.ok(counters.gaps > 0)
    assert.equal(bench.listedMs.length, counters.segments)
    assert.deepEqual(
      bench.listedMs,
      bench.listedMs.toSorted((a, b) => a - b),
    )
  })

  test('a GOP that is longer than the target duration is cut at the last moment, and told once', () => {
    const bench = new PresentationBench({ targetDuration: 4 })
    bench.play([paced({ durationS: 41, ...gops(10) })])
    const { segments, target, isIndependent } = bench.playlist()
    assert.equal(target, 4)
    assert.equal(isIndependent, false)
    assert.ok(segments.some(({ seconds }) => seconds > 4.4))
    assert.deepEqual(bench.warned, ['long-gop'])
    assert.ok(bench.presentation.counters.forcedCuts >= 6)
  })

  test('with `independent` the excess of a long GOP is a gap', () => {
    const bench = new PresentationBench({ targetDuration: 4, isIndependent: true, windowMs: 30_000 })
    bench.play([paced({ durationS: 41, ...gops(10) })])
    const { segments, isIndependent } = bench.playlist()
    assert.equal(isIndependent, true)
    const [first, second, third, fourth] = segments.slice(segments.findIndex(({ isGap }) => !isGap))
    assert.deepEqual(
      [first, second, third, fourth].map((each) => each?.isGap),
      [false, true, true, false],
    )
  })

  test('gaps in all renditions are no key frames at different times', () => {
    const bench = new PresentationBench({ targetDuration: 2, isIndependent: true }, ['low', 'high'])
    const stream = paced({ durationS: 41, ...gops(10) })
    bench.play([stream, stream])
    assert.deepEqual(bench.warned, ['long-gop'])
  })
})

function minutesSince2026(epochSeconds: number): number {
  return Math.max(1, Math.floor((epochSeconds - Date.UTC(2026, 0) / 1000) / 60))
}

describe('numbers', () => {
  test('begin with the time of day, and each process begins with a discontinuity', () => {
    const bench = new PresentationBench()
    bench.play([paced({ durationS: 9, ...gops(2) })])
    const epoch = bench.clock.wallMs(0) / 1000
    const { sequence, discontinuitySequence, segments } = bench.playlist()
    assert.deepEqual([sequence, discontinuitySequence], [epoch, minutesSince2026(epoch)])
    assert.equal(segments[0]?.hasTag, true)
    assert.equal(segments.filter(({ hasTag }) => hasTag).length, 1)
  })

  test('continue behind those that were saved, under the same URIs, whatever the clock says', () => {
    const first = new PresentationBench()
    first.play([paced({ durationS: 15, ...gops(2) })])
    const saved = first.saved.at(-1)!
    const ahead = { ...saved, media: saved.media + 1_000_000, discontinuity: saved.discontinuity + 1000 }
    const second = new PresentationBench({}, ['main'], ahead)
    second.play([paced({ durationS: 15, ...gops(2) })])
    assert.equal(second.playlist().sequence > ahead.media, true)
    assert.equal(second.playlist().discontinuitySequence > ahead.discontinuity, true)
    assert.equal(second.presentation.life?.id, first.presentation.life?.id)
    assert.ok(saved.media > first.playlist().segments.at(-1)!.sequence)
  })

  for (const hours of [30 * 24, -30 * 24]) {
    test(`and dates go on as if nothing had been when the clock of the machine is set by ${hours} hours`, () => {
      const [shifted, plain] = [new PresentationBench(), new PresentationBench()]
      const stream = paced({ durationS: 40, ...gops(2) })
      shifted.play([stream.filter(({ atMs }) => atMs < 20_000)])
      shifted.wallShiftMs = hours * 3_600_000
      shifted.play([stream.filter(({ atMs }) => atMs >= 20_000)], 45_000)
      plain.play([stream], 45_000)
      const [one, other] = [shifted, plain].map((bench) => bench.playlist())
      assert.deepEqual(
        one!.segments.map(({ uri, seconds, isGap, discontinuity }) => [uri, seconds, isGap, discontinuity]),
        other!.segments.map(({ uri, seconds, isGap, discontinuity }) => [uri, seconds, isGap, discontinuity]),
      )
      for (const [index, { dateMs }] of one!.segments.entries()) {
        const off = Math.abs((dateMs ?? 0) - (other!.segments[index]!.dateMs ?? 0))
        // It is drawn to the clock of the machine.
        assert.ok(off < 20, `${off} ms`)
      }
    })
  }

  test('a changed target duration ends the playlists, and new ones have other URIs and later numbers', () => {
    const bench = new PresentationBench()
    bench.play([paced({ durationS: 9, ...gops(2) })])
    const before = bench.playlist()
    const name = `main-${bench.presentation.life!.id}.m3u8`
    bench.settings = { ...bench.settings, targetDuration: 6 }
    bench.presentation.attach(bench.host, ['main'], () => false)
    assert.match(bench.presentation.playlist(name)!.text, /#EXT-X-ENDLIST\n$/)
    assert.equal(bench.presentation.multivariant(), undefined)
    bench.play([paced({ durationS: 9, startPts90k: 900_000 + 9 * 90_000, ...gops(2) }, { fromMs: 9000 })])
    const after = bench.playlist()
    assert.equal(after.target, 6)
    assert.ok(after.sequence > before.segments.at(-1)!.sequence)
    assert.ok(after.discontinuitySequence >= before.segments.at(-1)!.discontinuity)
    assert.notEqual(`main-${bench.presentation.life!.id}.m3u8`, name)
    assert.match(bench.presentation.playlist(name)!.text, /#EXT-X-ENDLIST\n$/)
  })
})

describe('outages', () => {
  function outage(seconds: number, more: object = {}) {
    const bench = new PresentationBench({ windowMs: 60_000, ...more })
    const backMs = 10_000 + seconds * 1000
    // As the engine's timeline: shifted by the time that has passed.
    const again = paced(
      { durationS: 12, startPts90k: 900_000 + backMs * 90, ...gops(2) },
      { generation: 1, discontinuity: 'source', fromMs: backMs },
    )
    bench.play([[...paced({ durationS: 10, ...gops(2) }), ...again]])
    return bench
  }

  for (const seconds of [4, 7, 20, 29]) {
    test(`a source that is away for ${seconds} s leaves gaps, and no discontinuity`, () => {
      const bench = outage(seconds)
      const { segments, target } = bench.playlist()
      assert.equal(segments.filter(({ hasTag }) => hasTag).length, 1, 'that of the start')
      const gapSeconds = segments.filter(({ isGap }) => isGap).reduce((sum, each) => sum + each.seconds, 0)
      assert.ok(Math.abs(gapSeconds - seconds) < 0.5, `${gapSeconds} s of gaps`)
      assert.ok(segments.every(({ seconds: length }) => length <= target + 0.49))
      assert.equal(segments.at(-1)?.isGap, false)
    })
  }

  for (const seconds of [40, 70, 120]) {
    test(`after ${seconds} s the stream continues with one discontinuity`, () => {
      const { segments } = outage(seconds).playlist()
      assert.equal(segments.find((each, index) => index > 0 && each.hasTag)?.isGap, false)
      const gapSeconds = segments.filter(({ isGap }) => isGap).reduce((sum, each) => sum + each.seconds, 0)
      assert.ok(gapSeconds <= 30, `${gapSeconds} s of gaps`)
    })
  }

  test('a playlist changes within one and a half target durations while gaps are written', () => {
    const bench = new PresentationBench({ windowMs: 60_000 })
    bench.play([paced({ durationS: 10, ...gops(2) })])
    const target = bench.playlist().target
    let before = bench.published
    let waited = 0
    for (let second = 10; second < 30; second += 0.25) {
      bench.play([], second * 1000)
      waited = bench.published === before ? waited + 0.25 : 0
      before = bench.published
      assert.ok(waited <= 1.5 * target, `unchanged for ${waited} s`)
    }
  })

  test('after `endAfter` the playlists end; a stream that comes later gets new ones', () => {
    const bench = new PresentationBench({ endAfterMs: 60_000 })
    bench.play([paced({ durationS: 10, ...gops(2) })])
    const old = `main-${bench.presentation.life!.id}.m3u8`
    const { sequence } = bench.playlist()
    bench.play([], 75_000)
    assert.equal(bench.presentation.life, undefined)
    assert.match(bench.presentation.playlist(old)!.text, /#EXT-X-ENDLIST\n$/)
    const again = { generation: 1, discontinuity: 'source', fromMs: 80_000 } as const
    bench.play([paced({ durationS: 9, startPts90k: 8_100_000, ...gops(2) }, again)])
    assert.ok(bench.playlist().sequence > sequence)
    assert.notEqual(`main-${bench.presentation.life!.id}.m3u8`, old)
  })

  test('other tracks after a reconnect are a discontinuity, and the PMT has another version', () => {
    const bench = new PresentationBench({ windowMs: 60_000 })
    const silent = { durationS: 10, startPts90k: 900_000 + 10 * 90_000, audio: false as const, ...gops(2) }
    const again = paced(silent, { generation: 1, discontinuity: 'source', fromMs: 10_000 })
    bench.play([[...paced({ durationS: 10, ...gops(2) }), ...again]])
    const { segments } = bench.playlist()
    assert.deepEqual(segments.map(({ hasTag }) => hasTag).filter(Boolean).length, 2)
    const versions = bench.content().map((bytes) => (bytes[188 + 10]! >>> 1) & 31)
    assert.deepEqual([...new Set(versions)], [0, 1])
  })

  test('a stall without a reconnect becomes gaps, and what comes too late is left out', () => {
    const bench = new PresentationBench({ windowMs: 60_000 })
    const stream = paced({ durationS: 30, ...gops(2) })
    const stalled = stream.map(({ atMs, chunk }) => ({ atMs: atMs > 10_000 && atMs < 18_000 ? 18_000 : atMs, chunk }))
    bench.play([stalled])
    const { segments } = bench.playlist()
    assert.equal(segments.filter(({ hasTag }) => hasTag).length, 1)
    const total = segments.reduce((sum, each) => sum + each.seconds, 0)
    assert.ok(segments.some(({ isGap }) => isGap))
    assert.ok(Math.abs(total - 28) < 2.5, `${total} s in all`)
  })
})

describe('a ladder', () => {
  const plan = { durationS: 24, ...gops(2) }

  test('has one list of cuts: numbers, lengths and discontinuities are the same in all renditions', () => {
    const bench = new PresentationBench({}, ['low', 'high'])
    bench.play([paced({ ...plan, video: { gopFrames: 50, bitrate: 200_000 } }), paced(plan, { fromMs: 400 })])
    const [low, high] = ['low', 'high'].map((name) => bench.playlist(name))
    assert.deepEqual(
      low!.segments.map(({ sequence, seconds, discontinuity }) => [sequence, seconds, discontinuity]),
      high!.segments.map(({ sequence, seconds, discontinuity }) => [sequence, seconds, discontinuity]),
    )
    assert.ok(low!.segments.length >= 5)
    assert.ok([...low!.segments, ...high!.segments].every(({ isGap }) => !isGap))
    assert.equal(bench.presentation.multivariant()!.text.split('#EXT-X-STREAM-INF').length, 3)
  })

  test('cuts where all renditions have a key frame, if their GOPs differ', () => {
    const bench = new PresentationBench({}, ['low', 'high'])
    bench.play([paced({ ...plan, ...gops(1) }), paced({ ...plan, ...gops(3) })])
    assert.ok(bench.playlist('low').segments.every(({ seconds }) => seconds === 3))
    assert.equal(bench.playlist('high').isIndependent, true)
  })

  test('whose key frames are not at the same times is told once', () => {
    const bench = new PresentationBench({ targetDuration: 4 }, ['low', 'high'])
    const from = 900_000
    const [low, high] = [from, from + 37_800].map((startPts90k) => paced({ ...plan, ...gops(1), startPts90k }))
    bench.play([low!, high!])
    assert.deepEqual(
      bench.warned.filter((warning) => warning === 'unaligned'),
      ['unaligned'],
    )
  })

  test('a rendition that falls silent has gaps, and comes back in step', () => {
    const bench = new PresentationBench({ windowMs: 40_000 }, ['low', 'high'])
    const low = paced({ ...plan, durationS: 40 })
    const high = low.filter(({ atMs }) => atMs < 9000 || atMs > 20_000).map((each) => ({ ...each }))
    const back = high.findIndex(({ atMs }) => atMs > 20_000)
    high[back] = { ...high[back]!, chunk: { ...high[back]!.chunk, discontinuity: 'lost' } }
    bench.play([low, high])
    const [a, b] = ['low', 'high'].map((name) => bench.playlist(name))
    assert.equal(
      a!.segments.some(({ isGap }) => isGap),
      false,
    )
    assert.equal(
      b!.segments.some(({ isGap }) => isGap),
      true,
    )
    assert.equal(b!.segments.at(-1)?.isGap, false)
    assert.deepEqual(bench.warned, [])
    assert.deepEqual(
      a!.segments.slice(-5).map(({ sequence, seconds }) => [sequence, seconds]),
      b!.segments.slice(-5).map(({ sequence, seconds }) => [sequence, seconds]),
    )
  })

  test('goes on with the others if the first rendition falls silent', () => {
    const bench = new PresentationBench({ windowMs: 40_000 }, ['low', 'high'])
    const low = paced({ ...plan, durationS: 9 })
    bench.play([low, paced({ ...plan, durationS: 40 })])
    const high = bench.playlist('high')
    assert.equal(high.segments.filter(({ isGap }) => isGap).length <= 1, true)
    assert.equal(high.segments.at(-1)?.isGap, false)
    assert.equal(bench.playlist('low').segments.at(-1)?.isGap, true)
  })
})

describe('memory', () => {
  test('for what is not finished is bounded over all renditions', () => {
    const memoryBytes = 400_000
    const bench = new PresentationBench({ memoryBytes }, ['low', 'high'])
    const long = (): TimedChunk[] => paced({ durationS: 25, video: { gopFrames: 1000, bitrate: 100_000 } })
    const streams = [long(), long()]
    for (let untilMs = 1000; untilMs <= 25_000; untilMs += 1000) {
      bench.play(streams.map((each) => each.splice(0, each.findLastIndex(({ atMs }) => atMs < untilMs) + 1)))
      const held = bench.presentation.renditions.reduce((sum, { collector }) => sum + collector.bufferedBytes, 0)
      assert.ok(held <= memoryBytes / 2, `${held} at ${untilMs} ms`)
    }
    assert.deepEqual(bench.warned, ['memory'])
  })

  test('is bounded: the oldest segments leave early, and that is told once', () => {
    const bench = new PresentationBench({ windowMs: 60_000, memoryBytes: 1_200_000 })
    bench.play([paced({ durationS: 60, ...gops(2) })])
    assert.ok(bench.presentation.memoryBytes <= 1_200_000)
    assert.deepEqual(bench.warned, ['memory'])
    assert.ok(bench.playlist().segments.length >= 2)
  })

  test('a segment that a shorter window leaves out can be downloaded for as long as the longer one lasted', () => {
    const bench = new PresentationBench({ windowMs: 40_000 })
    const stream = paced({ durationS: 120, ...gops(2) })
    const play = (fromMs: number, toMs: number) =>
      bench.play([stream.filter(({ atMs }) => atMs >= fromMs && atMs < toMs)])
    play(0, 50_000)
    const listed = bench.playlist().segments
    bench.settings = { ...bench.settings, windowMs: 6000 }
    play(50_000, 56_000)
    const { segments } = bench.playlist()
    assert.ok(segments.length < 6 && listed.length > 15)
    play(56_000, 88_000)
    for (const { uri } of listed.slice(1)) assert.notEqual(bench.presentation.file(uri), undefined, uri)
    play(88_000, 120_000)
    for (const { uri } of listed) assert.equal(bench.presentation.file(uri), undefined, uri)
    assert.equal(bench.presentation.memoryBytes < 20 * 60_000, true, `${bench.presentation.memoryBytes}`)
  })

  test('a segment that has left the list can be downloaded for the time that the list lasted', () => {
    const bench = new PresentationBench()
    const stream = paced({ durationS: 80, ...gops(2) })
    bench.play([stream.filter(({ atMs }) => atMs < 20_000)])
    const [oldest] = bench.playlist().segments
    const left = stream.filter(({ atMs }) => atMs >= 20_000)
    bench.play([left.filter(({ atMs }) => atMs < 32_000)])
    assert.equal(
      bench.playlist().segments.some(({ uri }) => uri === oldest!.uri),
      false,
    )
    assert.notEqual(bench.presentation.file(oldest!.uri), undefined)
    bench.play([left.filter(({ atMs }) => atMs >= 32_000)])
    assert.equal(bench.presentation.file(oldest!.uri), undefined)
  })
})
