// What ffmpeg writes, read by us and by ffprobe: the same packets.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HeldFrame, ProbedPacket } from './frames.kit.js'
import { demux, makeClip } from './frames.kit.js'

const VIDEO = ['-f', 'lavfi', '-i', 'testsrc2=size=192x108:rate=25:duration=3']
const AUDIO = ['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000:duration=3']
const X264 = ['-c:v', 'libx264', '-preset', 'veryfast', '-g', '25', '-bf', '3']
const X265 = ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=error:keyint=25:bframes=3']

const rows = [
  { name: 'H.264 with B pictures and AAC', args: [...VIDEO, ...AUDIO, ...X264, '-c:a', 'aac'], adts: 7 },
  {
    name: 'H.264 of several slices with open GOPs, and AAC of 44.1 kHz packed closely',
    args: [
      ...[...VIDEO, ...AUDIO, ...X264, '-x264-params', 'slices=4:open-gop=1', '-c:a', 'aac', '-b:a', '32k'],
      ...['-ar', '44100', '-pes_payload_size', '2930'],
    ],
    adts: 7,
  },
  { name: 'H.265 and MP2', args: [...VIDEO, ...AUDIO, ...X265, '-c:a', 'mp2'], adts: 0 },
  { name: 'MP3', args: [...AUDIO, '-c:a', 'libmp3lame'], adts: 0 },
  { name: 'AC-3', args: [...AUDIO, '-ac', '6', '-c:a', 'ac3'], adts: 0 },
  { name: 'E-AC-3', args: [...AUDIO, '-c:a', 'eac3'], adts: 0 },
  { name: 'Opus', args: [...AUDIO, '-c:a', 'libopus'], adts: 0 },
  { name: 'AAC in LATM', args: [...AUDIO, '-c:a', 'aac', '-mpegts_flags', 'latm'], adts: undefined },
]

for (const { name, args, adts } of rows) {
  test(`${name}: the frames of a transport stream are the packets of ffprobe`, () => {
    const { bytes, packets } = makeClip([...args, '-f', 'mpegts'], 'ts')
    for (const pieces of [bytes.length, 1009]) {
      const held = demux(bytes, pieces)
      assert.deepEqual(held.refused, [])
      assert.ok(held.frames.length > 90)
      assertVideo(held.of('video'), packets)
      assertAudio(held.of('audio'), packets, adts)
    }
  })
}

test('AAC in LATM has the frames and the configuration that it has in ADTS', () => {
  const encode = [...AUDIO, '-c:a', 'aac', '-flags', '+bitexact', '-f', 'mpegts']
  const adts = demux(makeClip(encode, 'ts').bytes)
  const latm = demux(makeClip([...encode, '-mpegts_flags', 'latm'], 'ts').bytes)
  assert.deepEqual(
    latm.frames.map(({ units }) => units),
    adts.frames.map(({ units }) => units),
  )
  assert.deepEqual(latm.tracks[0]!.config.subarray(0, 2), adts.tracks[0]!.config)
})

function assertVideo(frames: readonly HeldFrame[], packets: readonly ProbedPacket[]): void {
  const wanted = packets.filter(({ codec_type }) => codec_type === 'video')
  const seen = frames.map(({ pts90k, dts90k, isRandomAccess }) => ({ pts90k, dts90k, isRandomAccess }))
  const shown = wanted.map(({ pts, dts, flags }) => ({
    pts90k: pts!,
    dts90k: dts!,
    isRandomAccess: flags.startsWith('K'),
  }))
  assert.deepEqual(seen, shown)
  for (const [at, { units }] of frames.entries()) {
    // ffprobe counts start codes, of three or four bytes.
    const least = units.reduce((sum, unit) => sum + unit.length + 3, 0)
    const size = Number(wanted[at]!.size)
    assert.ok(size >= least && size <= least + units.length, `${at}: ${size} bytes, ${units.length} units, ${least}`)
  }
}

function assertAudio(frames: readonly HeldFrame[], packets: readonly ProbedPacket[], adts: number | undefined): void {
  const wanted = packets.filter(({ codec_type }) => codec_type === 'audio')
  assert.equal(frames.length, wanted.length)
  for (const [at, { pts90k, units }] of frames.entries()) {
    const { pts, size } = wanted[at]!
    // ffprobe rounds durations to whole ticks.
    assert.ok(pts === undefined || Math.abs(pts90k - pts) <= 16, `${at}: ${pts90k}, ffprobe ${pts}`)
    if (adts !== undefined) assert.equal(units[0]!.length + adts, Number(size), `size of ${at}`)
  }
}
