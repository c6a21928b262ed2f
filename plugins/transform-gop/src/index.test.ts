import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { AnyChunk, Inlet, Options } from '@millrace/engine/plugin'
import { buildTs, FakeClock, FakeContext } from '@millrace/engine/testing'
import { Framer } from '@millrace/media/mpegts'
import { BehaviorSubject, Subject } from 'rxjs'
import type { Observable } from 'rxjs'
import gop from './index.js'

type Settings = Parameters<typeof gop.open>[0]['value']

async function benchOf(maxDuration: number) {
  const clock = new FakeClock()
  const context = new FakeContext()
  const options$ = new BehaviorSubject<Settings>({ maxDuration })
  const transform = await gop.open(options$ as Options<Settings>, context, { clock })
  const chunks = new Subject<AnyChunk>()
  const inlet: Inlet = {
    id: 'one/main.out',
    chunks,
    pausable: false,
    hold: () => ({ [Symbol.dispose]: () => undefined }),
  }
  const got: AnyChunk[] = []
  let isComplete = false
  const out = transform.apply([inlet])['out'] as Observable<AnyChunk> | undefined
  out?.subscribe({ next: (chunk) => got.push(chunk), complete: () => (isComplete = true) })
  /** Sends 20 packets every 50 ms. */
  const send = (bytes: Uint8Array): void => {
    const framer = new Framer()
    for (let at = 0; at < bytes.length; at += 20 * 188) {
      const nowMs = clock.nowMs()
      const sent = [...framer.push(bytes.subarray(at, at + 20 * 188), nowMs), ...framer.flush(nowMs)]
      for (const chunk of sent) chunks.next(chunk)
      clock.advance(50)
    }
  }
  return { clock, context, options$, transform, chunks, got, send, isComplete: () => isComplete }
}

const endless = buildTs({ durationS: 4, video: { gopFrames: Infinity } }).bytes

describe('transform gop', () => {
  test('emits GOPs and updates its metrics', async () => {
    const { send, got, context, clock, chunks, isComplete } = await benchOf(10_000)
    assert.deepEqual(context.metric('keyframe_age_seconds'), {})
    send(buildTs({ durationS: 3 }).bytes)
    assert.ok(got.every(({ kind }) => kind === 'gop'))
    assert.equal(context.metric('gop_duration_seconds'), 1)
    assert.equal(context.metric('gop_skipped_packets_total'), 0)
    const age = (): number => (context.metric('keyframe_age_seconds') as Record<string, number>)['']!
    const before = age()
    clock.advance(2000)
    assert.equal(age() - before, 2)
    assert.deepEqual(context.reported, [])
    chunks.complete()
    assert.equal(isComplete(), true)
  })

  test('is degraded without key frames, and ready again with the next one', async () => {
    const { send, context } = await benchOf(300)
    send(endless)
    assert.deepEqual(context.reported, ['degraded: no key frames'])
    send(buildTs({ durationS: 0.2 }).bytes)
    assert.deepEqual(context.reported, ['degraded: no key frames', 'ready'])
  })

  test('applies a new maxDuration without a restart', async () => {
    const { send, context, options$, transform } = await benchOf(60_000)
    send(endless)
    assert.deepEqual(context.reported, [])
    options$.next({ maxDuration: 100 })
    send(endless.subarray(188 * 200))
    assert.deepEqual(context.reported, ['degraded: no key frames'])
    await transform[Symbol.asyncDispose]()
    await transform[Symbol.asyncDispose]()
    assert.equal(options$.observed, false)
  })

  test('parses its options from YAML', () => {
    assert.deepEqual(gop.options.parse({}), { maxDuration: 10_000 })
    assert.equal(gop.options.safeParse({ maxDuration: '50ms' }).success, false)
  })
})
