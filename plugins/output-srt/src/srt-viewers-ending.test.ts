// The output ends while a caller is being let in: between its request and the decision, and between that and its connection.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AccessDecision, Options } from '@millrace/engine/plugin'
import { FakeClock, FakeContext, TestAudiences, TestDelivery, TestListeners } from '@millrace/engine/testing'
import type { SrtArrival, SrtConnection, SrtConnections, SrtTaker } from '@millrace/srt/node'
import { BehaviorSubject } from 'rxjs'
import { srtOutputOptions } from './srt-output-options.js'
import type { SrtOutputOptions } from './srt-output-options.js'
import { SrtViewers } from './srt-viewers.js'

const ARRIVAL = {
  ...{ resource: 'news', listener: 'srt', address: '192.0.2.1', client: '192.0.2.1:5', agent: 'srt/1.5.1' },
  credentials: { user: undefined, password: undefined, token: 'one', query: undefined },
} as unknown as SrtArrival

function open(options: object = {}) {
  let taker: SrtTaker | undefined
  const listeners = new TestListeners()
  const offers: SrtConnections = {
    offerTo: (offered) => {
      taker = offered
      return { [Symbol.dispose]: () => (taker = undefined) }
    },
  }
  listeners.provide('srt', offers)
  let [givenBack, allow]: [number, (decision: AccessDecision) => void] = [0, () => undefined]
  const options$ = new BehaviorSubject(srtOutputOptions.parse({ listener: 'srt', auth: 'keys', ...options }))
  const [clock, context, audiences] = [new FakeClock(), new FakeContext('relay@news/view'), new TestAudiences()]
  const output = new SrtViewers({
    ...{ context, clock, audiences, listeners, delivery: new TestDelivery(clock) },
    options$: options$ as unknown as Options<SrtOutputOptions>,
    auth: { check: () => new Promise((resolve) => (allow = resolve)) },
  })
  const decided = Promise.resolve(taker!.take(ARRIVAL, true))
  return {
    ...{ output, audiences, decided, context, options$ },
    admit: () => allow({ allowed: true, user: 'anna', giveBack: () => givenBack++ }),
    callAgain: () => Promise.resolve(taker!.take(ARRIVAL, true)),
    isOffered: () => taker !== undefined,
    givenBack: () => givenBack,
  }
}

test('a caller whose access is decided after the end is rejected, and gets its session back', async () => {
  const { output, admit, decided, givenBack, audiences, isOffered, context } = open()
  await output[Symbol.asyncDispose]()
  admit()
  assert.deepEqual([await decided, givenBack(), audiences.viewers(), isOffered()], [{ reject: 1404 }, 1, [], false])
  assert.deepEqual(context.failures, [])
})

test('a caller that was admitted, and connects after the end, is disconnected and never listed, and gets its session back', async () => {
  const { output, admit, decided, audiences, context, givenBack } = open()
  admit()
  const decision = await decided
  assert.ok(decision?.reject === undefined)
  await output[Symbol.asyncDispose]()
  let ended = 0
  decision?.onConnection?.({ end: () => ended++ } as unknown as SrtConnection)
  await new Promise(setImmediate)
  assert.deepEqual([ended, givenBack(), audiences.viewers(), context.failures], [1, 1, [], []])
})

test('of two callers that were admitted to the last place, one is disconnected, and gets its session back', async () => {
  const { output, admit, decided, callAgain, audiences, context, givenBack } = open({ clients: { max: 1 } })
  admit()
  const first = await decided
  const deciding = callAgain()
  admit()
  const second = await deciding
  let ended = 0
  const closed = new Promise((resolve) => setImmediate(resolve))
  const stats = (): object => ({ receive: {}, send: {} })
  for (const decision of [first, second]) {
    assert.ok(decision?.reject === undefined)
    decision?.onConnection?.({ payloadBytes: 1316, stats, closed, end: () => ended++ } as unknown as SrtConnection)
  }
  assert.deepEqual([ended, givenBack(), context.failures], [1, 1, []])
  assert.equal(audiences.ends.length, 1, 'the refusal')
  await output[Symbol.asyncDispose]()
})

test('latency and passphrase are those of the time of the decision', async () => {
  const { output, admit, decided, options$ } = open()
  options$.next(
    srtOutputOptions.parse({ listener: 'srt', auth: 'keys', latency: '300ms', passphrase: 'ten-characters' }),
  )
  admit()
  const decision = await decided
  assert.ok(decision?.reject === undefined)
  assert.deepEqual([decision?.latencyMs, decision?.passphrase], [300, 'ten-characters'])
  await output[Symbol.asyncDispose]()
})
