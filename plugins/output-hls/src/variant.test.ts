// What the multivariant playlist says of a stream, and how it follows the stream.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { buildTs, type TsPlan } from '@millrace/engine/testing'
import { describeFormats } from './describe-formats.js'
import { paced, PresentationBench } from './presentation.test.kit.js'

const VIDEO = { gopFrames: 50, fps: 25, bitrate: 50_000 }

function played(...plans: readonly TsPlan[]): PresentationBench {
  const bench = new PresentationBench({ windowMs: 60_000 })
  let next: TsPlan = {}
  const parts = plans.map((plan) => {
    const built = buildTs({ durationS: 9, ...plan, ...next })
    next = { startPts90k: built.endPts90k, startCounters: built.nextCounters }
    return built.bytes
  })
  return bench.play([paced(Buffer.concat(parts))])
}

function variantOf(bench: PresentationBench): string {
  const text = bench.presentation.multivariant()?.text ?? assert.fail('there is no multivariant playlist')
  return /#EXT-X-STREAM-INF:(?:AVERAGE-|BANDWIDTH=\d+,)*(.*)\n/.exec(text)![1]!.replace(/^[A-Z-]+=\d+,/, '')
}

describe('a variant', () => {
  const audio = 'mp4a.40.2'
  const rows: readonly (readonly [name: string, plan: TsPlan, line: string])[] = [
    [
      'H.264 and AAC',
      { video: VIDEO },
      `CODECS="avc1.4d401e,${audio}",RESOLUTION=64x48,FRAME-RATE=25.000,CLOSED-CAPTIONS=NONE`,
    ],
    [
      'H.264 at 29.97',
      { video: { ...VIDEO, fps: 30_000 / 1001, gopFrames: 60, width: 320, height: 240 } },
      `CODECS="avc1.4d401e,${audio}",RESOLUTION=320x240,FRAME-RATE=29.970,CLOSED-CAPTIONS=NONE`,
    ],
    [
      'H.265 without timing: its rate is measured',
      { video: { ...VIDEO, codec: 'h265', fps: 50, gopFrames: 100 } },
      `CODECS="hvc1.1.6.L93.B0,${audio}",RESOLUTION=64x48,FRAME-RATE=50.000,CLOSED-CAPTIONS=NONE`,
    ],
    [
      'MPEG-2 and layer II',
      { video: { ...VIDEO, codec: 'mpeg2' }, audio: { codec: 'mp2' } },
      'CODECS="mp4v.61,mp4a.40.33",RESOLUTION=64x48,FRAME-RATE=25.000,CLOSED-CAPTIONS=NONE',
    ],
    [
      'parameter sets that are sent once',
      { video: { ...VIDEO, packing: { setsOnce: true } } },
      `CODECS="avc1.4d401e,${audio}",RESOLUTION=64x48,FRAME-RATE=25.000,CLOSED-CAPTIONS=NONE`,
    ],
    [
      'several pictures in a PES packet',
      { video: { ...VIDEO, packing: { pictures: 5 } } },
      `CODECS="avc1.4d401e,${audio}",RESOLUTION=64x48,FRAME-RATE=25.000,CLOSED-CAPTIONS=NONE`,
    ],
    [
      'video alone',
      { video: VIDEO, audio: false },
      'CODECS="avc1.4d401e",RESOLUTION=64x48,FRAME-RATE=25.000,CLOSED-CAPTIONS=NONE',
    ],
  ]
  for (const [name, plan, line] of rows) test(`of ${name}`, () => assert.equal(variantOf(played(plan)), line))

  test('with closed captions names them', () => {
    const bench = played({ video: { ...VIDEO, captions: true } })
    assert.match(variantOf(bench), /,CLOSED-CAPTIONS="cc"$/)
    assert.match(
      bench.presentation.multivariant()!.text,
      /\n#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="cc",NAME="CC1",LANGUAGE="und",DEFAULT=YES,AUTOSELECT=YES,INSTREAM-ID="CC1"\n/,
    )
  })

  test('follows the stream with its first segment: codec, size, rate and captions', () => {
    const changed = { codec: 'h265', width: 128, height: 96, fps: 50, gopFrames: 100, bitrate: 50_000 } as const
    const bench = new PresentationBench({ windowMs: 60_000 })
    const first = buildTs({ durationS: 9, video: { ...VIDEO, captions: true } })
    const next = { startPts90k: first.endPts90k, startCounters: first.nextCounters, pmtVersion: 1 }
    const second = buildTs({ durationS: 9, video: changed, ...next })
    const lines: string[] = []
    bench.onPublished = () => {
      const tags = bench.playlist().segments.filter(({ hasTag }) => hasTag).length
      lines.push(`${tags} ${variantOf(bench)}`)
    }
    bench.play([paced(Buffer.concat([first.bytes, second.bytes]))])
    assert.deepEqual(
      [...new Set(lines)],
      [
        `1 CODECS="avc1.4d401e,${audio}",RESOLUTION=64x48,FRAME-RATE=25.000,CLOSED-CAPTIONS="cc"`,
        `2 CODECS="hvc1.1.6.L93.B0,${audio}",RESOLUTION=128x96,FRAME-RATE=50.000,CLOSED-CAPTIONS=NONE`,
      ],
    )
  })

  test('follows a change of the size under the same PMT', () => {
    const bench = played({ video: VIDEO }, { video: { ...VIDEO, width: 160, height: 96 } })
    assert.match(variantOf(bench), /RESOLUTION=160x96,/)
    assert.equal(bench.playlist().segments.filter(({ hasTag }) => hasTag).length, 2)
  })

  test('is the same text as long as the stream is', () => {
    const bench = new PresentationBench({ windowMs: 12_000 })
    const texts = new Set<string>()
    bench.onPublished = () => texts.add(bench.presentation.multivariant()!.text)
    bench.play([paced({ durationS: 40, video: VIDEO })])
    assert.equal(texts.size, 1, [...texts].join('\n'))
  })
})

describe('formats that players refuse', () => {
  test('are named in status, and told once', () => {
    const bench = played({ video: { ...VIDEO, codec: 'mpeg2' }, audio: { codec: 'mp2', language: 'deu' } })
    assert.deepEqual(bench.warned, ['refused'])
    const [rendition] = bench.presentation.renditions
    const { refused, resolution, frameRate, audio } = describeFormats(rendition!)
    assert.deepEqual(refused, [
      'MPEG-2 video: no Apple players, no browsers',
      'MPEG audio layer II: no Apple players, no browsers',
    ])
    assert.deepEqual([resolution, frameRate], ['64x48', 25])
    assert.deepEqual(audio, [{ pid: 0x101, codec: 'mp2', language: 'deu', channels: 2, rendition: null }])
  })

  test('are none of H.264 and AAC', () => {
    const bench = played({ video: VIDEO })
    assert.deepEqual(describeFormats(bench.presentation.renditions[0]!)['refused'], [])
    assert.deepEqual(bench.warned, [])
  })
})
