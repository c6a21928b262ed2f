import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { MAX_UNIT_BYTES, UnitScanner } from './unit-scanner.js'

interface Found {
  readonly units: number[][]
  readonly aligned: boolean[]
}

/** All units but the last, whose end is not known. */
function scan(list: readonly (readonly number[])[], sizes: () => number, wanted = MAX_UNIT_BYTES): Found {
  const found: Found = { units: [], aligned: [] }
  const scanner = new UnitScanner({
    isSatisfied: false,
    beginUnit(_bytes, _header, isAligned) {
      found.aligned.push(isAligned)
      return wanted
    },
    readUnit: (unit, length) => found.units.push([...unit.subarray(0, length)]),
  })
  for (const pes of list) {
    const bytes = Uint8Array.from(pes)
    scanner.beginPes()
    for (let at = 0; at < bytes.length;) {
      const end = Math.min(bytes.length, at + sizes())
      scanner.push(bytes, at, end)
      at = end
    }
  }
  return found
}

/** No zeros and no ones, so that units have no start codes in them. */
const unit = fc.array(fc.integer({ min: 2, max: 255 }), { minLength: 1, maxLength: 12 })
const prefix = fc.constantFrom([0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0, 0, 1])

test('units are found wherever packets and PES packets end', () => {
  const pieces = fc.array(fc.tuple(prefix, unit), { minLength: 1, maxLength: 6 })
  const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 })
  fc.assert(
    fc.property(pieces, sizes, fc.nat(60), (list, lengths, cut) => {
      let next = 0
      const size = (): number => lengths[next++ % lengths.length]!
      const stream = [...list.flatMap(([code, bytes]) => [...code, ...bytes]), 0, 0, 1, 9]
      const { units, aligned } = scan([stream.slice(0, cut), stream.slice(cut)], size)
      assert.deepEqual(
        units,
        list.map(([, bytes]) => bytes),
      )
      assert.equal(aligned.length, list.length + 1)
    }),
  )
})

test('a unit is aligned where nothing but zeros precedes it in the PES packet', () => {
  const list = [
    [0, 0, 1, 7, 7, 0, 0, 1, 8, 8],
    [0, 0, 0, 0, 1, 7, 7],
    [9, 0, 0, 1, 7, 7, 0],
    [0, 1, 7, 7, 0, 0],
    [1, 7, 7],
  ]
  for (const size of [2, 3, 5, 10]) {
    const { aligned } = scan(list, () => size)
    assert.deepEqual(aligned.slice(1, 2), [false], `${size}`)
    assert.deepEqual(aligned.slice(3), [false, false, false], `${size}`)
  }
  assert.deepEqual(scan(list, () => 10).aligned, [true, false, true, false, false, false])
})

test('no more is collected than is wanted', () => {
  const stream = [0, 0, 1, 5, 6, 7, 8, 9, 0, 0, 1, 4, 0, 0, 1, 3]
  for (const size of [1, 2, 4, 16]) assert.deepEqual(scan([stream], () => size, 2).units[0], [5, 6])
  assert.deepEqual(scan([stream], () => 16, 0).units, [])
})

test('bytes that were lost are in no unit', () => {
  const units: number[][] = []
  const scanner = new UnitScanner({
    isSatisfied: false,
    beginUnit: () => MAX_UNIT_BYTES,
    readUnit: (found, length) => units.push([...found.subarray(0, length)]),
  })
  scanner.beginPes()
  scanner.push(Uint8Array.of(0, 0, 1, 5, 6, 0, 0), 0, 7)
  scanner.reset()
  scanner.push(Uint8Array.of(1, 7, 7, 0, 0, 1, 8, 8, 0, 0, 1, 2), 0, 12)
  assert.deepEqual(units, [[8, 8]])
})

test('what follows the unit that satisfied the reader is not its continuation', () => {
  const headers: number[] = []
  const units: number[][] = []
  const reader = {
    isSatisfied: false,
    beginUnit(bytes: Uint8Array, header: number) {
      headers.push(bytes[header]!)
      return MAX_UNIT_BYTES
    },
    readUnit: (found: Uint8Array, length: number) => units.push([...found.subarray(0, length)]),
  }
  const scanner = new UnitScanner(reader)
  scanner.beginPes()
  scanner.push(Uint8Array.of(0, 0, 1), 0, 3)
  reader.isSatisfied = true
  scanner.push(Uint8Array.of(7, 7, 7, 7), 0, 4)
  scanner.push(Uint8Array.of(5, 5, 5, 0, 0, 1, 8, 8), 0, 8)
  assert.deepEqual(headers, [7, 8])
  assert.deepEqual(units, [])
})
