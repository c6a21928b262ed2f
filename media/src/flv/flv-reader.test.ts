import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HeldFrames } from '../elementary/held-frames.test.kit.js'
import { FlvReader } from './flv-reader.js'

/** avcC with lengths of four bytes. */
const AVCC = [1, 0x64, 0, 0x1f, 0xff, 0xe1, 0, 2, 0x67, 0x64, 1, 0, 1, 0x68]
const AVCC_TEXT = Buffer.from(AVCC).toString('hex')
const HVCC = [1, ...Array.from({ length: 20 }, () => 0), 0x0f, 0]
const HVCC_TEXT = Buffer.from(HVCC).toString('hex')
const IDR = [0, 0, 0, 2, 0x65, 0x88]
const B_SLICE = [0, 0, 0, 2, 0x01, 0x9e]
const P_SLICE = [0, 0, 0, 2, 0x41, 0x9a]

function text(name: string): number[] {
  return Array.from(name, (character) => character.charCodeAt(0))
}

class Stream {
  readonly held = new HeldFrames()
  readonly reader = new FlvReader(this.held)

  video(ms: number, ...body: readonly number[]): string[] {
    this.reader.push(9, ms, Uint8Array.from(body))
    return this.held.take()
  }

  audio(ms: number, ...body: readonly number[]): string[] {
    this.reader.push(8, ms, Uint8Array.from(body))
    return this.held.take()
  }
}

test('legacy H.264: configuration, key frame, and frames before and after it in display order', () => {
  const stream = new Stream()
  assert.deepEqual(stream.video(0, 0x17, 0, 0, 0, 0, ...AVCC), [`track 0 h264 ${AVCC_TEXT}`])
  assert.deepEqual(stream.video(0, 0x17, 0, 0, 0, 0, ...AVCC), [])
  assert.deepEqual(stream.video(40, 0x17, 1, 0, 0, 80, ...IDR), ['frame 0 10800 3600 1 key'])
  assert.deepEqual(stream.video(80, 0x27, 1, 0, 0, 0, ...B_SLICE, ...B_SLICE), ['frame 0 7200 7200 2 disposable'])
  assert.deepEqual(stream.video(120, 0x27, 1, 0, 0, 0, ...P_SLICE), ['frame 0 10800 10800 1'])
  assert.deepEqual(stream.video(160, 0x17, 2, 0, 0, 0), [])
})

test('frames without configuration are counted, and not handed out', () => {
  const stream = new Stream()
  assert.deepEqual(stream.video(40, 0x17, 1, 0, 0, 0, ...IDR), [])
  assert.deepEqual(stream.audio(40, 0xaf, 1, 1, 2), [])
  assert.equal(stream.reader.counters.unconfigured, 2)
})

test('the empty AAC configuration that ffmpeg sends first is ignored', () => {
  const stream = new Stream()
  assert.deepEqual(stream.audio(0, 0xaf, 0), [])
  assert.deepEqual(stream.audio(0, 0xaf, 0, 0x11, 0x88), ['track 256 aac 1188'])
  assert.deepEqual(stream.audio(23, 0xaf, 1, 1, 2, 3), ['frame 256 2070 2070 1 key'])
  assert.deepEqual(stream.audio(46, 0xaf, 0), [])
  assert.equal(stream.reader.counters.malformed, 0)
})

test('bodies of no, one or two bytes are harmless', () => {
  const stream = new Stream()
  for (let first = 0; first < 256; first++) {
    for (const rest of [[], [0], [1], [7]]) {
      stream.video(0, first, ...rest)
      stream.audio(0, first, ...rest)
    }
  }
  stream.video(0)
  stream.audio(0)
  assert.ok(stream.held.tracks.every(({ codec }) => codec === 'mp3'))
})

test('a composition time that no picture has is damaged, and leaves the times of the others alone', () => {
  for (const offset of [
    [0x80, 0, 0],
    [0xff, 0xf8, 0x2f],
    [0x7f, 0xff, 0xff],
  ]) {
    const stream = new Stream()
    stream.video(0, 0x17, 0, 0, 0, 0, ...AVCC)
    stream.video(0, 0x17, 1, 0, 0, 0, ...IDR)
    assert.deepEqual(stream.video(40, 0x27, 1, ...offset, ...P_SLICE), ['frame 0 3600 3600 1'])
    assert.deepEqual(stream.video(80, 0x27, 1, 0, 0, 0, ...P_SLICE), ['frame 0 7200 7200 1'])
    assert.deepEqual([stream.reader.counters.malformed, stream.reader.counters.shifted], [1, 0])
  }
})

