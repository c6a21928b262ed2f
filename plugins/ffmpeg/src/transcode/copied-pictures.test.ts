// A rendition whose pictures are those of the source, and only its sound is encoded.
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { channelsOf, makeClip, probe, ptsOf, TranscodeBench } from './transcode.test.kit.js'

const SMALL = { height: 54, video: '60kb/s', preset: 'ultrafast' } as const
const AUDIO_PID = 0x110

let clip: Buffer

before(async () => {
  clip = await makeClip({ seconds: 3 })
})

const byTime = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b)
/** The bytes of each frame, without what belongs to the container. */
async function frames(bytes: Uint8Array, media: 'v' | 'a' = 'v'): Promise<readonly string[]> {
  const args = ['-select_streams', media, '-show_data_hash', 'md5', '-show_entries', 'packet=data_hash']
  return (await probe(bytes, args)).flatMap((line) => /MD5:\w+/.exec(line)?.[0] ?? [])
}

describe('a rendition with `codec: copy`', () => {
  test('has the pictures of the source to the byte, beside others with the same key frames, and sound of its own', async () => {
    const copy = { codec: 'copy', audio: '32kb/s', channels: 1 } as const
    await using bench = new TranscodeBench({ renditions: { small: SMALL, copy } })
    await bench.feed(clip)
    await bench.end()
    assert.deepEqual(await frames(bench.bytes('copy')), await frames(clip))
    assert.deepEqual(bench.keys('copy'), bench.keys('small'))
    assert.equal(bench.keys('copy').length, 3)
    assert.deepEqual(byTime(ptsOf(bench.bytes('copy'))), byTime(ptsOf(clip)))
    assert.deepEqual(await channelsOf(bench.bytes('copy')), ['1'])
    const units = ptsOf(bench.bytes('copy'), AUDIO_PID).length
    assert.ok(units > 110, `${units} units of audio`)
  })

  test('alone starts no encoder of pictures, and with `audioCodec: copy` none at all', async () => {
    await using bench = new TranscodeBench({ renditions: { same: { codec: 'copy', audioCodec: 'copy' } } })
    await bench.feed(clip)
    await bench.end()
    assert.deepEqual(await frames(bench.bytes('same')), await frames(clip))
    assert.deepEqual(await frames(bench.bytes('same'), 'a'), await frames(clip, 'a'))
  })
})
