// Pictures whose samples are not square: most of television in standard definition.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { chunksOf, firstPicture, makeClip, pictureSizes, TranscodeBench } from './transcode.test.kit.js'

const FAST = { preset: 'ultrafast', video: '200kb/s' } as const
const X264 = ['libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-sc_threshold', '0']
const WHITE = { size: '96x96', source: 'color=color=white:', audio: false, seconds: 1 } as const

/** A rate and a codec whose parameters say the shape of the samples. */
const anamorphic = (aspect: string, codec: readonly string[] = X264, seconds = 0): Parameters<typeof makeClip>[0] => ({
  ...WHITE,
  codec,
  args: ['-vf', `setsar=${aspect}`, '-output_ts_offset', String(seconds)],
})

describe('samples that are not square', () => {
  for (const { name, codec } of [
    { name: 'H.264', codec: X264 },
    {
      name: 'H.265',
      codec: ['libx265', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-x265-params', 'log-level=error'],
    },
    { name: 'MPEG-2', codec: ['mpeg2video', '-b:v', '1M', '-bf', '0'] },
  ]) {
    test(`become square, and the shape of the picture stays, without borders: of ${name}`, async () => {
      const clip = await makeClip(anamorphic('16/9', codec))
      await using bench = new TranscodeBench({
        renditions: { small: { ...FAST, height: 54 }, wide: { ...FAST, width: 64 }, whole: FAST },
      })
      await bench.feed(clip)
      await bench.end()
      const sizes = async (port: string): Promise<readonly string[]> => [
        ...new Set(await pictureSizes(bench.bytes(port))),
      ]
      assert.deepEqual(await sizes('small'), ['96,54'])
      assert.deepEqual(await sizes('wide'), ['64,36'])
      assert.deepEqual(await sizes('whole'), ['170,96'])
      const picture = await firstPicture(bench.bytes('small'))
      assert.ok(picture.every((brightness) => brightness > 200))
    })
  }

  test('may change their shape in the middle of the stream: the picture gets borders', async () => {
    const [wide, square] = await Promise.all([makeClip(anamorphic('16/9')), makeClip(anamorphic('1/1', X264, 1))])
    await using bench = new TranscodeBench({ renditions: { small: { ...FAST, height: 54 } } })
    await bench.feed(wide)
    await bench.feed(square)
    await bench.end()
    assert.equal(bench.generations, 1)
    const bytes = bench.bytes('small')
    assert.deepEqual([...new Set(await pictureSizes(bytes))], ['96,54'])
    const chunks = chunksOf(bytes)
    const second = chunks.findIndex(({ randomAccess }, index) => index > 0 && randomAccess)
    const picture = await firstPicture(Buffer.concat(chunks.slice(second).map((chunk) => chunk.bytes)))
    const at = (x: number): number => picture[27 * 96 + x]!
    assert.deepEqual([at(4) < 60, at(48) > 200, at(91) < 60], [true, true, true], 'borders at both sides')
  })
})
