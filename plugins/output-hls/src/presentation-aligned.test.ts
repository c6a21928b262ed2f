// `slicing: aligned`: two origins with one source, whose readers may alternate between them.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { hasPayload, PACKET_SIZE, readCounter, readPid } from '@millrace/media/mpegts'
import { paced, PresentationBench, TestMedia, type PacedOptions, type TimedChunk } from './presentation.test.kit.js'

const FPS = 25
const SEGMENT_MS = 2000
/** The second origin gets packets later. */
const DELAY_MS = 130
const FROM_PTS = 900_000
const ALIGNED = { slicing: 'aligned', windowMs: 60_000, segmentMs: SEGMENT_MS } as const

interface Listed {
  readonly sequence: number
  readonly discontinuity: number
  readonly seconds: number
  readonly uri: string
  readonly isGap: boolean
  readonly dateMs: number
}

function stream(durationS: number, gopS: number, options: PacedOptions = {}, pts90k = FROM_PTS): TimedChunk[] {
  const video = { gopFrames: Math.round(gopS * FPS), fps: FPS, bFrames: 2 }
  return paced({ durationS, startPts90k: pts90k, video }, options)
}

function late(chunks: readonly TimedChunk[], byMs = DELAY_MS): TimedChunk[] {
  return chunks.map(({ atMs, chunk }) => {
    return { atMs: atMs + byMs, chunk: { ...chunk, receivedAtMs: chunk.receivedAtMs + byMs } }
  })
}

/** What is received from a time on. */
function since(chunks: readonly TimedChunk[], fromMs: number, toMs = Infinity): TimedChunk[] {
  return chunks.filter(({ atMs }) => atMs >= fromMs && atMs < toMs)
}

function listed(bench: PresentationBench): readonly Listed[] {
  return bench.playlist().segments
}

/** What both list under one number is the same; returns how many those are. */
function assertAgree(one: readonly Listed[], two: readonly Listed[]): number {
  let count = 0
  for (const { sequence, ...segment } of one) {
    const other = two.find((each) => each.sequence === sequence)
    if (other === undefined) continue
    const { uri, seconds, discontinuity } = segment
    assert.deepEqual([other.uri, other.seconds, other.discontinuity], [uri, seconds, discontinuity], `${sequence}`)
    assert.ok(Math.abs(other.dateMs - segment.dateMs) < 2, `${sequence}: dates differ`)
    count++
  }
  return count
}

/** By rendition, sequence number and URI, the bytes of what is listed. */
function bytesOf(bench: PresentationBench): ReadonlyMap<string, Buffer> {
  const bytes = new Map<string, Buffer>()
  for (const { sequence, name, media } of bench.presentation.life?.list.entries ?? []) {
    for (const [rendition, { kept }] of media) {
      assert.ok(kept instanceof TestMedia)
      bytes.set(`${rendition} ${sequence} ${name}`, kept.content)
    }
  }
  return bytes
}

/** `two` has begun later: it lacks the beginning of a frame in its first segment. Returns how many segments both have. */
function assertSameBytes(one: PresentationBench, two: PresentationBench): number {
  const first = listed(two)[0]!.sequence
  const others = new Map([...bytesOf(two)].filter(([key]) => !key.includes(` ${first} `)))
  const both = [...bytesOf(one)].filter(([key]) => others.has(key))
  for (const [key, bytes] of both) assert.ok(bytes.equals(others.get(key)!), `${key} has other bytes`)
  return both.length
}

/** Of all PIDs. */
function assertContinuous(segments: readonly Buffer[]): void {
  const counters = new Map<number, number>()
  for (const [index, bytes] of segments.entries()) {
    for (let at = 0; at < bytes.length; at += PACKET_SIZE) {
      if (!hasPayload(bytes, at)) continue
      const pid = readPid(bytes, at)
      const expected = ((counters.get(pid) ?? readCounter(bytes, at) - 1) + 1) & 0x0f
      assert.equal(readCounter(bytes, at), expected, `PID ${pid} in segment ${index}`)
      counters.set(pid, expected)
    }
  }
}

function assertFollowsTime(segments: readonly Listed[]): void {
  for (const { sequence, dateMs } of segments) assert.equal(sequence, Math.floor((dateMs + 0.5) / SEGMENT_MS))
}

