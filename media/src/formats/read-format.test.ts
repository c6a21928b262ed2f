// Formats that no encoder at hand writes, by the standards; those of real encoders are in test/media/formats.test.ts.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { BitField } from './bit-field.js'
import { readFormat } from './read-format.js'

/** An ADTS frame, 24 kHz stereo: a channel pair without spectrum, then `fills`, each of them extension type and bytes. */
function adtsFrame(fills: readonly (readonly [type: number, count: number])[], sampling = 6, channels = 2): number[] {
  const block = new BitField([1, 3], [0, 4], [1, 1], [0, 1], [0, 2], [0, 1], [0, 6], [0, 1], [0, 2])
  for (let channel = 0; channel < 2; channel++) block.add([100, 8], [0, 3])
  for (const [type, count] of fills) {
    block.add([6, 3], [Math.min(count, 15), 4])
    if (count >= 15) block.add([count - 14, 8])
    block.add([type, 4], [0, 4])
    for (let at = 1; at < count; at++) block.add([0xa5, 8])
  }
  const body = block.add([7, 3]).bytes
  const header = new BitField([0xfff, 12], [0, 1], [0, 2], [1, 1], [1, 2], [sampling, 4], [0, 1], [channels, 3])
  header.add([0, 4], [body.length + 7, 13], [0x7ff, 11], [0, 2])
  return [...header.bytes, ...body]
}

const SBR = 0b1101
const FILL = 0
const frames = (count: number, frame: readonly number[]): Uint8Array =>
  Uint8Array.from(Array.from({ length: count }, () => frame).flat())

describe('AAC in ADTS', () => {
  const rows = [
    { name: 'plain', bytes: frames(4, adtsFrame([[FILL, 20]], 3)), codec: 'mp4a.40.2', rate: 48_000 },
    { name: 'a band extension', bytes: frames(4, adtsFrame([[SBR, 9]], 3)), codec: 'mp4a.40.5', rate: 48_000 },
    { name: 'a long one', bytes: frames(4, adtsFrame([[SBR, 40]], 3)), codec: 'mp4a.40.5', rate: 48_000 },
    {
      name: 'one with filling behind it',
      bytes: frames(
        4,
        adtsFrame(
          [
            [SBR, 9],
            [FILL, 30],
          ],
          3,
        ),
      ),
      codec: 'mp4a.40.5',
      rate: 48_000,
    },
    { name: 'one in three frames', bytes: frames(3, adtsFrame([[SBR, 9]], 3)), codec: 'mp4a.40.2', rate: 48_000 },
    { name: 'a low rate', bytes: frames(4, adtsFrame([[SBR, 9]])), codec: 'mp4a.40.5', rate: 48_000 },
    { name: 'a low rate, one frame', bytes: frames(1, adtsFrame([])), codec: 'mp4a.40.5', rate: 48_000 },
    {
      name: 'a frame behind other bytes',
      bytes: Uint8Array.from([0xff, 0xf1, 0, ...frames(4, adtsFrame([], 3))]),
      codec: 'mp4a.40.2',
      rate: 48_000,
    },
  ]
  for (const { name, bytes, codec, rate } of rows) {
    test(`${name}: ${codec}`, () => {
      const format = readFormat('aac', bytes)
      assert.deepEqual([format?.name, format?.sampleRate, format?.channels], [codec, rate, 2])
    })
  }

  test('descriptors say what ADTS cannot: HE-AAC, and with parametric stereo', () => {
    const mono = frames(1, adtsFrame([], 6, 1))
    const named = (descriptors: readonly number[]) => readFormat('aac', mono, Uint8Array.from(descriptors))
    assert.deepEqual(named([0x7c, 1, 0x2c])?.name, 'mp4a.40.5')
    assert.deepEqual(named([0x7c, 1, 0x30]), { name: 'mp4a.40.29', sampleRate: 48_000, channels: 2 })
    assert.deepEqual(named([0x0a, 4, 1, 2, 3, 0, 0x1c, 1, 0x33])?.name, 'mp4a.40.29')
    assert.deepEqual(named([0x7c, 0])?.name, 'mp4a.40.5')
  })
})

