import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Subscriber } from 'rxjs'
import { ReceivedPackets } from './received-packets.js'
import type { Received } from './source.js'

function reader(): { readonly subscriber: Subscriber<Received>; readonly got: unknown[] } {
  const got: unknown[] = []
  const subscriber = new Subscriber<Received>({
    next: (item) => got.push(...(item as Uint8Array)),
    error: (error: unknown) => got.push(error),
    complete: () => got.push('end'),
  })
  return { subscriber, got }
}

describe('what a publisher sends', () => {
  test('waits for the engine as a copy, within its bound, and then passes through', () => {
    const packets = new ReceivedPackets(3)
    const lent = Uint8Array.of(1, 2)
    packets.push(lent)
    lent.fill(9)
    packets.push(Uint8Array.of(3, 4))
    packets.push(Uint8Array.of(5))
    const { subscriber, got } = reader()
    packets.subscribe(subscriber)
    packets.push(Uint8Array.of(6, 7, 8, 9))
    assert.deepEqual(got, [1, 2, 5, 6, 7, 8, 9])
    assert.equal(packets.bytes, 9)
  })

  test('ends once, also for an engine that subscribes afterwards', () => {
    const error = new Error('gone')
    const packets = new ReceivedPackets(10)
    packets.push(Uint8Array.of(1))
    packets.end(error)
    packets.end()
    packets.push(Uint8Array.of(2))
    const { subscriber, got } = reader()
    packets.subscribe(subscriber)
    assert.deepEqual(got, [1, error])
  })

  test('goes nowhere once the engine has unsubscribed', () => {
    const packets = new ReceivedPackets(10)
    const { subscriber, got } = reader()
    packets.subscribe(subscriber)()
    packets.push(Uint8Array.of(1))
    packets.end()
    assert.deepEqual(got, [])
  })
})
