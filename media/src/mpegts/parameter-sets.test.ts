import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { hashParameterSets } from './parameter-sets.js'

const CODECS = ['h264', 'h265', 'mpeg1video', 'mpeg2video', 'aac', 'ac3', '0x06']

function unit(...bytes: number[]): number[] {
  return [0, 0, 1, ...bytes]
}

function hash(codec: string, bytes: readonly number[]): number {
  return hashParameterSets(codec, Uint8Array.from(bytes), 0, bytes.length)
}

const H264 = {
  sps: unit(0x67, 0x64, 0, 0x1e),
  otherSps: unit(0x67, 0x64, 0, 0x1f),
  pps: unit(0x68, 0xeb),
  other: unit(0x06, 5, 1, 1, 0x80),
  picture: unit(0x65, 0x88),
}
const H265 = {
  sps: [...unit(32 << 1, 1, 7), ...unit(33 << 1, 1, 1)],
  otherSps: [...unit(32 << 1, 1, 7), ...unit(33 << 1, 1, 2)],
  pps: unit(34 << 1, 1, 5),
  other: unit(39 << 1, 1, 9),
  picture: unit(19 << 1, 1, 0xaf),
}
/** 720x576, 25 frames/s, then bit rate and buffer size; no matrices. */
const SEQUENCE = [0xb3, 0x2d, 0x02, 0x40, 0x33, 0x24, 0x9f, 0x23, 0x80]
const MPEG2 = {
  sps: unit(...SEQUENCE),
  otherSps: unit(...SEQUENCE.with(3, 0x41)),
  pps: unit(0xb5, 0x14, 0x82, 0, 1),
  other: unit(0xb2, 1, 2),
  picture: unit(0x00, 0, 0x0f),
}

for (const [codec, { sps, otherSps, pps, other, picture }] of Object.entries({
  h264: H264,
  h265: H265,
  mpeg2video: MPEG2,
  mpeg1video: MPEG2,
})) {
  test(`${codec}: the hash distinguishes parameter sets, and depends on nothing else`, () => {
    const expected = hash(codec, [...sps, ...pps, ...picture])
    assert.ok(expected > 0 && expected < 2 ** 32)
    assert.equal(hash(codec, [...sps, ...pps, ...picture, 1, 2, 3, ...otherSps]), expected, 'what follows the picture')
    assert.equal(hash(codec, [...sps, ...other, ...pps, ...other, ...picture]), expected, 'other units')
    assert.equal(hash(codec, [...sps, ...pps, ...picture.with(-1, 0x11)]), expected, 'the picture itself')
    assert.notEqual(hash(codec, [...otherSps, ...pps, ...picture]), expected)
    assert.notEqual(hash(codec, [...sps, ...picture]), expected)
    assert.equal(hash(codec, [...other, ...picture, ...sps]), 0)
  })

  test(`${codec}: the hash is 0 until the picture has arrived`, () => {
    const bytes = [...sps, ...pps, ...other, ...picture]
    const expected = hash(codec, bytes)
    const decidedAt = bytes.length - picture.length + 4
    for (let end = 0; end <= bytes.length; end++) {
      const answer = hashParameterSets(codec, Uint8Array.from(bytes), 0, end)
      assert.equal(answer, end < decidedAt ? 0 : expected, `${end}`)
    }
  })
}

test('four-byte start codes and zeros between NAL units make no difference', () => {
  const plain = hash('h264', [...H264.sps, ...H264.pps, ...H264.picture])
  assert.equal(hash('h264', [0, ...H264.sps, 0, 0, 0, ...H264.pps, 0, ...H264.picture]), plain)
})

test('the quantiser matrices of a sequence header make no difference', () => {
  const plain = hash('mpeg2video', [...MPEG2.sps, ...MPEG2.pps, ...MPEG2.picture])
  const matrix = Array.from({ length: 64 }, (_, index) => 16 + index)
  const withMatrix = unit(...SEQUENCE.with(8, 0x82), ...matrix)
  assert.equal(hash('mpeg2video', [...withMatrix, ...MPEG2.pps, ...MPEG2.picture]), plain)
  const withSize = unit(...SEQUENCE.with(8, 0x84))
  assert.notEqual(hash('mpeg2video', [...withSize, ...MPEG2.pps, ...MPEG2.picture]), plain)
})

/** An ADTS frame: MPEG-4, AAC LC, this sampling_frequency_index and channel_configuration, `size` bytes of data. */
function adtsFrame(samplingIndex: number, channels: number, size: number): number[] {
  const length = 7 + size
  const configuration = [0x40 | (samplingIndex << 2) | (channels >>> 2), ((channels & 3) << 6) | (length >>> 11)]
  const rest = [(length >>> 3) & 0xff, ((length & 7) << 5) | 0x1f, 0xfc]
  return [0xff, 0xf1, ...configuration, ...rest, ...new Uint8Array(size).fill(0x5a)]
}

test('aac: the hash depends on profile, sampling rate and channels', () => {
  const stereo48k = hash('aac', adtsFrame(3, 2, 100))
  assert.ok(stereo48k > 0)
  assert.equal(hash('aac', [...adtsFrame(3, 2, 300), ...adtsFrame(3, 2, 10)]), stereo48k)
  assert.notEqual(hash('aac', adtsFrame(4, 2, 100)), stereo48k)
  assert.notEqual(hash('aac', adtsFrame(3, 6, 100)), stereo48k)
})

test('aac: in a PES packet that begins in mid-frame, two consecutive frames are required', () => {
  const frame = adtsFrame(3, 2, 100)
  const expected = hash('aac', frame)
  assert.equal(hash('aac', [1, 2, 3, ...frame, ...frame]), expected)
  assert.equal(hash('aac', [1, 2, 3, ...frame]), 0)
  assert.equal(
    hash('aac', [...adtsFrame(5, 1, 0), 9, 9, 9, 9, 9, 9, 9, ...frame, ...frame]),
    expected,
    'false syncword',
  )
  assert.equal(hash('aac', frame.slice(0, 6)), 0)
  assert.equal(hash('aac', frame.slice(0, 50)), expected, 'frame that continues in the next packet')
})

test('codecs without known parameter sets have no hash', () => {
  assert.equal(hash('ac3', [0x0b, 0x77, 1, 2, 3, 4, 5, 6]), 0)
})

test('arbitrary bytes are hashed without reading outside their range', () => {
  const piece = fc.constantFrom(
    H264.sps,
    H265.sps,
    MPEG2.sps,
    H264.picture,
    H265.picture,
    adtsFrame(3, 2, 4),
    [0],
    [0xff],
  )
  const pieces = fc.array(fc.oneof(piece, fc.array(fc.nat(255), { maxLength: 9 })), { maxLength: 8 })
  fc.assert(
    fc.property(fc.constantFrom(...CODECS), pieces, fc.uint8Array({ maxLength: 9 }), (codec, list, around) => {
      const body = list.flat()
      const joined = Uint8Array.from([...around, ...body, 0, 0, 1, 0x65, ...around])
      const answer = hashParameterSets(codec, joined, around.length, around.length + body.length)
      assert.equal(answer, hash(codec, body))
    }),
  )
})
