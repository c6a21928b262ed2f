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
  const options$ = new BehaviorSubject<Settings>({ maxDuration, joins: 'wait' })
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

  test('shows when its newest key frame arrived, and the length of the last GOP', async () => {
    const { send, context, clock } = await benchOf(10_000)
    assert.deepEqual(context.readDetails?.(), {})
    const startMs = clock.wallMs(clock.nowMs())
    send(buildTs({ durationS: 3 }).bytes)
    const { keyFrameAt, gopSeconds } = (context.readDetails?.() ?? {}) as { keyFrameAt: string; gopSeconds: number }
    assert.equal(gopSeconds, 1)
    assert.ok(Date.parse(keyFrameAt) > startMs && Date.parse(keyFrameAt) <= clock.wallMs(clock.nowMs()), keyFrameAt)
  })

  test('is degraded until the first key frame, and never by a long GOP', async () => {
    const { send, context } = await benchOf(300)
    send(endless.subarray(188 * 200))
    assert.deepEqual(context.reported, ['degraded: no key frame for 0 s'])
    send(buildTs({ durationS: 0.2 }).bytes)
    send(endless.subarray(188 * 200))
    assert.deepEqual(context.reported, ['degraded: no key frame for 0 s', 'ready'])
  })

  test('applies a new maxDuration without a restart', async () => {
    const { send, context, options$, transform } = await benchOf(60_000)
    send(endless.subarray(188 * 200))
    assert.deepEqual(context.reported, [])
    options$.next({ maxDuration: 1000, joins: 'wait' })
    send(endless.subarray(188 * 200))
    assert.match(context.reported[0] ?? '', /^degraded: no key frame for [1-9]\d* s$/)
    await transform[Symbol.asyncDispose]()
    await transform[Symbol.asyncDispose]()
    assert.equal(options$.observed, false)
  })

  test('parses its options from YAML', () => {
    assert.deepEqual(gop.options.parse({}), { maxDuration: 30_000, joins: 'wait' })
    assert.equal(gop.options.safeParse({ maxDuration: '50ms' }).success, false)
  })
})
