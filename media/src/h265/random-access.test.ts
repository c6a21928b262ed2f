import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isStart, readPes } from '../mpegts/pictures.test.kit.js'
import { H265_RULES } from './random-access.js'

function nal(type: number, layer = 0, payload: readonly number[] = [0xaf]): number[] {
  return [0, 0, 0, 1, (type << 1) | (layer >>> 5), ((layer & 0x1f) << 3) | 1, ...payload]
}

/** One layer: 4 bits of VPS id, 3 of sub-layers, 1, then 12 bytes of profile and level, then the id as ue(v): 0. */
const SPS = nal(33, 0, [0x01, ...Array.from({ length: 12 }, () => 0x60), 0xa0])
/** Three sub-layers; the first with profile and level, the second with a level. */
const LAYERED_SPS = nal(33, 0, [
  0x05,
  ...Array.from({ length: 12 }, () => 0x60),
  0xd0,
  0,
  ...Array.from({ length: 13 }, () => 0x55),
  0xa0,
])
const VPS = nal(32, 0, [0x0c])
const PPS = nal(34, 0, [0xc1])
const HEAD = [...nal(35), ...VPS, ...SPS, ...PPS, ...nal(39)]
/** A second slice segment. */
const REST = nal(19, 0, [0x2f])

test('IRAP pictures are random access points, other pictures are not', () => {
  for (let type = 0; type <= 31; type++)
    assert.equal(isStart(H265_RULES, [...HEAD, ...nal(type)]), type >= 16 && type <= 23, `type ${type}`)
})

test('intra refresh: a recovery point is one, whatever the picture', () => {
  assert.equal(isStart(H265_RULES, [...nal(35), ...nal(39, 0, [6, 1, 0xc4, 0x80]), ...nal(1)]), true)
})

test('random_access_indicator makes no other picture one', () => {
  assert.equal(isStart(H265_RULES, [...HEAD, ...nal(1)], { isIndicated: true }), false)
})

test('only the first slice of the base layer decides', () => {
  assert.equal(isStart(H265_RULES, [...HEAD, ...REST]), false)
  const pes = [...HEAD, ...nal(19), ...REST, ...nal(19, 1), ...nal(40), ...nal(35), ...nal(1)]
  for (const piece of [1, 4, 9]) assert.equal(readPes(H265_RULES, [pes], { piece })[0]?.starts, 1)
})

test('sets are told apart by id, behind sub-layers too', () => {
  for (const sps of [SPS, LAYERED_SPS]) {
    const list = [[...VPS, ...sps, ...PPS, ...nal(19)], nal(19)]
    const [first, second] = readPes(H265_RULES, list, { needsSets: true })
    assert.deepEqual([first?.starts, first?.head], [1, undefined])
    assert.deepEqual([second?.starts, second?.head], [1, Uint8Array.from([...VPS, ...sps, ...PPS])])
  }
  // A PPS with another id does not replace the first.
  const other = nal(34, 0, [0x4f])
  const found = readPes(H265_RULES, [[...HEAD, ...other, ...nal(20)], nal(21)]).at(-1)
  assert.deepEqual(found?.head, Uint8Array.from([...VPS, ...SPS, ...PPS, ...other]))
})

test('arbitrary bytes are read without a throw, and alike in any packets', () => {
  const piece = fc.constantFrom(HEAD, SPS, LAYERED_SPS, REST, nal(19), nal(1), [0], [1], [0x42])
  const pieces = fc.array(fc.oneof(piece, fc.array(fc.nat(255), { maxLength: 5 })), { maxLength: 8 })
  fc.assert(fc.property(pieces, (list) => void isStart(H265_RULES, [...list.flat(), ...nal(35), ...nal(35)])))
})
