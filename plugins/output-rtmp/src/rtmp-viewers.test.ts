import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AccessRequest, AnyChunk, Auth, Inlet, Options } from '@millrace/engine/plugin'
import { FakeContext, TestAudiences, TestListeners } from '@millrace/engine/testing'
import type { MediaType } from '@millrace/rtmp'
import { credentialsOf, RtmpClient, RtmpServer } from '@millrace/rtmp/node'
import type { RtmpConnections, RtmpTaker } from '@millrace/rtmp/node'
import { BehaviorSubject, Subject } from 'rxjs'
import { type RtmpOutputOptions, rtmpOutputOptions } from './rtmp-output-options.js'
import { RtmpViewers } from './rtmp-viewers.js'
import { chunksOf, until } from './stream-bench.test.kit.js'
import { SYSTEM_CLOCK } from './system-clock.test.kit.js'

const CLIP = { durationS: 2, muxRate: 1_000_000, video: { gopFrames: 25, bitrate: 500_000 } } as const

/** The output behind a server that offers it every player. */
class Bench implements AsyncDisposable {
  readonly context = new FakeContext('relay@news/play')
  readonly audiences = new TestAudiences()
  readonly asked: AccessRequest[] = []
  readonly refusals: string[] = []
  readonly chunks$ = new Subject<AnyChunk>()
  readonly server: RtmpServer
  readonly output: RtmpViewers

  static async open(given: Readonly<Record<string, unknown>> = {}): Promise<Bench> {
    const held: { taker: Extract<RtmpTaker, { mode: 'play' }> | undefined } = { taker: undefined }
    const refusals: string[] = []
    const server = await RtmpServer.open({
      address: '127.0.0.1',
      port: 0,
      onPlay: ({ reject, ...arrival }) => {
        const refuse = (reason: string, text: string): void => {
          refusals.push(reason)
          reject('denied', text)
        }
        const seen = { listener: 'rtmp', address: '127.0.0.1', client: '127.0.0.1:9', agent: 'test' }
        const offer = { ...arrival, ...seen, credentials: credentialsOf(arrival.query), refuse }
        if (held.taker?.take(offer, true) !== true) reject('notFound', 'nobody')
      },
    })
    const offers: RtmpConnections = {
      offerTo: (taker) => {
        held.taker = taker as never
        return { [Symbol.dispose]: () => (held.taker = undefined) }
      },
    }
    const options = rtmpOutputOptions.parse({ mode: 'serve', listener: 'rtmp', app: 'live', ...given })
    return new Bench(server, offers, options, refusals)
  }

  private constructor(server: RtmpServer, offers: RtmpConnections, options: RtmpOutputOptions, refusals: string[]) {
    this.server = server
    this.refusals = refusals
    const listeners = new TestListeners()
    listeners.provide('rtmp', offers)
    const auth: Auth = {
      check: (names, request) => {
        this.asked.push(request)
        if (names.length === 0 || request.user === 'anna') return { allowed: true, user: request.user }
        return { allowed: false, reason: 'bad-credentials', status: 401, headers: {} }
      },
    }
    const options$ = new BehaviorSubject(options) as unknown as Options<RtmpOutputOptions>
    const { context, audiences } = this
    this.output = new RtmpViewers({ options$, context, clock: SYSTEM_CLOCK, auth, audiences, listeners })
    this.output.accept([{ chunks: this.chunks$, pausable: false } as unknown as Inlet])
  }

  play(chunks = chunksOf(CLIP)): void {
    for (const chunk of chunks) this.chunks$.next(chunk)
  }

  async watch(path: string) {
    const got: MediaType[] = []
    const state = { isOver: false }
    const client = await RtmpClient.play(`rtmp://127.0.0.1:${this.server.port}/${path}`, {
      onMedia: (type) => void got.push(type),
      onUnpublished: () => (state.isOver = true),
    })
    return { client, got, state }
  }

  async refusalOf(path: string): Promise<unknown> {
    return this.watch(path).then(
      () => undefined,
      (error: { code?: string }) => error.code,
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.output[Symbol.asyncDispose]()
    await this.server.close()
    assert.deepEqual(this.context.failures, [])
  }
}

test('players play the key of the copy, get the latest pictures at once, are listed, and can be kicked', async () => {
  await using bench = await Bench.open()
  bench.play()
  assert.equal(await bench.refusalOf('live/sport'), 'RTMP_NOT_FOUND')
  const { client, got } = await bench.watch('live/news')
  await until(
    () => got.length > 25,
    () => got.join(),
  )
  const [viewer] = bench.audiences.viewers()
  assert.ok(viewer !== undefined)
  assert.ok(bench.audiences.kick(viewer.id))
  await client.closed
  await until(
    () => bench.audiences.viewers().length === 0,
    () => 'it is still listed',
  )
})

test('access is asked for with the action read and the credentials of the query', async () => {
  await using bench = await Bench.open({ auth: 'keys' })
  assert.equal(await bench.refusalOf('live/news?token=t'), 'RTMP_REJECTED')
  const { client } = await bench.watch('live/news?user=anna&pass=s3cret')
  const [first, second] = bench.asked
  assert.deepEqual([first!.action, first!.stream, first!.query], ['read', 'news', 'token=t'])
  assert.deepEqual([second!.user, second!.password, bench.refusals], ['anna', 's3cret', ['unauthorized']])
  await client.close()
})

test('a viewer over the limit is refused', async () => {
  await using bench = await Bench.open({ clients: { max: 1 } })
  const { client } = await bench.watch('live/news')
  assert.equal(await bench.refusalOf('live/news'), 'RTMP_REJECTED')
  assert.deepEqual(bench.refusals, ['full'])
  await client.close()
})

test('a player that reads nothing loses frames; its queue stays bounded, and others lose nothing', async () => {
  await using bench = await Bench.open({ stream: 'cam' })
  const [slow, quick] = [await bench.watch('live/cam'), await bench.watch('live/cam')]
  const hold = slow.client.hold()
  // 20 Mbit a round: sockets and the queue of 8 MiB are full after some.
  const rounds = chunksOf({ durationS: 2, muxRate: 11_000_000, video: { gopFrames: 25, bitrate: 10_000_000 } })
  const queued = (): number => Number(bench.context.metric('rtmp_send_queue_bytes'))
  let most = 0
  let expected = 0
  for (let round = 0; round < 24; round++) {
    const [first, ...others] = rounds
    bench.play([{ ...first!, discontinuity: round === 0 ? false : 'source' }, ...others])
    expected += 49
    await until(
      () => quick.got.filter((type) => type === 9).length >= expected,
      () => `${quick.got.length}`,
    )
    most = Math.max(most, queued())
  }
  assert.ok(most < 8 * 1024 * 1024, `${most}`)
  assert.ok(Number(bench.context.metric('rtmp_send_dropped_messages_total')) > 50)
  const views = bench.audiences.viewers()
  assert.equal(views.length, 2)
  hold[Symbol.dispose]()
  await until(
    () => queued() === 0,
    () => `${queued()}`,
  )
  await slow.client.close()
  await quick.client.close()
})

test('when the source ends, players get what has come, and are told', async () => {
  await using bench = await Bench.open()
  const { got, state } = await bench.watch('live/news')
  bench.play()
  bench.chunks$.complete()
  await bench.output.drained()
  await until(
    () => state.isOver,
    () => 'nothing was said',
  )
  assert.ok(got.length > 50)
  assert.equal(await bench.refusalOf('live/news'), 'RTMP_NOT_FOUND')
})
