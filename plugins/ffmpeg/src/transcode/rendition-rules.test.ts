import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { transcodeOptions } from './transcode-options.js'

/** `path: message` of each fault of a rendition `a`; `native` is another one. */
function faultsOf(renditions: Readonly<Record<string, unknown>>): readonly string[] {
  const { error } = transcodeOptions.safeParse({ renditions })
  return (error?.issues ?? []).map(({ path, message }) => `${path.slice(1).join('.')}: ${message}`)
}

describe('settings that would do nothing are refused', () => {
  for (const { name, given, faults } of [
    {
      name: 'of pictures that are copied',
      given: { codec: 'copy', height: 480, video: '1Mb/s', maxRate: '500kb/s', preset: 'fast', hardware: 'nvenc' },
      faults: [
        /^a.height: must be left out with codec: copy$/,
        /^a.video: /,
        /^a.maxRate: /,
        /^a.preset: /,
        /^a.hardware/,
      ],
    },
    {
      name: 'of sound that is left out',
      given: { audioCodec: 'none', audio: '64kb/s', channels: 6 },
      faults: [/^a.audio: must be left out with audioCodec: none$/, /^a.channels: /],
    },
    {
      name: 'of sound that is copied',
      given: { audioCodec: 'copy', channels: 6 },
      faults: [/^a.channels: must be left out with audioCodec: copy$/],
    },
    {
      name: 'a highest rate below the rate',
      given: { video: '5Mb/s', maxRate: '1Mb/s' },
      faults: [/^a.maxRate: must be at least that of `video`, 5000kb\/s$/],
    },
    {
      name: 'a codec beside an encoder of another one',
      given: { codec: 'h264', encoder: 'libx265' },
      faults: [/^a.encoder: must be an encoder of h264, which `codec` says$/],
    },
    {
      name: 'hardware beside an encoder in software',
      given: { encoder: 'libx264', hardware: 'nvenc' },
      faults: [/^a.encoder: must be an encoder of nvenc, which `hardware` says$/],
    },
    {
      name: 'a profile that the encoder does not have',
      given: { codec: 'h264', profile: 'main10' },
      faults: [/^a.profile: must be one of baseline, main, high, high10, high422, high444 with libx264$/],
    },
    {
      name: 'a profile for whose pictures there is no way to the hardware',
      given: { hardware: 'vaapi', profile: 'high422' },
      faults: [/^a.profile: must be one of .* with h264_vaapi$/],
    },
    {
      name: 'a profile that only another hardware has',
      given: { hardware: 'nvenc', profile: 'constrained_baseline' },
      faults: [/^a.profile: must be one of baseline, main, high with h264_nvenc$/],
    },
    {
      name: 'a profile of more than 8 bits of an encoder that is not known here',
      given: { encoder: 'hevc_videotoolbox', profile: 'main10' },
      faults: [/^a.profile: must be a profile of 8 bits and 4:2:0 with hevc_videotoolbox$/],
    },
  ]) {
    test(name, () => {
      const found = faultsOf({ a: given })
      assert.equal(found.length, faults.length, found.join('\n'))
      for (const [index, fault] of faults.entries()) assert.match(found[index]!, fault)
    })
  }

  test('those of the source itself', () => {
    const found = faultsOf({ native: { height: 480, audioCodec: 'none' }, a: {} })
    assert.equal(found.length, 2, found.join('\n'))
    assert.match(found[0]!, /^native.height: must be left out with native, which is the source as it is$/)
  })

  test('a highest rate below the one that a name stands for', () => {
    assert.match(faultsOf({ '720p': { maxRate: '100kb/s' } }).join(), /^720p.maxRate: .*kb\/s by default$/)
  })

  for (const encoder of ['aac', 'mjpeg', 'mpeg2video', 'mpeg4', 'libx264rgb', 'libsvtav1']) {
    test(`encoder ${encoder}: no player reads it, or it keeps no times`, () => {
      assert.match(faultsOf({ a: { encoder } }).join(), /must be an encoder of H\.264 or H\.265/)
    })
  }
})

test('settings that do something are not refused', () => {
  const all = {
    copied: { codec: 'copy', hardware: 'none', audio: '64kb/s', channels: 1 },
    mute: { audioCodec: 'none', video: '1Mb/s', maxRate: '1Mb/s' },
    named: { encoder: 'libx265', profile: 'main10' },
    both: { codec: 'h265', encoder: 'hevc_qsv', hardware: 'qsv', profile: 'main10' },
    any: { hardware: 'auto', profile: 'high10', preset: 'fast' },
    fine: { profile: 'high422', maxRate: '9Mb/s' },
    other: { encoder: 'libopenh264', profile: 'high' },
    number: { encoder: 'h264_videotoolbox', profile: '100' },
    vaapi: { hardware: 'vaapi', profile: 'constrained_baseline' },
    native: {},
  }
  assert.deepEqual(faultsOf(all), [])
})