test('a length beyond the end leaves out its unit, and is counted', () => {
  const stream = new Stream()
  stream.video(0, 0x17, 0, 0, 0, 0, ...AVCC)
  assert.deepEqual(stream.video(0, 0x17, 1, 0, 0, 0, ...IDR, 0, 0, 0, 9, 0x65), ['frame 0 0 0 1 key'])
  assert.deepEqual(stream.video(40, 0x27, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x41), [])
  assert.equal(stream.reader.counters.damaged, 2)
})

test('HEVC has the codec number 12, and the FourCC hvc1', () => {
  const stream = new Stream()
  assert.deepEqual(stream.video(0, 0x1c, 0, 0, 0, 0, ...HVCC), [`track 0 h265 ${HVCC_TEXT}`])
  assert.deepEqual(stream.video(0, 0x1c, 1, 0, 0, 0, 0, 0, 0, 3, 0x26, 1, 0x80), ['frame 0 0 0 1 key'])
  const enhanced = new Stream()
  assert.deepEqual(enhanced.video(0, 0x90, ...text('hvc1'), ...HVCC), [`track 0 h265 ${HVCC_TEXT}`])
  const coded = [...text('hvc1'), 0, 0, 40, 0, 0, 0, 3, 0x26, 1, 0x80]
  assert.deepEqual(enhanced.video(40, 0x91, ...coded), ['frame 0 7200 3600 1 key'])
  const plain = [...text('hvc1'), 0, 0, 0, 3, 0x02, 1, 0x80]
  assert.deepEqual(enhanced.video(80, 0xa3, ...plain), ['frame 0 7200 7200 1'])
})

test('a nanosecond offset is added to the time stamp', () => {
  const stream = new Stream()
  stream.video(0, 0x90, ...text('avc1'), ...AVCC)
  const modEx = [0x97, 2, 0x07, 0xa1, 0x20, 0x03] // 500000 ns, then CodedFramesX
  assert.deepEqual(stream.video(40, ...modEx, ...text('avc1'), ...IDR), ['frame 0 3645 3645 1 key'])
  const long = [0x97, 0xff, 0, 2, 0x07, 0xa1, 0x20, 0x03]
  assert.deepEqual(stream.video(80, ...long, ...text('avc1'), ...IDR), ['frame 0 7245 7245 1 key'])
})

test('multitrack: one track, many of one codec, many of many codecs', () => {
  const stream = new Stream()
  const one = [0x95, 0x00, ...text('mp4a'), 1, 0x11, 0x90]
  assert.deepEqual(stream.audio(0, ...one), ['track 257 aac 1190'])
  const many = [0x95, 0x10, ...text('mp4a'), 0, 0, 0, 2, 0x12, 0x10, 2, 0, 0, 2, 0x11, 0x88]
  assert.deepEqual(stream.audio(0, ...many), ['track 256 aac 1210', 'track 258 aac 1188'])
  const mixed = [0x95, 0x21, ...text('mp4a'), 0, 0, 0, 1, 9, ...text('ac-3'), 3, 0, 0, 2, 0x0b, 0x77]
  const events = ['frame 256 900 900 1 key', 'track 259 ac3 ', 'frame 259 900 900 1 key']
  assert.deepEqual(stream.audio(10, ...mixed), events)
  const cut = [0x95, 0x11, ...text('mp4a'), 0, 0, 0, 200, 9]
  assert.deepEqual(stream.audio(20, ...cut), [])
  const video = [0x96, 0x00, ...text('avc1'), 4, ...AVCC]
  assert.deepEqual(stream.video(0, ...video), [`track 4 h264 ${AVCC_TEXT}`])
})

