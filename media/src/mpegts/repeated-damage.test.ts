import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32Mpeg } from './crc32.js'
import { RepeatedDamage } from './repeated-damage.js'

const KEY = 7

function damaged(byte = 0): Uint8Array {
  return Uint8Array.from([0x02, 0xb0, 9, 0, byte, 0xc1, 0, 0, 1, 2, 3, 4])
}

test('a section with a wrong CRC is believed at its third time in a row, with the CRC put right', () => {
  const damage = new RepeatedDamage()
  const section = damaged()
  assert.deepEqual(
    [1, 2, 3, 4].map(() => damage.note(KEY, damaged(), 12)),
    [false, false, true, true],
  )
  assert.ok(damage.note(KEY, section, 12))
  assert.equal(crc32Mpeg(section, 0, 12), 0)
  assert.deepEqual(section.subarray(0, 8), damaged().subarray(0, 8))
  assert.equal(damage.believed, 1)
})

test('one whose CRC differs each time is believed too: the rest of it repeats', () => {
  const damage = new RepeatedDamage()
  const believed = [5, 6, 7, 8].map((crc) =>
    damage.note(KEY, Uint8Array.from([...damaged().subarray(0, 8), 1, 2, 3, crc]), 12),
  )
  assert.deepEqual(believed, [false, false, true, true])
  assert.equal(damage.believed, 1)
})

test('one that changes, or comes with a right CRC in between, starts from the beginning', () => {
  const damage = new RepeatedDamage()
  const believed = [0, 0, 1, 1, 0, 0].map((byte) => damage.note(KEY, damaged(byte), 12))
  assert.ok(!believed.includes(true))
  damage.forget(KEY)
  assert.equal(damage.note(KEY, damaged(), 12), false)
  damage.forgetTable(0x02)
  assert.equal(damage.hasTable(0x02), false)
})

test('any number of sections takes bounded memory, and long ones are never believed', () => {
  const damage = new RepeatedDamage()
  for (let key = 0; key < 10_000; key++) assert.equal(damage.note(key, damaged(), 12), false)
  const long = new Uint8Array(2000)
  for (let time = 0; time < 5; time++) assert.equal(damage.note(KEY, long, 2000), false)
})