describe('origins with one source', () => {
  for (const gopS of [0.72, 1, 1.92, 2, 3.32]) {
    test(`list the same segments, with a GOP of ${gopS} s, whenever they have started`, () => {
      const chunks = stream(40, gopS)
      const [one, two] = [new PresentationBench(ALIGNED), new PresentationBench(ALIGNED)]
      one.play([chunks])
      two.play([since(late(chunks), 7300)])
      assert.ok(assertAgree(listed(one), listed(two)) >= 12)
      assertFollowsTime(listed(one))
      assert.equal(one.playlist().target, 4)
      assert.equal(two.presentation.counters.gaps, 0)
      if (gopS <= 2) assert.equal(one.presentation.counters.forcedCuts, 0)
    })
  }

  test('list the same segments after one of them has restarted: no discontinuity, and no number goes back', () => {
    const chunks = stream(60, 2)
    const [one, two] = [new PresentationBench(ALIGNED), new PresentationBench(ALIGNED)]
    one.play([since(chunks, 0, 30_000)])
    two.play([since(late(chunks), 0, 25_000)])
    const again = new PresentationBench(ALIGNED, ['main'], two.saved.at(-1))
    again.play([since(late(chunks), 30_000)])
    one.play([since(chunks, 30_000)])
    assert.ok(assertAgree(listed(one), listed(again)) >= 10)
    assert.ok(assertAgree(listed(two), listed(one)) >= 8)
    assert.equal(again.playlist().discontinuitySequence, two.playlist().discontinuitySequence)
    assert.ok(listed(again)[0]!.sequence > listed(two).at(-1)!.sequence)
    assert.equal(again.presentation.counters.discontinuities, 0)
  })

  test('count a source that changes alike, also if one was down when it did', () => {
    const before = stream(30, 2)
    const after = stream(40, 2, { generation: 1, discontinuity: 'source', fromMs: 31_000 }, 5_000_000_000)
    const [one, two] = [new PresentationBench(ALIGNED), new PresentationBench(ALIGNED)]
    one.play([[...before, ...after]])
    two.play([since(late(before), 0, 25_000)])
    const again = new PresentationBench(ALIGNED, ['main'], two.saved.at(-1))
    again.play([since(late(after), 44_000)])
    assert.ok(assertAgree(listed(one), listed(again)) >= 8)
    const [last] = [listed(one).at(-1)!]
    assert.equal(last.discontinuity, listed(two).at(-1)!.discontinuity + 1)
    assertFollowsTime(listed(one).filter(({ isGap }) => !isGap))
  })

  test('agree over the wrap of the 33-bit clock', () => {
    const chunks = stream(40, 2, {}, 2 ** 33 - 90_000 * 21)
    const [one, two] = [new PresentationBench(ALIGNED), new PresentationBench(ALIGNED)]
    one.play([chunks])
    two.play([since(late(chunks), 12_300)])
    assert.ok(assertAgree(listed(one), listed(two)) >= 10)
    assert.equal(one.presentation.counters.discontinuities, 0)
  })
})

describe('segments of origins with one source', () => {
  const tracks = { audio: [{ language: 'deu' }, { language: 'eng' }], pmtPackets: 3 } as const
  const video = { gopFrames: 2 * FPS, fps: FPS, bFrames: 2 }

  test('have the same bytes, whichever of them has restarted', () => {
    const chunks = paced({ durationS: 60, startPts90k: FROM_PTS, video, ...tracks })
    const [one, two] = [new PresentationBench(ALIGNED), new PresentationBench(ALIGNED)]
    one.play([chunks])
    two.play([since(late(chunks), 5000, 25_000)])
    const again = new PresentationBench(ALIGNED, ['main'], two.saved.at(-1))
    again.play([since(late(chunks), 30_000)])
    // Of two renditions.
    assert.ok(assertSameBytes(one, two) >= 2 * 7)
    assert.ok(assertSameBytes(one, again) >= 2 * 12)
  })

  test('continue each other, tables too, over a change of the tracks', () => {
    const before = paced({ durationS: 30, startPts90k: FROM_PTS, video, ...tracks })
    const after = paced(
      { durationS: 30, startPts90k: FROM_PTS + 31 * 90_000, video, ...tracks, audio: [{ language: 'fra' }] },
      { generation: 1, discontinuity: 'source', fromMs: 31_000 },
    )
    const [one, two] = [new PresentationBench(ALIGNED), new PresentationBench(ALIGNED)]
    one.play([[...before, ...after]])
    two.play([[...since(late(before), 9000), ...late(after)]])
    assert.ok(assertSameBytes(one, two) >= 2 * 8 + 12)
    const { entries } = one.presentation.life!.list
    const content = one.content()
    const change = entries.findIndex(({ isNew }) => isNew)
    assert.ok(change > 10 && content.length - change > 10)
    assertContinuous(content.slice(0, change))
    assertContinuous(content.slice(change))
    const versions = content.map((bytes) => versionOfPmt(bytes))
    assert.equal(new Set(versions.slice(0, change)).size, 1)
    assert.equal(new Set(versions.slice(change)).size, 1)
    assert.notEqual(versions[0], versions.at(-1))
  })
})

