// A ladder over an outage of its source, and with renditions that are encoded differently.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isRandomAccessPoint } from '@millrace/engine/plugin'
import { isPesStart, isUnitStart, PACKET_SIZE, payloadOffset, readPid, readPts } from '@millrace/media/mpegts'
import { paced, PresentationBench, type PacedOptions, type TimedChunk } from './presentation.test.kit.js'
import { readPlaylist } from './playlist/read-playlist.test.kit.js'

const FPS = 25
const NAMES = ['low', 'high'] as const
const VIDEO = 256

function stream(durationS: number, bFrames: number, options: PacedOptions = {}, gopS = 2): TimedChunk[] {
  const startPts90k = 900_000 + (options.fromMs ?? 0) * 90
  return paced({ durationS, startPts90k, video: { gopFrames: gopS * FPS, fps: FPS, bFrames } }, options)
}

/** PTS of the first picture of each listed segment. */
function firstTimes(bench: PresentationBench, rendition: string): readonly number[] {
  return bench.content(rendition).map((bytes) => {
    for (let at = 0; at < bytes.length; at += PACKET_SIZE) {
      const payload = payloadOffset(bytes, at)
      const isPicture = readPid(bytes, at) === VIDEO && isUnitStart(bytes, at)
      if (isPicture && isPesStart(bytes, payload, at + PACKET_SIZE)) return readPts(bytes, payload, at + PACKET_SIZE)
    }
    return -1
  })
}

describe('an outage', () => {
  for (const [seconds, discontinuities] of [
    [20, 0],
    [70, 1],
  ] as const) {
    test(`of ${seconds} s costs ${discontinuities} discontinuities in all renditions, and no list begins with a gap`, () => {
      const bench = new PresentationBench({ windowMs: 60_000 }, NAMES)
      const fromMs = 20_000 + seconds * 1000
      const again = stream(20, 0, { generation: 1, discontinuity: 'source', fromMs })
      const streams = [0, 0].map(() => [...stream(20, 0), ...again])
      // Those who come one second after it is back, at the first segment, and later.
      for (const untilMs of [fromMs + 1000, fromMs + 3000, fromMs + 20_000]) {
        bench.play(streams.map((each) => each.splice(0, each.findLastIndex(({ atMs }) => atMs < untilMs) + 1)))
        for (const name of NAMES) assert.equal(bench.playlist(name).segments[0]?.isGap, false)
      }
      for (const name of NAMES) {
        const { segments } = bench.playlist(name)
        const behind = segments.filter(({ hasTag, isGap }, index) => hasTag && (index > 0 || isGap))
        assert.ok(behind.length <= discontinuities, `${behind.length} in ${name}`)
        const gapSeconds = segments.filter(({ isGap }) => isGap).reduce((sum, each) => sum + each.seconds, 0)
        assert.ok(gapSeconds <= 30, `${gapSeconds} s of gaps`)
        assert.ok(segments.slice(-6).every(({ isGap }) => !isGap))
      }
      assert.equal(bench.presentation.counters.discontinuities, 1 + discontinuities)
    })
  }
})

/** As an encoder that stood still for 6 s: it gives what it has, GOPs are missing, and then it is in time again. */
function stalled(chunks: readonly TimedChunk[], discontinuity: 'marked' | false): TimedChunk[] {
  let gop = -1
  let isCut = false
  return chunks.flatMap(({ atMs, chunk }) => {
    if (isRandomAccessPoint(chunk)) gop++
    const at = atMs > 9000 && atMs < 15_000 ? 15_000 : atMs
    if (gop < 11) return [{ atMs: at, chunk }]
    if (gop < 14) return []
    const marked = isCut ? chunk : { ...chunk, discontinuity }
    isCut = true
    return [{ atMs: at, chunk: marked }]
  })
}

