import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { AnyChunk, Inlet, Previous } from '@millrace/engine/plugin'
import { buildTs, dropPackets, FakeClock, FakeContext } from '@millrace/engine/testing'
import type { TsPlan } from '@millrace/engine/testing'
import { Framer } from '@millrace/media/mpegts'
import type { GopChunk, TsChunk } from '@millrace/media/mpegts'
import { BehaviorSubject, Subject } from 'rxjs'
import type { Observable } from 'rxjs'
import { GopCutter } from './gop-cutter.js'
import gop from './index.js'

/** Chunks of 7 packets: many of them end in the middle of a unit or section. */
function chunksOf(bytes: Uint8Array): TsChunk[] {
  const framer = new Framer()
  const chunks: TsChunk[] = []
  let nowMs = 0
  for (let at = 0; at < bytes.length; at += 7 * 188, nowMs += 20) {
    chunks.push(...framer.push(bytes.subarray(at, at + 7 * 188), nowMs), ...framer.flush(nowMs))
  }
  return [...chunks, ...framer.finish(nowMs)]
}

/** Every field of a chunk, as text. */
function textOf({ bytes, marks, gop: { psi, ...rest }, ...chunk }: GopChunk): string {
  return JSON.stringify([chunk, rest, Buffer.from(psi).toString('hex'), bytes.length, marks.length])
}

function joined(...plans: readonly TsPlan[]): Uint8Array {
  return Buffer.concat(plans.map((plan) => buildTs({ durationS: 1, ...plan }).bytes))
}

const streams: readonly { readonly name: string; readonly bytes: Uint8Array; readonly maxDurationMs?: number }[] = [
  { name: 'like that of ffmpeg', bytes: joined({ durationS: 2 }) },
  { name: 'without random_access_indicator', bytes: joined({ video: { gopFrames: 9, randomAccessIndicator: false } }) },
  { name: 'of H.265', bytes: joined({ video: { codec: 'h265', bFrames: 2, gopFrames: 12 } }) },
  { name: 'of MPEG-2', bytes: joined({ video: { codec: 'mpeg2', gopFrames: 12 } }) },
  { name: 'with tables away from key frames', bytes: joined({ psi: { beforeKeyframes: false, intervalMs: 300 } }) },
  {
    name: 'with GOPs shorter than the interval of tables',
    bytes: joined({ video: { gopFrames: 5 }, psi: { beforeKeyframes: false, intervalMs: 500 } }),
  },
  { name: 'of audio', bytes: joined({ durationS: 2, video: false }) },
  { name: 'of two programs', bytes: joined({ programs: [{}, { pmtPid: 0x1000, audio: false }], psi: { cat: true } }) },
  {
    name: 'whose tables change, over two packets with others between them',
    bytes: joined(
      { pmtPackets: 2, psi: { gapMs: 25, intervalMs: 150 } },
      {
        pmtPackets: 2,
        psi: { gapMs: 60, intervalMs: 900, phaseMs: 100, beforeKeyframes: false, version: 1 },
        video: { gopFrames: 5 },
        pmtVersion: 1,
        audio: [{}, { pid: 0x150 }],
      },
    ),
  },
  { name: 'with losses', bytes: dropPackets(joined({ durationS: 2, pmtPackets: 2 }), { every: 13 }).bytes },
  { name: 'without key frames', bytes: joined({ video: { gopFrames: Infinity } }), maxDurationMs: 150 },
]

