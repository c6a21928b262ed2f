import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { buildTs, type TsPlan } from '@millrace/engine/testing'
import { PACKET_SIZE, ProgramTable, readCounter, readPcrBase, readPid, Remarker } from '@millrace/media/mpegts'
import HLS from 'hls-parser'
import { paced, PresentationBench } from './presentation.test.kit.js'

const GOPS = { video: { gopFrames: 50, fps: 25 } }
const LANGUAGES: TsPlan = {
  ...{ durationS: 13, ...GOPS },
  audio: [{ language: 'deu' }, { language: 'eng', framesPerPes: 7 }, { language: 'deu', audioType: 3 }],
}

function played(plan: TsPlan, names?: readonly string[]): PresentationBench {
  const bench = new PresentationBench({ windowMs: 60_000 }, names)
  return bench.play((names ?? ['main']).map(() => paced(plan)))
}

function linesOf(bench: PresentationBench, tag: string): readonly string[] {
  const text = bench.presentation.multivariant()?.text ?? assert.fail('there is no multivariant playlist')
  return text.split('\n').filter((line) => line.startsWith(`#${tag}:`))
}

function packetsOf(bytes: Uint8Array, wanted: (at: number) => boolean): Buffer {
  const found: Uint8Array[] = []
  for (let at = 0; at < bytes.length; at += PACKET_SIZE)
    if (wanted(at)) found.push(bytes.subarray(at, at + PACKET_SIZE))
  return Buffer.concat(found)
}

function tracksOf(bytes: Uint8Array): readonly number[] {
  const table = new ProgramTable()
  const marks = new Remarker().remark(bytes)
  table.follow({ bytes, marks, origin: { generation: 0, seq: 0 }, receivedAtMs: 0, discontinuity: false })
  return table.select()?.tracks.map(({ pid }) => pid) ?? []
}

