import assert from 'node:assert/strict'
import { test } from 'node:test'
import { concat } from './concat.js'
import { ParameterSetStore } from './parameter-set-store.js'
import type { PictureRules } from './picture-rules.js'

/** Sets of two bytes: the class and the id; those of class 2 refer to set 0 of class 1. The rest is their content. */
const RULES: PictureRules = {
  kindOf: () => 0,
  headBytes: 1,
  pictureBytes: 1,
  beginsPicture: () => true,
  isKey: () => false,
  isIntra: () => false,
  announces: () => false,
  announcesInter: false,
  setKey: (unit) => unit[0]! * 0x10000 + unit[1]!,
  setParent: (unit) => (unit[0] === 2 ? 0x10000 : -1),
  neededClasses: [1, 2],
}

function put(store: ParameterSetStore, unit: readonly number[]): void {
  store.beginUnit()
  store.put(RULES, Uint8Array.from(unit), unit.length)
}

function missing(store: ParameterSetStore): number[] {
  store.beginUnit()
  return [...concat(store.missing())]
}

test('the sets that an access unit lacks come in the order in which a decoder needs them, with start codes', () => {
  const store = new ParameterSetStore()
  put(store, [2, 0, 9, 9])
  put(store, [1, 0, 7])
  assert.deepEqual(missing(store), [0, 0, 0, 1, 1, 0, 7, 0, 0, 0, 1, 2, 0, 9, 9])
  put(store, [1, 0, 7])
  assert.deepEqual([...concat(store.missing())], [0, 0, 0, 1, 2, 0, 9, 9])
})

test('a full store forgets the oldest set that no other one refers to', () => {
  for (const { size, count } of [
    { size: 3, count: 64 },
    { size: 4000, count: 4 },
  ]) {
    const store = new ParameterSetStore()
    const rest = Array.from({ length: size - 2 }, () => 5)
    put(store, [1, 0, 7])
    for (let id = 1; id <= 200; id++) put(store, [2, id, ...rest])
    assert.ok(store.hasAll(RULES))
    const bytes = missing(store)
    const ids = Array.from(bytes.keys()).flatMap((at) => (isHeader(bytes, at) ? [bytes[at + 5]!] : []))
    const expected = Array.from({ length: 200 }, (_, index) => index + 1).slice(-(size === 3 ? count - 1 : count))
    assert.deepEqual(ids, expected)
    assert.deepEqual(bytes.slice(0, 7), [0, 0, 0, 1, 1, 0, 7])
  }
})

/** A start code and class 2. */
function isHeader(bytes: readonly number[], at: number): boolean {
  return bytes.slice(at, at + 5).join() === '0,0,0,1,2'
}
