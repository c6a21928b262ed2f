import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../testing/fake-clock.js'
import { FakeContext } from '../testing/fake-context.js'
import { KeptConnection } from './kept-connection.js'

interface Call {
  readonly atMs: number
  readonly signal: AbortSignal
  end(why: string): void
}

/** Connections last until they are ended, or left. `answers`: a call is taken at once. */
function open({ holdMs = 2000, waitsForStream = false, answers = true } = {}) {
  const [clock, context] = [new FakeClock(), new FakeContext()]
  const [calls, failures]: [Call[], string[]] = [[], []]
  const kept = new KeptConnection<string>({
    ...{ clock, context, waitsForStream, random: () => 1 },
    target: () => 'a.example:1',
    holdMs: () => holdMs,
    connect: (signal, connected) =>
      new Promise((resolve) => {
        if (answers) connected()
        calls.push({ atMs: clock.nowMs(), signal, end: resolve })
        signal.addEventListener('abort', () => resolve('left'))
      }),
    failed: (why) => failures.push(why),
  })
  /** The stream brings something each half second. */
  const flow = async (ms: number): Promise<void> => {
    for (let passedMs = 0; passedMs < ms; passedMs += 500) {
      kept.noteStream()
      await turns()
      clock.advance(500)
      await turns()
    }
  }
  return { clock, context, kept, calls, failures, flow }
}

/** What promises have to do is done. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
}

test('a lost connection is made again, after longer and longer, and after 30 s at most', async () => {
  const { kept, calls, clock, flow } = open()
  await flow(500)
  const waitsMs: number[] = []
  for (let failed = 0; failed < 8; failed++) {
    const [failedMs, before] = [clock.nowMs(), calls.length]
    calls.at(-1)!.end('refused')
    while (calls.length === before) await flow(500)
    waitsMs.push(calls.at(-1)!.atMs - failedMs)
  }
  assert.deepEqual(waitsMs, [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000])
  await kept[Symbol.asyncDispose]()
})

test('a connection that has lasted is made again after the shortest time', async () => {
  const { kept, calls, flow } = open()
  for (let failed = 0; failed < 5; failed++) {
    await flow(6000)
    const before = calls.length
    calls.at(-1)!.end('lost')
    await flow(500)
    assert.equal(calls.length, before + 1)
  }
  await kept[Symbol.asyncDispose]()
})

test('a server that never answers is called after longer and longer, however long each call takes', async () => {
  const { kept, calls, clock, flow } = open({ answers: false })
  await flow(500)
  const waitsMs: number[] = []
  for (let failed = 0; failed < 4; failed++) {
    await flow(6000)
    const [failedMs, before] = [clock.nowMs(), calls.length]
    calls.at(-1)!.end('timed out')
    while (calls.length === before) await flow(500)
    waitsMs.push(calls.at(-1)!.atMs - failedMs)
  }
  assert.deepEqual(waitsMs, [1000, 2000, 4000, 8000])
  await kept[Symbol.asyncDispose]()
})

test('it is left when the stream brings nothing for `holdMs`, and made again at once when that goes on', async () => {
  const { kept, calls, failures, context, clock, flow } = open()
  await flow(1000)
  clock.advance(1000)
  assert.equal(calls[0]!.signal.aborted, false)
  clock.advance(1000)
  await turns()
  assert.equal(calls[0]!.signal.aborted, true)
  assert.deepEqual(context.reported, ['degraded: the stream has brought nothing for 2 s: a.example:1 is not called'])
  clock.advance(60_000)
  await turns()
  assert.equal(calls.length, 1)
  kept.noteStream()
  await turns()
  assert.deepEqual([calls.length, failures], [2, []])
  await kept[Symbol.asyncDispose]()
})

test('it can wait for the stream to begin', async () => {
  const { kept, calls, context, flow } = open({ waitsForStream: true })
  await turns()
  assert.deepEqual([calls.length, context.reported], [0, ['idle: the stream has not begun: a.example:1 is not called']])
  await flow(500)
  assert.equal(calls.length, 1)
  await kept[Symbol.asyncDispose]()
})

test('with other options it is called at once, while connected and while it waits', async () => {
  const { kept, calls, failures, flow } = open()
  await flow(500)
  kept.callAnew()
  await turns()
  assert.deepEqual([calls.length, calls[0]!.signal.aborted, failures], [2, true, []])
  calls[1]!.end('refused')
  await turns()
  assert.equal(calls.length, 2)
  kept.callAnew()
  await turns()
  assert.deepEqual([calls.length, failures], [3, ['refused']])
  await kept[Symbol.asyncDispose]()
})

test('once it is stopped nothing is called any more, whatever it waits for, and no timer is left', async () => {
  for (const state of ['connected', 'waiting', 'silent']) {
    const { kept, calls, clock, flow } = open()
    await flow(500)
    if (state === 'waiting') calls[0]!.end('refused')
    if (state === 'silent') clock.advance(5000)
    await turns()
    await kept[Symbol.asyncDispose]()
    kept.noteStream()
    clock.advance(60_000)
    await turns()
    assert.deepEqual([calls.length, clock.pending], [1, 0], state)
  }
})
