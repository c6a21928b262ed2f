import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TsChunk } from '@millrace/media/mpegts'
import type { Subscription } from 'rxjs'
import { ChunkStream } from './chunk-stream.js'

function chunk(seq: number): TsChunk {
  const origin = { generation: 0, seq }
  const [bytes, marks] = [new Uint8Array(188), new Int32Array(0)]
  return { kind: 'ts', bytes, marks, origin, receivedAtMs: 0, discontinuity: false, randomAccess: false }
}

test('each subscriber receives the chunks while it is subscribed, and the end, even if it subscribes late', () => {
  const stream = new ChunkStream()
  const seen: string[] = []
  const subscribe = (name: string): Subscription =>
    stream.chunks.subscribe({
      next: ({ origin }) => seen.push(`${name}${origin.seq}`),
      complete: () => seen.push(`${name} end`),
    })
  stream.next(chunk(0))
  const first = subscribe('a')
  stream.next(chunk(1))
  subscribe('b')
  stream.next(chunk(2))
  first.unsubscribe()
  stream.next(chunk(3))
  stream.complete()
  subscribe('c')
  assert.deepEqual(seen, ['a1', 'a2', 'b2', 'b3', 'b end', 'c end'])
})

test('subscribing or unsubscribing during a delivery does not affect the other subscribers', () => {
  const stream = new ChunkStream()
  const seen: string[] = []
  const first = stream.chunks.subscribe(({ origin }) => {
    seen.push(`a${origin.seq}`)
    first.unsubscribe()
    stream.chunks.subscribe((next) => seen.push(`c${next.origin.seq}`))
  })
  stream.chunks.subscribe(({ origin }) => seen.push(`b${origin.seq}`))
  stream.next(chunk(0))
  stream.next(chunk(1))
  assert.deepEqual(seen, ['a0', 'b0', 'b1', 'c1'])
})
