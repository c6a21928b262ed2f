// Damaged tags and packets, and random bytes: nothing throws, frames stay within their bytes, memory within its bound.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { buildTs } from '@millrace/engine/testing'
import type { Frame, FrameConsumer, Track } from '@millrace/media/elementary'
import { FlvReader, FlvWriter } from '@millrace/media/flv'
import type { FlvTag } from '@millrace/media/flv'
import { Framer, packetise, renderPat, renderPmt } from '@millrace/media/mpegts'
import { TsDemuxer } from '@millrace/media/mpegts/demux'
import { seeded } from './seeded.js'

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 20_000)
const SEED = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 32)
const H265 = new URL('../../fixtures/h265-aac.ts', import.meta.url)
const PACKET = 188
/** Packets of a run of the transport stream. */
const PACKETS = 400

/** Stream types, and what their frames begin with: ADTS, LATM, MPEG audio, AC-3, E-AC-3, Opus, H.264, H.265. */
const STREAMS: readonly (readonly [streamType: number, start: readonly number[]])[] = [
  [0x0f, [0xff, 0xf1, 0x4c, 0x80, 0x05, 0x7f, 0xfc]],
  [0x11, [0x56, 0xe0, 0x20, 0x20, 0x00, 0x11, 0x90]],
  [0x03, [0xff, 0xfd, 0x14, 0xc4]],
  [0x81, [0x0b, 0x77, 0, 0, 0x00, 0x40, 0x43]],
  [0x87, [0x0b, 0x77, 0x00, 0x1f, 0x34, 0x80]],
  [0x06, [0x7f, 0xe0, 0x20, 0xfc]],
  [0x1b, [0, 0, 1, 0x67, 0x42, 0xc0, 0x1e, 0, 0, 1, 0x68, 0xce, 0, 0, 1, 0x65, 0x88]],
  [0x24, [0, 0, 1, 0x40, 1, 0, 0, 0, 1, 0x42, 1, 1, 0, 0, 1, 0x26, 1, 0x80]],
]

/** Checks what it gets. */
class Checked implements FrameConsumer {
  frames = 0

  expected(): void {}
  track(): void {}
  ended(): void {}
  discontinuity(): void {}

  frame({ bytes, units, unitCount, pts90k, dts90k }: Frame): void {
    this.frames++
    assert.ok(unitCount > 0 && Number.isFinite(pts90k) && Number.isFinite(dts90k))
    let last = 0
    for (let at = 0; at < unitCount; at++) {
      const [start, end] = [units[at * 2]!, units[at * 2 + 1]!]
      assert.ok(start >= last && end > start && end <= bytes.length, `${start} to ${end} of ${bytes.length}`)
      last = end
    }
  }

  unsupported(_: string, codec: string): void {
    assert.ok(codec.length > 0 && codec.length < 40)
  }
}

/** Writes it again. */
class Written extends Checked {
  readonly #writer = new FlvWriter({ tag: () => undefined, leftOut: () => undefined })

  override track(track?: Track): void {
    if (track !== undefined) this.#writer.track(track)
  }

  override frame(frame: Frame): void {
    super.frame(frame)
    this.#writer.frame(frame)
  }
}

function listTags(): { type: number; body: Uint8Array }[] {
  const tags: { type: number; body: Uint8Array }[] = []
  const tag = ({ type, bytes, start, end }: FlvTag): void => {
    tags.push({ type, body: bytes.slice(start, Math.min(end, start + 300)) })
  }
  for (const stream of [buildTs({ durationS: 1 }).bytes, new Uint8Array(readFileSync(H265))]) {
    const demuxer = new TsDemuxer()
    const writer = new FlvWriter({ tag, leftOut: () => undefined })
    demuxer.attach(writer)
    for (const chunk of new Framer({}).push(stream, 0)) demuxer.push(chunk)
    writer.flush()
  }
  return tags
}

