import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isStart, readPes } from '../mpegts/pictures.test.kit.js'
import { MPEG2_RULES } from './random-access.js'

const SEQUENCE = [0, 0, 1, 0xb3, 0x28, 0x01, 0x68, 0x23, 0xff, 0xff]
const SEQUENCE_EXTENSION = [0, 0, 1, 0xb5, 0x14, 0x8a, 0x11]
const GROUP = [0, 0, 1, 0xb8, 0x11, 8, 0x11, 0x40]
const USER_DATA = [0, 0, 1, 0xb2, 1, 2]
const CODING_EXTENSION = [0, 0, 1, 0xb5, 0x8f, 0xff, 0xf1]
const SLICE = [0, 0, 1, 1, 0x77, 0x77]

function picture(type: number): number[] {
  return [0, 0, 1, 0x00, 0x11, (type << 3) | 7, 0xff, 0xf8, ...CODING_EXTENSION, ...SLICE]
}

const [I, P, B] = [picture(1), picture(2), picture(3)]

/** The form in which a head has a unit. */
function long(unit: readonly number[]): number[] {
  return [0, ...unit]
}

test('an I picture behind a sequence or GOP header is a random access point', () => {
  const rows = [
    { name: 'sequence and GOP', bytes: [...SEQUENCE, ...SEQUENCE_EXTENSION, ...GROUP, ...I], expected: true },
    { name: 'sequence', bytes: [...SEQUENCE, ...SEQUENCE_EXTENSION, ...USER_DATA, ...I], expected: true },
    { name: 'GOP', bytes: [...GROUP, ...I], expected: true },
    { name: 'sequence and P: progressive refresh', bytes: [...SEQUENCE, ...P], expected: false },
    { name: 'GOP and P', bytes: [...GROUP, ...P], expected: false },
    { name: 'I alone, as the second field of a picture', bytes: I, expected: false },
    { name: 'B', bytes: B, expected: false },
  ]
  for (const { name, bytes, expected } of rows) assert.equal(isStart(MPEG2_RULES, bytes), expected, name)
})

test('fields of one picture, in one PES packet or two, are one random access point', () => {
  const head = [...SEQUENCE, ...SEQUENCE_EXTENSION, ...GROUP]
  for (const second of [I, P]) {
    assert.equal(readPes(MPEG2_RULES, [[...head, ...I, ...second, ...B, ...B]])[0]?.starts, 1)
    const starts = readPes(MPEG2_RULES, [[...head, ...I], second, B]).map((found) => found.starts)
    assert.deepEqual(starts, [1, 0, 0])
  }
})

test('a sequence header that was sent once is what later pictures lack', () => {
  const list = [
    [...GROUP, ...I],
    [...SEQUENCE, ...SEQUENCE_EXTENSION, ...GROUP, ...I, ...P],
    [...GROUP, ...I],
  ]
  const [before, first, second] = readPes(MPEG2_RULES, list, { needsSets: true })
  assert.equal(before?.starts, 0)
  assert.deepEqual([first?.starts, first?.head], [1, undefined])
  assert.deepEqual(
    [second?.starts, second?.head],
    [1, Uint8Array.from([...long(SEQUENCE), ...long(SEQUENCE_EXTENSION)])],
  )
})

test('arbitrary bytes are read without a throw, and alike in any packets', () => {
  const piece = fc.constantFrom(SEQUENCE, SEQUENCE_EXTENSION, GROUP, I, P, USER_DATA, [0], [1], [0xb3])
  const pieces = fc.array(fc.oneof(piece, fc.array(fc.nat(255), { maxLength: 5 })), { maxLength: 8 })
  fc.assert(fc.property(pieces, (list) => void isStart(MPEG2_RULES, [...list.flat(), ...SLICE, ...SLICE])))
})