describe('further audio tracks', () => {
  test('are renditions in a group, with language, channels and what they are for', () => {
    const bench = played(LANGUAGES)
    const { id } = bench.presentation.life!
    const common = 'GROUP-ID="aac"'
    assert.deepEqual(linesOf(bench, 'EXT-X-MEDIA'), [
      `#EXT-X-MEDIA:TYPE=AUDIO,${common},NAME="German",LANGUAGE="de",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2"`,
      `#EXT-X-MEDIA:TYPE=AUDIO,${common},NAME="English",LANGUAGE="en",DEFAULT=NO,AUTOSELECT=YES,CHANNELS="2",URI="main.audio258-${id}.m3u8"`,
      `#EXT-X-MEDIA:TYPE=AUDIO,${common},NAME="German (audio description)",LANGUAGE="de",DEFAULT=NO,AUTOSELECT=YES,CHARACTERISTICS="public.accessibility.describes-video",CHANNELS="2",URI="main.audio259-${id}.m3u8"`,
    ])
    assert.match(linesOf(bench, 'EXT-X-STREAM-INF')[0]!, /CODECS="avc1\.4d401e,mp4a\.40\.2".*,AUDIO="aac"/)
    const parsed = HLS.parse(bench.presentation.multivariant()!.text) as unknown as {
      variants: { audio: { uri?: string }[] }[]
    }
    assert.equal(parsed.variants[0]!.audio.length, 3)
  })

  test('have playlists with the same numbers and times as the variant', () => {
    const bench = played(LANGUAGES)
    const main = bench.playlist()
    const audio = bench.playlist('main.audio258')
    assert.deepEqual(
      audio.segments.map(({ sequence, seconds, isGap }) => [sequence, seconds, isGap]),
      main.segments.map(({ sequence, seconds }) => [sequence, seconds, false]),
    )
  })

  test('have segments of their own: PAT and PMT, their packets as they came from the start of a unit, the clock', () => {
    const bench = played(LANGUAGES)
    const source = Buffer.concat(paced(LANGUAGES).map(({ chunk }) => chunk.bytes))
    const segments = bench.content('main.audio258')
    const counters: number[] = []
    for (const bytes of segments) {
      assert.deepEqual([readPid(bytes, 0), readPid(bytes, PACKET_SIZE)], [0, 0x1000])
      assert.deepEqual(tracksOf(bytes), [0x102])
      const first = packetsOf(bytes, (at) => readPid(bytes, at) === 0x102)
      assert.equal((first[1]! & 0x40) !== 0, true, 'a unit begins')
      for (let at = 0; at < first.length; at += PACKET_SIZE) counters.push(readCounter(first, at))
      const clock = packetsOf(bytes, (at) => readPid(bytes, at) === 0x100)
      assert.ok(clock.length / PACKET_SIZE >= 18 && clock.length / PACKET_SIZE <= 40, `${clock.length / PACKET_SIZE}`)
      for (let at = 0; at < clock.length; at += PACKET_SIZE) {
        assert.ok(readPcrBase(clock, at) >= 0 && (clock[at + 3]! & 0x30) === 0x20, 'no payload')
      }
    }
    assert.ok(counters.every((each, at) => at === 0 || each === ((counters[at - 1]! + 1) & 0x0f)))
    const all = Buffer.concat(segments)
    const [got, expected] = [all, source].map((bytes) => packetsOf(bytes, (at) => readPid(bytes, at) === 0x102))
    assert.ok(expected!.indexOf(got!) >= 0 && got!.length > expected!.length * 0.9)
  })

  test('are not in the segments of the variant, which list the first one alone', () => {
    for (const bytes of played(LANGUAGES).content()) {
      assert.deepEqual(tracksOf(bytes), [0x100, 0x101])
      assert.equal(packetsOf(bytes, (at) => [0x102, 0x103].includes(readPid(bytes, at))).length, 0)
    }
  })

  test('count in BANDWIDTH: the variant and its largest audio are played together', () => {
    const bench = played({ ...LANGUAGES, audio: [{}, { bitrate: 64_000 }, { bitrate: 256_000 }] })
    const [, peak] = /BANDWIDTH=(\d+)/.exec(linesOf(bench, 'EXT-X-STREAM-INF')[0]!)!
    const rateOf = (name: string): number => {
      const { segments } = bench.playlist(name)
      return Math.max(...bench.content(name).map((bytes, at) => (bytes.length * 8) / segments[at]!.seconds))
    }
    const measured = rateOf('main') + rateOf('main.audio259')
    assert.ok(Math.abs(Number(peak) - measured) < measured * 0.06, `${peak} for ${measured}`)
  })

  test('of another codec are in a group of their own, and the variant is listed for each', () => {
    const bench = played({ ...LANGUAGES, audio: [{ codec: 'mp2', language: 'deu' }, { language: 'deu' }] })
    const [first, second] = linesOf(bench, 'EXT-X-MEDIA')
    assert.match(first!, /GROUP-ID="aac",NAME="German",LANGUAGE="de",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2"$/)
    assert.match(second!, /GROUP-ID="mp2",NAME="German",.*DEFAULT=YES.*,URI="main\.audio257-/)
    const variants = linesOf(bench, 'EXT-X-STREAM-INF')
    assert.deepEqual(
      variants.map((line) => /CODECS="[^"]*"/.exec(line)?.[0]),
      ['CODECS="avc1.4d401e,mp4a.40.2"', 'CODECS="avc1.4d401e,mp4a.40.2,mp4a.40.33"'],
    )
    assert.deepEqual(
      variants.map((line) => /AUDIO="([^"]*)"/.exec(line)?.[1]),
      ['aac', 'mp2'],
    )
    for (const bytes of bench.content()) assert.deepEqual(tracksOf(bytes), [0x100, 0x102], 'the one that all can play')
    assert.deepEqual(bench.warned, ['refused'])
  })

  test('that few play are in a group beside the variant without', () => {
    const bench = played({ ...LANGUAGES, audio: [{ language: 'deu' }, { codec: 'mp2', language: 'eng' }] })
    const [plain, grouped] = linesOf(bench, 'EXT-X-STREAM-INF')
    assert.match(plain!, /CODECS="avc1\.4d401e,mp4a\.40\.2",RESOLUTION=64x48,FRAME-RATE=25\.000,CLOSED-CAPTIONS=NONE$/)
    assert.match(grouped!, /CODECS="avc1\.4d401e,mp4a\.40\.2,mp4a\.40\.33",.*AUDIO="mp2"/)
    assert.equal(linesOf(bench, 'EXT-X-MEDIA').length, 2)
  })

  test('of a ladder are taken from its first rendition, and every variant has them', () => {
    const bench = played({ ...LANGUAGES, audio: [{ language: 'deu' }, { language: 'fra' }] }, ['low', 'high'])
    assert.equal(linesOf(bench, 'EXT-X-MEDIA').length, 2)
    assert.match(linesOf(bench, 'EXT-X-MEDIA')[1]!, /NAME="French",LANGUAGE="fr",.*URI="low\.audio258-/)
    assert.equal(linesOf(bench, 'EXT-X-STREAM-INF').filter((line) => line.includes('AUDIO="aac"')).length, 2)
    for (const bytes of bench.content('high')) assert.deepEqual(tracksOf(bytes), [0x100, 0x101])
  })

  test('of which the language is not known are numbered', () => {
    const bench = played({ ...LANGUAGES, audio: [{}, {}] })
    const media = linesOf(bench, 'EXT-X-MEDIA')
    assert.match(media[0]!, /NAME="Audio",LANGUAGE="und",DEFAULT=YES,AUTOSELECT=YES/)
    assert.match(media[1]!, /NAME="Audio 2",LANGUAGE="und",DEFAULT=NO,AUTOSELECT=NO/)
  })

  test('that end leave the multivariant playlist when nothing of them is listed any more', () => {
    const bench = new PresentationBench({ windowMs: 12_000 })
    const first = buildTs({ durationS: 10, video: { ...GOPS.video, bitrate: 50_000 }, audio: [{}, {}] })
    const second = buildTs({
      ...{ durationS: 30, video: { ...GOPS.video, bitrate: 50_000 }, audio: {}, pmtVersion: 1 },
      ...{ startPts90k: first.endPts90k, startCounters: first.nextCounters },
    })
    bench.play([paced(Buffer.concat([first.bytes, second.bytes]))])
    assert.deepEqual(linesOf(bench, 'EXT-X-MEDIA'), [])
    assert.doesNotMatch(linesOf(bench, 'EXT-X-STREAM-INF')[0]!, /AUDIO=/)
    assert.deepEqual(bench.presentation.renditions[0]!.furtherAudio, [])
    assert.equal(
      bench.playlist().segments.some(({ hasTag }) => hasTag) || bench.presentation.counters.discontinuities === 2,
      true,
    )
  })
})
