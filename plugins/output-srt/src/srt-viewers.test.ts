import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'
import { once } from 'node:events'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { AccessRequest, AnyChunk, Auth, Inlet, Options, RefusedAccess } from '@millrace/engine/plugin'
import { buildTs, FakeContext, TestAudiences, TestDelivery, TestListeners } from '@millrace/engine/testing'
import { Framer } from '@millrace/media/mpegts'
import { arrivalOf, SrtSocket } from '@millrace/srt/node'
import type { SrtConnection, SrtConnections, SrtTaker } from '@millrace/srt/node'
import { isRogue, parseStreamId } from '@millrace/srt'
import { BehaviorSubject, Subject } from 'rxjs'
import { type SrtOutputOptions, srtOutputOptions } from './srt-output-options.js'
import { SrtViewers } from './srt-viewers.js'
import { SYSTEM_CLOCK } from './system-clock.test.kit.js'

const RATE = 1_000_000

/** Users who are refused, with the reason, the status of HTTP, and the code of SRT. */
const VERDICTS: readonly (readonly [reason: RefusedAccess, status: number, code: number])[] = [
  ['no-credentials', 401, 1401],
  ['expired', 403, 1401],
  ['denied', 403, 1403],
  ['address', 403, 1403],
  ['busy', 503, 1402],
  ['too-many-failures', 429, 1402],
  ['failed', 503, 1500],
]

/** Built before anybody is connected: that takes a busy machine longer than a connection may be silent. */
const STREAM = buildTs({ durationS: 20, muxRate: RATE, video: { gopFrames: 6, bitrate: RATE * 0.8 } }).bytes

/** The output behind a socket that offers it every caller. */
class Bench implements AsyncDisposable {
  readonly context = new FakeContext('relay@news/view')
  readonly audiences = new TestAudiences()
  readonly asked: AccessRequest[] = []
  readonly output: SrtViewers
  readonly chunks$ = new Subject<AnyChunk>()
  readonly #server: SrtSocket
  readonly #caller: SrtSocket
  #taker: SrtTaker | undefined

  static async open(given: Readonly<Record<string, unknown>> = {}): Promise<Bench> {
    const [server, caller] = [await SrtSocket.open({ address: '127.0.0.1' }), await SrtSocket.open()]
    return new Bench(server, caller, srtOutputOptions.parse({ listener: 'srt', ...given }))
  }