test('further FourCCs: AV1, Opus, E-AC-3 and MP3; what is not carried is named once', () => {
  const stream = new Stream()
  assert.deepEqual(stream.video(0, 0x90, ...text('av01'), 0x81, 0), ['track 0 av1 8100'])
  const obus = [0x12, 0x00, 0x32, 2, 1, 2]
  assert.deepEqual(stream.video(0, 0x91, ...text('av01'), ...obus), ['frame 0 0 0 2 key'])
  assert.deepEqual(stream.audio(0, 0x91, ...text('Opus'), 0xfc), ['track 256 opus ', 'frame 256 0 0 1 key'])
  assert.deepEqual(stream.audio(0, 0x91, ...text('ec-3'), 0x0b), ['track 256 eac3 ', 'frame 256 0 0 1 key'])
  assert.deepEqual(stream.audio(0, 0x91, ...text('.mp3'), 0xff), ['track 256 mp3 ', 'frame 256 0 0 1 key'])
  assert.deepEqual(stream.audio(0, 0x94, ...text('mp4a'), 0, 2), [])
  assert.deepEqual(stream.audio(0, 0x91, ...text('fLaC'), 0), ['unsupported audio fLaC'])
  assert.deepEqual(stream.audio(0, 0x91, ...text('fLaC'), 0), [])
  assert.deepEqual(stream.video(0, 0x91, ...text('vp09'), 0), ['unsupported video vp09'])
  assert.deepEqual(stream.video(0, 0x12, 0, 0, 0), ['unsupported video Sorenson H.263'])
  assert.deepEqual(stream.audio(0, 0xb2, 0, 0, 0), ['unsupported audio Speex'])
})

test('a PTS below its DTS moves the DTS back, from then on', () => {
  const stream = new Stream()
  stream.video(0, 0x17, 0, 0, 0, 0, ...AVCC)
  assert.deepEqual(stream.video(1000, 0x17, 1, 0, 0, 0, ...IDR), ['frame 0 90000 90000 1 key'])
  assert.deepEqual(stream.video(1040, 0x27, 1, 0xff, 0xff, 0xd8, ...P_SLICE), ['frame 0 90000 90000 1'])
  assert.deepEqual(stream.video(1080, 0x27, 1, 0, 0, 0, ...P_SLICE), ['frame 0 97200 93600 1'])
  assert.equal(stream.reader.counters.shifted, 2)
})

test('time stamps go on across the wrap of 32 bits, for all tracks', () => {
  const stream = new Stream()
  stream.audio(0, 0xaf, 0, 0x11, 0x88)
  stream.video(0, 0x17, 0, 0, 0, 0, ...AVCC)
  const last = 2 ** 32 - 20
  assert.deepEqual(stream.video(last, 0x17, 1, 0, 0, 0, ...IDR), [`frame 0 ${last * 90} ${last * 90} 1 key`])
  const next = (last + 30) * 90
  assert.deepEqual(stream.audio(10, 0xaf, 1, 1), [`frame 256 ${next} ${next} 1 key`])
  assert.deepEqual(stream.video(20, 0x27, 1, 0, 0, 0, ...P_SLICE), [`frame 0 ${next + 900} ${next + 900} 1`])
})

test('a step of more than ten seconds is told once; a track that paused has not jumped', () => {
  const stream = new Stream()
  stream.audio(0, 0xaf, 0, 0x11, 0x88)
  stream.video(0, 0x17, 0, 0, 0, 0, ...AVCC)
  stream.audio(0, 0xaf, 1, 1)
  for (let ms = 0; ms <= 60_000; ms += 1000) {
    assert.equal(stream.video(ms, 0x27, 1, 0, 0, 0, ...P_SLICE).length, 1)
  }
  assert.equal(stream.audio(60_010, 0xaf, 1, 1).length, 1)
  assert.equal(stream.video(5000, 0x27, 1, 0, 0, 0, ...P_SLICE)[0], 'discontinuity')
  assert.equal(stream.audio(5010, 0xaf, 1, 1).length, 1)
  // A configuration has no time of its own.
  assert.deepEqual(stream.audio(0, 0xaf, 0, 0x12, 0x10), ['track 256 aac 1210'])
  assert.equal(stream.video(5040, 0x27, 1, 0, 0, 0, ...P_SLICE).length, 1)
})

