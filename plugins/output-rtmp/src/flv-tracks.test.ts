// Which of the tracks of a stream receivers get, when tracks come, go and fall silent.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Frame, Track } from '@millrace/media/elementary'
import { Framer, TsMuxer } from '@millrace/media/mpegts'
import { MESSAGE } from '@millrace/rtmp'
import { StreamBench } from './stream-bench.test.kit.js'

const AVCC = Uint8Array.from(Buffer.from('0142001effe1000a6742c01ed900a02ff9700100046' + '8ce3c80', 'hex'))
const video = (id: number): Track => ({ id, kind: 'video', codec: 'h264', config: AVCC })
const audio = (id: number, codec: Track['codec'] = 'aac'): Track => ({
  ...{ id, kind: 'audio', codec },
  config: codec === 'aac' ? Uint8Array.of(0x11, 0x90) : new Uint8Array(0),
})
const VIDEO = video(0)
const [FIRST, SECOND] = [audio(256), audio(257)]
const MP3_FRAME = [0xff, 0xfb, 0x14, 0xc4]

function frameOf(track: Track, ms: number, isKey: boolean): Frame {
  const bytes = new Uint8Array(track.codec === 'mp3' ? 96 : 60).fill(0x55)
  if (track.codec === 'mp3') bytes.set(MP3_FRAME)
  if (track.kind === 'video') bytes.set([isKey ? 0x65 : 0x41, 0x88])
  const [units, time] = [Int32Array.of(0, bytes.length), ms * 90]
  const flags = { isRandomAccess: track.kind === 'audio' || isKey, isDisposable: false }
  return { track, bytes, units, unitCount: 1, pts90k: time, dts90k: time, ...flags }
}

/** A stream whose tracks a test changes: a frame of each in 40 ms. */
class Programme {
  readonly bench = new StreamBench()
  readonly muxer: TsMuxer
  readonly #framer = new Framer()
  readonly #parts: Uint8Array[] = []
  /** How far the clock of audio is ahead of that of video. */
  readonly #leadMs: number
  #at = 1000