describe('an encoder that is too slow', () => {
  for (const discontinuity of ['marked', false] as const) {
    for (const slow of NAMES) {
      test(`has gaps in ${slow}, ${discontinuity || 'not marked'}, and none in the other rendition`, () => {
        const bench = new PresentationBench({ windowMs: 60_000, segmentMs: 1000 }, NAMES)
        const whole = stream(30, 0, {}, 1)
        const streams = NAMES.map((name) => (name === slow ? stalled(whole, discontinuity) : whole))
        bench.play(streams)
        const other = bench.playlist(slow === 'low' ? 'high' : 'low').segments
        assert.deepEqual(
          other.filter(({ isGap, seconds }) => isGap || seconds !== 1),
          [],
        )
        const { segments } = bench.playlist(slow)
        assert.equal(segments.length, other.length)
        const gaps = segments.filter(({ isGap }) => isGap).length
        assert.ok(gaps > 0 && gaps <= 7, String(gaps))
        assert.ok(segments.slice(-12).every(({ isGap }) => !isGap))
        assert.deepEqual(bench.warned, [])
      })
    }
  }
})

test('a rendition that was silent for long is offered again as soon as its playlists begin with media', () => {
  const bench = new PresentationBench({ windowMs: 12_000 }, NAMES)
  const offered = (name: string): boolean =>
    bench.presentation.multivariant()?.text.includes(`\n${name}-`) === true ||
    bench.presentation.multivariant()?.text.includes(`URI="${name}-`) === true
  const heads: string[] = []
  bench.onPublished = () => {
    const { life } = bench.presentation
    for (const name of NAMES) {
      if (!offered(name)) continue
      for (const text of [life?.text(name), life?.iframeText(name)]) {
        const head = readPlaylist(text?.text ?? assert.fail(`${name} is offered, and has no playlist`)).segments[0]
        if (head?.isGap === true) heads.push(`${name} ${head.sequence}`)
      }
    }
  }
  const low = stream(60, 0)
  const high = stream(60, 0).filter(({ atMs }) => atMs < 20_000 || atMs > 45_000)
  const back = high.findIndex(({ atMs }) => atMs > 45_000)
  high[back] = { ...high[back]!, chunk: { ...high[back]!.chunk, discontinuity: 'lost' } }
  const until = (atMs: number): void => {
    bench.play([low, high].map((each) => each.splice(0, each.findLastIndex((one) => one.atMs < atMs) + 1)))
  }
  until(18_000)
  assert.ok(offered('high'))
  until(50_000)
  assert.ok(offered('low') && !offered('high'), 'its list begins with gaps')
  until(60_000)
  assert.ok(offered('low') && offered('high'))
  assert.deepEqual(heads, [])
})

describe('renditions with and without B pictures', () => {
  test('have the same numbers, and the same first PTS in each segment; all are published in one step', () => {
    const bench = new PresentationBench({ windowMs: 60_000 }, NAMES)
    const newest: (readonly (number | undefined)[])[] = []
    const { onPublished } = bench.host
    Object.assign(bench.host, {
      onPublished: () => {
        newest.push(NAMES.map((name) => bench.playlist(name).segments.at(-1)?.sequence))
        onPublished()
      },
    })
    bench.play([stream(24, 0), stream(24, 2).map((each) => ({ ...each, atMs: each.atMs + 700 }))])
    const [low, high] = NAMES.map((name) => firstTimes(bench, name))
    assert.ok(low!.length >= 10)
    assert.deepEqual(low, high)
    assert.deepEqual(
      bench.playlist('low').segments.map(({ sequence, seconds }) => [sequence, seconds]),
      bench.playlist('high').segments.map(({ sequence, seconds }) => [sequence, seconds]),
    )
    assert.ok(newest.length >= 10 && newest.every(([one, two]) => one === two))
    assert.deepEqual(bench.warned, [])
  })
})

test('key frames that are never at the same times hold up the first playlist by two segments at most', () => {
  const bench = new PresentationBench({}, NAMES)
  const streams = [0, 37_800].map((offset) => {
    return paced({ durationS: 12, startPts90k: 900_000 + offset, video: { gopFrames: FPS, fps: FPS, bFrames: 0 } })
  })
  bench.play(streams.map((each) => each.filter(({ atMs }) => atMs < 5500)))
  assert.ok(bench.playlist('low').segments.length >= 1)
  assert.equal(bench.playlist('low').target, 3)
})
