import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { SendRing } from './send-ring.js'

const FIRST = 1_000_000

describe('the ring of a sender', () => {
  test('keeps what it knows of each packet while it grows and shrinks', () => {
    const ring = new SendRing({ read: (position, bytes) => new Uint8Array(bytes).fill(position) })
    let [oldest, end] = [FIRST, FIRST]
    const put = (): void => {
      const payload = end % 3 === 0 ? Uint8Array.of(end & 0xff) : end & 0xff
      ring.put(end, oldest, { payload, bytes: 1 + (end % 7), originUs: end * 10 })
      ring.setKey(end, end & 3)
      if (end % 2 === 0) ring.sent(end, end)
      end++
    }
    const check = (): void => {
      for (let index = oldest; index < end; index++) {
        assert.equal(ring.payload(index)![0], index & 0xff)
        assert.deepEqual(
          [ring.size(index), ring.originUs(index), ring.key(index)],
          [1 + (index % 7), index * 10, index & 3],
        )
        assert.equal(ring.sentUs(index), index % 2 === 0 ? index : -Infinity)
      }
    }
    while (end - oldest < 3000) put()
    check()
    assert.equal(ring.capacity, 4096)
    while (oldest < end - 5) ring.release(oldest++)
    for (let turn = 0; turn < 20; turn++) {
      put()
      ring.release(oldest++)
    }
    check()
    assert.equal(ring.capacity, 64)
  })

  test('reads a payload from the source each time, and has none when the source has not', () => {
    const kept = new Map([[7, Uint8Array.of(1)]])
    const ring = new SendRing({ read: (position) => kept.get(position) })
    ring.put(0, 0, { payload: 7, bytes: 1, originUs: 0 })
    assert.deepEqual(ring.payload(0), Uint8Array.of(1))
    kept.clear()
    assert.equal(ring.payload(0), undefined)
  })
})