  constructor(tracks: readonly Track[], leadMs = 0) {
    this.#leadMs = leadMs
    this.muxer = new TsMuxer({ consume: (bytes, length) => this.#parts.push(bytes.slice(0, length)) })
    for (const track of tracks) this.muxer.setTrack(track)
  }

  play(seconds: number, ...tracks: readonly Track[]): void {
    for (const end = this.#at + 25 * seconds; this.#at < end; this.#at++) {
      const ms = this.#at * 40
      for (const track of tracks) {
        const lead = track.kind === 'audio' ? this.#leadMs : 0
        this.muxer.push(frameOf(track, ms + lead, this.#at % 25 === 0))
      }
      this.bench.clock.advance(40)
      const bytes = Buffer.concat(this.#parts.splice(0))
      for (const chunk of [...this.#framer.push(bytes, ms), ...this.#framer.flush(ms)]) this.bench.stream.push(chunk)
    }
  }
}

test('a second audio track takes the place of the first when that goes, and is told until then', () => {
  const programme = new Programme([VIDEO, FIRST, SECOND])
  const { bench } = programme
  const receiver = bench.join()
  programme.play(3, VIDEO, FIRST, SECOND)
  assert.deepEqual(bench.stream.codecs, ['video h264', 'audio aac'])
  assert.deepEqual(bench.leftOut, ['audio aac second'])
  assert.match(bench.stream.leftOutTracks.join(), /^audio aac on PID \d+: a second track$/)
  const before = receiver.stamps(MESSAGE.audio).length
  assert.ok(before > 60 && before <= 75, `${before} frames of audio`)
  programme.muxer.removeTrack(FIRST.id)
  receiver.messages.length = 0
  programme.play(3, VIDEO, SECOND)
  assert.ok(receiver.stamps(MESSAGE.audio).length > 60)
  assert.ok(receiver.kinds.indexOf('8 headers') < receiver.kinds.indexOf('8 audio'))
  assert.deepEqual([bench.stream.codecs, bench.stream.leftOutTracks], [['video h264', 'audio aac'], []])
})

test('receivers that join after the change get no header of the track that has gone', () => {
  const programme = new Programme([VIDEO, FIRST, audio(258, 'mp3')])
  programme.play(2, VIDEO, FIRST, audio(258, 'mp3'))
  programme.muxer.removeTrack(FIRST.id)
  programme.play(2, VIDEO, audio(258, 'mp3'))
  const late = programme.bench.join()
  assert.deepEqual(programme.bench.stream.codecs, ['video h264', 'audio mp3'])
  assert.equal(late.kinds.includes('8 headers'), false)
  assert.ok(late.stamps(MESSAGE.audio).length > 5)
})

test('a second video track begins with a key frame when the first goes', () => {
  const [first, second] = [video(0), video(1)]
  const programme = new Programme([first, second, FIRST])
  const receiver = programme.bench.join()
  programme.play(2, first, second, FIRST)
  programme.play(0.4, first, second, FIRST)
  programme.muxer.removeTrack(first.id)
  receiver.messages.length = 0
  programme.play(2, second, FIRST)
  const late = programme.bench.join()
  for (const { kinds } of [receiver, late]) {
    const own = kinds.slice(kinds.lastIndexOf('9 headers') + 1)
    const pictures = own.filter((kind) => kind.startsWith('9'))
    assert.equal(pictures[0], '9 key')
    assert.ok(pictures.length > 5)
  }
})

test('a receiver that joins after the picture has stopped begins with the sound of now', () => {
  const programme = new Programme([VIDEO, FIRST])
  programme.play(3, VIDEO, FIRST)
  programme.play(60, FIRST)
  const late = programme.bench.join()
  programme.play(1, FIRST)
  const stamps = late.stamps(MESSAGE.audio)
  assert.deepEqual(late.stamps(MESSAGE.video), [])
  assert.ok(stamps.length > 10 && stamps[0]! >= 62_000, `from ${stamps[0]}`)
  programme.play(2, VIDEO, FIRST)
  assert.ok(late.kinds.indexOf('9 key') > 0)
})

test('a group of pictures of minutes is not sent from its beginning: there is sound, and video with the next one', () => {
  const programme = new Programme([VIDEO, FIRST])
  const still: Track = VIDEO
  programme.play(1, VIDEO, FIRST)
  const { muxer, bench } = programme
  // Pictures without a key frame among them.
  const push = muxer.push.bind(muxer)
  muxer.push = (frame) => {
    if (frame.track !== still) return push(frame)
    frame.bytes[0] = 0x41
    push({ ...frame, isRandomAccess: false })
  }
  programme.play(15, still, FIRST)
  const early = bench.join()
  assert.equal(early.kinds.filter((kind) => kind === '9 key').length, 1)
  programme.play(30, still, FIRST)
  const late = bench.join()
  programme.play(1, still, FIRST)
  assert.deepEqual(late.stamps(MESSAGE.video), [])
  assert.ok(late.stamps(MESSAGE.audio)[0]! >= 44_000)
  muxer.push = push
  programme.play(2, VIDEO, FIRST)
  const pictures = late.kinds.filter((kind) => kind.startsWith('9') && kind !== '9 headers')
  assert.deepEqual(pictures.slice(0, 2), ['9 key', '9 inter'])
})

for (const leadMs of [12_000, -12_000]) {
  test(`audio that is ${leadMs / 1000} s ahead of video stays there, and the time of both goes on as it passes`, () => {
    const programme = new Programme([VIDEO, FIRST], leadMs)
    const receiver = programme.bench.join()
    programme.play(20, VIDEO, FIRST)
    for (const type of [MESSAGE.video, MESSAGE.audio]) {
      const stamps = receiver.stamps(type)
      const steps = new Set(stamps.slice(1).map((stamp, at) => stamp - stamps[at]!))
      assert.ok(stamps.length > 100 && [...steps].every((step) => step >= 39 && step <= 41), [...steps].join())
    }
    const [video, audio] = [MESSAGE.video, MESSAGE.audio].map((type) => receiver.stamps(type).at(-1)!)
    assert.ok(Math.abs(audio! - video! - leadMs) <= 100, `video ${video}, audio ${audio}`)
  })
}