/** `version_number` of the PMT that follows the PAT. */
function versionOfPmt(bytes: Uint8Array): number {
  return (bytes[PACKET_SIZE + 10]! >> 1) & 0x1f
}

test('an origin that has restarted is short until its playlist is that of the other one', () => {
  const chunks = stream(60, 2)
  const settings = { ...ALIGNED, windowMs: 12_000 }
  const [one, two] = [new PresentationBench(settings), new PresentationBench(settings)]
  one.play([since(chunks, 0, 50_000)])
  two.play([since(late(chunks), 0, 25_000)])
  assert.deepEqual([one.presentation.isShort, two.presentation.isShort], [false, false])
  const again = new PresentationBench(settings, ['main'], two.saved.at(-1))
  assert.equal(again.presentation.isShort, true)
  again.play([since(late(chunks), 30_000, 41_000)])
  assert.ok(listed(again).length >= 3 && again.presentation.isShort)
  again.play([since(late(chunks), 41_000, 50_000 + DELAY_MS)])
  assert.equal(again.presentation.isShort, false)
  assert.equal(again.presentation.life?.text('main')?.text, one.presentation.life?.text('main')?.text)
  assert.equal(new PresentationBench().presentation.isShort, false, 'playlists of one origin')
})

describe('an outage of one origin', () => {
  test('leaves gaps: numbers follow the time', () => {
    const chunks = stream(60, 2)
    const [one, two] = [new PresentationBench(ALIGNED), new PresentationBench(ALIGNED)]
    one.play([chunks])
    const back = since(late(chunks), 32_000)
    back[0] = { ...back[0]!, chunk: { ...back[0]!.chunk, discontinuity: 'source' } }
    two.play([[...since(late(chunks), 0, 20_000), ...back]])
    const [whole, holed] = [listed(one), listed(two)]
    const gaps = holed.filter(({ isGap }) => isGap)
    assert.ok(gaps.length >= 5 && gaps.length <= 7, `${gaps.length} gaps`)
    const same = holed.filter(({ sequence }) => sequence > gaps.at(-1)!.sequence + 1)
    assert.ok(assertAgree(same, whole) >= 10)
    assert.equal(two.presentation.counters.discontinuities, 0)
  })

  test('that is too long for gaps leaves numbers out, and is no discontinuity', () => {
    const chunks = stream(140, 2)
    const [one, two] = [new PresentationBench(ALIGNED), new PresentationBench(ALIGNED)]
    one.play([chunks])
    const back = since(late(chunks), 110_000)
    back[0] = { ...back[0]!, chunk: { ...back[0]!.chunk, discontinuity: 'source' } }
    two.play([[...since(late(chunks), 0, 20_000), ...back]])
    assert.ok(assertAgree(listed(two).slice(1), listed(one)) >= 10)
    assert.equal(listed(two)[0]?.isGap, false)
    assert.equal(two.presentation.counters.discontinuities, 0)
  })
})

test('a changed length of segments ends the playlists', () => {
  const bench = new PresentationBench(ALIGNED)
  const chunks = stream(40, 1)
  bench.play([since(chunks, 0, 20_000)])
  const old = `main-${bench.presentation.life!.id}.m3u8`
  bench.settings = { ...bench.settings, segmentMs: 3000 }
  bench.play([since(chunks, 20_000)])
  assert.match(bench.presentation.playlist(old)!.text, /#EXT-X-ENDLIST\n$/)
  assert.ok(listed(bench).length >= 3)
  for (const { sequence, dateMs } of listed(bench)) assert.equal(sequence, Math.floor((dateMs + 0.5) / 3000))
})
