import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { AnyChunk, Inlet, Options } from '@millrace/engine/plugin'
import { breakSyncByte, buildTs, dropPackets, FakeClock, FakeContext, setTei } from '@millrace/engine/testing'
import { Framer } from '@millrace/media/mpegts'
import { BehaviorSubject, Subject } from 'rxjs'
import type { Observable } from 'rxjs'
import validate from './index.js'

const clean = buildTs({ durationS: 4 }).bytes

async function benchOf(more: object = {}) {
  const options = validate.options.parse(more)
  const options$ = new BehaviorSubject(options)
  const clock = new FakeClock()
  const context = new FakeContext()
  const transform = await validate.open(options$ as Options<typeof options>, context, { clock })
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
  const send = (bytes: Uint8Array): AnyChunk[] => {
    const framer = new Framer()
    const sent = [...framer.push(bytes, 0), ...framer.finish(0)]
    for (const chunk of sent) chunks.next(chunk)
    return sent
  }
  return { options$, clock, context, transform, chunks, got, send, isComplete: () => isComplete }
}

describe('transform ts-validate', () => {
  test('passes the same chunk objects, including damaged ones', async () => {
    const { send, got, chunks, isComplete } = await benchOf()
    const sent = [...send(clean), ...send(breakSyncByte(clean).bytes)]
    assert.deepEqual(
      got.map((chunk, index) => chunk === sent[index]),
      sent.map(() => true),
    )
    chunks.complete()
    assert.equal(isComplete(), true)
  })

  test('shows its counts as details, by the names of the checks, and what each PID carries', async () => {
    const { send, context, clock } = await benchOf()
    assert.deepEqual(context.readDetails?.(), {
      ...{ checks: { sync: 0, sbyte: 0, CC: 0, TEI: 0, CRC: 0 }, continuityErrors: 0, scrambledPackets: 0 },
      streams: [{ pid: 0x1fff, type: 'null', kbps: 0, CC: 0 }],
    })
    const dropped = dropPackets(clean, { pid: 0x100 })
    clock.advance(1000)
    send(dropped.bytes)
    clock.advance(1000)
    const details = context.readDetails?.() as
      { readonly streams: readonly Record<string, unknown>[]; readonly timing: object } | undefined
    assert.ok(details !== undefined)
    const { streams, timing, ...others } = details
    assert.deepEqual(Object.keys(timing), ['pcrIntervalMs', 'pcrIntervalMaxMs', 'pcrJitterMs', 'avOffsetMs'])
    assert.deepEqual(others, {
      checks: { sync: 0, sbyte: 0, CC: dropped.count, TEI: 0, CRC: 0 },
      ...{ continuityErrors: dropped.count, scrambledPackets: 0 },
    })
    const video = streams.find(({ pid }) => pid === 0x100)
    assert.deepEqual({ ...video, kbps: 0 }, { pid: 0x100, type: 'h264', program: 1, kbps: 0, CC: dropped.count })
    assert.ok(Number(video?.['kbps']) > 0)
    assert.deepEqual(
      streams.map(({ type }) => type).filter((type) => type === 'PAT' || type === 'PMT'),
      ['PAT', 'PMT'],
    )
  })

  test('exposes its counts as metrics', async () => {
    const { send, context } = await benchOf()
    // Before the first error too, or Prometheus would not see that one as an increase.
    send(clean)
    const none = { other: 0, '0': 0, '4096': 0, '256': 0, '257': 0 }
    assert.deepEqual(context.metric('ts_continuity_errors_total'), none)
    const dropped = dropPackets(clean, { pid: 0x100 })
    send(dropped.bytes)
    assert.deepEqual(context.metric('ts_continuity_errors_total'), { ...none, '256': dropped.count })
    for (const { name, labels, kind } of validate.metrics ?? []) {
      if (name === 'ts_continuity_errors_total' || kind !== 'counter') continue
      const rows = name === 'ts_crc_errors_total' ? { other: 0, '0': 0, '4096': 0 } : none
      assert.deepEqual(context.metric(name), labels === undefined ? 0 : rows, name)
    }
  })

  test('logs damage at most once a second', async () => {
    const { send, context, clock, transform } = await benchOf()
    send(clean)
    clock.advance(5000)
    assert.equal(context.lines.length, 0)
    for (let count = 0; count < 5; count++) send(dropPackets(clean).bytes)
    clock.advance(5000)
    assert.deepEqual(
      context.lines.map(({ level, text }) => [level, text]),
      [['warn', 'damaged stream, totals']],
    )
    await transform[Symbol.asyncDispose]()
    await transform[Symbol.asyncDispose]()
    assert.equal(clock.pending, 0)
  })

  test('counts incoming errors, including those of dropped packets, and applies that option live', async () => {
    const { send, got, context, options$ } = await benchOf({ transportErrors: 'drop' })
    const damaged = setTei(clean, { pid: 0x100 })
    const bytes = (): number => got.splice(0).reduce((sum, chunk) => sum + chunk.bytes.length, 0)
    send(damaged.bytes)
    assert.equal(bytes(), clean.length - damaged.count * 188)
    options$.next({ ...options$.value, transportErrors: 'keep' })
    send(damaged.bytes)
    assert.equal(bytes(), clean.length)
    assert.equal(context.metric('ts_transport_errors_total'), damaged.count * 2)
  })

  test('is degraded while the stream contains nothing that is selected', async () => {
    const { send, context, chunks } = await benchOf({ program: 2 })
    send(clean)
    const [other] = send(buildTs({ durationS: 1, number: 2 }).bytes)
    assert.ok(other !== undefined && !chunks.closed)
    assert.deepEqual(context.reported, ['degraded: the stream has no program 2 with the selected PIDs', 'ready'])
  })

  test('accepts PIDs as numbers and as text', () => {
    const parse = (pids: object): unknown => validate.options.safeParse({ pids }).data?.pids
    assert.deepEqual(parse({ include: [256, '257', '0x102'] }), { include: [256, 257, '0x102'], exclude: [] })
    for (const wrong of [
      { include: [] },
      { exclude: [8192] },
      { exclude: ['0x2000'] },
      { exclude: ['video'] },
      { only: [1] },
    ]) {
      assert.equal(parse(wrong), undefined, JSON.stringify(wrong))
    }
  })
})
