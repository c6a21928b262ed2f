import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { AnyChunk, Inlet, Options } from '@millrace/engine/plugin'
import { FakeContext, TestSockets } from '@millrace/engine/testing'
import { MESSAGE } from '@millrace/rtmp'
import { RtmpServer } from '@millrace/rtmp/node'
import type { PublisherArrival, PublisherSession } from '@millrace/rtmp/node'
import { BehaviorSubject, Subject } from 'rxjs'
import { type RtmpOutputOptions, rtmpOutputOptions } from './rtmp-output-options.js'
import output from './index.js'
import { RtmpPush } from './rtmp-push.js'
import { assertIncreasing, chunksOf, until } from './stream-bench.test.kit.js'
import { SYSTEM_CLOCK } from './system-clock.test.kit.js'

const CLIP = { durationS: 2, muxRate: 1_000_000, video: { gopFrames: 25, bitrate: 500_000 } } as const

interface Publication {
  readonly path: string
  readonly stamps: number[]
  readonly session: PublisherSession | undefined
  ended: boolean
}

/** A server that keeps what is published, unless `refuse` refuses it. */
async function serve(t: TestContext, refuse?: (arrival: PublisherArrival) => boolean) {
  const publications: Publication[] = []
  const server = await RtmpServer.open({
    address: '127.0.0.1',
    port: 0,
    onPublish: (arrival) => {
      if (refuse?.(arrival) === true) return
      const stamps: number[] = []
      const session = arrival.accept({
        media: (type, timestampMs) => void (type === MESSAGE.video && stamps.push(timestampMs)),
        ended: () => (publication.ended = true),
      })
      const publication: Publication = { path: `${arrival.path}?${arrival.query}`, stamps, session, ended: false }
      publications.push(publication)
    },
  })
  t.after(() => server.close())
  return { url: `rtmp://127.0.0.1:${server.port}/live/cam?key=s3cret`, publications, server }
}

function open(t: TestContext, given: Readonly<Record<string, unknown>>) {
  const options = rtmpOutputOptions.parse({ mode: 'push', connectTimeout: '2s', ...given })
  const options$ = new BehaviorSubject(options) as unknown as Options<RtmpOutputOptions>
  const [context, sockets] = [new FakeContext('one/push'), new TestSockets(SYSTEM_CLOCK)]
  const push = new RtmpPush({ options$, tls: {}, context, clock: SYSTEM_CLOCK, sockets, random: () => 0 })
  const chunks$ = new Subject<AnyChunk>()
  push.accept([{ id: 'in.out', chunks: chunks$, pausable: false } as unknown as Inlet])
  const play = (chunks: readonly AnyChunk[]): void => chunks.forEach((chunk) => chunks$.next(chunk))
  t.after(async () => {
    await push[Symbol.asyncDispose]()
    assert.deepEqual(context.failures, [])
  })
  return { context, push, chunks$, play }
}

const shown = (context: FakeContext) => () => context.reported.join('\n')

test('it calls when the stream begins, and publishes under the key, which is never shown', async (t) => {
  const codecs: string[] = []
  const { url, publications } = await serve(t, ({ connect }) => {
    codecs.push(...connect.fourCcList)
    return false
  })
  const { context, play } = open(t, { url })
  assert.match(context.reported[0] ?? '', /^idle: the stream has not begun/)
  play(chunksOf(CLIP))
  await until(() => (publications[0]?.stamps.length ?? 0) > 10, shown(context))
  assert.equal(publications[0]!.path, 'live/cam?key=s3cret')
  assert.ok(codecs.includes('hvc1') && codecs.includes('Opus'))
  assert.equal(context.reported.at(-1), 'ready')
  assert.ok(context.sentBytes > 1000)
  assert.equal(context.metric('rtmp_sending_connections'), 1)
  assert.doesNotMatch(JSON.stringify([context.readDetails?.(), context.lines, context.reported]), /s3cret/)
})

test('when the source starts anew there is one connection, and time stamps go on', async (t) => {
  const { url, publications } = await serve(t)
  const { context, play } = open(t, { url })
  play(chunksOf({ ...CLIP, startPts90k: 90_000 * 5000 }))
  await until(() => (publications[0]?.stamps.length ?? 0) > 10, shown(context))
  const before = publications[0]!.stamps.length
  const [first, ...others] = chunksOf({ ...CLIP, startPts90k: 90_000 })
  play([{ ...first!, discontinuity: 'source' }, ...others])
  await until(() => publications[0]!.stamps.length > before + 30, shown(context))
  assertIncreasing(publications[0]!.stamps)
  assert.deepEqual([publications.length, context.metric('rtmp_calls_total')], [1, 1])
})

