import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Track } from '@millrace/media/elementary'
import { ContinuousWriter } from './continuous-writer.js'

const CONFIG = Uint8Array.of(1, 100, 0, 31, 255, 225, 0, 4, 0x67, 100, 0, 31, 1, 0, 2, 0x68, 1)
const VIDEO: Track = { id: 1, kind: 'video', codec: 'h264', config: CONFIG } as unknown as Track
const AUDIO: Track = { id: 2, kind: 'audio', codec: 'mp3', config: new Uint8Array(0) } as unknown as Track
const STEP_MS = 40

class Bench {
  readonly stamps: string[] = []
  readonly writer = new ContinuousWriter({
    tag: ({ type, timestampMs, isConfig }) => {
      if (!isConfig) this.stamps.push(`${type === 9 ? 'v' : 'a'}${timestampMs}`)
    },
    leftOut: () => undefined,
  })
  #nowMs = 0

  constructor() {
    this.writer.track(VIDEO)
    this.writer.track(AUDIO)
  }

  /** A chunk with these frames: milliseconds of the stream. */
  chunk(...frames: readonly (readonly [Track, number])[]): void {
    this.writer.arrived((this.#nowMs += STEP_MS))
    for (const [track, ms] of frames) this.#frame(track, ms * 90)
  }

  /** Largest step between two stamps that follow each other. */
  get largestStepMs(): number {
    this.writer.flush()
    const stamps = this.stamps.map((stamp) => Number(stamp.slice(1)))
    return Math.max(...stamps.slice(1).map((stamp, at) => Math.abs(stamp - stamps[at]!)))
  }

  count(letter: 'v' | 'a'): number {
    return this.stamps.filter((stamp) => stamp.startsWith(letter)).length
  }

  #frame(track: Track, time90k: number): void {
    const units = Int32Array.of(0, 8)
    const bytes = Uint8Array.of(0x65, 1, 2, 3, 4, 5, 6, 7)
    const times = { pts90k: time90k, dts90k: time90k }
    this.writer.frame({ track, bytes, units, unitCount: 1, ...times, isRandomAccess: true, isDisposable: false })
  }
}

describe('a clock that jumps without a sign', () => {
  for (const { name, toMs } of [
    { name: 'back', toMs: 0 },
    { name: 'forward', toMs: 5_000_000 },
  ]) {
    for (const [first, late] of [
      [AUDIO, VIDEO],
      [VIDEO, AUDIO],
    ] as const) {
      test(`${name}: ${late.kind} of before that comes late does not move the time, and is left out`, () => {
        const bench = new Bench()
        for (let at = 0; at < 10; at++) bench.chunk([first, 1_000_000 + at * STEP_MS], [late, 1_000_000 + at * STEP_MS])
        bench.chunk([first, toMs], [late, 1_000_400])
        bench.chunk([late, 1_000_440], [first, toMs + STEP_MS])
        for (let at = 2; at < 12; at++) bench.chunk([first, toMs + at * STEP_MS], [late, toMs + (at - 2) * STEP_MS])
        assert.ok(bench.largestStepMs <= 200, bench.stamps.join(' '))
        assert.deepEqual([bench.count(first === AUDIO ? 'a' : 'v'), bench.count(late === AUDIO ? 'a' : 'v')], [22, 20])
      })
    }
  }

  test('of one track alone costs at most a second of the other', () => {
    const bench = new Bench()
    for (let at = 0; at < 10; at++) bench.chunk([VIDEO, 1_000_000 + at * STEP_MS], [AUDIO, 1_000_000 + at * STEP_MS])
    for (let at = 10; at < 60; at++) bench.chunk([VIDEO, at * STEP_MS], [AUDIO, 1_000_000 + at * STEP_MS])
    bench.writer.flush()
    assert.equal(bench.count('v'), 60)
    assert.ok(bench.count('a') >= 60 - 25, bench.stamps.join(' '))
  })
})

test('tracks that are 12 s apart all the time lose nothing when both jump', () => {
  for (const [first, late] of [
    [AUDIO, VIDEO],
    [VIDEO, AUDIO],
  ] as const) {
    const bench = new Bench()
    const ahead = (track: Track): number => (track === AUDIO ? 12_000 : 0)
    for (const fromMs of [1_000_000, 0]) {
      for (let at = 0; at < 50; at++) {
        const times = [first, late].map((track) => [track, fromMs + ahead(track) + at * STEP_MS] as const)
        bench.chunk(...times)
      }
    }
    bench.writer.flush()
    assert.deepEqual([bench.count('v'), bench.count('a')], [100, 100], bench.stamps.join(' '))
  }
})
