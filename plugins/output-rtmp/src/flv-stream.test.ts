import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PACKET_SIZE, payloadOffset, readPid, readPts, writePts } from '@millrace/media/mpegts'
import { MESSAGE, readAmf0 } from '@millrace/rtmp'
import { assertIncreasing, chunksOf, HeldMessages, StreamBench } from './stream-bench.test.kit.js'

const VIDEO = { codec: 'h264', gopFrames: 25, bitrate: 500_000 } as const
const CLIP = { durationS: 3, muxRate: 1_000_000, video: VIDEO }

test('a receiver that comes later gets metadata, headers, and the stream since its last key frame', () => {
  const bench = new StreamBench()
  const first = bench.join()
  bench.play(chunksOf(CLIP))
  const late = bench.join()
  assert.deepEqual(late.kinds.slice(0, 4), ['18 headers', '9 headers', '8 headers', '9 key'])
  // A burst is no sign of a slow receiver.
  assert.deepEqual([late.backlog, first.backlog < 10], [late.messages.length, true])
  const [metadata, ...headers] = late.messages.slice(0, 4).map(({ timestampMs }) => timestampMs)
  assert.deepEqual([metadata, new Set(headers).size], [0, 1])
  // The same objects as the others have: chunks are made once.
  const shared = late.messages.slice(3)
  assert.deepEqual(shared, first.messages.slice(-shared.length))
  assert.ok(shared.every((message, at) => message === first.messages.at(at - shared.length)))
  const { values } = readAmf0(late.messages[0]!.body)
  assert.equal(values[0], 'onMetaData')
})

test('a receiver that comes before the stream begins with its first key frame', () => {
  const bench = new StreamBench()
  const early = bench.join()
  bench.play(chunksOf(CLIP))
  assert.deepEqual(early.kinds.slice(0, 3), ['18 headers', '9 headers', '9 key'])
  assert.ok(early.kinds.indexOf('8 headers') < early.kinds.indexOf('8 audio'))
  assert.equal(early.kinds.filter((kind) => kind === '18 headers').length, 1)
})

for (const framesPerPes of [1, 2, 16]) {
  test(`${framesPerPes} audio frames in a PES: each has a time of its own, audio and video are at most 100 ms out of order`, () => {
    const bench = new StreamBench()
    const receiver = bench.join()
    bench.play(chunksOf({ ...CLIP, audio: { framesPerPes } }))
    bench.stream.flush()
    const audio = receiver.stamps(MESSAGE.audio)
    assertIncreasing(audio)
    assertIncreasing(receiver.stamps(MESSAGE.video))
    const steps = new Set(audio.slice(1).map((stamp, at) => stamp - audio[at]!))
    assert.ok(
      [...steps].every((step) => step >= 20 && step <= 27),
      [...steps].join(),
    )
    let newest = 0
    for (const { class: value, timestampMs } of receiver.messages) {
      if (value === 'headers') continue
      assert.ok(timestampMs > newest - 100)
      newest = Math.max(newest, timestampMs)
    }
  })
}

for (const [name, from90k] of [
  ['earlier', 90_000],
  ['hours later', 90_000 * 40_000],
] as const) {
  test(`time stamps go on when the source comes back with a clock that is ${name}`, () => {
    const bench = new StreamBench()
    const receiver = bench.join()
    bench.play(chunksOf({ ...CLIP, startPts90k: 90_000 * 10_000 }))
    const before = receiver.messages.at(-1)!.timestampMs
    bench.clock.advance(2000)
    const [first, ...others] = chunksOf({ ...CLIP, startPts90k: from90k })
    bench.play([{ ...first!, discontinuity: 'source' }, ...others])
    for (const type of [MESSAGE.video, MESSAGE.audio]) assertIncreasing(receiver.stamps(type))
    const after = receiver.messages.at(-1)!.timestampMs
    assert.ok(after - before > 3500 && after - before < 6500, `${before} ${after}`)
  })
}

test('sound alone can be joined at any time', () => {
  const bench = new StreamBench()
  bench.play(chunksOf({ durationS: 2, video: false }))
  const receiver = bench.join()
  bench.play(chunksOf({ durationS: 1, video: false }))
  assert.deepEqual(receiver.kinds.slice(0, 3), ['18 headers', '8 headers', '8 audio'])
})

