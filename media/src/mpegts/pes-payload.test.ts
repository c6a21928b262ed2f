import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { PesPayload } from './pes-payload.js'

/** What remains of PES packets that are spread over packets of these sizes. */
function payloadOf(list: readonly Uint8Array[], sizes: () => number): number[][] {
  const reader = new PesPayload()
  return list.map((pes) => {
    const found: number[] = []
    reader.begin()
    for (let at = 0; at < pes.length;) {
      const end = Math.min(pes.length, at + sizes())
      const start = reader.next(pes, at, end)
      assert.ok(start >= at && start <= end)
      found.push(...pes.subarray(start, end))
      at = end
    }
    return found
  })
}

function pesOf(streamId: number, fieldBytes: number, elementary: readonly number[]): Uint8Array {
  return Uint8Array.from([0, 0, 1, streamId, 0, 0, 0x80, 0, fieldBytes, ...new Uint8Array(fieldBytes), ...elementary])
}

test('the header is passed wherever packets end', () => {
  const cases = fc.array(fc.tuple(fc.integer({ min: 0, max: 255 }), fc.uint8Array({ maxLength: 40 })), { maxLength: 4 })
  fc.assert(
    fc.property(cases, fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }), (units, sizes) => {
      let next = 0
      const size = (): number => sizes[next++ % sizes.length]!
      const list = units.map(([fieldBytes, elementary]) => pesOf(0xe0, fieldBytes, [...elementary]))
      assert.deepEqual(
        payloadOf(list, size),
        units.map(([, elementary]) => [...elementary]),
      )
    }),
  )
})

test('without an optional header, the data begin after the length', () => {
  for (const size of [1, 4, 20]) {
    const pes = Uint8Array.from([0, 0, 1, 0xbf, 0, 3, 7, 8, 9])
    assert.deepEqual(
      payloadOf([pes], () => size),
      [[7, 8, 9]],
    )
  }
})

test('without a start code there is nothing to read, until the next PES packet', () => {
  const damaged = Uint8Array.from([0, 0, 2, 0xe0, 0, 0, 0x80, 0, 0, 5])
  assert.deepEqual(
    payloadOf([damaged, pesOf(0xe0, 5, [1, 2])], () => 4),
    [[], [1, 2]],
  )
})
