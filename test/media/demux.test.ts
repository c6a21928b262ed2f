// Transport streams that ffmpeg never writes, to frames: every packing of access units, damage, breaks, several readers.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildTs, duplicatePackets, PTS_WRAP } from '@millrace/engine/testing'
import { TsDemuxer } from '@millrace/media/mpegts/demux'
import { Framer } from '@millrace/media/mpegts'
import { seeded } from '../fuzz/seeded.js'
import type { HeldFrame } from './frames.kit.js'
import { demux, HeldFrames } from './frames.kit.js'
import { combine, listSources } from './packaging.js'
import { allStreams } from './streams.js'

const COMBINATIONS = 40
const PACKET = 188

for (const { name, bytes } of allStreams()) {
  test(`${name}: the same frames from pieces of any size, none of them damaged`, () => {
    const demuxer = new TsDemuxer()
    const whole = demux(bytes, bytes.length, demuxer)
    assert.deepEqual(demux(bytes, 1009).frames, whole.frames)
    assert.ok(whole.frames.length > 50, `${whole.frames.length} frames`)
    const { damaged, tooLarge, continuityErrors, brokenPes } = demuxer.counters
    // A clip may be cut inside a PES packet; what it begins with may lack its configuration.
    assert.ok(damaged <= 2, `${damaged} damaged`)
    assert.deepEqual({ tooLarge, continuityErrors, brokenPes }, { tooLarge: 0, continuityErrors: 0, brokenPes: 0 })
    for (const track of new Set(whole.frames.map((frame) => frame.track.id))) {
      const times = whole.frames.filter((frame) => frame.track.id === track).map(({ dts90k }) => dts90k)
      for (const [at, dts90k] of times.entries()) assert.ok(at === 0 || dts90k > times[at - 1]!)
    }
  })
}

test('however access units are packed, each picture is a frame with its slices and its decoding time', () => {
  const sources = listSources().filter(({ video }) => video.codec !== 'mpeg2')
  let compared = 0
  for (let seed = 0; seed < COMBINATIONS; seed++) {
    const { name, bytes, piece, source } = combine(seed, sources)
    const frames = demux(bytes, piece).of('video')
    const pictures = sources.find((other) => other.name === source)!.pictures
    const codec = frames[0]?.track.codec ?? 'h264'
    const wanted = pictures.map((picture) => slicesOf(splitUnits(picture.bytes), codec))
    // Tables may come late, and pictures before them are nobody's.
    const from = wanted.length - frames.length
    assert.ok(from >= 0, `${name}: ${frames.length} frames of ${wanted.length} pictures`)
    for (const [at, frame] of frames.entries()) {
      assert.deepEqual(slicesOf(frame.units, codec), wanted[from + at], `${name}: picture ${at}`)
      const step = frame.dts90k - frames[0]!.dts90k - (pictures[from + at]!.dts90k - pictures[from]!.dts90k)
      assert.ok(Math.abs(step) <= 3600, `${name}: picture ${at} is ${step} ticks off`)
      compared++
    }
  }
  assert.ok(compared > COMBINATIONS * 40, `${compared} compared`)
})

test('lost packets cost the frames they belong to, and no others', () => {
  const random = seeded(7)
  const { bytes } = buildTs({ durationS: 6, video: { bFrames: 2 }, audio: [{ framesPerPes: 5 }] })
  const before = new Map(demux(bytes).frames.map((frame) => [keyOf(frame), frame]))
  const packets = Array.from({ length: bytes.length / PACKET }, (_, at) =>
    bytes.subarray(at * PACKET, (at + 1) * PACKET),
  )
  const kept = packets.filter((_, at) => at < 20 || random() > 0.01)
  const demuxer = new TsDemuxer()
  const after = demux(new Uint8Array(Buffer.concat(kept)), 65_536, demuxer)
  for (const frame of after.frames) assert.deepEqual(frame.units, before.get(keyOf(frame))?.units, keyOf(frame))
  assert.ok(after.frames.length > before.size / 3 && after.frames.length < before.size)
  assert.ok(demuxer.counters.damaged > 0 && demuxer.counters.continuityErrors > 0)
})

