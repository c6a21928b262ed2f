import assert from 'node:assert/strict'
import process from 'node:process'
import { before, describe, test } from 'node:test'
import { difference33, PACKET_SIZE, readPid } from '@millrace/media/mpegts'
import { startPts } from './inlet-stream.js'
import {
  channelsOf,
  chunksOf,
  makeClip,
  pictureSizes,
  ptsOf,
  soundOf,
  TranscodeBench,
  until,
} from './transcode.test.kit.js'

const SMALL = { height: 54, video: '60kb/s', audio: '32kb/s', preset: 'ultrafast' } as const
const LARGE = { height: 90, video: '150kb/s', audio: '32kb/s', preset: 'ultrafast' } as const
const AUDIO_PID = 0x110

let clip: Buffer

before(async () => {
  clip = await makeClip()
})

const sorted = (values: readonly number[]): number[] => [...values].sort((a, b) => difference33(a, b))

describe('renditions', () => {
  test('begin together, have the key frames of the source at its times to the tick, and end with it', async () => {
    await using bench = new TranscodeBench({ renditions: { small: SMALL, large: LARGE, native: {} } })
    await bench.feed(clip)
    await bench.end()
    const source = sorted(ptsOf(clip))
    for (const port of ['small', 'large']) {
      assert.deepEqual(bench.keys(port), bench.keys('native'), port)
      assert.deepEqual(sorted(ptsOf(bench.bytes(port))), source, port)
      const audio = ptsOf(bench.bytes(port), AUDIO_PID)
      assert.ok(audio.length > 150, `${audio.length} units of audio`)
    }
    assert.equal(bench.keys('native').length, 4)
    assert.equal(bench.generations, 1)
  })
})

describe('renditions of five minutes', () => {
  test('have all key frames at the same pictures, also over a restart', async () => {
    const long = await makeClip({ size: '32x32', seconds: 300, rate: 5, gop: 10, audio: false })
    const tiny = { height: 32, video: '50kb/s', preset: 'ultrafast' } as const
    await using bench = new TranscodeBench({ renditions: { one: tiny, two: { ...tiny, height: 48 }, native: {} } })
    const half = long.length / 2 - ((long.length / 2) % 188)
    await bench.feed(long.subarray(0, half))
    await until(() => bench.keys('one').length > 0, 'it has begun')
    const pid = (): number => Number(bench.details['pid'])
    const first = pid()
    process.kill(first, 'SIGKILL')
    await until(() => pid() > 0 && pid() !== first, 'another one runs')
    await bench.feed(long.subarray(half))
    await bench.end()
    assert.equal(bench.generations, 2)
    const keys = (port: string): readonly number[] => [...bench.keys(port, 0), ...bench.keys(port, 1)]
    assert.ok(keys('native').length > 140, `${keys('native').length} GOPs`)
    for (const generation of [0, 1]) {
      const native = bench.keys('native', generation)
      // Of what was in the encoder when it was killed, each rendition has given another part.
      for (const port of ['one', 'two']) {
        const those = bench.keys(port, generation)
        assert.deepEqual(those, native.slice(0, generation === 0 ? those.length : undefined), `${port} ${generation}`)
      }
    }
    const ofSource = new Set(keysOf(long))
    for (const port of ['one', 'two', 'native'])
      assert.ok(
        keys(port).every((key) => ofSource.has(key)),
        port,
      )
  })
})

describe('the sound', () => {
  test('is encoded of all tracks, in their languages; one that ends takes its PID with it, and leaves that of others', async () => {
    const both = await makeClip({ seconds: 2, languages: ['deu', 'eng'] })
    const later = (seconds: number): readonly string[] => ['-output_ts_offset', String(seconds)]
    const english = await makeClip({ seconds: 7, languages: ['eng'], args: [...later(2), '-streamid', '1:258'] })
    const settings = { renditions: { small: SMALL, mono: { ...LARGE, channels: 1 } }, restartEvery: '1s' } as const
    await using bench = new TranscodeBench(settings, { scale: 3 })
    for (const part of [both, english]) await bench.feed(part, { speed: 1 })
    await bench.end()
    assert.equal(bench.generations, 2)
    for (const port of ['small', 'mono']) {
      assert.deepEqual(soundOf(bench.bytes(port, 0)), ['110 deu', '111 eng'], port)
      assert.deepEqual(soundOf(bench.bytes(port, 1)), ['111 eng'], port)
      const units = [AUDIO_PID, AUDIO_PID + 1].map((pid) => ptsOf(bench.bytes(port, 0), pid).length)
      assert.ok(Math.min(...units) > 80, units.join())
      // Only the second one goes on meanwhile.
      assert.ok(units[1]! > units[0]! + 100, units.join())
    }
    assert.deepEqual(await channelsOf(bench.bytes('small')), ['2'])
    assert.deepEqual(await channelsOf(bench.bytes('mono')), ['1'])
  })
})

