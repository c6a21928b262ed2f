import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Conversion } from '@millrace/engine/plugin'
import { EncoderChoice } from './encoder-choice.js'
import type { Probe } from './encoder-choice.js'
import { probeEncoder } from './hardware.js'
import { transcodeOptions } from './transcode-options.js'

const SESSIONS = '[h264_nvenc @ 0x55] OpenEncodeSessionEx failed: out of memory (10)'

/** Only these encoders work. Names those that were tried. */
function working(...encoders: readonly string[]): { readonly probe: Probe; readonly tried: string[] } {
  const tried: string[] = []
  const probe: Probe = ({ encoder }) => {
    tried.push(encoder)
    return Promise.resolve(encoders.includes(encoder) ? undefined : 'there is no device')
  }
  return { probe, tried }
}

const RENDITIONS = {
  auto: { hardware: 'auto', preset: 'fast' },
  nvenc: { hardware: 'nvenc' },
  h265: { hardware: 'auto', codec: 'h265' },
  plain: {},
} as const

function choiceOf(probe: Probe): EncoderChoice {
  return new EncoderChoice(transcodeOptions.parse({ renditions: RENDITIONS }), probe)
}

const encodersOf = (choice: EncoderChoice): Readonly<Record<string, string>> =>
  Object.fromEntries(choice.renditions.map(({ name, encoder }) => [name, encoder]))

describe('the encoder of a rendition', () => {
  test('is the first in hardware that works with `auto`, and each is tried once', async () => {
    const { probe, tried } = working('h264_qsv', 'hevc_nvenc')
    const choice = choiceOf(probe)
    assert.ok(choice.isOpen)
    await choice.decide()
    assert.ok(!choice.isOpen)
    assert.deepEqual(encodersOf(choice), { auto: 'h264_qsv', h265: 'hevc_nvenc', plain: 'libx264' })
    assert.deepEqual(tried, ['h264_nvenc', 'h264_qsv', 'hevc_nvenc'])
    // Presets of encoders in software are not those of others.
    assert.equal(choice.renditions[0]?.preset, undefined)
  })

  test('is one in software if no hardware works with `auto`, and none otherwise; both are told with the reason', async () => {
    const choice = choiceOf(working().probe)
    await choice.decide()
    assert.deepEqual(encodersOf(choice), { auto: 'libx264', h265: 'libx265', plain: 'libx264' })
    assert.equal(choice.renditions[0]?.preset, 'fast')
    const missed = choice.missed.map(({ name, isInSoftware }) => [name, isInSoftware])
    assert.deepEqual(missed, [
      ['auto', true],
      ['nvenc', false],
      ['h265', true],
    ])
    assert.match(choice.missed[0]!.reason, /^h264_nvenc: there is no device; h264_qsv: .*; h264_vaapi: /)
    const described = choice.describe() as readonly { readonly encoder: string | null; readonly reason?: string }[]
    assert.deepEqual(
      described.map(({ encoder, reason }) => [encoder, reason !== undefined]),
      [
        ['libx264', true],
        [null, true],
        ['libx265', true],
        ['libx264', false],
      ],
    )
  })

  test('is tried one after another: a node runs one conversion at a time, and a refusal says nothing about hardware', async () => {
    let isRunning = false
    const convert = async (): Promise<Conversion> => {
      if (isRunning) return { failure: 'another conversion of the node is running' }
      isRunning = true
      await new Promise((resolve) => setImmediate(resolve))
      isRunning = false
      return { output: Uint8Array.of(1) }
    }
    const { signal } = new AbortController()
    const choice = choiceOf((encoder) =>
      probeEncoder(encoder, { processes: { convert }, program: ['ffmpeg'], device: '', signal }),
    )
    await choice.decide()
    assert.deepEqual(choice.missed, [])
    assert.deepEqual(encodersOf(choice), {
      ...{ auto: 'h264_nvenc', nvenc: 'h264_nvenc' },
      ...{ h265: 'hevc_nvenc', plain: 'libx264' },
    })
  })

  test('is tried with the profile, which makes other pictures, in hardware that `auto` chooses too', async () => {
    const tried: unknown[] = []
    const renditions = { deep: { codec: 'h265', hardware: 'auto', profile: 'main10', preset: 'fast' } } as const
    const choice = new EncoderChoice(transcodeOptions.parse({ renditions }), ({ encoder, profile, preset }) => {
      tried.push([encoder, profile, preset])
      return Promise.resolve(encoder === 'hevc_qsv' ? undefined : 'it has no such profile')
    })
    await choice.decide()
    assert.deepEqual(tried, [
      ['hevc_nvenc', 'main10', undefined],
      ['hevc_qsv', 'main10', undefined],
    ])
    assert.deepEqual(choice.renditions[0]?.profile, 'main10')
  })

  test('is tried anew for each tuning', async () => {
    const tried: unknown[] = []
    const renditions = {
      one: { hardware: 'nvenc', preset: 'p1' },
      two: { hardware: 'nvenc', preset: 'fastish' },
    } as const
    const choice = new EncoderChoice(transcodeOptions.parse({ renditions }), ({ preset }) => {
      tried.push(preset)
      return Promise.resolve(preset === 'p1' ? undefined : 'it has no such preset')
    })
    await choice.decide()
    assert.deepEqual([tried, choice.renditions.map(({ name }) => name)], [['p1', 'fastish'], ['one']])
  })

  test('is tried again where there is none', async () => {
    const encoders: string[] = []
    const choice = choiceOf((asked) => working(...encoders).probe(asked))
    assert.equal(await choice.decide(), true)
    assert.equal(await choice.decide(), false)
    encoders.push('h264_nvenc')
    assert.equal(await choice.decide(), true)
    assert.deepEqual(Object.keys(encodersOf(choice)), ['auto', 'nvenc', 'h265', 'plain'])
    assert.equal(encodersOf(choice)['auto'], 'libx264')
  })

  for (const { name, line, left } of [
    {
      name: 'of which FFmpeg says the output',
      line: 'Error initializing output stream 1:0 -- Error while opening encoder',
      left: ['auto', 'h265', 'plain'],
    },
    { name: 'in the words of FFmpeg 7', line: '[vost#1:0/h264_nvenc @ 0x55] Error', left: ['auto', 'h265', 'plain'] },
    { name: 'of which FFmpeg says no output', line: 'Conversion failed!', left: ['auto', 'h265', 'plain'] },
  ]) {
    test(`is given up when its hardware fails later, ${name}`, async () => {
      const choice = choiceOf(working('h264_nvenc', 'hevc_nvenc').probe)
      await choice.decide()
      assert.ok(choice.noteFailure([SESSIONS, line], choice.renditions))
      assert.deepEqual(Object.keys(encodersOf(choice)), left)
      const isKnown = name !== 'of which FFmpeg says no output'
      assert.equal(encodersOf(choice)['auto'], isKnown ? 'h264_nvenc' : 'libx264')
      assert.match(choice.missed.find((each) => each.name === 'nvenc')!.reason, /the limit of sessions is reached/)
    })
  }

  test('stays when something else has failed', async () => {
    const choice = choiceOf(working('h264_nvenc').probe)
    await choice.decide()
    assert.ok(!choice.noteFailure(['pipe:0: Invalid data found'], choice.renditions))
    assert.equal(choice.renditions.length, 4)
  })
})
