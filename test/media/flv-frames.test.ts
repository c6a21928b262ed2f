// Random frames to FLV and back: the same frames, in order of their decoding times.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FlvReader, FlvWriter } from '@millrace/media/flv'
import type { FlvTag } from '@millrace/media/flv'
import type { Codec, Frame, Track } from '@millrace/media/elementary'
import { seeded } from '../fuzz/seeded.js'
import { HeldFrames } from './frames.kit.js'

const RUNS = 200
const AVCC = Uint8Array.from([1, 0x64, 0, 0x1f, 0xff, 0xe1, 0, 2, 0x67, 0x64, 1, 0, 1, 0x68])
const HVCC = Uint8Array.from([1, ...Array.from({ length: 20 }, () => 0), 0x0f, 0])
const CONFIGS: Readonly<Partial<Record<Codec, Uint8Array>>> = {
  h264: AVCC,
  h265: HVCC,
  aac: Uint8Array.of(0x11, 0x90),
  opus: Uint8Array.from(Buffer.from('OpusHead\x01\x02\x00\x00\x80\xbb\x00\x00\x00\x00\x00', 'latin1')),
}

interface Sent {
  readonly kind: Track['kind']
  readonly units: readonly Uint8Array[]
  readonly ptsMs: number
  readonly dtsMs: number
  readonly isRandomAccess: boolean
  readonly isDisposable: boolean
}

/** Frames of two tracks in random bursts, as demuxers give them. */
function makeFrames(random: () => number, video: Track, audio: Track): Frame[] {
  const frames: Frame[] = []
  const start90k = Math.floor(random() * 1e9)
  let audioAt = 0
  for (let at = 0; at < 60; at++) {
    const dts90k = start90k + at * 3600
    const pts90k = dts90k + Math.floor(random() * 4) * 3600
    const first = video.codec === 'h264' ? [0x65, 0x41, 0x01] : [0x26, 0x02, 0x00]
    const kind = at % 12 === 0 ? 0 : random() < 0.5 ? 1 : 2
    const bodies = Array.from({ length: 1 + Math.floor(random() * 3) }, () => makeUnit(random, first[kind]!))
    frames.push(frameOf(video, bodies, pts90k, dts90k, kind === 0, kind === 2))
    if (random() < 0.6) continue
    for (; audioAt * 1920 < at * 3600; audioAt++) {
      const time90k = start90k + audioAt * 1920
      frames.push(frameOf(audio, [makeUnit(random, 0x21)], time90k, time90k, true, false))
    }
  }
  return frames
}

function makeUnit(random: () => number, first: number): Uint8Array {
  const unit = new Uint8Array(2 + Math.floor(random() * random() * 5000)).map(() => random() * 256)
  unit[0] = first
  return unit
}

function frameOf(
  track: Track,
  bodies: readonly Uint8Array[],
  pts90k: number,
  dts90k: number,
  isRandomAccess: boolean,
  isDisposable: boolean,
): Frame {
  const units = new Int32Array(bodies.length * 2)
  let at = 0
  for (const [index, { length }] of bodies.entries()) {
    units[index * 2] = at
    at += length
    units[index * 2 + 1] = at
  }
  const bytes = new Uint8Array(Buffer.concat(bodies))
  return { track, bytes, units, unitCount: bodies.length, pts90k, dts90k, isRandomAccess, isDisposable }
}

test('random frames survive FLV: bytes, times in whole milliseconds, flags; at most 100 ms out of order', () => {
  for (let seed = 1; seed <= RUNS; seed++) {
    const random = seeded(seed)
    const codecs = [
      seed % 2 === 0 ? 'h264' : 'h265',
      (['aac', 'opus', 'ac3', 'mp3', 'eac3'] as const)[seed % 5]!,
    ] as const
    const [video, audio] = codecs.map((codec, id) => {
      const config = CONFIGS[codec] ?? new Uint8Array(0)
      return { id, kind: id === 0 ? ('video' as const) : ('audio' as const), codec, config }
    }) as [Track, Track]
    const frames = makeFrames(random, video, audio)
    const held = new HeldFrames()
    const reader = new FlvReader(held)
    const stamps: number[] = []
    const tag = ({ type, timestampMs, bytes, start, end }: FlvTag): void => {
      stamps.push(timestampMs)
      reader.push(type, timestampMs, bytes.slice(start, end))
    }
    const writer = new FlvWriter({ tag, leftOut: () => assert.fail() })
    writer.track(video)
    writer.track(audio)
    for (const frame of frames) writer.frame(frame)
    writer.flush()
    const origin = Math.round(Math.min(...frames.map(({ dts90k }) => dts90k)) / 90)
    for (const kind of ['video', 'audio'] as const) {
      const wanted = frames.filter(({ track }) => track.kind === kind).map((frame) => sentOf(frame, origin))
      assert.deepEqual(held.of(kind).map(readOf), wanted, `seed ${seed}`)
    }
    for (const [at, stamp] of stamps.entries()) {
      const newest = Math.max(...stamps.slice(0, at + 1))
      assert.ok(newest - stamp <= 101 || newest - stamp > 1000, `seed ${seed}: ${stamp} after ${newest}`)
    }
  }
})

