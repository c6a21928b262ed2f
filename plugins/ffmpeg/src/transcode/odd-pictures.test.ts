// Pictures that are coded as two fields, flagged as what they are not, or change their depth.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { fieldCodedTs } from '../snapshot/field-coded.test.kit.js'
import { makeClip, measured, pictureSizes, probe, ptsOf, TranscodeBench } from './transcode.test.kit.js'

const byTime = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b)
const FAST = { preset: 'ultrafast', video: '4Mb/s' } as const

/** As ffmpeg's `idet` finds most of them. */
async function combed(bytes: Uint8Array): Promise<boolean> {
  const text = await measured(bytes, ['-vf', 'idet'])
  const [, interlaced, progressive] = /Multi frame detection: TFF: *(\d+) .*Progressive: *(\d+)/.exec(text) ?? []
  return Number(interlaced) > Number(progressive)
}

describe('pictures that are coded as two fields', () => {
  for (const isJoined of [false, true]) {
    const form = isJoined ? 'one unit for both fields' : 'a unit for each field'
    test(`become one picture each, at the time of the first field: ${form}`, async () => {
      const pictures = 30
      const fields = Array.from({ length: pictures }, (_, index) => ({ top: 60 + index, bottom: 60 + index }))
      const source = fieldCodedTs(fields, { isJoined })
      await using bench = new TranscodeBench({ renditions: { small: FAST } })
      await bench.feed(source)
      await bench.end()
      const out = bench.bytes('small')
      assert.deepEqual(
        byTime(ptsOf(out)),
        Array.from({ length: pictures }, (_, index) => 90_000 + index * 3600),
      )
      assert.deepEqual(bench.keys('small'), byTime(ptsOf(out)), 'all are key frames, as in the source')
      const [flag] = await probe(out, ['-show_entries', 'frame=interlaced_frame'])
      assert.equal(flag, '0')
    })
  }
})

test('1080i50 becomes 50p with `deinterlaceRate: field`: a picture of each field, key frames by `gop` alone', async () => {
  const codec = ['libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-sc_threshold', '0', '-x264opts', 'tff=1']
  const args = ['-vf', 'interlace=scan=tff', '-flags', '+ilme+ildct', '-output_ts_offset', '1']
  const clip = await makeClip({ seconds: 3, size: '192x108', rate: 50, codec, args, audio: false })
  assert.equal((await probe(clip, ['-show_entries', 'frame=interlaced_frame']))[0], '1')
  await using bench = new TranscodeBench({ renditions: { small: FAST }, gop: '1s', deinterlaceRate: 'field' })
  await bench.feed(clip)
  await bench.end()
  const out = bench.bytes('small')
  const fields = byTime(ptsOf(clip)).flatMap((pts) => [pts, pts + 1800])
  assert.deepEqual(byTime(ptsOf(out)), fields)
  const starts = fields.filter((pts, at) => Math.floor(pts / 90_000) !== Math.floor((fields[at - 1] ?? -1) / 90_000))
  assert.deepEqual(bench.keys('small'), starts)
  assert.deepEqual([...new Set(await probe(out, ['-show_entries', 'frame=interlaced_frame']))], ['0'])
})

describe('pictures with the wrong flag', () => {
  const H264 = ['libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-sc_threshold', '0', '-qp', '10']
  const picture = { seconds: 2, size: '320x192', source: 'mandelbrot=', codec: H264, audio: false }
  const WOVEN = ['-vf', 'tinterlace=interleave_top,setfield=prog', '-r', '25']
  const FLAGGED = ['-vf', 'setfield=tff', '-flags', '+ilme+ildct', '-top', '1']

  for (const { name, rate, args, deinterlace, isCombed } of [
    {
      name: 'of two fields, flagged as whole, stay with `auto`',
      rate: 50,
      args: WOVEN,
      deinterlace: 'auto',
      isCombed: true,
    },
    {
      name: 'of two fields, flagged as whole, become whole with `on`',
      rate: 50,
      args: WOVEN,
      deinterlace: 'on',
      isCombed: false,
    },
    {
      name: 'that are whole, flagged as two fields, stay whole',
      rate: 25,
      args: FLAGGED,
      deinterlace: 'auto',
      isCombed: false,
    },
  ] as const) {
    test(name, async () => {
      const clip = await makeClip({ ...picture, rate, args: [...args] })
      const [flag] = await probe(clip, ['-show_entries', 'frame=interlaced_frame'])
      assert.equal(flag, args === FLAGGED ? '1' : '0', 'the flag of the source')
      await using bench = new TranscodeBench({
        renditions: { small: { ...FAST, height: 192 }, native: {} },
        deinterlace,
      })
      await bench.feed(clip)
      await bench.end()
      const out = bench.bytes('small')
      // Whole ones have edges that `idet` takes for combs.
      if (args !== FLAGGED) assert.equal(await combed(out), isCombed)
      assert.deepEqual(byTime(ptsOf(out)), byTime(ptsOf(clip)))
      assert.deepEqual(bench.keys('small'), bench.keys('native'))
      assert.deepEqual([...new Set(await probe(out, ['-show_entries', 'frame=interlaced_frame']))], ['0'])
    })
  }
})

test('H.265 may change between 8 and 10 bit: the encoder runs on, and its pictures stay as they are', async () => {
  const h265 = (format: string): readonly string[] => [
    ...['libx265', '-preset', 'ultrafast', '-pix_fmt', format],
    ...['-x265-params', 'log-level=error:scenecut=0:open-gop=0:pools=1'],
  ]
  const parts = await Promise.all(
    ['yuv420p', 'yuv420p10le', 'yuv420p'].map((format, index) =>
      makeClip({ seconds: 1, codec: h265(format), audio: false, args: ['-output_ts_offset', String(index)] }),
    ),
  )
  await using bench = new TranscodeBench({ renditions: { small: { ...FAST, height: 54 } } })
  for (const part of parts) await bench.feed(part)
  await bench.end()
  assert.equal(bench.generations, 1)
  const out = bench.bytes('small')
  const sizes = await pictureSizes(out)
  // The deinterlacer holds one picture, which is lost where the filters are made anew.
  assert.ok(sizes.length >= 73, String(sizes.length))
  assert.deepEqual([...new Set(sizes)], ['96,54'])
  const [format] = await probe(out, ['-show_entries', 'stream=pix_fmt'])
  assert.equal(format, 'yuv420p')
})