  private constructor(server: SrtSocket, caller: SrtSocket, options: SrtOutputOptions) {
    this.#server = server
    this.#caller = caller
    server.listen({
      onRequest: (request) => {
        const streamId = parseStreamId(request.streamId)
        if (isRogue(streamId)) return { reject: streamId.code }
        const arrival = arrivalOf(request, streamId, { resource: streamId.resource ?? '', listener: 'srt' })
        return this.#taker?.take(arrival, true) ?? { reject: 1404 }
      },
      onConnection: (connection) => connection.end(),
    })
    const offers: SrtConnections = {
      offerTo: (taker) => {
        this.#taker = taker
        return { [Symbol.dispose]: () => (this.#taker = undefined) }
      },
    }
    const listeners = new TestListeners()
    listeners.provide('srt', offers)
    const auth: Auth = {
      check: (_, request) => {
        this.asked.push(request)
        if (request.user === 'anna') return { allowed: true, user: 'Anna' }
        const [reason, status] = VERDICTS.find(([name]) => name === request.user) ?? ['bad-credentials', 401]
        return { allowed: false, reason, status, headers: {} }
      },
    }
    const open: Auth = { check: () => ({ allowed: true, user: undefined }) }
    const options$ = new BehaviorSubject(options) as unknown as Options<SrtOutputOptions>
    const { context, audiences } = this
    const deps = {
      auth: options.auth === undefined ? open : auth,
      audiences,
      listeners,
      delivery: new TestDelivery(SYSTEM_CLOCK),
    }
    this.output = new SrtViewers({ options$, context, clock: SYSTEM_CLOCK, ...deps })
    this.output.accept([{ chunks: this.chunks$ } as unknown as Inlet])
  }

  get port(): number {
    return this.#server.address.port
  }

  /** A stream with key frames, in real time, as chunks that come now. */
  async playUntil(claim: () => boolean): Promise<void> {
    const framer = new Framer()
    const bytes = STREAM
    const startMs = performance.now()
    for (let at = 0; !claim();) {
      assert.ok(at < bytes.length, JSON.stringify(this.audiences.viewers()))
      await pause(20)
      const dueBytes = ((performance.now() - startMs) * RATE) / 8000
      const to = Math.min(bytes.length, dueBytes - (dueBytes % 188))
      for (const chunk of framer.push(bytes.subarray(at, to), performance.now())) this.chunks$.next(chunk)
      for (const chunk of framer.flush(performance.now())) this.chunks$.next(chunk)
      at = to
    }
  }

  call(streamId: string, latencyMs = 120): Promise<SrtConnection> {
    const { port } = this
    return this.#caller.connect({ host: '127.0.0.1', port, streamId, latencyMs, timeoutMs: 60_000 })
  }

  async refusalOf(streamId: string): Promise<unknown> {
    return this.call(streamId).then(
      () => undefined,
      (error: { rejectCode?: number }) => error.rejectCode,
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.output[Symbol.asyncDispose]()
    await this.#caller.close()
    await this.#server.close()
    assert.deepEqual(this.context.failures, [])
  }
}

test('viewers request the key of the copy, are listed, and can be kicked', async () => {
  await using bench = await Bench.open()
  assert.equal(await bench.refusalOf('#!::r=sport'), 1404)
  const connection = await bench.call('#!::r=news,u=anna')
  const [viewer] = bench.audiences.viewers()
  assert.ok(viewer !== undefined)
  assert.ok(bench.audiences.kick(viewer.id))
  assert.equal(await connection.closed, 'peer-closed')
  assert.equal(bench.audiences.viewers().length, 0)
})

test('a refused viewer gets the code that a publisher gets for the same reason', async () => {
  await using bench = await Bench.open({ auth: 'keys' })
  for (const [reason, , code] of VERDICTS) assert.equal(await bench.refusalOf(`#!::r=news,u=${reason}`), code, reason)
})

test('access is asked for with the action read and what the StreamID presents', async () => {
  await using bench = await Bench.open({ auth: 'keys' })
  assert.equal(await bench.refusalOf('#!::r=news,token=t'), 1401)
  await bench.call('#!::r=news,u=anna,p=secret')
  const [first, second] = bench.asked
  assert.deepEqual(
    [first?.action, first?.protocol, first?.stream, first?.token, first?.address],
    ['read', 'srt', 'news', 't', '127.0.0.1'],
  )
  assert.deepEqual([second?.user, second?.password], ['anna', 'secret'])
  assert.equal(bench.audiences.viewers()[0]?.user, 'Anna')
})

test('viewers over the limit are refused with 1402, and a place is free when one has left', async () => {
  await using bench = await Bench.open({ stream: 'cam', clients: { max: 1 } })
  const first = await bench.call('cam')
  assert.equal(await bench.refusalOf('#!::r=cam'), 1402)
  await first.close()
  await until(() => bench.audiences.viewers().length === 0, 'it has left')
  await bench.call('#!::r=cam')
})

test('all viewers are disconnected when the output closes', async () => {
  const bench = await Bench.open()
  const connection = await bench.call('news')
  await bench.output[Symbol.asyncDispose]()
  assert.equal(await connection.closed, 'peer-closed')
  await bench[Symbol.asyncDispose]()
})

test('an output whose source has ended gives viewers all of it before it disconnects them', async () => {
  await using bench = await Bench.open()
  const connection = await bench.call('news')
  let bytes = 0
  connection.onData = (payloads) => payloads.forEach(({ length }) => (bytes += length))
  const framer = new Framer()
  const nowMs = performance.now()
  const chunks = [...framer.push(buildTs({ durationS: 0.4 }).bytes, nowMs), ...framer.flush(nowMs)]
  for (const chunk of chunks) bench.chunks$.next(chunk)
  await bench.output.drained()
  assert.equal(await connection.closed, 'peer-closed')
  const total = chunks.reduce((sum, chunk) => sum + chunk.bytes.length, 0)
  assert.ok(bytes >= total * 0.9, `${bytes} of ${total}`)
  assert.equal(await bench.refusalOf('news'), 1404)
})

test('a viewer waits for the first key frame as long as `offline` says; one that has received the stream stays', async () => {
  await using bench = await Bench.open({ offline: { waitFor: '500ms' } })
  const early = await bench.call('news')
  assert.equal(await early.closed, 'peer-closed')
  assert.deepEqual(bench.audiences.viewers(), [])
  assert.equal(bench.audiences.ends.at(-1)?.reason, 'offline')
  const viewer = await bench.call('news')
  let bytes = 0
  viewer.onData = (payloads) => payloads.forEach(({ length }) => (bytes += length))
  const framer = new Framer()
  const nowMs = performance.now()
  const chunks = [...framer.push(buildTs({ durationS: 0.4 }).bytes, nowMs), ...framer.flush(nowMs)]
  for (const chunk of chunks) bench.chunks$.next(chunk)
  await until(() => bytes > 0, 'it receives')
  assert.equal(await Promise.race([viewer.closed, pause(600, 'open')]), 'open')
})

test('viewers of one address and port are viewers each', async () => {
  await using bench = await Bench.open()
  await bench.call('news')
  await bench.call('news')
  const viewers = bench.audiences.viewers()
  assert.equal(viewers.length, 2)
  assert.equal(viewers[0]?.client, viewers[1]?.client)
  assert.deepEqual([viewers[0]?.state, viewers[0]?.connection?.latencyMs], ['waiting', 120])
})

for (const slow of ['skip', 'disconnect']) {
  test(`with slow: ${slow}, a viewer whose packets become too late ${slow === 'skip' ? 'stays' : 'is disconnected'}, and no other one`, async () => {
    await using bench = await Bench.open({ slow })
    const udp = await createUdp()
    let isDeaf = false
    await using socket = SrtSocket.over(
      {
        address: udp.address(),
        ...{ receiveBufferBytes: 0, errors: 0, lastError: undefined },
        onDatagram: (handler) => udp.on('message', (datagram, from) => (isDeaf ? undefined : handler(datagram, from))),
        send: (datagram, peer) => (isDeaf ? undefined : udp.send(datagram, peer.port, peer.address)),
        close: async () => void udp.close(),
      },
      {
        nowMs: () => performance.now(),
        after: (delayMs, run) => SYSTEM_CLOCK.after(delayMs, run),
        guard: (run) => run,
      },
    )
    // A busy machine makes none of its packets late.
    const other = await bench.call('#!::r=news', 8000)
    const call = { host: '127.0.0.1', port: bench.port, streamId: '#!::r=news', latencyMs: 1000, timeoutMs: 60_000 }
    await socket.connect(call)
    const states = (): string[] => bench.audiences.viewers().map(({ state }) => String(state))
    await bench.playUntil(() => states().join() === 'reading,reading')
    isDeaf = true
    const skips = (): number => Number(bench.context.metric('srt_skips_total'))
    await bench.playUntil(() => (slow === 'skip' ? skips() >= 1 : states().length === 1))
    assert.deepEqual([skips() >= 1, states().length], [true, slow === 'skip' ? 2 : 1])
    assert.equal(other.isClosed, false)
  })
}

async function until(claim: () => boolean, what: string): Promise<void> {
  for (const endMs = performance.now() + 60_000; performance.now() < endMs;) {
    if (claim()) return
    await pause(5)
  }
  assert.fail(what)
}

async function createUdp(): Promise<Socket> {
  const udp = createSocket('udp4').bind(0, '127.0.0.1')
  await once(udp, 'listening')
  return udp
}