test('a track that is announced and never comes delays the other one by a second, once', () => {
  const stamps: number[] = []
  const writer = new FlvWriter({ tag: ({ timestampMs }) => stamps.push(timestampMs), leftOut: () => undefined })
  const video: Track = { id: 0, kind: 'video', codec: 'h264', config: AVCC }
  writer.expected('audio')
  writer.track(video)
  for (let at = 0; at < 100; at++) {
    writer.frame(frameOf(video, [Uint8Array.of(0x65, 0x88)], at * 3600, at * 3600, true, false))
    if (at * 40 <= 1000) assert.deepEqual(stamps, [])
    else assert.equal(stamps.length, at + 2)
  }
})

test('what is held stays within its bound', () => {
  let sent = 0
  const writer = new FlvWriter({ tag: () => sent++, leftOut: () => undefined }, { maxHeldBytes: 100_000 })
  const video: Track = { id: 0, kind: 'video', codec: 'h264', config: AVCC }
  writer.expected('audio')
  writer.track(video)
  const unit = new Uint8Array(30_000).fill(0x41)
  for (let at = 0; at < 10; at++) writer.frame(frameOf(video, [unit], at, at, false, false))
  assert.ok(sent >= 7, `${sent} sent`)
})

test('codecs without a place in FLV and second tracks are left out by name', () => {
  const left: string[] = []
  const writer = new FlvWriter({ tag: () => assert.fail(), leftOut: ({ id, codec }) => left.push(`${id} ${codec}`) })
  const track = (id: number, codec: Codec): Track => ({ id, kind: 'audio', codec, config: new Uint8Array(0) })
  writer.track(track(1, 'mp2'))
  writer.track(track(2, 'ac3'))
  writer.track(track(3, 'ac3'))
  assert.deepEqual(left, ['1 mp2', '3 ac3'])
})

test('onMetaData and sequence headers say what the tracks are', () => {
  const writer = new FlvWriter({ tag: () => undefined, leftOut: () => undefined })
  writer.track({ id: 0, kind: 'video', codec: 'h265', config: HVCC })
  writer.track({ id: 1, kind: 'audio', codec: 'aac', config: CONFIGS.aac! })
  assert.deepEqual(writer.metadata('Millrace'), {
    duration: 0,
    encoder: 'Millrace',
    videocodecid: 0x6876_6331,
    audiocodecid: 10,
    audiosamplerate: 48_000,
    audiosamplesize: 16,
    audiochannels: 2,
    stereo: true,
  })
  assert.deepEqual(
    writer.configs().map(({ type, body }) => [type, body[0]]),
    [
      [9, 0x90],
      [8, 0xaf],
    ],
  )
})

function sentOf({ track, bytes, units, unitCount, ...frame }: Frame, origin: number): Sent {
  return {
    kind: track.kind,
    units: Array.from({ length: unitCount }, (_, at) => bytes.slice(units[at * 2]!, units[at * 2 + 1]!)),
    ptsMs: Math.round(frame.pts90k / 90) - origin,
    dtsMs: Math.round(frame.dts90k / 90) - origin,
    isRandomAccess: frame.isRandomAccess,
    isDisposable: frame.isDisposable,
  }
}

function readOf(frame: HeldFrames['frames'][number]): Sent {
  const { units, isRandomAccess, isDisposable } = frame
  const times = { ptsMs: frame.pts90k / 90, dtsMs: frame.dts90k / 90 }
  return { kind: frame.track.kind, units, ...times, isRandomAccess, isDisposable }
}
