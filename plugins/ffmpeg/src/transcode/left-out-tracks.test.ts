import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { FakeContext } from '@millrace/engine/testing'
import { DecodingFaults } from './decoding-faults.js'
import type { FeedPlan, FeedTrack } from './feed-plan.js'
import { hasFrames } from './frame-sync.js'
import { LeftOutTracks } from './left-out-tracks.js'

const track = (pid: number, media: 'video' | 'audio'): FeedTrack => ({
  ...{ pid, media, codec: media === 'video' ? 'h264' : 'aac', streamType: 15, language: '', slot: 0 },
  descriptors: new Uint8Array(0),
})
const [picture, one, two] = [track(1, 'video'), track(2, 'audio'), track(3, 'audio')]
const plan: FeedPlan = { program: 1, pcrPid: 1, video: picture, audio: [one, two] }
const radio: FeedPlan = { ...plan, video: undefined }
const announced = [one, two].map((each) => ({ ...each, parameterSets: 0 }))

describe('tracks that are left out', () => {
  for (const { name, run, pids } of [
    { name: 'are those that ffmpeg names', run: { plan, undecodable: [two], isMute: true }, pids: [3] },
    { name: 'are all sound, if it names none', run: { plan, undecodable: [], isMute: true }, pids: [2, 3] },
    { name: 'are none, if it fails for something else', run: { plan, undecodable: [], isMute: false }, pids: [] },
    {
      name: 'are one of two tracks without pictures',
      run: { plan: radio, undecodable: [one], isMute: true },
      pids: [2],
    },
    { name: 'are never all there is', run: { plan: radio, undecodable: [], isMute: true }, pids: [] },
  ]) {
    test(name, () => {
      const leftOut = new LeftOutTracks(new FakeContext())
      leftOut.judge(run, [], 0)
      assert.deepEqual(
        [one, two].filter((each) => leftOut.has(each)).map(({ pid }) => pid),
        pids,
      )
    })
  }

  test('come back if it was no help, and are not guessed again before a run has begun', () => {
    const leftOut = new LeftOutTracks(new FakeContext())
    const mute = { plan, undecodable: [], isMute: true }
    leftOut.judge(mute, [], 0)
    leftOut.judge({ ...mute, plan: { ...plan, audio: [] } }, [], 1)
    assert.deepEqual(leftOut.describe(), [])
    leftOut.judge(mute, [], 2)
    assert.deepEqual(leftOut.describe(), [])
    leftOut.noteBegin()
    leftOut.judge(mute, [], 3)
    assert.equal(leftOut.describe().length, 2)
  })

  test('are tried again after a minute, once they have stopped; at once, if others are announced', () => {
    const leftOut = new LeftOutTracks(new FakeContext())
    leftOut.judge({ plan, undecodable: [two], isMute: true }, [], 0)
    const review = (nowMs: number, isFlowing: boolean, tracks = announced): boolean => {
      leftOut.review(tracks, () => isFlowing, { nowMs, entries: [] })
      return leftOut.has(two)
    }
    assert.ok(review(59_000, false))
    assert.ok(review(61_000, true))
    assert.ok(!review(62_000, false))
    leftOut.judge({ plan, undecodable: [two], isMute: true }, [], 70_000)
    assert.ok(!review(71_000, true, announced.slice(0, 1)))
  })

  test('with frames are tried after a minute, while they flow, and are no longer left out once they can be decoded', () => {
    const leftOut = new LeftOutTracks(new FakeContext())
    leftOut.judge({ plan, undecodable: [two], isMute: true }, [], 0)
    const candidates = (nowMs: number, isFlowing = true): readonly number[] =>
      leftOut.candidates(() => isFlowing, nowMs).map(({ pid }) => pid)
    assert.deepEqual([candidates(59_000), candidates(60_000), candidates(60_000, false)], [[], [3], []])
    leftOut.restore(two)
    assert.deepEqual([leftOut.has(two), candidates(70_000)], [false, []])
  })

  describe('that a trial has brought back, and the encoder cannot decode', () => {
    const failed = { plan, undecodable: [two], isMute: true }
    const restored = (): LeftOutTracks => {
      const leftOut = new LeftOutTracks(new FakeContext())
      leftOut.judge(failed, [], 0)
      leftOut.restore(two)
      return leftOut
    }
    const review = (leftOut: LeftOutTracks, nowMs: number, isFlowing: boolean): void =>
      leftOut.review(announced, () => isFlowing, { nowMs, entries: [] })
    const tried = (leftOut: LeftOutTracks, nowMs: number): number => leftOut.candidates(() => true, nowMs).length

    test('are left out and not tried again, also if the run has begun', () => {
      const leftOut = restored()
      review(leftOut, 60_000, true)
      leftOut.noteBegin()
      leftOut.judge(failed, [], 61_000)
      assert.deepEqual([leftOut.has(two), tried(leftOut, 10_000_000)], [true, 0])
    })

    test('come back when they pause, and are tried again the next time', () => {
      const leftOut = restored()
      leftOut.judge(failed, [], 60_000)
      review(leftOut, 121_000, false)
      assert.ok(!leftOut.has(two))
      leftOut.judge(failed, [], 122_000)
      assert.equal(tried(leftOut, 182_000), 1)
    })

    test('are tried again if a run has worked in between', () => {
      const leftOut = restored()
      leftOut.noteWorked()
      leftOut.judge(failed, [], 3_600_000)
      assert.equal(tried(leftOut, 3_660_000), 1)
    })
  })

  test('are told as long as there are some', () => {
    const context = new FakeContext()
    const leftOut = new LeftOutTracks(context)
    leftOut.judge({ plan, undecodable: [two], isMute: true }, [], 0)
    leftOut.noteBegin()
    assert.match(context.reported.at(-1) ?? '', /^degraded: .*left out: aac on PID 3$/)
    leftOut.review([], () => true, { nowMs: 1, entries: [] })
    leftOut.noteBegin()
    assert.equal(context.reported.at(-1), 'ready')
  })
})