test('packets that are sent twice change nothing', () => {
  const { bytes } = buildTs({ durationS: 2, video: { bFrames: 2 } })
  const twice = duplicatePackets(bytes, { pid: 0x100, every: 3 }).bytes
  assert.deepEqual(demux(twice).frames, demux(bytes).frames)
})

test('times go on across the wrap, for all tracks alike', () => {
  const plan = { durationS: 4, video: { bFrames: 2 } } as const
  const early = demux(buildTs({ ...plan, startPts90k: 900_000 }).bytes)
  const late = demux(buildTs({ ...plan, startPts90k: PTS_WRAP - 180_000 }).bytes)
  const offset = late.frames[0]!.dts90k - early.frames[0]!.dts90k
  const times = ({ pts90k, dts90k }: HeldFrame): number[] => [pts90k, dts90k].map((ticks) => Math.round(ticks))
  assert.deepEqual(
    late.frames.map(times),
    early.frames.map((frame) => times({ ...frame, pts90k: frame.pts90k + offset, dts90k: frame.dts90k + offset })),
  )
})

test('a break is told, and the frame that it cuts is dropped', () => {
  const { bytes } = buildTs({ durationS: 4 })
  const held = new HeldFrames()
  const demuxer = new TsDemuxer()
  demuxer.attach(held)
  const chunks = [...new Framer({}).push(bytes, 0)]
  const whole = demux(bytes)
  for (const [at, chunk] of chunks.entries()) {
    if (at === 1) continue
    demuxer.push(at === 2 ? { ...chunk, discontinuity: 'lost' } : chunk)
  }
  assert.equal(held.breaks, 1)
  assert.ok(held.frames.length > 0 && held.frames.length < whole.frames.length)
})

test('where tracks change and nothing is missing, sound that is under way goes on', () => {
  const { bytes } = buildTs({ durationS: 6, audio: { framesPerPes: 8 } })
  const chunks = [...new Framer({}).push(bytes, 0)]
  const read = (isMarked: boolean, jump: number): { held: HeldFrames; errors: number } => {
    const held = new HeldFrames()
    const demuxer = new TsDemuxer()
    demuxer.attach(held)
    for (const [at, chunk] of chunks.entries()) {
      const sent = jump > 0 && at > 1 ? withCounters(chunk.bytes, jump) : chunk.bytes
      demuxer.push({ ...chunk, bytes: sent, discontinuity: isMarked && at > 1 && 'marked' })
    }
    demuxer.flush()
    return { held, errors: demuxer.counters.continuityErrors }
  }
  const plain = read(false, 0)
  assert.ok(chunks.length > 3)
  const marked = read(true, 0)
  assert.deepEqual(marked.held.frames, plain.held.frames)
  assert.deepEqual([marked.held.breaks, marked.errors], [chunks.length - 2, 0])
  // Other counters: what the cut has left of a PES packet is no end of it.
  const jumped = read(true, 5)
  assert.equal(jumped.errors, 0)
  assert.deepEqual(jumped.held.of('video'), plain.held.of('video'))
  const lost = plain.held.of('audio').length - jumped.held.of('audio').length
  assert.ok(lost > 0 && lost <= 8 * (chunks.length - 2), `${lost} frames`)
})

test('where tracks change with a new generation, it does not end sound of the old one', () => {
  const { bytes } = buildTs({ durationS: 4, audio: { framesPerPes: 1 } })
  const framer = new Framer({})
  const chunks = [...framer.push(bytes, 0), ...framer.finish(0)]
  const plain = demux(bytes)
  const held = new HeldFrames()
  const demuxer = new TsDemuxer()
  demuxer.attach(held)
  for (const [at, chunk] of chunks.entries()) {
    const cut = at === 0 ? lengthened(chunk.bytes, plain.of('audio')[0]!.track.id) : chunk.bytes
    const generation = at === 0 ? 0 : 1
    const discontinuity = at === 1 && 'marked'
    demuxer.push({ ...chunk, bytes: cut, origin: { ...chunk.origin, generation }, discontinuity })
  }
  demuxer.flush()
  const unitsOf = (frames: HeldFrames): readonly string[] =>
    frames.of('audio').map(({ units, pts90k }) => `${Math.round(pts90k)} ${Buffer.concat(units).toString('hex')}`)
  const [left, all] = [unitsOf(held), unitsOf(plain)]
  const missing = all.findIndex((unit, at) => unit !== left[at])
  assert.ok(missing > 0 && missing < all.length - 1, `frame ${missing} is missing`)
  assert.deepEqual(left, all.toSpliced(missing, 1))
})