const shapes: readonly { name: string; value: unknown; announced: unknown; videoCodec?: string }[] = [
  { name: 'nothing', value: undefined, announced: undefined },
  { name: 'an empty object', value: {}, announced: undefined },
  { name: 'no codec of video', value: { width: 640, audiocodecid: 10 }, announced: { video: true, audio: true } },
  {
    name: 'a number that is a FourCC, lowest character first',
    value: { videocodecid: 828_601_953 },
    announced: { video: true, audio: false },
    videoCodec: 'h264',
  },
  {
    name: 'a number that is a FourCC, highest character first',
    value: { videocodecid: 1_752_589_105 },
    announced: { video: true, audio: false },
    videoCodec: 'h265',
  },
  {
    name: 'a text',
    value: { videocodecid: 'hvc1', audiocodecid: 'mp4a' },
    announced: { video: true, audio: true },
    videoCodec: 'h265',
  },
  {
    name: 'unknown numbers',
    value: { videocodecid: 99_999, audiocodecid: -1, width: Number.NaN },
    announced: { video: true, audio: false },
    videoCodec: 'video codec 99999',
  },
]
for (const { name, value, announced, videoCodec } of shapes) {
  test(`onMetaData of ${name} announces what it says`, () => {
    const { reader } = new Stream()
    assert.equal(reader.data(['@setDataFrame', 'onMetaData', value], 0), true)
    assert.deepEqual(reader.metadata?.announced, announced)
    if (videoCodec !== undefined) assert.equal(reader.metadata?.videoCodec, videoCodec)
  })
}

test('announced tracks are missing until they come', () => {
  const stream = new Stream()
  assert.deepEqual(stream.reader.missing, ['video', 'audio'])
  stream.reader.data(['onMetaData', { videocodecid: 7, audiocodecid: 10 }], 0)
  assert.deepEqual(stream.held.take(), ['expected video', 'expected audio'])
  stream.video(0, 0x17, 0, 0, 0, 0, ...AVCC)
  assert.deepEqual(stream.reader.missing, ['audio'])
  stream.audio(0, 0xaf, 0, 0x11, 0x88)
  assert.deepEqual(stream.reader.missing, [])
})

test('the second audio track of OBS is one, and changes no metadata', () => {
  const stream = new Stream()
  stream.reader.data(['onMetaData', { videocodecid: 7 }], 0)
  const { metadata } = stream.reader
  stream.held.take()
  stream.reader.data(['@setDataFrame', 'onExpectAdditionalMedia', { additionalMedia: [{ id: 'stream0' }] }], 0)
  stream.reader.data(['additionalMedia', { id: 'stream0', media: Uint8Array.of(0xaf, 0, 0x11, 0x90) }], 0)
  stream.reader.data(['additionalMedia', { id: 'stream0', media: Uint8Array.of(0xaf, 1, 1, 2) }], 21)
  assert.deepEqual(stream.held.take(), ['track 257 aac 1190', 'frame 257 1890 1890 1 key'])
  for (const value of [undefined, null, 7, {}, { id: 'x', media: 1 }, { id: 'stream0', media: new Uint8Array(0) }]) {
    stream.reader.data(['additionalMedia', value], 40)
  }
  assert.deepEqual(stream.held.take(), [])
  assert.equal(stream.reader.metadata, metadata)
})

test('an aggregate message holds tags, of which the first has the time stamp of the message', () => {
  const stream = new Stream()
  stream.audio(0, 0xaf, 0, 0x11, 0x88)
  const tag = (ms: number) => [8, 0, 0, 3, 0, 0, ms, 0, 0, 0, 0, 0xaf, 1, 1, 0, 0, 0, 14]
  stream.reader.push(22, 1000, Uint8Array.from([...tag(100), ...tag(123), 8, 0, 0]))
  assert.deepEqual(stream.held.take(), ['frame 256 90000 90000 1 key', 'frame 256 92070 92070 1 key'])
  assert.equal(stream.reader.counters.malformed, 1)
})

test('tracks beyond the bound are counted, and cost no memory', () => {
  const held = new HeldFrames()
  const reader = new FlvReader(held, { maxTracks: 2 })
  for (let index = 0; index < 256; index++) {
    reader.push(8, 0, Uint8Array.from([0x95, 0x01, ...text('ac-3'), index, 0x0b, 0x77]))
  }
  assert.equal(held.tracks.length, 2)
  assert.equal(reader.counters.tooLarge, 254)
})