test('after holdFor without the stream the connection is closed; it is made again when the stream goes on', async (t) => {
  const { url, publications } = await serve(t)
  const { context, play } = open(t, { url, holdFor: '1s' })
  play(chunksOf(CLIP))
  await until(() => publications.length === 1, shown(context))
  await until(() => publications[0]!.ended, shown(context))
  await until(() => /has brought nothing for 1 s/.test(context.reported.at(-1) ?? ''), shown(context))
  play(chunksOf(CLIP))
  await until(() => publications.length === 2, shown(context))
  assert.equal(context.metric('rtmp_call_failures_total'), 0)
})

test('a lost connection is made again, and begins with a key frame', async (t) => {
  const { url, publications } = await serve(t)
  const { context, play } = open(t, { url })
  play(chunksOf(CLIP))
  await until(() => publications.length === 1, shown(context))
  publications[0]!.session?.end('for a test')
  await until(() => publications.length === 2, shown(context))
  assert.match(
    shown(context)(),
    /degraded: cannot publish to rtmp:\/\/127.0.0.1:\d+\/live: RTMP_PUSH_REJECTED: for a test/,
  )
  await until(() => publications[1]!.stamps.length > 0, shown(context))
  assert.equal(context.metric('rtmp_call_failures_total'), 1)
})

for (const [kind, code] of [
  ['taken', 'RTMP_PUSH_NAME_TAKEN'],
  ['denied', 'RTMP_PUSH_REJECTED'],
] as const) {
  test(`a server that answers ${kind} makes it degraded with ${code}, and is called again`, async (t) => {
    let refusals = 0
    const { url, publications } = await serve(t, (arrival) => {
      if (refusals++ > 0) return false
      arrival.reject(kind, 'not you, cam?key=s3cret')
      return true
    })
    const { context, play } = open(t, { url })
    play(chunksOf(CLIP))
    await until(() => publications.length === 1, shown(context))
    assert.match(shown(context)(), new RegExp(`degraded: .*${code}: not you, \\*\\*\\*\\?\\*\\*\\*`))
    assert.doesNotMatch(JSON.stringify([context.readDetails?.(), context.lines, context.reported]), /s3cret/)
    const { lastFailure } = context.readDetails!() as { lastFailure: { code: string; hint: string } }
    assert.equal(lastFailure.code, code)
    assert.ok(lastFailure.hint.length > 20)
  })
}

for (const moment of ['when the source ends', 'when the source ends while the server is being called']) {
  test(`${moment}, the server gets all of it, and a goodbye`, async (t) => {
    const { url, publications } = await serve(t)
    const { context, push, chunks$, play } = open(t, { url })
    play(chunksOf(CLIP))
    if (moment === 'when the source ends') await until(() => context.reported.at(-1) === 'ready', shown(context))
    chunks$.complete()
    await push.drained()
    await until(() => publications[0]?.ended === true, shown(context))
    // The call began with the latest key frame.
    const { length } = publications[0]!.stamps
    assert.ok(length >= 20, `${length} pictures`)
  })
}

test('a server that goes away, and one that is not there, have codes of their own', async (t) => {
  const { url, publications, server } = await serve(t)
  const { context, play } = open(t, { url })
  play(chunksOf(CLIP))
  await until(() => publications.length === 1, shown(context))
  await server.close()
  await until(() => Number(context.metric('rtmp_call_failures_total')) >= 2, shown(context))
  assert.match(context.reported.find((text) => text.startsWith('degraded')) ?? '', /RTMP_PUSH_LOST/)
  assert.match(context.reported.at(-1) ?? '', /RTMP_PUSH_UNREACHABLE/)
})

test('a file without certificates in tls.ca is refused when it opens', async () => {
  const options = rtmpOutputOptions.parse({
    mode: 'push',
    url: 'rtmps://host/app/name',
    tls: { ca: fileURLToPath(import.meta.url) },
  })
  const options$ = new BehaviorSubject(options) as unknown as Options<RtmpOutputOptions>
  await assert.rejects(async () => output.open(options$, new FakeContext(), {} as never), { code: 'RTMP_PUSH_CA' })
})
