import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { DescribedTrack } from '../variant.js'
import { planAudio } from './audio-groups.js'

const NAMES: Readonly<Record<string, string>> = { aac: 'mp4a.40.2', ac3: 'ac-3', eac3: 'ec-3', mp2: 'mp4a.40.33' }

/** `aac deu`, or `aac deu 3` with an audio type. */
function tracksOf(list: readonly string[]): readonly DescribedTrack[] {
  return list.map((text, index) => {
    const [codec = '', language = '', type = '0'] = text.split(' ')
    const descriptors = Uint8Array.from([0x0a, 4, ...Buffer.from(language.padEnd(3)), Number(type)])
    const track = { pid: 0x101 + index, streamType: 0, media: 'audio', codec, language, parameterSets: 0 } as const
    return { track, format: { name: NAMES[codec] ?? '', channels: codec === 'aac' ? 2 : 6 }, descriptors }
  })
}

/** Each group as `aac: German aac, English aac`. */
function planned(...list: readonly string[]): readonly string[] {
  const { groups, hasPlain } = planAudio(tracksOf(list))
  const lines = groups.map(({ id, members }) => {
    return `${id}: ${members.map(({ name, track }) => `${name} ${track.track.codec}`).join(', ')}`
  })
  return [...(hasPlain ? ['plain'] : []), ...lines]
}

describe('audio groups', () => {
  const rows: readonly (readonly [name: string, tracks: readonly string[], groups: readonly string[]])[] = [
    ['one track has none', ['aac deu'], []],
    ['languages in one codec are one', ['aac deu', 'aac eng'], ['aac: German aac, English aac']],
    ['one language in two codecs is two', ['aac deu', 'ac3 deu'], ['aac: German aac', 'ac3: German ac3']],
    [
      'have the same members, if need be in another codec',
      ['aac deu', 'aac eng', 'ac3 deu'],
      ['aac: German aac, English aac', 'ac3: German ac3, English aac'],
    ],
    [
      'a language that few play costs the others nothing: the variant is listed without it too',
      ['aac deu', 'ac3 eng'],
      ['plain', 'ac3: German aac, English ac3'],
    ],
    [
      'of those that not all play, the ones that most do',
      ['aac deu', 'mp2 ita', 'ac3 eng'],
      ['plain', 'ac3: German aac, English ac3'],
    ],
    [
      'what few play is left out where there is a choice without it',
      ['aac deu', 'aac eng', 'ac3 ita'],
      ['aac: German aac, English aac'],
    ],
    [
      'what nobody plays is offered where there is nothing else',
      ['mp2 deu', 'mp2 eng'],
      ['mp2: German mp2, English mp2'],
    ],
    [
      'what most play is offered beside what few play',
      ['ac3 deu', 'ac3 eng', 'eac3 eng'],
      ['ac3: German ac3, English ac3', 'eac3: German ac3, English eac3'],
    ],
    ['tracks without a language are numbered', ['aac', 'aac'], ['aac: Audio aac, Audio 2 aac']],
    [
      'kinds are told apart',
      ['aac deu', 'aac deu 3', 'aac deu 2'],
      ['aac: German aac, German (audio description) aac, German (for the hearing impaired) aac'],
    ],
  ]
  for (const [name, tracks, groups] of rows) test(name, () => assert.deepEqual(planned(...tracks), groups))

  test('members that differ in language or purpose are selected by players, and the first is the default', () => {
    const [group] = planAudio(tracksOf(['aac deu', 'aac deu', 'aac deu 3', 'aac eng'])).groups
    assert.deepEqual(
      group!.members.map(({ isDefault, isSelected, language }) => [isDefault, isSelected, language]),
      [
        [true, true, 'de'],
        [false, false, 'de'],
        [false, true, 'de'],
        [false, true, 'en'],
      ],
    )
  })
})
