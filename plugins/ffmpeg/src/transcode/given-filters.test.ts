import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { faultOfFilters, givenFilters } from './given-filters.js'
import { firstPicture, makeClip, measured, TranscodeBench } from './transcode.test.kit.js'
import { transcodeOptions } from './transcode-options.js'

describe('filters among the further options of a rendition', () => {
  test('are told apart from the other options', () => {
    const args = ['-bf', '0', '-vf', 'hflip,vflip', '-af', 'volume=2', '-filter:v:0', 'eq', '-bitexact']
    assert.deepEqual(givenFilters(args), {
      video: ['hflip,vflip', 'eq'],
      audio: ['volume=2'],
      args: ['-bf', '0', '-bitexact'],
    })
  })

  for (const [args, fault] of [
    [['-vf', 'hflip,scale=64:-2', '-af', 'volume=2'], undefined],
    [['-filter', 'hflip'], /^must say -vf or -af instead of -filter$/],
    [['-filter:v:1', 'hflip'], /instead of -filter:v:1/],
    [['-vf:v', 'hflip'], /instead of -vf:v$/],
    [['-af:a:0', 'volume=2'], /instead of -af:a:0$/],
    [['-vframes', '1', '-afterburner', '1'], undefined],
    [['-vf', '[in]hflip[out]'], /is a graph/],
    [['-af', 'anull;anull'], /is a graph/],
  ] as const) {
    test(`${args.join(' ')}: ${fault === undefined ? 'fits' : 'is refused'}`, () => {
      const found = faultOfFilters(args)
      if (fault === undefined) assert.equal(found, undefined)
      else assert.match(found ?? '', fault)
    })
  }

  test('are refused for what is copied or left out', () => {
    const isValid = (settings: Readonly<Record<string, unknown>>): boolean =>
      transcodeOptions.safeParse({ renditions: { a: settings } }).success
    const [video, audio] = [{ extraArgs: ['-vf', 'hflip'] }, { extraArgs: ['-af', 'volume=2'] }]
    assert.deepEqual([video, audio, { ...video, audioCodec: 'copy' }, { ...audio, codec: 'copy' }].map(isValid), [
      true,
      true,
      true,
      true,
    ])
    assert.deepEqual(
      [
        { ...video, codec: 'copy' },
        { ...audio, audioCodec: 'copy' },
        { ...audio, audioCodec: 'none' },
      ].map(isValid),
      [false, false, false],
    )
  })

  test('change its picture and its sound, and those of no other one', async () => {
    const clip = await makeClip({ seconds: 2, size: '32x32', source: 'color=color=white:' })
    const fast = { preset: 'ultrafast' } as const
    const extraArgs = ['-vf', 'eq=brightness=-1', '-af', 'volume=0.1']
    await using bench = new TranscodeBench({ renditions: { dark: { ...fast, extraArgs }, plain: fast } })
    await bench.feed(clip)
    await bench.end()
    const brightness = async (port: string): Promise<number> => (await firstPicture(bench.bytes(port)))[500]!
    const volume = async (port: string): Promise<number> =>
      Number(
        /mean_volume: (-[\d.]+) dB/.exec(
          await measured(bench.bytes(port), ['-map', '0:a', '-af', 'volumedetect']),
        )?.[1],
      )
    assert.deepEqual([(await brightness('dark')) < 60, (await brightness('plain')) > 200], [true, true])
    const [dark, plain] = [await volume('dark'), await volume('plain')]
    assert.ok(Math.abs(plain - dark - 20) < 2, `${plain} and ${dark} dB`)
  })
})
