import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '@millrace/engine/testing'
import { MESSAGE } from '@millrace/rtmp'
import { BODIES, clip, metadata } from './rtmp-bench.test.kit.js'
import { TsRemuxer } from './ts-remuxer.js'

function remux() {
  const clock = new FakeClock()
  const state = { clock, nowMs: 0, packets: 0, keyPictures: 0, breaks: 0, unsupported: [] as string[], isAll: false }
  const remuxer = new TsRemuxer({
    syncMs: 2,
    nowMs: () => state.nowMs,
    after: (delayMs, run) => clock.after(delayMs, run),
    onPackets: (packets) => {
      assert.deepEqual([packets.length % 188, packets[0]], [0, 0x47])
      state.packets += packets.length / 188
      for (let at = 0; at < packets.length; at += 188) {
        const flags = (packets[at + 3]! & 0x20) !== 0 && packets[at + 4]! > 0 ? packets[at + 5]! : 0
        if ((flags & 0x80) !== 0) state.breaks++
        if ((flags & 0x40) !== 0) state.keyPictures++
      }
    },
    onUnsupported: (kind, codec, isAll) => {
      state.unsupported.push(`${kind} ${codec}`)
      state.isAll = isAll
    },
  })
  return Object.assign(state, { remuxer })
}

const isVideo = ({ type }: { type: number }): boolean => type === MESSAGE.video

test('with both tracks there, packets come at once', () => {
  const state = remux()
  for (const { type, timestampMs, body } of clip()) state.remuxer.push(type, timestampMs, body)
  assert.ok(state.packets > 20)
})

test('an announced track that does not come is waited for, a second at most', () => {
  const state = remux()
  state.remuxer.push(MESSAGE.data, 0, metadata('audiocodecid', 'videocodecid'))
  for (const { type, timestampMs, body } of clip().filter(isVideo)) state.remuxer.push(type, timestampMs, body)
  assert.equal(state.packets, 0)
  state.nowMs = 1000
  state.remuxer.push(MESSAGE.video, 520, BODIES.inter)
  assert.ok(state.packets > 10)
  assert.equal(state.remuxer.counters.frames, 14)
})

test('nothing need come behind the first key frame for the second to end', () => {
  const state = remux()
  state.remuxer.push(MESSAGE.data, 0, metadata('audiocodecid', 'videocodecid'))
  const video = clip().filter(isVideo)
  for (const { type, timestampMs, body } of video.slice(0, 2)) state.remuxer.push(type, timestampMs, body)
  assert.equal(state.packets, 0)
  state.clock.advance(1000)
  assert.equal(state.keyPictures, 1)
  assert.equal(state.clock.pending, 0)
})

test('a stream whose only announced track is not carried is told to be none', () => {
  const state = remux()
  state.remuxer.push(MESSAGE.data, 0, metadata('videocodecid'))
  // Enhanced RTMP: a sequence start of VP9.
  state.remuxer.push(MESSAGE.video, 0, Uint8Array.of(0x90, 0x76, 0x70, 0x30, 0x39, 1, 0, 0, 0))
  assert.deepEqual([state.unsupported, state.isAll], [['video vp09'], true])
  const both = remux()
  both.remuxer.push(MESSAGE.data, 0, metadata('audiocodecid', 'videocodecid'))
  both.remuxer.push(MESSAGE.video, 0, Uint8Array.of(0x90, 0x76, 0x70, 0x30, 0x39, 1, 0, 0, 0))
  assert.equal(both.isAll, false)
})

test('a clock that jumps while a track is waited for costs no picture, and is told at its place', () => {
  const state = remux()
  state.remuxer.push(MESSAGE.data, 0, metadata('audiocodecid', 'videocodecid'))
  const video = clip().filter(isVideo)
  // Relays stamp the first key frame 0, and go on with the clock of the stream.
  for (const [at, { type, timestampMs, body }] of video.entries())
    state.remuxer.push(type, at < 2 ? 0 : 3_600_000 + timestampMs, body)
  assert.equal(state.packets, 0)
  state.nowMs = 1000
  state.remuxer.push(MESSAGE.video, 3_600_520, BODIES.inter)
  assert.equal(state.remuxer.counters.frames, 14)
  assert.deepEqual(state.keyPictures, 1)
  assert.equal(state.breaks, 1)
})

test('metadata that announce one track make an end of waiting, whenever they come', () => {
  const state = remux()
  for (const { type, timestampMs, body } of clip().filter(isVideo)) state.remuxer.push(type, timestampMs, body)
  assert.equal(state.packets, 0)
  state.remuxer.push(MESSAGE.data, 0, metadata('videocodecid'))
  assert.ok(state.packets > 10)
})

test('audio that comes late is taken', () => {
  const state = remux()
  state.remuxer.push(MESSAGE.data, 0, metadata('videocodecid'))
  for (const { type, timestampMs, body } of clip().filter(isVideo)) state.remuxer.push(type, timestampMs, body)
  for (const { type, timestampMs, body } of clip(600)) state.remuxer.push(type, timestampMs, body)
  assert.equal(state.remuxer.counters.frames, 13 + 26)
})

test('an empty audio configuration, and messages of 0 to 2 bytes, are harmless', () => {
  const state = remux()
  for (const type of [MESSAGE.audio, MESSAGE.video, MESSAGE.data]) {
    for (const body of [[], [0], [0xaf, 0], [0x17, 0], [0xff, 0xff]]) state.remuxer.push(type, 0, Uint8Array.from(body))
  }
  for (const { type, timestampMs, body } of clip()) state.remuxer.push(type, timestampMs, body)
  assert.ok(state.packets > 20)
})

test('a codec that is not carried is named once, and the others go on', () => {
  const state = remux()
  state.remuxer.push(MESSAGE.data, 0, metadata('videocodecid'))
  for (const { type, timestampMs, body } of clip().filter(isVideo)) {
    state.remuxer.push(type, timestampMs, body)
    // Nellymoser.
    state.remuxer.push(MESSAGE.audio, timestampMs, Uint8Array.of(0x60, 1, 2))
  }
  assert.equal(state.unsupported.length, 1)
  assert.ok(state.packets > 10)
})

test('what waits is bounded, and given up to the muxer at the end', () => {
  const state = remux()
  const large = new Uint8Array(1_000_000)
  large.set(BODIES.key)
  new DataView(large.buffer).setUint32(5, large.length - 9)
  state.remuxer.push(MESSAGE.video, 0, BODIES.avcConfig)
  for (let at = 0; at < 4; at++) state.remuxer.push(MESSAGE.video, 40 * at, large)
  assert.equal(state.packets, 0)
  state.remuxer.push(MESSAGE.video, 160, large)
  assert.ok(state.packets > 20_000)
  const short = remux()
  for (const { type, timestampMs, body } of clip().filter(isVideo)) short.remuxer.push(type, timestampMs, body)
  short.remuxer.end()
  assert.ok(short.packets > 10)
})
