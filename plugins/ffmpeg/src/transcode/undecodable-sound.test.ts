// Audio tracks that flow, not scrambled, and that ffmpeg cannot decode.
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { PACKET_SIZE } from '@millrace/media/mpegts'
import { makeClip, ptsOf, soundOf, TranscodeBench, withNoise } from './transcode.test.kit.js'

const SMALL = { height: 54, video: '60kb/s', audio: '32kb/s', preset: 'ultrafast' } as const
const [FIRST, SECOND] = [0x101, 0x102]
/** Enough for a decision that comes late. */
const SECONDS = 40
const AUDIO_PID = 0x110

let clip: Buffer

before(async () => {
  clip = await makeClip({ seconds: SECONDS, languages: ['deu', 'eng'] })
})

describe('a track that flows and cannot be decoded', { concurrency: true }, () => {
  for (const { name, pids, left, told } of [
    { name: 'the second one', pids: [SECOND], left: ['110 deu'], told: ['aac (eng) on PID 258'] },
    { name: 'the first one', pids: [FIRST], left: ['111 eng'], told: ['aac (deu) on PID 257'] },
    { name: 'all of them', pids: [FIRST, SECOND], left: [], told: ['aac (deu) on PID 257', 'aac (eng) on PID 258'] },
  ]) {
    test(`does not hold up the renditions: ${name} is left out, which is told`, async () => {
      const source = withNoise(clip, pids)
      await using bench = new TranscodeBench(
        { renditions: { small: SMALL, native: {} } },
        { pausable: false, scale: 2 },
      )
      const second = source.length / SECONDS - ((source.length / SECONDS) % PACKET_SIZE)
      for (let at = 0; at < source.length && ptsOf(bench.bytes('small')).length < 30; at += second) {
        await bench.feed(source.subarray(at, at + second), { speed: 1 })
      }
      await bench.end()
      assert.deepEqual(bench.details['leftOut'], told)
      assert.deepEqual(soundOf(bench.bytes('small')), left)
      assert.ok(ptsOf(bench.bytes('small')).length > 20)
      if (left.length > 0) {
        const pid = AUDIO_PID + (pids[0] === FIRST ? 1 : 0)
        assert.ok(ptsOf(bench.bytes('small'), pid).length > 20)
      }
    })
  }
})
