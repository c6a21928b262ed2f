import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../testing/fake-clock.js'
import type { ProcessCallbacks, Processes } from './processes.js'
import { WatchedProcess } from './watched-process.js'

class Bench {
  readonly clock = new FakeClock()
  readonly silences: number[] = []
  /** What the process is told of its pipe. */
  callbacks: ProcessCallbacks | undefined
  /** Time during which nothing runs: timers that are due then find a later time. */
  blockedMs = 0
  /** Each timer comes so much late. */
  lateMs = 0
  readonly watched: WatchedProcess

  constructor(silentMs: number) {
    const processes: Pick<Processes, 'start'> = {
      start: (_options, callbacks) => {
        this.callbacks = callbacks
        return {
          ...{ pid: 1, pendingBytes: 0, residentBytes: 0 },
          ...{ write: () => true, endInput: () => undefined, stop: () => Promise.resolve() },
          hold: () => ({ [Symbol.dispose]: () => undefined }),
        }
      },
    }
    const { clock } = this
    this.watched = new WatchedProcess({
      clock: {
        nowMs: () => clock.nowMs() + this.blockedMs,
        wallMs: (monotonicMs) => clock.wallMs(monotonicMs),
        after: (delayMs, run) =>
          clock.after(delayMs, () => {
            this.blockedMs += this.lateMs
            run()
          }),
        every: (periodMs, run) => clock.every(periodMs, run),
      },
      processes,
      options: { command: ['x'], stdin: 'none', stdout: 'pipe' },
      callbacks: {},
      silentMs: () => silentMs,
      onOutput: () => undefined,
      onSilent: (ms) => void this.silences.push(ms),
      onExit: () => undefined,
    })
  }

  write(): void {
    this.callbacks?.onOutput?.(new Uint8Array(188))
  }
}

test('a process that has written while the event loop stood still is not silent, since timers run before pipes are read', () => {
  const bench = new Bench(3000)
  bench.clock.advance(500)
  bench.write()
  // Nothing ran for five seconds: the next look is late, and what was written is read after it.
  bench.blockedMs = 5000
  bench.clock.advance(500)
  assert.deepEqual(bench.silences, [])
  bench.write()
  bench.clock.advance(2900)
  assert.deepEqual(bench.silences, [])
  bench.clock.advance(1000)
  assert.deepEqual(bench.silences, [3000])
})

test('a process that has written nothing before and while the event loop stood still is silent a moment later', () => {
  const bench = new Bench(3000)
  bench.blockedMs = 5000
  bench.clock.advance(1000)
  assert.deepEqual(bench.silences, [])
  bench.clock.advance(100)
  assert.deepEqual(bench.silences, [3000])
})

test('a process that writes nothing is silent even if each look comes late', () => {
  const bench = new Bench(3000)
  bench.lateMs = 150
  bench.clock.advance(5000)
  assert.deepEqual(bench.silences, [3000])
})