test('an audio track that is silent for long and stays announced is waited for: the encoder runs on', async () => {
  const seconds = 14
  const both = await makeClip({ seconds, languages: ['deu', 'eng'] })
  const parts: Buffer[] = []
  for (let at = 0; at < both.length; at += PACKET_SIZE) {
    const second = (at / both.length) * seconds
    const isSilent = readPid(both, at) === 0x102 && second > 2 && second < 11
    if (!isSilent) parts.push(both.subarray(at, at + PACKET_SIZE))
  }
  const settings = { renditions: { small: SMALL }, restartEvery: '1s' } as const
  await using bench = new TranscodeBench(settings, { scale: 3 })
  await bench.feed(Buffer.concat(parts), { speed: 1 })
  await bench.end()
  assert.equal(bench.generations, 1)
  const [video, deu, eng] = [0x100, AUDIO_PID, AUDIO_PID + 1].map((pid) => ptsOf(bench.bytes('small'), pid))
  assert.equal(video!.length, 25 * seconds)
  assert.ok(deu!.length > eng!.length)
  assert.ok(eng!.at(-1)! - eng![0]! > 11 * 90_000, 'it has come back')
})

describe('renditions with a GOP of a given time', () => {
  for (const { name, offset } of [
    { name: 'wherever the source has them', offset: 0 },
    { name: 'also behind the end of the 33 bits', offset: 95_440.2 },
  ]) {
    test(`have a key frame at the first picture of each period, ${name}`, async () => {
      const long = await makeClip({ seconds: 5, gop: 70, args: ['-output_ts_offset', String(offset)] })
      await using bench = new TranscodeBench({ renditions: { small: SMALL, large: LARGE }, gop: '1s' })
      await bench.feed(long)
      await bench.end()
      const times = sorted(ptsOf(long))
      const periodOf = (pts: number): number => Math.floor(pts / 90_000)
      const expected = times.filter((pts, index) => index === 0 || periodOf(pts) !== periodOf(times[index - 1]!))
      assert.deepEqual(bench.keys('small'), expected)
      assert.deepEqual(bench.keys('large'), expected)
    })
  }
})

describe('after the encoder has been killed', () => {
  test('all renditions go on together at a later key frame of the source, marked, at the times of the source', async () => {
    const long = await makeClip({ seconds: 9, gop: 12 })
    await using bench = new TranscodeBench(
      { renditions: { small: SMALL, large: LARGE, native: {} } },
      { pausable: false, scale: 1.5 },
    )
    const fed = bench.feed(long, { speed: 1 })
    for (let kills = 1; kills <= 3; kills++) {
      const pid = (): number => Number(bench.details['pid'])
      await until(
        () => bench.generations === kills && bench.bytes('large', kills - 1).length > 0,
        `run ${kills} begins`,
      )
      process.kill(pid(), 'SIGKILL')
      await until(() => bench.generations === kills + 1, 'all go on')
    }
    await fed
    await bench.end()
    assert.equal(bench.generations, 4)
    const keysOfSource = new Set(keysOf(long))
    for (let generation = 0; generation < 4; generation++) {
      const native = bench.keys('native', generation)
      for (const port of ['small', 'large', 'native']) {
        const keys = bench.keys(port, generation)
        assert.ok(keys.length > 0 && keys.every((key) => keysOfSource.has(key)), `${port} ${generation}`)
        assert.deepEqual(keys, native.slice(0, keys.length), `${port} ${generation}`)
        const before = sorted(ptsOf(bench.bytes(port, generation - 1))).at(-1)
        const first = sorted(ptsOf(bench.bytes(port, generation)))[0]!
        if (before !== undefined) assert.ok(difference33(first, before) > 0, 'no time goes back')
      }
    }
    assert.deepEqual(bench.processes.failures, [])
  })
})