describe('ffmpeg cannot decode a stream', () => {
  const errors = (line: string): string[] => Array.from({ length: 8 }, () => line)
  for (const { name, lines, isMute = true, stream } of [
    {
      name: 'of which it says so many times',
      lines: errors('Error while decoding stream #0:2: Invalid data found'),
      stream: 2,
    },
    {
      name: 'in the words of FFmpeg 7',
      lines: errors('[aist#0:1/aac] [dec:aac] Error submitting packet to decoder: Invalid data'),
      stream: 1,
    },
    { name: 'for which it ends', lines: ['Error while processing the decoded data for stream #0:2'], stream: 2 },
    {
      name: 'of which it knows nothing, while an output waits',
      lines: ['[mpegts] Could not find codec parameters for stream 1 (Audio: aac, 0 channels): unspecified'],
      stream: 1,
    },
    { name: '- not after a few errors', lines: errors('Error while decoding stream #0:2: x').slice(1), stream: -1 },
    {
      name: '- not if it only knows it later',
      lines: ['[mpegts] Could not find codec parameters for stream 1 (Audio: aac): unspecified'],
      isMute: false,
      stream: -1,
    },
  ]) {
    test(name, () => {
      const faults = new DecodingFaults()
      for (const line of lines) faults.note(line)
      assert.deepEqual(
        [0, 1, 2, 3].filter((each) => faults.has(each, isMute)),
        stream < 0 ? [] : [stream],
      )
    })
  }
})

describe('sound has frames', () => {
  const filled = (size: number, ...at: readonly (readonly [number, readonly number[]])[]): Uint8Array => {
    const bytes = new Uint8Array(size)
    for (const [offset, values] of at) bytes.set(values, offset)
    return bytes
  }
  const adts = [0xff, 0xf1, 0x4c, 0x80, 0x0d, 0x00, 0xfc]
  for (const [name, codec, bytes, expected] of [
    ['of AAC', 'aac', filled(4096, [10, adts], [10 + 104, adts]), true],
    ['- one header of AAC is none', 'aac', filled(4096, [10, adts]), false],
    ['of AC-3', 'ac3', filled(8000, [0, [0x0b, 0x77]], [2560, [0x0b, 0x77]]), true],
    ['of MPEG audio', 'mp2', filled(4096, [0, [0xff, 0xfd]], [576, [0xff, 0xfd]], [1152, [0xff, 0xfd]]), true],
    ['- none in noise without a sync word', 'eac3', filled(8000), false],
    ['- that is not known from a few bytes', 'aac', filled(1000), undefined],
    ['- that is not known of other codecs', 'opus', filled(8000), undefined],
  ] as const) {
    test(name, () => assert.equal(hasFrames(codec, bytes), expected))
  }
})
