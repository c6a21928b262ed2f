import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { makeClip, probe, TranscodeBench } from './transcode.test.kit.js'

const SMALL = { height: 54, preset: 'ultrafast', audioCodec: 'none' } as const
const RENDITIONS = {
  plain: { ...SMALL, profile: 'main' },
  ten: { ...SMALL, codec: 'h265', profile: 'main10' },
  high: { ...SMALL, profile: 'high10' },
  chroma: { ...SMALL, profile: 'high422' },
} as const
/** As ffprobe says them. */
const EXPECTED = {
  plain: /^h264,.*,yuv420p$/,
  ten: /^hevc,Main 10,yuv420p10le$/,
  high: /^h264,High 10,yuv420p10le$/,
  chroma: /^h264,High 4:2:2,yuv422p10le$/,
} as const

describe('a rendition has the pictures of its profile', () => {
  let bench: TranscodeBench
  const names = Object.keys(RENDITIONS) as (keyof typeof RENDITIONS)[]

  before(async () => {
    bench = new TranscodeBench({ renditions: RENDITIONS })
    await bench.feed(await makeClip({ seconds: 1, audio: false }))
    await bench.end()
    await bench[Symbol.asyncDispose]()
  })

  for (const name of names) {
    test(JSON.stringify(RENDITIONS[name]), async () => {
      const fields = ['-select_streams', 'v', '-show_entries', 'stream=codec_name,profile,pix_fmt']
      const [found = ''] = await probe(bench.bytes(name), fields)
      assert.match(found, EXPECTED[name])
    })
  }
})