test('a reader that comes later hears of the tracks, and one that has left hears nothing', () => {
  const { bytes } = buildTs({ durationS: 4 })
  const demuxer = new TsDemuxer()
  const [first, second] = [new HeldFrames(), new HeldFrames()]
  const leave = demuxer.attach(first)
  const chunks = [...new Framer({}).push(bytes, 0)]
  demuxer.push(chunks[0]!)
  demuxer.attach(second)
  leave()
  const before = first.frames.length
  for (const chunk of chunks.slice(1)) demuxer.push(chunk)
  assert.deepEqual(
    second.tracks.map(({ id, codec }) => ({ id, codec })),
    demuxer.tracks.map(({ id, codec }) => ({ id, codec })),
  )
  assert.deepEqual(second.announced, ['video', 'audio'])
  assert.equal(first.frames.length, before)
  assert.ok(second.frames.length > 0)
})

test('an access unit beyond the bound is dropped and counted', () => {
  const { bytes } = buildTs({ durationS: 3, video: { bitrate: 4_000_000 } })
  const demuxer = new TsDemuxer({ maxUnitBytes: 20_000 })
  const held = demux(bytes, 65_536, demuxer)
  assert.ok(demuxer.counters.tooLarge > 0)
  for (const { units } of held.of('video')) assert.ok(units.reduce((sum, { length }) => sum + length, 0) <= 20_000)
})

test('codecs that are not carried are named', () => {
  const held = demux(buildTs({ durationS: 2, video: { codec: 'mpeg2' }, audio: { codec: 'mp2' } }).bytes)
  assert.deepEqual(held.refused, ['video mpeg2video'])
  assert.deepEqual(
    held.tracks.map(({ codec }) => codec),
    ['mp2'],
  )
})

function keyOf({ track, dts90k }: HeldFrame): string {
  return `${track.id} ${Math.round(dts90k)}`
}

/** NAL units between start codes. */
function splitUnits(bytes: Uint8Array): Uint8Array[] {
  const text = Buffer.from(bytes).toString('latin1')
  return text
    .split('\x00\x00\x01')
    .slice(1)
    .map((unit) => withoutZeros(Buffer.from(unit, 'latin1')))
}

function slicesOf(units: readonly Uint8Array[], codec: string): string[] {
  const isSlice = (first: number): boolean =>
    codec === 'h264' ? (first & 0x1f) >= 1 && (first & 0x1f) <= 5 : ((first >>> 1) & 0x3f) < 32
  return units.filter((unit) => isSlice(unit[0]!)).map((unit) => Buffer.from(unit).toString('hex'))
}

function withoutZeros(unit: Uint8Array): Uint8Array {
  return unit.subarray(0, unit.findLastIndex((byte) => byte !== 0) + 1)
}

/** Each packet with a continuity counter that is so much higher. */
function withCounters(bytes: Uint8Array, by: number): Uint8Array {
  const moved = bytes.slice()
  for (let at = 3; at < moved.length; at += PACKET) moved[at] = (moved[at]! & 0xf0) | ((moved[at]! + by) & 0x0f)
  return moved
}

/** The last ADTS frame of a PID says that it has 64 more bytes, which do not come. */
function lengthened(bytes: Uint8Array, pid: number): Uint8Array {
  const changed = Buffer.from(bytes)
  for (let at = changed.length - PACKET; at >= 0; at -= PACKET) {
    if ((changed.readUInt16BE(at + 1) & 0x5fff) !== (0x4000 | pid)) continue
    const header = changed.indexOf(Uint8Array.of(0xff, 0xf1), at)
    const size = ((changed[header + 3]! & 3) << 11) | (changed[header + 4]! << 3) | (changed[header + 5]! >> 5)
    const more = size + 64
    changed[header + 3] = (changed[header + 3]! & 0xfc) | (more >> 11)
    changed[header + 4] = (more >> 3) & 0xff
    changed[header + 5] = ((more & 7) << 5) | (changed[header + 5]! & 0x1f)
    break
  }
  return changed
}
