import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isStart, readPes } from '../mpegts/pictures.test.kit.js'
import { H264_RULES } from './random-access.js'

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
function slice(sliceTypeCode: string, firstMacroblock = '1'): number[] {
  const bits = `${firstMacroblock}${sliceTypeCode}`.padEnd(16, '1')
  return [...START, 0x41, Number.parseInt(bits.slice(0, 8), 2), Number.parseInt(bits.slice(8), 2)]
}

const P = slice('1')
const B = slice('010')
const I = slice('011')
const ALL_P = slice('00110')
const ALL_I = slice('0001000')
/** first_mb_in_slice 65536 begins with zeros. */
const SECOND_IDR_SLICE = [...START, 0x65, 0x00, 0x00, 0x80, 0x00, 0x88]
const REST_OF_P = slice('1', '010')

const rows = [
  { name: 'IDR with parameter sets', bytes: [...DELIMITER, ...SPS, ...PPS, ...IDR], expected: true },
  { name: 'IDR with three-byte start code', bytes: IDR.slice(1), expected: true },
  { name: 'P picture', bytes: [...DELIMITER, ...P], expected: false },
  { name: 'P picture with parameter sets', bytes: [...DELIMITER, ...SPS, ...PPS, ...P], expected: false },
  { name: 'I picture with an SPS', bytes: [...DELIMITER, ...SPS, ...PPS, ...ALL_I], expected: true },
  { name: 'I picture with a PPS alone', bytes: [...DELIMITER, ...PPS, ...ALL_I], expected: false },
  { name: 'I picture alone, as at a change of scene', bytes: [...DELIMITER, ...ALL_I], expected: false },
  { name: 'I slice after a recovery point', bytes: [...DELIMITER, ...RECOVERY, ...I], expected: true },
  { name: 'recovery point after other messages', bytes: [...PICTURE_TIMING, ...RECOVERY, ...ALL_I], expected: true },
  { name: 'recovery point after user data', bytes: [...RECOVERY_AFTER_USER_DATA, ...ALL_I], expected: true },
  { name: 'user data that looks like a recovery point', bytes: [...USER_DATA, ...ALL_I], expected: false },
  { name: 'intra refresh: P after a recovery point', bytes: [...RECOVERY, ...P], expected: true },
  { name: 'all P after a recovery point', bytes: [...RECOVERY, ...ALL_P], expected: true },
  { name: 'B after a recovery point', bytes: [...RECOVERY, ...B], expected: true },
  { name: 'an auxiliary slice is skipped', bytes: [...START, 0x13, 0x88, ...IDR], expected: true },
  { name: 'the second slice of an IDR picture whose first is lost', bytes: SECOND_IDR_SLICE, expected: false },
  { name: 'damaged slice header', bytes: [...SPS, ...START, 0x41, 0x80, 0, 0, 3, 0, 0, 3, 0, 1], expected: false },
]

test('the first slice of a picture decides', () => {
  for (const { name, bytes, expected } of rows)
    assert.equal(isStart(H264_RULES, [...bytes, ...DELIMITER, ...START]), expected, name)
})

test('random_access_indicator is believed where the picture is intra', () => {
  for (const { name, bytes, expected } of [
    { name: 'P', bytes: [...DELIMITER, ...P], expected: false },
    { name: 'P with parameter sets', bytes: [...DELIMITER, ...SPS, ...PPS, ...P], expected: false },
    { name: 'I', bytes: [...DELIMITER, ...ALL_I], expected: true },
    { name: 'the rest of an I picture', bytes: slice('011', '010'), expected: false },
  ])
    assert.equal(isStart(H264_RULES, [...bytes, ...DELIMITER, ...START], { isIndicated: true }), expected, name)
})

test('several pictures in one PES packet: each key picture is found, slices and fields of one only once', () => {
  const idr = [...DELIMITER, ...SPS, ...PPS, ...IDR, ...SECOND_IDR_SLICE, ...SECOND_IDR_SLICE]
  const fields = [...DELIMITER, ...IDR, ...DELIMITER, ...P]
  const inter = [...DELIMITER, ...P, ...REST_OF_P]
  for (const [pes, starts] of [
    [[...inter, ...idr, ...inter], 1],
    [[...idr, ...inter, ...idr], 2],
    [fields, 1],
    [[...P, ...IDR, ...P], 1],
    [[...P, ...P, ...REST_OF_P], 0],
  ] as const)
    for (const piece of [1, 3, 7, 11])
      assert.equal(readPes(H264_RULES, [pes], { piece })[0]?.starts, starts, `${piece}`)
})

test('a picture waits for its parameter sets, and for nothing else', () => {
  const list = [[...DELIMITER, ...IDR], [...DELIMITER, ...SPS], [...DELIMITER, ...IDR], PPS, IDR]
  const found = readPes(H264_RULES, list, { needsSets: true, piece: 5 })
  assert.deepEqual(
    found.map(({ starts }) => starts),
    [0, 0, 0, 0, 1],
  )
  assert.deepEqual(found.at(-1)?.head, Uint8Array.from(SPS))
})

test('what a picture lacks is what was sent before it only', () => {
  const otherPps = [...START, 0x68, 0x4b, 0xe3]
  const newSps = SPS.with(-1, 0xad)
  const rowsOfHeads = [
    { name: 'all', list: [[...SPS, ...PPS, ...IDR], IDR], head: [...SPS, ...PPS] },
    {
      name: 'nothing',
      list: [
        [...SPS, ...PPS, ...IDR],
        [...SPS, ...PPS, ...IDR],
      ],
      head: undefined,
    },
    {
      name: 'the SPS',
      list: [
        [...SPS, ...PPS, ...IDR],
        [...PPS, ...IDR],
      ],
      head: SPS,
    },
    {
      name: 'another PPS',
      list: [
        [...SPS, ...PPS, ...otherPps, ...IDR],
        [...SPS, ...PPS, ...IDR],
      ],
      head: otherPps,
    },
    {
      name: 'a PPS that came between',
      list: [
        [...SPS, ...PPS, ...IDR],
        [...otherPps, ...P],
        [...SPS, ...PPS, ...IDR],
      ],
      head: otherPps,
    },
    {
      name: 'nothing of a replaced SPS',
      list: [[...SPS, ...PPS, ...IDR], [...newSps, ...PPS, ...IDR], IDR],
      head: [...newSps, ...PPS],
    },
  ]
  for (const { name, list, head } of rowsOfHeads) {
    const last = readPes(H264_RULES, list, { needsSets: true }).at(-1)
    assert.equal(last?.starts, 1, name)
    assert.deepEqual(last.head, head === undefined ? undefined : Uint8Array.from(head), name)
  }
})

test('arbitrary bytes are read without a throw, and alike in any packets', () => {
  const piece = fc.constantFrom(DELIMITER, RECOVERY, IDR, I, P, SPS, PPS, USER_DATA, [0], [0xff], [0x06])
  const pieces = fc.array(fc.oneof(piece, fc.array(fc.nat(255), { maxLength: 5 })), { maxLength: 8 })
  fc.assert(fc.property(pieces, (list) => void isStart(H264_RULES, [...list.flat(), ...DELIMITER, ...START])))
})
