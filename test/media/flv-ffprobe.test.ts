// FLV that ffmpeg writes, read by us and by ffprobe; FLV that we write, read by ffprobe.
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { FlvReader, FlvWriter } from '@millrace/media/flv'
import type { FlvTag } from '@millrace/media/flv'
import type { FrameConsumer } from '@millrace/media/elementary'
import { TsDemuxer } from '@millrace/media/mpegts/demux'
import { demux, HeldFrames, listTags, makeClip, probe } from './frames.kit.js'

const VIDEO = ['-f', 'lavfi', '-i', 'testsrc2=size=192x108:rate=25:duration=3']
const AUDIO = ['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=44100:duration=3']
const X264 = ['-c:v', 'libx264', '-preset', 'veryfast', '-g', '25', '-bf', '3']
/** Of an audio and a video tag in a file of version 1. */
const FILE_HEADER = [0x46, 0x4c, 0x56, 1, 5, 0, 0, 0, 9, 0, 0, 0, 0]

function readFile(file: Uint8Array): HeldFrames {
  const held = new HeldFrames()
  const reader = new FlvReader(held)
  for (const { type, timestampMs, body } of listTags(file)) reader.push(type, timestampMs, body)
  return held
}

for (const [name, codecs] of [
  ['AAC', ['-c:a', 'aac']],
  ['MP3', ['-c:a', 'libmp3lame']],
] as const) {
  test(`H.264 and ${name}: the frames of an FLV file are the packets of ffprobe`, () => {
    const { bytes, packets } = makeClip([...VIDEO, ...AUDIO, ...X264, ...codecs], 'flv')
    const held = readFile(bytes)
    assert.equal(held.frames.length, packets.length)
    const seen = held.frames.map(({ track, pts90k, dts90k, isRandomAccess, units }) => ({
      codec_type: track.kind,
      pts: pts90k / 90,
      dts: dts90k / 90,
      isRandomAccess,
      size: units.reduce((sum, unit) => sum + unit.length + (track.kind === 'video' ? 4 : 0), 0),
    }))
    const shown = packets.map(({ codec_type, pts, dts, flags, size }) => ({
      codec_type,
      pts,
      dts,
      isRandomAccess: flags.startsWith('K'),
      size: Number(size),
    }))
    assert.deepEqual(seen, shown)
  })
}

/** A file of what the writer gives. */
class FlvFile {
  readonly #parts: Uint8Array[] = [Uint8Array.from(FILE_HEADER)]
  readonly stamps: { readonly type: number; readonly timestampMs: number; readonly isConfig: boolean }[] = []

  tag({ type, timestampMs, bytes, start, end, isConfig }: FlvTag): void {
    const size = end - start
    const header = new DataView(new ArrayBuffer(11))
    header.setUint32(0, (type << 24) | size)
    header.setUint32(4, (timestampMs << 8) | (timestampMs >>> 24))
    const footer = new DataView(new ArrayBuffer(4))
    footer.setUint32(0, size + 11)
    this.#parts.push(new Uint8Array(header.buffer), bytes.slice(start, end), new Uint8Array(footer.buffer))
    this.stamps.push({ type, timestampMs, isConfig })
  }

  leftOut(): void {}

