import assert from 'node:assert/strict'
import { createDecipheriv } from 'node:crypto'
import { describe, test } from 'node:test'
import { type MediaPlaylist, parsePlaylist, type Segment, SegmentWatch } from '@millrace/media/hls'
import type { TsPlan } from '@millrace/engine/testing'
import { paced, PresentationBench, type TestMedia } from './presentation.test.kit.js'

const PLAN: TsPlan = { durationS: 20, video: { gopFrames: 50, fps: 25, bitrate: 200_000 }, audio: {} }

function iframesOf(bench: PresentationBench, name = 'main'): MediaPlaylist {
  const playlist = parsePlaylist(bench.presentation.life?.iframeText(name)?.text ?? assert.fail('there is none'))
  return playlist.kind === 'media' ? playlist : assert.fail('no media playlist')
}

function mediaOf(bench: PresentationBench, name = 'main'): MediaPlaylist {
  return parsePlaylist(bench.presentation.life?.text(name)?.text ?? '') as MediaPlaylist
}

/** What a player loads for one entry, without the initialisation section. */
function rangeOf(bench: PresentationBench, { uri, byteRange }: Segment): Buffer {
  const { kept } = bench.presentation.file(uri) ?? assert.fail(`${uri} is not there`)
  const { length, offset = 0 } = byteRange ?? assert.fail('no range')
  return (kept as TestMedia).content.subarray(offset, offset + length)
}

const CONTEXT = { areIndependent: true, isIFramesOnly: false, codecs: undefined }

describe('an I-frame playlist', () => {
  test('has an entry for each segment, with its number and duration, and a range that is one picture', () => {
    const bench = new PresentationBench().play([paced(PLAN)])
    const iframes = iframesOf(bench)
    const media = mediaOf(bench)
    assert.equal(iframes.isIFramesOnly, true)
    const facts = ({ uri, seconds, sequence, discontinuitySequence }: Segment) => {
      return { uri, seconds, sequence, discontinuitySequence }
    }
    assert.deepEqual(iframes.segments.map(facts), media.segments.map(facts))
    for (const segment of iframes.segments) {
      const init = bench.presentation.init(segment.map?.uri ?? '') ?? assert.fail('no initialisation section')
      assert.equal(init.length, 2 * 188)
      const bytes = Buffer.concat([init, rangeOf(bench, segment)])
      assert.deepEqual(new SegmentWatch().push(segment, bytes, CONTEXT), [])
      assert.ok(bytes.length < (bench.presentation.file(segment.uri)?.kept.length ?? 0) / 4)
    }
  })

  test('is in the multivariant playlist, with the formats and the rate of its pictures alone', () => {
    const bench = new PresentationBench().play([paced(PLAN)])
    const text = bench.presentation.multivariant()?.text ?? ''
    const { id } = bench.presentation.life!
    const line =
      /#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=(\d+),AVERAGE-BANDWIDTH=(\d+),CODECS="avc1\.\w{6}",RESOLUTION=64x48,URI="(.*)"\n/
    const [, peak, average, uri] = line.exec(text) ?? assert.fail(text)
    assert.equal(uri, `main-${id}-iframes.m3u8`)
    assert.equal(bench.presentation.playlist(uri!)?.text, bench.presentation.life?.iframeText('main')?.text)
    assert.ok(Number(average) <= Number(peak) && Number(peak) < 200_000)
  })

  test('has a gap where a segment has no key frame, so that numbers and times are those of the media playlist', () => {
    const plan: TsPlan = { durationS: 40, video: { gopFrames: 250, fps: 25 } }
    const bench = new PresentationBench({ targetDuration: 3, windowMs: 30_000 }).play([paced(plan)])
    const iframes = iframesOf(bench)
    const gaps = iframes.segments.filter(({ isGap }) => isGap)
    assert.ok(gaps.length >= 4 && gaps.length < iframes.segments.length)
    assert.equal(iframes.segments[0]?.isGap, false)
    for (const { sequence, uri } of iframes.segments) {
      assert.equal(uri, mediaOf(bench).segments.find((each) => each.sequence === sequence)?.uri)
    }
  })

  test('of an encrypted stream has PAT and PMT in clear: EXT-X-MAP stands in front of EXT-X-KEY, also where it changes', () => {
    const bench = new PresentationBench({ keyRotation: 2, windowMs: 60_000 })
    bench.play([paced({ ...PLAN, durationS: 10 })])
    bench.play([paced({ ...PLAN, audio: false }, { generation: 1, discontinuity: 'marked', fromMs: 10_000 })])
    const text = bench.presentation.life?.iframeText('main')?.text ?? ''
    const lines = text.split('\n')
    const maps = lines.flatMap((line, index) => (line.startsWith('#EXT-X-MAP') ? [index] : []))
    assert.equal(maps.length, 2)
    assert.ok(maps[0]! < lines.findIndex((line) => line.startsWith('#EXT-X-KEY')))
    assert.equal(lines[maps[1]! - 1], '#EXT-X-KEY:METHOD=NONE')
    assert.match(lines[maps[1]! + 1]!, /^#EXT-X-KEY:METHOD=AES-128/)
  })

  test('of an encrypted stream can be decrypted range by range, from one block in front', () => {
    const bench = new PresentationBench({ keyRotation: 0 }).play([paced(PLAN)])
    const plain = new PresentationBench().play([paced(PLAN)])
    const expected = iframesOf(plain).segments
    for (const [index, segment] of iframesOf(bench).segments.entries()) {
      assert.deepEqual(segment.byteRange, expected[index]?.byteRange)
      const { kept, key } = bench.presentation.file(segment.uri)!
      const { length, offset = 0 } = segment.byteRange!
      const from = offset - (offset % 16)
      const blocks = (kept as TestMedia).content.subarray(from - 16, Math.ceil((offset + length) / 16) * 16)
      const cipher = createDecipheriv('aes-128-cbc', bench.presentation.key(key!.id)!, blocks.subarray(0, 16))
      const bytes = cipher
        .setAutoPadding(false)
        .update(blocks.subarray(16))
        .subarray(offset - from)
      assert.deepEqual(bytes.subarray(0, length), rangeOf(plain, expected[index]!))
    }
  })

  test('is not there without video', () => {
    const bench = new PresentationBench().play([paced({ durationS: 10, video: false, audio: {} })])
    assert.notEqual(bench.presentation.life?.text('main'), undefined)
    assert.equal(bench.presentation.life?.iframeText('main'), undefined)
    assert.doesNotMatch(bench.presentation.multivariant()?.text ?? '', /I-FRAME/)
  })
})
