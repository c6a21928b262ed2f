// Continuity counters where a stream breaks off: they continue, or a packet announces that they do not. FFmpeg checks them
// over segments, also behind EXT-X-DISCONTINUITY.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isRandomAccessPoint } from '@millrace/engine/plugin'
import { type MediaPlaylist, parsePlaylist, SegmentWatch } from '@millrace/media/hls'
import { DISCONTINUITY_FLAG, hasPayload, PACKET_SIZE, readCounter, readPid } from '@millrace/media/mpegts'
import { paced, PresentationBench, type TestMedia } from './presentation.test.kit.js'

const NULL_PID = 0x1fff
const FRAME_MS = 40

for (let breakMs = 1880; breakMs <= 2400; breakMs += FRAME_MS) {
  test(`a stream that breaks off after ${breakMs} ms, with key frames every 2 s, has no jump that is not announced`, () => {
    const video = { gopFrames: 50, fps: 25 }
    const before = paced({ durationS: 4 + breakMs / 1000, video })
    const endMs = before.at(-1)!.atMs
    const after = paced({ durationS: 8, video }, { generation: 1, discontinuity: 'source', fromMs: endMs + 300 })
    const bench = new PresentationBench().play([[...before, ...after]])
    assert.deepEqual(jumps(bench.content()), [])
  })
}

test('another stream that goes on with the same clock has no jump that is not announced', () => {
  const video = { gopFrames: 50, fps: 25 }
  const before = paced({ durationS: 6, startPts90k: 900_000, video })
  const endMs = before.at(-1)!.atMs
  const next = { durationS: 8.4, startPts90k: 900_000 + 6 * 90_000, video }
  const after = paced(next, { discontinuity: 'marked', fromMs: endMs })
  const bench = new PresentationBench({ windowMs: 60_000 }).play([[...before, ...after]])
  assert.equal(bench.playlist().segments.filter(({ hasTag }) => hasTag).length, 2)
  assert.deepEqual(jumps(bench.content()), [])
})

for (const [what, holeMs] of [
  ['is shorter than a few pictures', 60],
  ['is longer than a segment, and so gaps,', 7000],
] as const) {
  test(`a hole that ${what} breaks no rule of the checker, in video and in audio renditions`, () => {
    const plan = { video: { gopFrames: 50, fps: 25 }, audio: [{ language: 'deu' }, { language: 'eng' }] }
    const whole = paced({ durationS: 24, ...plan })
    const keyMs = whole.find(({ atMs, chunk }) => atMs >= 10_000 && isRandomAccessPoint(chunk))!.atMs
    const back = whole.filter(({ atMs }) => atMs >= keyMs - 100 + holeMs)
    back[0] = { ...back[0]!, chunk: { ...back[0]!.chunk, discontinuity: 'source' } }
    const bench = new PresentationBench({ windowMs: 60_000 })
    bench.play([[...whole.filter(({ atMs }) => atMs < keyMs - 100), ...back]])
    for (const name of ['main', 'main.audio258']) assert.deepEqual(findings(bench, name), [], name)
    assert.equal(
      bench
        .playlist()
        .segments.slice(1)
        .filter(({ hasTag }) => hasTag).length,
      0,
    )
    assert.equal(
      bench.playlist().segments.some(({ isGap }) => isGap),
      holeMs > 1000,
    )
  })
}

/** Of the segments that are listed, by the rules for their bytes. */
function findings({ presentation }: PresentationBench, rendition: string): readonly string[] {
  const watch = new SegmentWatch()
  const { segments } = parsePlaylist(presentation.life!.text(rendition)!.text) as MediaPlaylist
  const context = { areIndependent: true, isIFramesOnly: false, isPart: true, codecs: undefined }
  return segments.flatMap((segment) => {
    const kept = segment.isGap ? undefined : (presentation.file(segment.uri)!.kept as TestMedia)
    return kept === undefined
      ? []
      : watch.push(segment, kept.content, context).map(({ rule, seen }) => `${rule}: ${seen}`)
  })
}

function jumps(segments: readonly Buffer[]): string[] {
  const found: string[] = []
  const last = new Map<number, number>()
  for (const [index, bytes] of segments.entries()) {
    for (let at = 0; at < bytes.length; at += PACKET_SIZE) {
      const pid = readPid(bytes, at)
      if (pid === NULL_PID) continue
      const counter = readCounter(bytes, at)
      const before = last.get(pid)
      last.set(pid, counter)
      const isExpected = before === undefined || counter === ((before + (hasPayload(bytes, at) ? 1 : 0)) & 15)
      if (!isExpected && !isAnnounced(bytes, at)) found.push(`segment ${index}, PID ${pid}: ${counter} after ${before}`)
    }
  }
  return found
}

/** discontinuity_indicator: ISO/IEC 13818-1 2.4.3.5. */
function isAnnounced(bytes: Buffer, at: number): boolean {
  const hasField = (bytes[at + 3]! & 0x20) !== 0 && bytes[at + 4]! > 0
  return hasField && (bytes[at + 5]! & DISCONTINUITY_FLAG) !== 0
}
