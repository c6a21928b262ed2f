import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CaptionChannels } from './caption-channels.js'

type Triple = readonly [type: number, first: number, second: number, isValid?: boolean]

const EMPTY: Triple = [0, 0x80, 0x80]
/** Resume caption loading, in the first channel and in the second of a field. */
const RCL = [0x94, 0x20] as const
const RCL_2 = [0x1c, 0x20] as const

function ccData(triples: readonly Triple[]): number[] {
  const packed = triples.flatMap(([type, a, b, isValid = true]) => [0xf8 | (isValid ? 4 : 0) | type, a, b])
  return [0x47, 0x41, 0x39, 0x34, 3, 0xc0 | triples.length, 0xff, ...packed, 0xff]
}

/** With emulation prevention. */
function escaped(bytes: readonly number[]): number[] {
  const out: number[] = []
  for (const byte of bytes) {
    if (byte <= 3 && out.at(-1) === 0 && out.at(-2) === 0) out.push(3)
    out.push(byte)
  }
  return out
}

function seiOf(triples: readonly Triple[], front: readonly number[] = []): number[] {
  const body = [0xb5, 0, 0x31, ...ccData(triples)]
  return escaped([...front, 4, body.length, ...body, 0x80])
}

const CARRIERS = {
  h264: (triples: readonly Triple[]) => [0, 0, 1, 9, 0xf0, 0, 0, 1, 6, ...seiOf(triples), 0, 0, 1, 0x65, 0x88],
  h265: (triples: readonly Triple[]) => [0, 0, 1, 0x4e, 1, ...seiOf(triples), 0, 0, 1, 0x26, 1, 0x88],
  mpeg2video: (triples: readonly Triple[]) => [0, 0, 1, 0, 0, 8, 0, 0, 1, 0xb2, ...ccData(triples), 0, 0, 1, 1, 8],
}

function channelsOf(codec: keyof typeof CARRIERS, ...pictures: readonly (readonly Triple[])[]): readonly string[] {
  const channels = new CaptionChannels()
  for (const triples of pictures) channels.push(codec, Uint8Array.from(CARRIERS[codec](triples)))
  return channels.list
}

const PACKET: readonly Triple[] = [
  [3, 0x02, 0x22],
  [2, 0x41, 0x42],
]

describe('closed captions', () => {
  for (const codec of ['h264', 'h265', 'mpeg2video'] as const) {
    test(`are found in ${codec}`, () => {
      assert.deepEqual(channelsOf(codec, [EMPTY, ...PACKET]), ['CC1', 'SERVICE1'])
      assert.deepEqual(channelsOf(codec, []), [])
    })
  }

  const rows: readonly (readonly [name: string, pictures: readonly (readonly Triple[])[], list: readonly string[]])[] =
    [
      ['an empty first field is the place of captions', [[EMPTY]], ['CC1']],
      ['a field that is not valid has none', [[[0, 0x80, 0x80, false]]], []],
      ['the second channel of the first field', [[[0, ...RCL_2]]], ['CC1', 'CC2']],
      ['both channels of the second field', [[[1, 0x15, 0x25]], [[1, 0x9d, 0x29]]], ['CC3', 'CC4']],
      ['an empty second field has none', [[[1, 0x80, 0x80]]], []],
      ['extended data services are no captions', [[[1, 0x01, 0x03]], [[1, 0x8f, 0x1d]]], []],
      ['both standards', [[[0, ...RCL], ...PACKET]], ['CC1', 'SERVICE1']],
      [
        'a service above 6',
        [
          [
            [3, 0x03, 0xe2],
            [2, 0x0a, 0x41],
            [2, 0x42, 0],
          ],
        ],
        ['SERVICE10'],
      ],
      [
        'two services in a packet',
        [
          [
            [3, 0x04, 0x21],
            [2, 0x41, 0x41],
            [2, 0x42, 0],
            [2, 0, 0],
          ],
        ],
        ['SERVICE1', 'SERVICE2'],
      ],
      ['a packet without services', [[[3, 0x01, 0x00]]], []],
      ['the rest of a packet says nothing', [[[2, 0x22, 0x41]]], []],
    ]
  for (const [name, pictures, list] of rows) test(name, () => assert.deepEqual(channelsOf('h264', ...pictures), list))

  test('are told from the mere place for them', () => {
    const channels = new CaptionChannels()
    const push = (triples: readonly Triple[]) => channels.push('h264', Uint8Array.from(CARRIERS.h264(triples)))
    push([EMPTY])
    assert.deepEqual([channels.list, channels.used], [['CC1'], []])
    push([[0, ...RCL]])
    assert.deepEqual([channels.list, channels.used], [['CC1'], ['CC1']])
  })

  test('are found behind other messages, and only there', () => {
    const channels = new CaptionChannels()
    const other = [5, 0xff, 2, ...Array.from({ length: 257 }, () => 0)]
    channels.push('h264', Uint8Array.from([0, 0, 1, 6, ...seiOf([EMPTY], other), 0, 0, 1, 0x65]))
    assert.deepEqual(channels.list, ['CC1'])
    channels.clear()
    channels.push('h264', Uint8Array.from([0, 0, 1, 0x65, 0x88, 0, 0, 1, 6, ...seiOf([EMPTY])]))
    assert.deepEqual(channels.list, [])
  })
})