test(`damaged and random tags are read within bounds (seed ${SEED})`, () => {
  const random = seeded(SEED)
  const tags = listTags()
  const checked = new Checked()
  const reader = new FlvReader(checked)
  const chained = new FlvReader(new Written())
  const tracks = new FlvReader(checked, { maxTracks: 256 })
  for (let run = 0; run < RUNS; run++) {
    const { type, body } = tags[Math.floor(random() * tags.length)]!
    const size = random() < 0.2 ? Math.floor(random() * 24) : body.length
    const bytes = body.slice(0, size)
    for (let left = Math.floor(random() * 5); left > 0; left--)
      bytes[Math.floor(random() * Math.min(size, 24))] = random() * 256
    const stamp = random() < 0.05 ? random() * 2 ** 32 : run * 20
    for (const one of [reader, chained, tracks]) one.push(random() < 0.1 ? 22 : type, stamp >>> 0, bytes)
  }
  assert.ok(checked.frames > 0)
})

test(`damaged and random packets are read within bounds (seed ${SEED})`, () => {
  const random = seeded(SEED)
  const streams = [
    buildTs({ durationS: 3, video: { bFrames: 2 }, audio: [{ framesPerPes: 3 }, { codec: 'mp2' }] }).bytes,
    buildTs({ durationS: 3, video: { codec: 'h265' } }).bytes,
  ]
  const checked = new Checked()
  for (let run = 0; run < RUNS; run += PACKETS) {
    const source = streams[(run / PACKETS) % streams.length]!
    const bytes = source.slice(0, PACKETS * PACKET)
    for (let left = Math.floor(random() * 200); left > 0; left--) {
      const packet = Math.floor(random() * PACKETS) * PACKET
      const at = random() < 0.7 ? 1 + Math.floor(random() * 40) : Math.floor(random() * PACKET)
      bytes[packet + at] = random() < 0.3 ? 0 : random() * 256
    }
    const demuxer = new TsDemuxer({ maxUnitBytes: 50_000 })
    demuxer.attach(checked)
    const framer = new Framer({})
    for (const chunk of [...framer.push(bytes, 0), ...framer.finish(0)]) demuxer.push(chunk)
    demuxer.flush()
  }
  assert.ok(checked.frames > 0)
})

test(`damaged and random frames of every codec are read within bounds (seed ${SEED})`, () => {
  const random = seeded(SEED)
  for (let run = 0; run < RUNS; run += 100) {
    const [streamType, start] = STREAMS[(run / 100) % STREAMS.length]!
    const demuxer = new TsDemuxer({ maxUnitBytes: 50_000 })
    demuxer.attach(new Checked())
    const framer = new Framer({})
    const chunks = framer.push(randomStream(random, streamType, start), 0)
    for (const chunk of [...chunks, ...framer.finish(0)]) demuxer.push(chunk)
    demuxer.flush()
  }
})

/** Tables, then packets of one PID: PES packets of random bytes between beginnings of frames. */
function randomStream(random: () => number, streamType: number, start: readonly number[]): Uint8Array {
  const none = new Uint8Array(0)
  const head = { version: 0, current: true }
  const programs = [{ program: 1, pmtPid: 0x1000 }]
  const pat = { ...head, transportStreamId: 1, sectionNumber: 0, lastSectionNumber: 0, programs, networkPid: undefined }
  const descriptors = streamType === 6 ? Uint8Array.from([5, 4, 0x4f, 0x70, 0x75, 0x73, 0x7f, 2, 0x80, 2]) : none
  const streams = [{ pid: 0x100, streamType, descriptors }]
  const pmt = { ...head, program: 1, pcrPid: 0x100, descriptors: none, streams }
  const parts = [packetise(renderPat(pat), 0, 0), packetise(renderPmt(pmt), 0x1000, 0)]
  for (let counter = 0; counter < 60; counter++) {
    const packet = new Uint8Array(PACKET).map(() => (random() < 0.3 ? 0 : random() * 256))
    const isStart = counter % 8 === 0
    packet.set([0x47, isStart ? 0x41 : 0x01, 0, 0x10 | (counter & 15)])
    if (isStart) packet.set([0, 0, 1, 0xc0, 0, 0, 0x80, 0x80, 5, 0x21, 0, 1, 0, 1, ...start], 4)
    for (let at = 24; at < 150; at += 10 + Math.floor(random() * 60)) packet.set(start, at)
    parts.push(packet)
  }
  return new Uint8Array(Buffer.concat(parts))
}