test('codecs that FLV does not carry are named, and the rest is sent', () => {
  const bench = new StreamBench()
  const receiver = bench.join()
  bench.play(chunksOf({ durationS: 2, video: { ...VIDEO, codec: 'mpeg2' } }))
  assert.deepEqual([bench.leftOut.length, `${bench.stream.leftOutTracks.join()} codec`], [1, bench.leftOut[0]])
  assert.match(bench.leftOut[0]!, /^video mpeg/)
  assert.ok(receiver.stamps(MESSAGE.audio).length > 10)
})

/** Its tables go on to name it. */
function dropVideo(bytes: Uint8Array): void {
  const [videoPid, nullPid] = [0x100, 0x1fff]
  for (let at = 0; at < bytes.length; at += 188) {
    if ((((bytes[at + 1]! & 0x1f) << 8) | bytes[at + 2]!) !== videoPid) continue
    bytes[at + 1] = nullPid >> 8
    bytes[at + 2] = nullPid & 0xff
  }
}

/** By 8 s. */
function putSoundAhead(bytes: Uint8Array): void {
  const audioPid = 0x101
  for (let at = 0; at < bytes.length; at += PACKET_SIZE) {
    const payload = payloadOffset(bytes, at)
    const isStart = (bytes[at + 1]! & 0x40) !== 0
    if (readPid(bytes, at) !== audioPid || !isStart) continue
    const pts90k = readPts(bytes, payload, at + PACKET_SIZE)
    writePts(bytes, payload, at + PACKET_SIZE, pts90k + 8 * 90_000)
  }
}

test('video that is announced and never comes is waited for 5 s; then there is sound, and later video is taken up', () => {
  const bench = new StreamBench()
  const [early, late] = [bench.join(), new HeldMessages()]
  bench.play(chunksOf({ ...CLIP, durationS: 4 }, dropVideo))
  assert.deepEqual(early.kinds, [])
  bench.play(chunksOf({ ...CLIP, durationS: 4, startPts90k: 90_000 * 14 }, dropVideo))
  assert.deepEqual(early.kinds.slice(0, 3), ['18 headers', '8 headers', '8 audio'])
  bench.stream.add(late)
  bench.play(chunksOf({ ...CLIP, startPts90k: 90_000 * 18 }))
  assert.deepEqual(late.kinds.slice(0, 3), ['18 headers', '8 headers', '8 audio'])
  for (const receiver of [early, late]) {
    const video = receiver.kinds.filter((kind) => kind.startsWith('9') || kind.startsWith('18'))
    assert.deepEqual(video.slice(0, 5), ['18 headers', '9 headers', '18 headers', '9 key', '9 inter'])
    assertIncreasing(receiver.stamps(MESSAGE.audio))
  }
})

test('a receiver that joins with sound alone gets video from a key frame on', () => {
  const bench = new StreamBench()
  bench.play(chunksOf({ ...CLIP, durationS: 7, video: { ...VIDEO, gopFrames: 200 } }, dropVideo))
  const receiver = bench.join()
  bench.play(chunksOf({ durationS: 1, video: false, startPts90k: 90_000 * 17 }))
  bench.play(chunksOf({ ...CLIP, startPts90k: 90_000 * 18 }))
  const video = receiver.kinds.filter((kind) => kind.startsWith('9') && kind !== '9 headers')
  assert.deepEqual(video.slice(0, 2), ['9 key', '9 inter'])
})

test('a receiver that comes when the source is lost or silent gets nothing of the past, and begins when it is back', () => {
  for (const isKnown of [true, false]) {
    const bench = new StreamBench()
    bench.play(chunksOf(CLIP))
    if (isKnown) bench.lostAtMs = bench.clock.nowMs() + 1
    bench.clock.advance(isKnown ? 2 : 3100)
    const late = bench.join()
    assert.deepEqual([late.messages, bench.stream.isWaiting(late)], [[], true])
    bench.play(chunksOf({ ...CLIP, startPts90k: 90_000 * 100 }))
    assert.deepEqual(late.kinds.slice(0, 4), ['18 headers', '9 headers', '8 headers', '9 key'])
  }
})

test('a receiver that comes long after the stream has ended gets its last group of pictures', () => {
  const bench = new StreamBench()
  bench.play(chunksOf(CLIP))
  bench.stream.flush()
  bench.clock.advance(4000)
  assert.deepEqual(bench.join().kinds.slice(0, 4), ['18 headers', '9 headers', '8 headers', '9 key'])
})

test('sound whose clock runs far ahead of the picture keeps nobody from beginning with a picture', () => {
  const bench = new StreamBench()
  bench.play(chunksOf(CLIP, putSoundAhead))
  assert.deepEqual(bench.join().kinds.slice(0, 4), ['18 headers', '9 headers', '8 headers', '9 key'])
})
