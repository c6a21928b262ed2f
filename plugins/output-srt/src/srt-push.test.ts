import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { AnyChunk, Inlet, Options } from '@millrace/engine/plugin'
import { buildTs, FakeContext, TestDelivery, TestSockets } from '@millrace/engine/testing'
import { Framer } from '@millrace/media/mpegts'
import { SrtSocket } from '@millrace/srt/node'
import type { SrtConnection } from '@millrace/srt/node'
import { BehaviorSubject, Subject } from 'rxjs'
import { type SrtOutputOptions, srtOutputOptions } from './srt-output-options.js'
import { SrtPush } from './srt-push.js'
import { SYSTEM_CLOCK } from './system-clock.test.kit.js'

async function open(t: TestContext, given: Readonly<Record<string, unknown>>) {
  const options = srtOutputOptions.parse({ mode: 'caller', connectTimeout: '60s', ...given })
  const options$ = new BehaviorSubject(options) as unknown as Options<SrtOutputOptions>
  const [context, sockets] = [new FakeContext('one/push'), new TestSockets(SYSTEM_CLOCK)]
  const [clock, delivery] = [SYSTEM_CLOCK, new TestDelivery(SYSTEM_CLOCK)]
  const change = (more: Readonly<Record<string, unknown>>): void => {
    const changed = srtOutputOptions.parse({ mode: 'caller', connectTimeout: '60s', ...given, ...more })
    ;(options$ as unknown as BehaviorSubject<SrtOutputOptions>).next(changed)
  }
  const push = new SrtPush({ options$, context, clock, delivery, sockets, random: () => 0 })
  const chunks$ = new Subject<AnyChunk>()
  push.accept([{ id: 'in.out', chunks: chunks$, pausable: false } as unknown as Inlet])
  t.after(async () => {
    await push[Symbol.asyncDispose]()
    assert.deepEqual([context.failures, sockets.failures, sockets.size], [[], [], 0])
  })
  return { context, push, chunks$, change }
}

async function until(claim: () => boolean, what: () => string): Promise<void> {
  for (const endMs = performance.now() + 60_000; performance.now() < endMs;) {
    if (claim()) return
    await pause(5)
  }
  assert.fail(what())
}

test('it calls the receiver with its StreamID, encrypted, and calls again when the connection is lost', async (t) => {
  await using receiver = await SrtSocket.open({ address: '127.0.0.1' })
  const connections: SrtConnection[] = []
  const passphrase = 'a-passphrase-to-test'
  receiver.listen({ passphrase, onConnection: (connection) => void connections.push(connection) })
  const streamId = '#!::r=feed,m=publish'
  const { context } = await open(t, { address: `127.0.0.1:${receiver.address.port}`, streamId, passphrase })
  await until(
    () => connections.length === 1,
    () => context.reported.join(),
  )
  assert.equal(connections[0]!.streamId, streamId)
  await until(
    () => context.reported.at(-1) === 'ready',
    () => context.reported.join(),
  )
  connections[0]!.end()
  await until(
    () => connections.length === 2,
    () => context.reported.join(),
  )
  assert.match(
    context.reported[1] ?? '',
    /^degraded: cannot send to 127\.0\.0\.1:\d+: the connection ended: peer-closed$/,
  )
  await until(
    () => context.metric('srt_calls_total') === 2,
    () => context.reported.join(),
  )
  assert.equal(context.metric('srt_call_failures_total'), 1)
})

test('other options than those of the connection leave it as it is; with those the receiver is called anew', async (t) => {
  await using receiver = await SrtSocket.open({ address: '127.0.0.1' })
  const connections: SrtConnection[] = []
  receiver.listen({ onConnection: (connection) => void connections.push(connection) })
  const { context, change } = await open(t, { address: `127.0.0.1:${receiver.address.port}`, streamId: 'one' })
  await until(
    () => context.reported.at(-1) === 'ready',
    () => context.reported.join(),
  )
  change({ streamId: 'one', holdFor: '60s', connectTimeout: '5s' })
  change({ streamId: 'two', holdFor: '60s' })
  assert.equal(await connections[0]!.closed, 'peer-closed')
  await until(
    () => connections.length === 2,
    () => context.reported.join(),
  )
  assert.deepEqual([connections[0]!.streamId, connections[1]!.streamId], ['one', 'two'])
  assert.equal(context.metric('srt_call_failures_total'), 0)
})

test('it takes no data from the receiver', async (t) => {
  await using receiver = await SrtSocket.open({ address: '127.0.0.1' })
  const connections: SrtConnection[] = []
  receiver.listen({ latencyMs: 20, onConnection: (connection) => void connections.push(connection) })
  await open(t, { address: `127.0.0.1:${receiver.address.port}`, latency: '20ms' })
  await until(
    () => connections.length === 1,
    () => 'no connection',
  )
  assert.equal(connections[0]!.send([new Uint8Array(1316), new Uint8Array(1316)]), 2)
  await until(
    () => connections[0]!.stats().send.dropped === 2,
    () => 'they were acknowledged',
  )
})