describe('the source', () => {
  test('may change all PIDs: nothing is lost, and the encoder runs on', async () => {
    const first = await makeClip({ seconds: 2 })
    const args = ['-output_ts_offset', '2', '-streamid', '0:500', '-streamid', '1:501', '-mpegts_pmt_start_pid', '600']
    const second = await makeClip({ seconds: 2, args })
    await using bench = new TranscodeBench({ renditions: { small: SMALL } })
    await bench.feed(first)
    await bench.feed(second)
    await bench.end()
    assert.equal(bench.generations, 1)
    assert.equal(ptsOf(bench.bytes('small')).length, 100)
    const audio = ptsOf(bench.bytes('small'), AUDIO_PID).length
    assert.ok(audio > 170, `${audio} units of audio`)
  })

  test('may gain a track, and lose it: the encoder starts again at a key frame', async () => {
    const silent = await makeClip({ seconds: 2, audio: false })
    const withAudio = await makeClip({ seconds: 4, args: ['-output_ts_offset', '2'] })
    const silentAgain = await makeClip({ seconds: 7, audio: false, args: ['-output_ts_offset', '6'] })
    const settings = { renditions: { small: SMALL, native: {} }, restartEvery: '1s', readTimeout: '0s' } as const
    await using bench = new TranscodeBench(settings, { scale: 3 })
    for (const part of [silent, withAudio, silentAgain]) await bench.feed(part, { speed: 1 })
    await bench.end()
    assert.equal(bench.generations, 3)
    const audio = [0, 1, 2].map((generation) => ptsOf(bench.bytes('small', generation), AUDIO_PID).length)
    assert.ok(audio[0] === 0 && audio[1]! > 100 && audio[2] === 0, audio.join())
    // Nothing is lost where it starts again by itself.
    const video = [0, 1, 2].reduce((sum, generation) => sum + ptsOf(bench.bytes('small', generation)).length, 0)
    assert.equal(video, 13 * 25)
  })

  test('may change the size, the shape and the depth of its picture: that of the renditions stays, and the encoder runs on', async () => {
    const first = await makeClip({ seconds: 1 })
    const deep = ['libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p10le', '-sc_threshold', '0']
    const second = await makeClip({ seconds: 1, size: '128x128', codec: deep, args: ['-output_ts_offset', '1'] })
    await using bench = new TranscodeBench({ renditions: { small: SMALL } })
    await bench.feed(first)
    await bench.feed(second)
    await bench.end()
    assert.equal(bench.generations, 1)
    const sizes = await pictureSizes(bench.bytes('small'))
    // The deinterlacer holds one picture, which is lost where the filters are made anew.
    assert.ok(sizes.length >= 49, String(sizes.length))
    assert.deepEqual([...new Set(sizes)], ['96,54'])
  })

  test('may jump in time: its pictures are not repeated to fill the hole', async () => {
    const late = await makeClip({ seconds: 1, args: ['-output_ts_offset', '60'] })
    await using bench = new TranscodeBench({ renditions: { small: SMALL } })
    await bench.feed(clip)
    await bench.feed(late)
    await bench.end()
    assert.equal(ptsOf(bench.bytes('small')).length, 125)
  })

  for (const { name, orders, loudness, least } of [
    { name: 'five channels and two', orders: [6, 2], loudness: {}, least: 170 },
    // What the filter has in hand is lost: 3 s.
    { name: 'two channels and five, behind a filter', orders: [2, 6], loudness: { loudness: -23 }, least: 80 },
  ] as const) {
    test(`may change between ${name}: the sound of the renditions has the channels that they say`, async () => {
      const ac3 = (channels: number): readonly string[] => ['-c:a', 'ac3', '-ac', String(channels), '-b:a', '192k']
      const first = await makeClip({ seconds: 2, args: ac3(orders[0]) })
      const second = await makeClip({ seconds: 2, args: [...ac3(orders[1]), '-output_ts_offset', '2'] })
      await using bench = new TranscodeBench({ renditions: { small: SMALL }, ...loudness })
      await bench.feed(first)
      await bench.feed(second)
      await bench.end()
      assert.equal(bench.generations, 1)
      assert.deepEqual(await channelsOf(bench.bytes('small')), ['2'])
      const units = sorted(ptsOf(bench.bytes('small'), AUDIO_PID))
      assert.ok(units.length > least, `${units.length} units of audio`)
      const lastOfSource = sorted(ptsOf(second, 0x101)).at(-1)!
      assert.ok(difference33(lastOfSource, units.at(-1)!) < 18_000, 'the sound goes on to the end')
    })
  }

  test('may be joined in the middle of a long GOP, with sound: all begin at its next key frame', async () => {
    const long = await makeClip({ seconds: 8, rate: 10, gop: 60 })
    const [, second = -1] = keysOf(long)
    await using bench = new TranscodeBench({ renditions: { small: SMALL, native: {} } })
    await bench.feed(long.subarray(Math.floor(long.length / 4 / 188) * 188))
    await bench.end()
    assert.deepEqual([bench.keys('small'), bench.keys('native')], [[second], [second]])
    assert.deepEqual(bench.processes.failures, [])
    assert.equal(bench.details['restarts'], 0)
  })

  test('may be garbage in the middle: the encoder runs on, or is started again, and nothing fails', async () => {
    const damaged = Buffer.from(clip)
    let random = 1
    for (let at = 200_000 - (200_000 % 188); at < damaged.length * 0.6; at += 97) {
      random = (random * 48_271) % 2_147_483_647
      if (random % 3 === 0) damaged[at] = random & 0xff
    }
    await using bench = new TranscodeBench({ renditions: { small: SMALL, native: {} } })
    await bench.feed(damaged)
    await bench.end()
    assert.deepEqual(bench.processes.failures, [])
    assert.ok(ptsOf(bench.bytes('small', bench.generations - 1)).length > 10)
  })

  for (const { name, offset } of [
    { name: 'a minute before', offset: 95_380 },
    { name: 'right before', offset: 95_440.5 },
  ]) {
    test(`may start ${name} the end of the 33 bits: its times are kept`, async () => {
      const late = await makeClip({ args: ['-output_ts_offset', String(offset)] })
      await using bench = new TranscodeBench({ renditions: { small: SMALL } })
      await bench.feed(late)
      await bench.end()
      assert.deepEqual(sorted(ptsOf(bench.bytes('small'))), sorted(ptsOf(late)))
    })
  }
})

function keysOf(bytes: Uint8Array): number[] {
  return chunksOf(bytes)
    .filter(({ randomAccess }) => randomAccess)
    .map(startPts)
}
