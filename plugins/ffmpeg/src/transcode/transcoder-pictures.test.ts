// What the options do to the picture and the sound, with a real ffmpeg, measured in what comes out.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { promisify } from 'node:util'
import { isUnitStart, PACKET_SIZE, payloadOffset, readPid, readPts } from '@millrace/media/mpegts'
import { firstPicture, makeClip, measured, probe, ptsOf, TranscodeBench } from './transcode.test.kit.js'

const run = promisify(execFile)
const FAST = { height: 54, preset: 'ultrafast' } as const
const VIDEO_PID = 0x100
const AUDIO_PID = 0x110

test('codec, frame rate, further options and a logo are those of each rendition; key frames are at the same pictures', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-logo-'))
  const image = join(folder, "logo: it's, [one].png")
  await run('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', 'color=white:size=16x16', '-frames:v', '1', image])
  const clip = await makeClip({ seconds: 3, source: 'color=color=black:', size: '96x54', audio: false })
  await using bench = new TranscodeBench({
    renditions: {
      h265: { ...FAST, codec: 'h265' },
      slow: { ...FAST, frameRate: 10 },
      plain: { ...FAST, extraArgs: ['-bf', '0', '-level:v', '4.1'] },
    },
    watermark: { image, position: 'bottom-right', margin: 8 },
  })
  await bench.feed(clip)
  await bench.end()
  await rm(folder, { recursive: true })
  const streams = async (port: string): Promise<readonly string[]> =>
    await probe(bench.bytes(port), ['-show_entries', 'stream=codec_name,level,has_b_frames'])
  assert.match((await streams('h265'))[0] ?? '', /^hevc,/)
  assert.match((await streams('slow'))[0] ?? '', /^h264,/)
  assert.equal((await streams('plain'))[0], 'h264,0,41')
  for (const port of ['slow', 'plain']) assert.deepEqual(bench.keys(port), bench.keys('h265'), port)
  assert.equal(bench.keys('h265').length, 3)
  assert.equal(ptsOf(bench.bytes('h265')).length, 75)
  // Every third of 25, and each key frame.
  const slow = ptsOf(bench.bytes('slow')).length
  assert.ok(slow >= 25 && slow <= 30, `${slow} pictures`)
  for (const port of ['h265', 'slow', 'plain']) {
    const picture = await firstPicture(bench.bytes(port))
    const at = (x: number, y: number): number => picture[y * 96 + x]!
    // From 72 to 88, and from 30 to 46.
    assert.ok(at(80, 38) > 200, `${port} has the logo`)
    for (const [x, y] of [
      [92, 38],
      [80, 50],
      [64, 38],
      [80, 24],
    ] as const) {
      assert.ok(at(x, y) < 60, `${port} is black at ${x}, ${y}`)
    }
  }
})

test('sound gets the loudness that is asked for, and stays beside its pictures', async () => {
  const clip = await makeClip({ seconds: 10, size: '32x32' })
  await using bench = new TranscodeBench({ renditions: { small: FAST }, loudness: -32 })
  await bench.feed(clip)
  await bench.end()
  const bytes = bench.bytes('small')
  const loudness = async (of: Uint8Array): Promise<number> =>
    Number(/I:\s+(-[\d.]+) LUFS\s+Threshold/.exec(await measured(of, ['-map', '0:a', '-af', 'ebur128']))?.[1])
  const [before, after] = [await loudness(clip), await loudness(bytes)]
  assert.ok(before > -25, `${before} LUFS in the source`)
  assert.ok(Math.abs(after + 32) < 2, `${after} LUFS`)
  assert.ok(ptsOf(bytes, AUDIO_PID).length > 440)
  const last = { video: -1, audio: -1 }
  let mostMs = 0
  for (let at = 0; at + PACKET_SIZE <= bytes.length; at += PACKET_SIZE) {
    const pts = isUnitStart(bytes, at) ? readPts(bytes, payloadOffset(bytes, at), at + PACKET_SIZE) : -1
    if (pts < 0) continue
    const pid = readPid(bytes, at)
    if (pid === VIDEO_PID) last.video = pts
    else if (pid === AUDIO_PID) last.audio = pts
    if (last.video >= 0 && last.audio >= 0) mostMs = Math.max(mostMs, Math.abs(last.video - last.audio) / 90)
  }
  assert.ok(mostMs < 500, `${mostMs} ms apart`)
})

describe('interlaced pictures', () => {
  const SIZE = '320x192'
  /** Each has two fields, of different times. */
  const WOVEN = ['-vf', 'tinterlace=interleave_top,fieldorder=tff', '-r', '25', '-flags', '+ilme+ildct', '-top', '1']
  const SMALL = { height: 192, preset: 'ultrafast', video: '4Mb/s' } as const
  const forms = [
    {
      name: 'of H.264',
      codec: ['libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-sc_threshold', '0'],
    },
    { name: 'of MPEG-2', codec: ['mpeg2video', '-b:v', '4M', '-bf', '0'] },
  ]
  for (const { name, codec } of forms) {
    test(`${name} become whole ones, as many, at the same times, and key frames stay where they are`, async () => {
      const picture = { seconds: 2, size: SIZE, source: 'mandelbrot=', rate: 50 }
      const clip = await makeClip({ ...picture, codec, args: WOVEN, audio: false })
      await using bench = new TranscodeBench({ renditions: { small: SMALL, native: {} } })
      await bench.feed(clip)
      await bench.end()
      const small = bench.bytes('small')
      const [before, after] = [await fieldsOf(clip), await fieldsOf(small)]
      assert.ok(before.interlaced > before.progressive, 'the source is interlaced')
      assert.ok(after.progressive > after.interlaced, 'it no longer is')
      const flags = await probe(small, ['-show_entries', 'frame=interlaced_frame'])
      assert.deepEqual([...new Set(flags)], ['0'])
      assert.deepEqual(bench.keys('small'), bench.keys('native'))
      assert.deepEqual(sorted(ptsOf(small)), sorted(ptsOf(bench.bytes('native'))))
    })
  }
})

/** How many pictures ffmpeg takes for which. */
async function fieldsOf(bytes: Uint8Array): Promise<{ readonly interlaced: number; readonly progressive: number }> {
  const text = await measured(bytes, ['-vf', 'idet'])
  const [, interlaced, progressive] = /Multi frame detection: TFF: *(\d+) .*Progressive: *(\d+)/.exec(text) ?? []
  return { interlaced: Number(interlaced), progressive: Number(progressive) }
}

const sorted = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b)