describe('a cutter that continues from the state of another', () => {
  for (const { name, bytes, maxDurationMs = 10_000 } of streams) {
    const joins = maxDurationMs < 1000 ? 'nearest' : 'wait'
    test(`gives the same output as that one, wherever it takes over, with a stream ${name}`, () => {
      const chunks = chunksOf(bytes).map((chunk, index): TsChunk =>
        index % 41 === 40 ? { ...chunk, discontinuity: index % 2 === 0 ? 'lost' : 'source' } : chunk,
      )
      const old = new GopCutter({ maxDurationMs, joins })
      const states = []
      const expected: GopChunk[][] = []
      for (const chunk of chunks) {
        states.push(old.state())
        expected.push([...old.push(chunk)])
      }
      const texts = expected.map((cuts) => cuts.map(textOf))
      for (const [from, state] of states.entries()) {
        const cutter = new GopCutter({ maxDurationMs, joins }, state)
        for (const [index, chunk] of chunks.slice(from).entries()) {
          const cuts = cutter.push(chunk)
          assert.deepEqual(cuts.map(textOf), texts[from + index], `chunk ${from + index}, handed over at ${from}`)
        }
        assert.equal(cutter.lastGopSeconds, old.lastGopSeconds)
        assert.equal(cutter.keyFrameAtMs, old.keyFrameAtMs)
        assert.equal(cutter.fault, old.fault)
      }
    })
  }

  test('hands its own state over as well', () => {
    const chunks = chunksOf(streams.at(-3)!.bytes)
    const one = new GopCutter({ maxDurationMs: 10_000, joins: 'wait' })
    let many = new GopCutter({ maxDurationMs: 10_000, joins: 'wait' })
    for (const chunk of chunks) {
      many = new GopCutter({ maxDurationMs: 10_000, joins: 'wait' }, many.state())
      assert.deepEqual(many.push(chunk).map(textOf), one.push(chunk).map(textOf))
    }
  })
})

describe('transform gop at a swap', () => {
  const inlets: Previous['inlets'] = { kept: ['main.out'], added: [], removed: [], renamed: new Map() }

  async function open(state: unknown, changes = inlets) {
    const previous = { state, inlets: changes }
    const context = new FakeContext()
    const options$ = new BehaviorSubject(gop.options.parse({}))
    const transform = await gop.open(options$, context, { clock: new FakeClock() }, previous)
    const chunks = new Subject<AnyChunk>()
    const inlet: Inlet = {
      id: 'main.out',
      chunks,
      pausable: false,
      hold: () => ({ [Symbol.dispose]: () => undefined }),
    }
    const got: GopChunk[] = []
    const out = transform.apply([inlet])['out'] as Observable<AnyChunk> | undefined
    out?.subscribe((chunk) => chunk.kind === 'gop' && got.push(chunk))
    return { context, got, transform: transform as typeof transform & { snapshotState(): unknown }, chunks }
  }

  const chunks = chunksOf(buildTs({ durationS: 3 }).bytes)
  const half = Math.floor(chunks.length / 2)

  test('continues in the middle of a GOP, with its id and metrics', async () => {
    const old = await open(undefined)
    for (const chunk of chunks.slice(0, half)) old.chunks.next(chunk)
    const next = await open(old.transform.snapshotState())
    for (const chunk of chunks.slice(half)) for (const node of [old, next]) node.chunks.next(chunk)
    assert.deepEqual(next.got, old.got.slice(-next.got.length))
    assert.equal(next.context.metric('gop_duration_seconds'), 1)
    assert.equal(next.context.metric('gop_skipped_packets_total'), 0)
  })

  test('starts without the state of another stream', async () => {
    const old = await open(undefined)
    for (const chunk of chunks.slice(0, half)) old.chunks.next(chunk)
    const other = { ...inlets, kept: [], added: ['main.out'], removed: ['main.out'] }
    const next = await open(old.transform.snapshotState(), other)
    for (const chunk of chunks.slice(half)) next.chunks.next(chunk)
    assert.deepEqual([next.got[0]?.first, next.got[0]?.gop.id], [true, 0])
  })

  test('ignores a previous state that it does not know', async () => {
    for (const state of [undefined, null, 7, {}, { cutter: 1 }]) {
      const { chunks: source, got } = await open(state)
      for (const chunk of chunks) source.next(chunk)
      assert.equal(got[0]?.gop.id, 0)
    }
  })
})