test('`maxRate` is the most that it sends, in bytes a second', async (t) => {
  await using receiver = await SrtSocket.open({ address: '127.0.0.1' })
  receiver.listen({ onConnection: () => undefined })
  const connect = t.mock.method(SrtSocket.prototype, 'connect')
  const { context } = await open(t, { address: `127.0.0.1:${receiver.address.port}`, maxRate: '8Mb/s' })
  await until(
    () => context.reported.at(-1) === 'ready',
    () => context.reported.join(),
  )
  assert.equal(connect.mock.calls[0]?.arguments[0].connection?.maxBytesPerSecond, 1_000_000)
})

test('a receiver that refuses makes it degraded, with the reason', async (t) => {
  await using receiver = await SrtSocket.open({ address: '127.0.0.1' })
  receiver.listen({ onRequest: () => ({ reject: 1403 }), onConnection: () => undefined })
  const { context } = await open(t, { address: `127.0.0.1:${receiver.address.port}` })
  await until(
    () => context.reported.length > 0,
    () => 'nothing is reported',
  )
  assert.match(context.reported[0]!, /^degraded: .* refused: 1403 \(forbidden\)$/)
})

/** A stream, as chunks that come now. */
function chunksNow(durationS: number): readonly AnyChunk[] {
  const framer = new Framer()
  const nowMs = performance.now()
  return [...framer.push(buildTs({ durationS }).bytes, nowMs), ...framer.flush(nowMs)]
}

test('it leaves a receiver when the stream brings nothing for `holdFor`, and calls again when it goes on', async (t) => {
  await using receiver = await SrtSocket.open({ address: '127.0.0.1' })
  const connections: SrtConnection[] = []
  receiver.listen({ onConnection: (connection) => void connections.push(connection) })
  const { context, chunks$ } = await open(t, { address: `127.0.0.1:${receiver.address.port}`, holdFor: '1s' })
  const [first] = chunksNow(0.2)
  let lastMs = 0
  await until(
    () => {
      lastMs = performance.now()
      chunks$.next(first!)
      return connections.length === 1
    },
    () => context.reported.join(),
  )
  assert.equal(await connections[0]!.closed, 'peer-closed')
  assert.ok(performance.now() - lastMs >= 990)
  await until(
    () => /^degraded: the stream has brought nothing for 1 s: .* is not called$/.test(context.reported.at(-1) ?? ''),
    () => context.reported.join(),
  )
  for (const chunk of chunksNow(0.2)) chunks$.next(chunk)
  await until(
    () => connections.length === 2,
    () => context.reported.join(),
  )
  assert.equal(context.metric('srt_call_failures_total'), 0)
})

for (const moment of ['when its source has ended', 'when its source has ended while the receiver is being called']) {
  test(`${moment}, the receiver gets all of it, and is not called again`, async (t) => {
    await using receiver = await SrtSocket.open({ address: '127.0.0.1' })
    let [bytes, connections] = [0, 0]
    let admit: (() => void) | undefined
    receiver.listen({
      onRequest: () => new Promise((resolve) => (admit = () => resolve({}))),
      onConnection: (connection) => {
        connections++
        connection.onData = (payloads) => payloads.forEach(({ length }) => (bytes += length))
      },
    })
    const { context, push, chunks$ } = await open(t, { address: `127.0.0.1:${receiver.address.port}` })
    await until(
      () => admit !== undefined,
      () => 'it is not called',
    )
    if (moment === 'when its source has ended') {
      admit?.()
      await until(
        () => context.reported.at(-1) === 'ready',
        () => context.reported.join(),
      )
    }
    const chunks = chunksNow(0.4)
    for (const chunk of chunks) chunks$.next(chunk)
    const drained = push.drained()
    admit?.()
    await drained
    const total = chunks.reduce((sum, chunk) => sum + chunk.bytes.length, 0)
    // The tables of its start come on top.
    assert.ok(bytes >= total * 0.9, `${bytes} of ${total}`)
    assert.equal(connections, 1)
  })
}

test('when its source ends while a receiver that is not there is called, it ends once that call has failed', async (t) => {
  await using nobody = await SrtSocket.open({ address: '127.0.0.1' })
  const { push, chunks$, context } = await open(t, {
    ...{ address: `127.0.0.1:${nobody.address.port}`, connectTimeout: '300ms' },
  })
  for (const chunk of chunksNow(0.4)) chunks$.next(chunk)
  await push.drained()
  assert.equal(context.metric('srt_calls_total'), 0)
})
