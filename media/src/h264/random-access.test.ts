import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { NOT_RANDOM_ACCESS as NO, RANDOM_ACCESS_PICTURE as YES, UNDECIDED } from '../mpegts/picture.js'
import { classifyH264 } from './random-access.js'

const START = [0, 0, 0, 1]
const DELIMITER = [...START, 0x09, 0xf0]
const SPS = [...START, 0x67, 0x64, 0x00, 0x1e, 0xac]
const PPS = [...START, 0x68, 0xeb, 0xe3]
const IDR = [...START, 0x65, 0x88, 0x84, 0x00]
/** recovery_frame_cnt 0, exact_match_flag 1. */
const RECOVERY = [...START, 0x06, 0x06, 0x01, 0xc4, 0x80]
/** 300 bytes of user data with emulation prevention, then a recovery point, in one NAL unit. */
const LONG_USER_DATA = [0x05, 0xff, 45, ...Array.from({ length: 100 }, () => [0, 0, 3, 1]).flat()]
const RECOVERY_AFTER_USER_DATA = [...START, 0x06, ...LONG_USER_DATA, 0x06, 0x01, 0xc4, 0x80]
const USER_DATA = [...START, 0x06, 0x05, 0x03, 0x06, 0x01, 0xc4, 0x80]
const PICTURE_TIMING = [...START, 0x06, 0x01, 0x01, 0x20, 0x80]

/** A slice of a non-IDR picture: first_mb_in_slice 0, then slice_type as ue(v). */
function slice(sliceTypeCode: string): number[] {
  const bits = `1${sliceTypeCode}`.padEnd(16, '1')
  return [...START, 0x41, Number.parseInt(bits.slice(0, 8), 2), Number.parseInt(bits.slice(8), 2)]
}

const P = slice('1')
const B = slice('010')
const I = slice('011')
const SI = slice('00101')
const ALL_P = slice('00110')
const ALL_I = slice('0001000')
const ALL_SI = slice('0001010')

const rows = [
  { name: 'IDR with parameter sets', bytes: [...DELIMITER, ...SPS, ...PPS, ...IDR], expected: YES },
  { name: 'IDR with three-byte start code', bytes: IDR.slice(1), expected: YES },
  { name: 'P picture', bytes: [...DELIMITER, ...P], expected: NO },
  { name: 'I picture without recovery point', bytes: [...DELIMITER, ...SPS, ...PPS, ...ALL_I], expected: NO },
  { name: 'I slice after a recovery point', bytes: [...DELIMITER, ...RECOVERY, ...I], expected: YES },
  { name: 'I picture after a recovery point', bytes: [...DELIMITER, ...RECOVERY, ...ALL_I], expected: YES },
  { name: 'recovery point after other messages', bytes: [...PICTURE_TIMING, ...RECOVERY, ...ALL_I], expected: YES },
  { name: 'recovery point after user data', bytes: [...RECOVERY_AFTER_USER_DATA, ...ALL_I], expected: YES },
  { name: 'user data that looks like a recovery point', bytes: [...USER_DATA, ...ALL_I], expected: NO },
  { name: 'intra refresh: P after a recovery point', bytes: [...RECOVERY, ...P], expected: NO },
  { name: 'all P after a recovery point', bytes: [...RECOVERY, ...ALL_P], expected: NO },
  { name: 'B after a recovery point', bytes: [...RECOVERY, ...B], expected: NO },
  { name: 'SI after a recovery point', bytes: [...RECOVERY, ...SI], expected: NO },
  { name: 'all SI after a recovery point', bytes: [...RECOVERY, ...ALL_SI], expected: NO },
  { name: 'data partition after a recovery point', bytes: [...RECOVERY, ...START, 0x42, 0x88, 0x88], expected: NO },
  { name: 'damaged slice header', bytes: [...RECOVERY, ...START, 0x41, 0, 0, 3, 0, 0, 3, 0, 1], expected: NO },
  { name: 'an auxiliary slice is skipped', bytes: [...START, 0x13, 0x88, ...IDR], expected: YES },
  { name: 'first_mb_in_slice with an emulation prevention byte', bytes: firstMacroblock65536(), expected: YES },
]

/** ue(65536): 16 zeros, then 10000000000000001; the third zero byte is escaped. Then slice_type 7. */
function firstMacroblock65536(): number[] {
  const rbsp = [0x00, 0x00, 0x80, 0x00, 0x88, 0x00]
  return [...RECOVERY, ...START, 0x41, ...rbsp]
}

test('the first slice decides', () => {
  for (const { name, bytes, expected } of rows) {
    const padded = Uint8Array.from([...bytes, 0xff])
    assert.equal(classifyH264(padded, 0, padded.length, false), expected, name)
    assert.equal(classifyH264(padded, 0, padded.length, true), expected, name)
  }
})

test('the result is undecided until the deciding bytes have arrived, and never changes later', () => {
  for (const { name, bytes, expected } of rows) {
    const array = Uint8Array.from([...bytes, 0xff])
    let decided = false
    for (let end = 0; end <= array.length; end++) {
      const answer = classifyH264(array, 0, end, false)
      if (answer === UNDECIDED) assert.equal(decided, false, name)
      else assert.equal(answer, expected, name)
      decided = answer !== UNDECIDED
    }
    assert.equal(decided, true, name)
  }
})

test('an access unit that ends without a slice is not a random access point', () => {
  const bytes = Uint8Array.from([...DELIMITER, ...SPS])
  assert.equal(classifyH264(bytes, 0, bytes.length, false), UNDECIDED)
  assert.equal(classifyH264(bytes, 0, bytes.length, true), NO)
  assert.equal(classifyH264(bytes, 3, 3, true), NO)
  const cutOff = Uint8Array.from([...RECOVERY, ...START, 0x41])
  assert.equal(classifyH264(cutOff, 0, cutOff.length, true), NO)
})

test('arbitrary bytes are classified without reading outside their range', () => {
  const piece = fc.constantFrom(DELIMITER, RECOVERY, IDR, I, P, USER_DATA, [0], [0xff], [0x06])
  const pieces = fc.array(fc.oneof(piece, fc.array(fc.nat(255), { maxLength: 5 })), { maxLength: 8 })
  fc.assert(
    fc.property(pieces, fc.uint8Array({ maxLength: 8 }), fc.nat(60), fc.boolean(), (list, around, cut, complete) => {
      const body = Uint8Array.from(list.flat().slice(0, cut))
      const joined = Uint8Array.from([...around, ...body, 0, 0, 1, 0x65, ...around])
      const expected = classifyH264(body, 0, body.length, complete)
      assert.equal(classifyH264(joined, around.length, around.length + body.length, complete), expected)
      if (complete) assert.notEqual(expected, UNDECIDED)
    }),
  )
})