describe('AAC in LATM', () => {
  /** StreamMuxConfig of one program and one layer around an AudioSpecificConfig. */
  const loas = (config: BitField, version = 0): Uint8Array => {
    const element = new BitField([0, 1], [version, 1])
    if (version === 1) element.add([0, 1], [0, 2], [0xff, 8])
    element.add([1, 1], [0, 6], [0, 4], [0, 3])
    if (version === 1) element.add([0, 2], [config.count, 8])
    element.append(config).add([0, 8])
    const { bytes } = element
    return Uint8Array.from([...new BitField([0x2b7, 11], [bytes.length, 13]).bytes, ...bytes])
  }
  const rows = [
    { name: 'LC', config: new BitField([2, 5], [3, 4], [2, 4]), format: ['mp4a.40.2', 48_000, 2] },
    { name: 'HE-AAC', config: new BitField([5, 5], [6, 4], [2, 4], [3, 4]), format: ['mp4a.40.5', 48_000, 2] },
    { name: 'HE-AAC v2', config: new BitField([29, 5], [6, 4], [1, 4], [3, 4]), format: ['mp4a.40.29', 48_000, 2] },
    {
      name: 'a rate of its own',
      config: new BitField([2, 5], [15, 4], [31_250, 24], [1, 4]),
      format: ['mp4a.40.2', 31_250, 1],
    },
    {
      name: 'an escaped object type',
      config: new BitField([31, 5], [10, 6], [3, 4], [2, 4]),
      format: ['mp4a.40.42', 48_000, 2],
    },
  ]
  for (const { name, config, format } of rows) {
    test(`${name}: ${format[0]}`, () => {
      for (const version of [0, 1]) {
        const found = readFormat('aac-latm', Uint8Array.from([0x56, 0, ...loas(config, version)]))
        assert.deepEqual([found?.name, found?.sampleRate, found?.channels], format, `version ${version}`)
      }
    })
  }

  test('a frame that repeats the configuration before it says nothing', () => {
    assert.equal(readFormat('aac-latm', Uint8Array.of(0x56, 0xe0, 4, 0x80, 0, 0, 0)), undefined)
  })
})

test('Opus says in its descriptor how many channels it has', () => {
  const channels = (descriptors: readonly number[]) =>
    readFormat('opus', new Uint8Array(0), Uint8Array.from(descriptors))
  assert.deepEqual(channels([0x7f, 2, 0x80, 2]), { name: 'opus', sampleRate: 48_000, channels: 2 })
  assert.equal(channels([0x7f, 2, 0x80, 0])?.channels, 2)
  assert.equal(channels([0x7f, 2, 0x80, 0x82])?.channels, undefined)
  assert.equal(channels([])?.name, 'opus')
})

test('a codec that is not known here has no format', () => {
  assert.equal(readFormat('dts', Uint8Array.of(0x7f, 0xfe, 0x80, 0x01)), undefined)
})

describe('H.264 without an encoder', () => {
  const sps = (bits: BitField) => Uint8Array.from([0, 0, 1, 0x67, ...bits.add([1, 1]).bytes, 0, 0, 1, 0x68])
  /** Baseline up to the size: `order` is pic_order_cnt_type and what belongs to it. */
  const head = (order: BitField) => new BitField([66, 8], [0xc0, 8], [30, 8]).ue(0, 0).append(order).ue(1).add([0, 1])

  test('an order of type 1 with a cycle is read over', () => {
    const order = new BitField().ue(1).add([0, 1]).ue(0, 0, 3, 4, 5, 6)
    const format = readFormat('h264', sps(head(order).ue(19, 14).add([1, 1], [1, 1], [0, 1], [0, 1])))
    assert.deepEqual([format?.name, format?.width, format?.height], ['avc1.42c01e', 320, 240])
  })

  test('field coding: rows are counted in pairs, and cropped in fours', () => {
    const size = new BitField().ue(119, 33).add([0, 1], [0, 1], [1, 1], [1, 1]).ue(0, 0, 0, 2).add([0, 1])
    const format = readFormat('h264', sps(head(new BitField().ue(2)).append(size)))
    assert.deepEqual([format?.width, format?.height, format?.isInterlaced], [1920, 1080, true])
  })

  test('a size that cannot be is no format', () => {
    const flags = new BitField([1, 1], [1, 1], [1, 1])
    const wide = sps(
      head(new BitField().ue(2))
        .ue(5000, 1)
        .append(new BitField([1, 1], [1, 1], [0, 1], [0, 1])),
    )
    const cropped = sps(head(new BitField().ue(2)).ue(1, 1).append(flags).ue(9, 9, 9, 9).add([0, 1]))
    assert.deepEqual(
      [wide, cropped].map((bytes) => readFormat('h264', bytes)),
      [undefined, undefined],
    )
  })
})