  get bytes(): Uint8Array {
    return new Uint8Array(Buffer.concat(this.#parts))
  }
}

function writeFlv(feed: (consumer: FrameConsumer) => void): FlvFile {
  const file = new FlvFile()
  const writer = new FlvWriter(file)
  feed(writer)
  writer.flush()
  return file
}

function fromTs(bytes: Uint8Array): FlvFile {
  return writeFlv((writer) => {
    const demuxer = new TsDemuxer()
    demuxer.attach(writer)
    demux(bytes, 1316, demuxer)
  })
}

test('a transport stream written as FLV has the frames, the order and the times of the source, and ffmpeg decodes it', () => {
  const packing = ['-b:a', '32k', '-pes_payload_size', '2930', '-f', 'mpegts']
  const { bytes } = makeClip([...VIDEO, ...AUDIO, ...X264, '-c:a', 'aac', ...packing], 'ts')
  const source = demux(bytes)
  const file = fromTs(bytes)
  const read = readFile(file.bytes)
  assertSameFrames(source, read)
  assertOrder(file)
  const folder = mkdtempSync(join(tmpdir(), 'millrace-flv-'))
  try {
    const path = join(folder, 'written.flv')
    writeFileSync(path, file.bytes)
    const { stderr } = spawnSync('ffprobe', ['-v', 'warning', '-show_packets', path], { maxBuffer: 2 ** 26 })
    assert.equal(stderr.toString(), '')
    assert.equal(probe(path).packets.length, source.frames.length)
    assert.equal(execFileSync('ffmpeg', ['-v', 'warning', '-i', path, '-f', 'null', '-']).toString(), '')
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('AAC whose channels an element describes is decoded with its channels', () => {
  const quad = ['-af', 'pan=quad|c0=c0|c1=c0|c2=c0|c3=c0', '-c:a', 'aac', '-f', 'mpegts']
  const file = fromTs(makeClip([...VIDEO, ...AUDIO, ...X264, ...quad], 'ts').bytes)
  const folder = mkdtempSync(join(tmpdir(), 'millrace-flv-'))
  try {
    const path = join(folder, 'quad.flv')
    writeFileSync(path, file.bytes)
    const shown = ['-select_streams', 'a', '-show_entries', 'stream=channels,channel_layout', '-of', 'csv=p=0']
    assert.equal(
      execFileSync('ffprobe', ['-v', 'error', ...shown, path])
        .toString()
        .trim(),
      '4,quad',
    )
    const { stderr } = spawnSync('ffmpeg', ['-v', 'warning', '-i', path, '-f', 'null', '-'])
    assert.equal(stderr.toString(), '')
  } finally {
    rmSync(folder, { recursive: true })
  }
})

for (const [name, args] of [
  ['H.265 and AC-3', [...VIDEO, ...AUDIO, '-c:v', 'libx265', '-x265-params', 'log-level=error', '-c:a', 'ac3']],
  ['H.264 and Opus', [...VIDEO, ...AUDIO, ...X264, '-c:a', 'libopus']],
  ['H.264 and E-AC-3', [...VIDEO, ...AUDIO, ...X264, '-c:a', 'eac3']],
] as const) {
  test(`${name}: Enhanced RTMP carries the frames of a transport stream unchanged`, () => {
    const { bytes } = makeClip([...args, '-f', 'mpegts'], 'ts')
    const file = fromTs(bytes)
    assertSameFrames(demux(bytes), readFile(file.bytes))
    assertOrder(file)
  })
}

/** Times of FLV are whole milliseconds. */
function assertSameFrames(source: HeldFrames, read: HeldFrames): void {
  for (const kind of ['video', 'audio'] as const) {
    const [before, after] = [source.of(kind), read.of(kind)]
    assert.ok(before.length > 70)
    const lost = before.length - after.length
    // What is earlier than the first frame sent has no place in FLV.
    assert.ok(lost >= 0 && lost <= (kind === 'audio' ? 5 : 0), `${lost} of ${kind} lost`)
    for (const [at, { units, pts90k, dts90k, isRandomAccess }] of after.entries()) {
      const was = before[at + lost]!
      assert.deepEqual(
        units,
        was.units.filter((unit) => kind === 'audio' || !isDelimiter(was.track.codec, unit[0]!)),
      )
      assert.equal(isRandomAccess, was.isRandomAccess)
      const first = before[lost]!
      const offset = after[0]!.dts90k - first.dts90k
      assert.ok(Math.abs(pts90k - offset - was.pts90k) <= 180, `PTS of ${kind} ${at}`)
      assert.ok(Math.abs(dts90k - offset - was.dts90k) <= 180, `DTS of ${kind} ${at}`)
    }
    assert.deepEqual(after[0]!.track.config, before[0]!.track.config)
  }
}

function isDelimiter(codec: string, first: number): boolean {
  return codec === 'h264' ? (first & 0x1f) === 9 : ((first >>> 1) & 0x3f) === 35
}

function assertOrder({ stamps }: FlvFile): void {
  let newest = 0
  const last = new Map<number, number>()
  for (const { type, timestampMs } of stamps) {
    assert.ok(timestampMs >= newest - 100, `${timestampMs} after ${newest}`)
    assert.ok(timestampMs >= (last.get(type) ?? 0))
    last.set(type, timestampMs)
    newest = Math.max(newest, timestampMs)
  }
}
