import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { FirstPicture, startsPicture } from './picture-syntax.js'

const AUD = [0, 0, 0, 1, 9, 0xf0]
const SETS = [0, 0, 0, 1, 0x67, 77, 0, 0, 1, 0x68, 0xce]
/** first_mb_in_slice 0, then slice_type as an Exp-Golomb code. */
const slice = (header: number, bits: string): number[] => [
  0,
  0,
  1,
  header,
  Number.parseInt(bits.padEnd(8, '1'), 2),
  0x80,
]
const IDR = slice(0x65, '10001000')
const I_OF_ALL = slice(0x41, '10001000')
const I = slice(0x41, '1011')
const P = slice(0x41, '11')
/** first_mb_in_slice 3. */
const LATER_P = slice(0x41, '001001')
const LATER_I = slice(0x41, '00100011')

const intra: readonly [name: string, bytes: readonly number[], expected: boolean | undefined][] = [
  ['an IDR picture', [...AUD, ...SETS, ...IDR], true],
  ['slices that all are I', [...AUD, ...I_OF_ALL], true],
  ['one I slice', [...AUD, ...I], true],
  ['I slices one by one', [...AUD, ...I, ...LATER_I], true],
  ['an I slice and a P slice', [...AUD, ...I, ...LATER_P], false],
  ['a P slice', [...AUD, ...P], false],
  ['an I slice, and a P slice in the next picture', [...AUD, ...I, ...AUD, ...P], true],
  ['parameter sets alone', [...AUD, ...SETS], undefined],
  ['nothing', [], undefined],
  ['a slice that is cut off', [0, 0, 1, 0x41], false],
]

const read = (bytes: Uint8Array, codec: string): FirstPicture => {
  const picture = new FirstPicture(codec)
  picture.read(bytes)
  return picture
}
const isIntraPicture = (bytes: Uint8Array, codec: string): boolean | undefined => read(bytes, codec).isIntra
const hasSecondPicture = (bytes: Uint8Array, codec: string): boolean => read(bytes, codec).hasSecond

describe('a picture of H.264', () => {
  for (const [name, bytes, expected] of intra) {
    test(`with ${name}: ${expected === undefined ? 'there is none' : expected ? 'intra' : 'not intra'}`, () => {
      assert.equal(isIntraPicture(Uint8Array.from(bytes), 'h264'), expected)
    })
  }

  test('begins with a delimiter, a parameter set, or the first of its slices', () => {
    for (const bytes of [AUD, SETS, IDR, P]) assert.equal(startsPicture(Uint8Array.from(bytes), 'h264'), true)
    for (const bytes of [LATER_P, [1, 2, 3, 4, 5], [0, 0, 1], []]) {
      assert.equal(startsPicture(Uint8Array.from(bytes), 'h264'), false)
    }
  })

  test('is followed by another one at the next delimiter', () => {
    assert.equal(hasSecondPicture(Uint8Array.from([...AUD, ...IDR, ...AUD, ...P]), 'h264'), true)
    assert.equal(hasSecondPicture(Uint8Array.from([...AUD, ...IDR]), 'h264'), false)
    assert.equal(hasSecondPicture(Uint8Array.from(IDR), 'h264'), false)
  })
})

test('a picture of H.265 is intra if it is an IRAP picture', () => {
  const unit = (type: number): number[] => [0, 0, 1, type << 1, 1, 0x80, 0]
  for (const type of [19, 20, 21]) assert.equal(isIntraPicture(Uint8Array.from(unit(type)), 'h265'), true)
  assert.equal(isIntraPicture(Uint8Array.from(unit(1)), 'h265'), false)
  assert.equal(isIntraPicture(Uint8Array.from([...unit(32), ...unit(33)]), 'h265'), undefined)
  assert.equal(startsPicture(Uint8Array.from(unit(35)), 'h265'), true)
  assert.equal(startsPicture(Uint8Array.from([0, 0, 1, 2, 1, 0x7f]), 'h265'), false)
  assert.equal(hasSecondPicture(Uint8Array.from([...unit(35), ...unit(19), ...unit(35)]), 'h265'), true)
})

test('any bytes can be read, at once or piece by piece', () => {
  const codes = fc.constantFrom([0, 0, 1], [0, 0, 1, 0x41], [0, 0, 1, 0x65], [0, 0, 0, 1, 9], [0xff])
  const bytes = fc.array(fc.oneof(codes, fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 4 })), {
    maxLength: 20,
  })
  fc.assert(
    fc.property(bytes, fc.constantFrom('h264', 'h265'), (parts, codec) => {
      const all = Uint8Array.from(parts.flat())
      startsPicture(all, codec)
      const whole = read(all, codec)
      const pieces = new FirstPicture(codec)
      // A NAL unit begins in each of them.
      for (let end = 0; end <= all.length; end++) if (isStart(all, end)) pieces.read(all.subarray(0, end))
      pieces.read(all)
      assert.deepEqual([pieces.isIntra, pieces.hasSecond], [whole.isIntra, whole.hasSecond])
    }),
  )
})

function isStart(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === 0 && bytes[at + 1] === 0 && bytes[at + 2] === 1 && (bytes[at - 1] ?? 1) !== 0
}
