// Rules for inputs under stress: whatever the other end sends, or does not send.
import assert from 'node:assert/strict'
import { setImmediate, setTimeout } from 'node:timers/promises'
import { isEngineError, messageOf } from '../../errors.js'
import { ChunkMemory } from '../chunk-memory.js'
import type { ContractBench } from '../contract-bench.js'
import { assertNone } from './assert-none.js'
import { openNode, runNode } from './check.js'
import type { Check, Trial } from './check.js'
import { assertNoTimers } from './reading-checks.js'

/** Pipes and sockets of the system keep some of it, and the other end its own part. */
const HELD_BYTES = 12 * 1024 * 1024
const BURST_MS = 200
const BURST_BYTES = 24 * 1024 * 1024
/** Within which the other end notices that nobody takes a burst any more. */
const LEAVE_MS = 5000
const SILENCE_MS = 120_000
const SILENT_STEP_MS = 5000
const PATIENCE = 100
const STEP_MS = 5
/** Within which a hold has taken effect. */
const SETTLE_MS = 20
const MOST_ATTEMPTS = 4
const PACKET = 188

export const takesBytes: Check = {
  title:
    'truncated, damaged and empty data, noise and bursts fail its attempt at most, and the next stream is received',
  applies: ({ settings }) => settings.send !== undefined,
  run: async (trial) => {
    const stream = trial.streams.bytes
    const noise = Uint8Array.from({ length: 400 * PACKET }, (_, at) => (at * 97 + (at >> 7)) & 0xff)
    const cases: readonly (readonly [name: string, bytes: Uint8Array])[] = [
      ['nothing', new Uint8Array(0)],
      ['one byte', stream.subarray(0, 1)],
      ['half a packet', stream.subarray(0, PACKET / 2)],
      ['a truncated stream', stream.subarray(PACKET * 3 + 7, PACKET * 40 + 11)],
      ['noise', noise],
      ['ten streams at once', Buffer.concat(Array.from({ length: 10 }, () => stream))],
    ]
    await using bench = await runNode(trial)
    for (const [name, bytes] of cases) {
      await send(trial, bench, bytes)
      assertGoodErrors(bench, name)
      await assertReceives(trial, bench, stream, name)
    }
    assertNoTimers(trial)
  },
}

export const toleratesSilence: Check = {
  title: 'silence makes it wait or fail with a code, and it emits nothing',
  run: async (trial) => {
    await using bench = await runNode(trial)
    const before = bench.receivedBytes
    for (let passedMs = 0; passedMs < SILENCE_MS && !bench.isOver; passedMs += SILENT_STEP_MS) {
      bench.advance(SILENT_STEP_MS)
      await setImmediate()
    }
    assertGoodErrors(bench, 'silence')
    const isFed = trial.settings.send !== undefined
    if (isFed) assert.equal(bench.receivedBytes, before, 'it has emitted bytes that nobody has sent')
    assertNoTimers(trial)
  },
}

export const holdsBack: Check = {
  title: 'while it is held it emits nothing, keeps little, and loses nothing',
  applies: ({ settings }) => settings.send !== undefined,
  run: async (trial) => {
    await using bench = await runNode(trial)
    const { node } = bench
    if (node.hold === undefined) return
    const memory = new ChunkMemory()
    let hold = node.hold()
    const stream = trial.streams.bytes
    let isSent = false
    const sending = send(trial, bench, stream).finally(() => void (isSent = true))
    await setTimeout(SETTLE_MS)
    const early = bench.receivedBytes
    await setTimeout(SETTLE_MS)
    assert.equal(bench.receivedBytes, early, 'it emits while it is held')
    hold[Symbol.dispose]()
    await until(() => isSent && bench.receivedBytes >= stream.length, bench, PATIENCE * 10)
    await sending
    assert.ok(
      bench.receivedBytes >= stream.length,
      `of ${stream.length} bytes sent while it was held, ${bench.receivedBytes} came`,
    )
    hold = node.hold()
    const burst = Buffer.alloc(BURST_BYTES, stream)
    await memory.start()
    const bursting = send(trial, bench, burst)
    await Promise.race([bursting, setTimeout(BURST_MS)])
    const grown = await memory.grown()
    assert.equal(burst.length, BURST_BYTES)
    assert.ok(grown <= HELD_BYTES, `it keeps ${(grown / 1024 / 1024).toFixed(1)} MiB while it is held: stop reading`)
    // It has to end while it is held, too.
    await bench.close()
    hold[Symbol.dispose]()
    // What is still on its way would reach the next node that opens.
    const left = new AbortController()
    const late = setTimeout(LEAVE_MS, undefined, { signal: left.signal }).catch(() => undefined)
    await Promise.race([bursting, late])
    left.abort()
  },
}

export const survivesHanging: Check = {
  title: 'an upstream that never answers fails its attempt with a code, and does not keep it from stopping',
  applies: ({ settings }) => settings.hanging !== undefined,
  run: async (trial) => {
    const { definition, settings } = trial
    const options: unknown = definition.options.parse({ ...settings.options, ...settings.hanging })
    const waiting = await openNode(trial, { options })
    waiting.subscribe()
    await setTimeout(20)
    await waiting[Symbol.asyncDispose]()
    assertNone(waiting.left, 'stopped while it waited for its upstream, it has left')
    await using bench = await openNode(trial, { options })
    bench.subscribe()
    for (let passedMs = 0; passedMs < SILENCE_MS && !bench.isOver; passedMs += SILENT_STEP_MS) {
      await setTimeout(STEP_MS)
      bench.advance(SILENT_STEP_MS)
    }
    // What its timer ends may take a moment to be over.
    await until(() => bench.isOver, bench)
    assert.ok(bench.isOver, `it waits for its upstream for more than ${SILENCE_MS / 1000} s`)
    assertGoodErrors(bench, 'an upstream that never answers')
  },
}

function assertGoodErrors(bench: ContractBench, after: string): void {
  for (const error of bench.attemptErrors) {
    assert.ok(isEngineError(error), `after ${after} it has failed without a code: ${messageOf(error)}`)
    assert.notEqual(error.row.reaction, 'bug', `after ${after} it reports a bug: ${error.code} ${error.message}`)
    assert.notEqual(
      error.row.reaction,
      'config',
      `after ${after} it blames its options: ${error.code} ${error.message}`,
    )
  }
}

/** Subscribes again where the engine would, until the stream arrives. */
async function assertReceives(trial: Trial, bench: ContractBench, stream: Uint8Array, after: string): Promise<void> {
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    if (bench.isOver) {
      bench.unsubscribe()
      bench.subscribe()
      await bench.settled()
    }
    const before = bench.receivedBytes
    await send(trial, bench, stream)
    await until(() => bench.receivedBytes > before || bench.isOver, bench)
    if (bench.receivedBytes > before) return
    assertGoodErrors(bench, after)
  }
  assert.fail(`after ${after} it does not receive a good stream any more`)
}

async function send({ settings }: Trial, bench: ContractBench, bytes: Uint8Array): Promise<void> {
  // The other end may find its connection closed.
  await Promise.resolve(settings.send?.(bytes, bench)).catch(() => undefined)
  for (let turn = 0; turn < 20; turn++) await setImmediate()
}

async function until(claim: () => boolean, bench: ContractBench, steps = PATIENCE): Promise<void> {
  for (let step = 0; step < steps && !claim(); step++) {
    await setTimeout(STEP_MS)
    // A source that waits until packets are complete, or in order, passes them on now.
    bench.onBatch()
  }
}
