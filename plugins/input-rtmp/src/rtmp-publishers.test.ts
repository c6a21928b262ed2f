import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BODIES, clip, metadata, RtmpBench, send, settle } from './rtmp-bench.test.kit.js'
import { MESSAGE, renderAmf0, renderChunks } from '@millrace/rtmp'

test('a client publishes: the key without app and query, credentials, and packets of a transport stream', async () => {
  const bench = new RtmpBench()
  const { taken, context } = bench.input()
  const client = await bench.publish('live/cam?token=t0ken&user=anna&pass=s3cret')
  const { publisher } = taken[0]!
  assert.deepEqual(
    [publisher.key, publisher.credentials],
    ['cam', { user: 'anna', password: 's3cret', query: 'token=t0ken&user=anna&pass=s3cret' }],
  )
  assert.deepEqual([publisher.who.protocol, publisher.who.place, publisher.who.user], ['rtmp', 'cam', 'anna'])
  assert.equal(bench.connections[0]!.isIdentified, true)
  send(client, clip())
  await settle(() => taken[0]!.bytes > 20 * 188, 'packets come')
  assert.equal(taken[0]!.bytes % 188, 0)
  const details = context.readDetails?.()
  const { streams } = details as unknown as { streams: { key: string; frames: number }[] }
  assert.deepEqual([streams.length, streams[0]!.key, streams[0]!.frames > 20], [1, 'cam', true])
  await client.close()
  await settle(() => taken[0]!.ended === 'complete', 'the stream has ended')
  assert.equal(publisher.signal.aborted, true)
  await taken[0]!.close()
})

test('what comes while the engine decides is not lost, and a client that goes meanwhile is told', async () => {
  const bench = new RtmpBench()
  const { publishers } = bench.input('live', () => 'keep')
  void bench.publish('live/cam').catch(() => undefined)
  await settle(() => publishers.length === 1, 'it is offered')
  assert.equal(publishers[0]!.signal.aborted, false)
  bench.connections[0]!.client.destroy()
  await settle(() => publishers[0]!.signal.aborted, 'it has gone')
})

for (const [code, seen] of [
  ['busy', 'RTMP_BAD_NAME'],
  ['unauthorized', 'RTMP_REJECTED'],
  ['forbidden', 'RTMP_REJECTED'],
  ['full', 'RTMP_REJECTED'],
  ['bad-key', 'RTMP_REJECTED'],
  ['offline', 'RTMP_REJECTED'],
] as const) {
  test(`a refusal as ${code} reaches the client as ${seen}, and is counted`, async () => {
    const bench = new RtmpBench()
    bench.input('live', () => code)
    assert.equal(await bench.codeOf('live/cam'), seen)
    assert.equal(bench.connections[0]!.refusedAs, code)
  })
}

test('a publisher that is replaced is told so, and not counted as refused', async () => {
  const bench = new RtmpBench()
  const { taken } = bench.input()
  const client = await bench.publish('live/cam')
  taken[0]!.publisher.reject('replaced', 'for a test')
  await client.closed
  assert.equal(bench.connections[0]!.refusedAs, undefined)
})

test('without an input, of another app, and without a key nobody publishes', async () => {
  const bench = new RtmpBench()
  assert.equal(await bench.codeOf('live/cam'), 'RTMP_REJECTED')
  const { publishers } = bench.input()
  assert.equal(await bench.codeOf('other/cam'), 'RTMP_REJECTED')
  assert.equal(await bench.codeOf('live/?token=a'), 'RTMP_REJECTED')
  assert.deepEqual(
    [publishers.length, bench.connections.map(({ refusedAs }) => refusedAs)],
    [0, ['no-input', 'not-found', 'bad-key']],
  )
})

test('inputs of several apps share a listener; one that declines a key leaves it to the next', async () => {
  const bench = new RtmpBench()
  const [live, studio, second] = [bench.input('live'), bench.input('studio'), bench.input('live', () => 'bad-key')]
  for (const path of ['live/a', 'studio/b']) await bench.publish(path)
  assert.deepEqual([live.taken.length, studio.taken.length, second.publishers.length], [1, 1, 1])
})

test('several streams of one connection are publishers of their own; one that is refused leaves the other alone', async () => {
  const bench = new RtmpBench()
  const { taken, publishers } = bench.input('live', ({ key }) => (key === 'two' ? 'unauthorized' : 'accept'))
  const { client } = bench.transport.connect()
  const send = (type: number, messageStreamId: number, body: Uint8Array): void =>
    void client.write(renderChunks({ type, chunkStreamId: 3, messageStreamId, timestampMs: 0, body }, 128))
  const command = (messageStreamId: number, ...values: Parameters<typeof renderAmf0>[0]): void =>
    send(MESSAGE.command, messageStreamId, renderAmf0(values))
  client.write(Buffer.concat([Uint8Array.of(3), Buffer.alloc(3072)]))
  command(0, 'connect', 1, { app: 'live', tcUrl: 'rtmp://host/live' })
  for (const [id, name] of ['one?token=a', 'two?token=b', 'three?token=c'].entries()) {
    command(0, 'createStream', 2, null)
    command(id + 1, 'publish', 3, null, name)
  }
  await settle(() => publishers.length === 3, 'all are offered')
  for (const id of [1, 2, 3]) for (const { type, body } of clip()) send(type, id, body)
  await settle(() => taken.every(({ bytes }) => bytes > 0), 'packets come')
  assert.deepEqual(
    taken.map(({ publisher }) => publisher.key),
    ['one', 'three'],
  )
  command(1, 'publish', 4, null, '')
  await settle(() => taken[0]!.ended === 'complete', 'one has stopped')
  assert.equal(taken[1]!.ended, undefined)
  client.destroy()
})

test('a connection that breaks is an error of the source', async () => {
  const bench = new RtmpBench()
  const { taken } = bench.input()
  await bench.publish('live/cam')
  bench.connections[0]!.client.destroy()
  await settle(() => taken[0]!.ended === 'RTMP_BROKEN', 'the stream is broken')
})

test('a publisher that sends no media for a minute is told and disconnected; a still picture, or a pause of ours, is not that', async () => {
  const bench = new RtmpBench()
  const { taken } = bench.input('live', () => 'accept', 60_000)
  const client = await bench.publish('live/cam')
  send(client, clip())
  await settle(() => taken[0]!.bytes > 0, 'it publishes')
  const pass = async (seconds: number): Promise<void> => {
    for (let second = 0; second < seconds; second++) {
      bench.clock.advance(1000)
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  for (let still = 1; still < 5; still++) {
    await pass(50)
    const { bytes } = taken[0]!
    send(client, [{ type: MESSAGE.video, timestampMs: still * 50_000, body: BODIES.inter }])
    await settle(() => taken[0]!.bytes > bytes, 'the picture has come')
  }
  const pause = taken[0]!.pause()
  await pass(120)
  pause?.[Symbol.dispose]()
  await pass(30)
  // Neither audio nor video.
  send(client, [{ type: MESSAGE.data, timestampMs: 300_000, body: metadata('videocodecid') }])
  await pass(29)
  assert.equal(taken[0]!.ended, undefined)
  await pass(2)
  assert.equal(taken[0]!.ended, 'RTMP_IDLE')
  assert.equal(taken[0]!.publisher.signal.aborted, true)
  const { code, detail } = await client.closed
  assert.deepEqual([code, detail], ['refused', 'it has sent no media for 60 s'])
})

test('a publisher none of whose tracks is carried is told which codec is not supported, and disconnected', async () => {
  const bench = new RtmpBench()
  const { taken, context } = bench.input()
  const client = await bench.publish('live/cam')
  // Enhanced RTMP: a sequence start of VP9.
  const body = Uint8Array.of(0x90, ...Buffer.from('vp09'), 1, 0, 0, 0, 0, 10, 0x82, 2, 2, 2, 0, 0)
  send(client, [
    { type: MESSAGE.data, timestampMs: 0, body: metadata('videocodecid') },
    { type: MESSAGE.video, timestampMs: 0, body },
  ])
  const { code, detail } = await client.closed
  assert.deepEqual([code, detail], ['refused', 'no track of it is carried: vp09 is not supported'])
  await settle(() => taken[0]!.ended === 'RTMP_BROKEN', 'the stream has ended')
  assert.equal(taken[0]!.publisher.signal.aborted, true)
  const warned = context.lines.filter(({ level }) => level === 'warn').map(({ text }) => text)
  assert.deepEqual(warned, [
    'this codec is not carried: the track is left out',
    'the publisher is disconnected: no track of it is carried: vp09 is not supported',
  ])
})

test('a source that is disposed closes the connection', async () => {
  const bench = new RtmpBench()
  const { taken } = bench.input()
  const client = await bench.publish('live/cam')
  await taken[0]!.close()
  assert.equal((await client.closed).code, 'refused')
})

test('clients that speak something else, or nothing, are refused by name', async () => {
  const bench = new RtmpBench({ handshakeTimeout: '2s' })
  bench.input()
  const http = bench.transport.connect()
  http.client.write('GET / HTTP/1.1\r\n\r\n')
  await settle(() => http.refusedAs === 'not-rtmp', 'HTTP is refused')
  const silent = bench.transport.connect()
  bench.clock.advance(2000)
  await settle(() => silent.refusedAs === 'timeout', 'silence is refused')
})

test('the listener is idle without inputs, and connections that publish outlive it', async () => {
  const bench = new RtmpBench()
  const { taken, subscription, context } = bench.input()
  const client = await bench.publish('live/cam')
  bench.provided$.next(undefined)
  await bench.listener[Symbol.asyncDispose]()
  subscription.unsubscribe()
  send(client, clip())
  await settle(() => taken[0]!.bytes > 0, 'packets come')
  // It is still given up when it answers no ping.
  bench.connections[0]!.client.pause()
  bench.clock.advance(30_000)
  bench.clock.advance(30_000)
  await settle(() => taken[0]!.ended === 'RTMP_BROKEN', 'it is given up')
  assert.ok(context.reported.some((state) => JSON.stringify(state).includes('not open')))
})

test('while the engine pauses, the client waits', async () => {
  const bench = new RtmpBench()
  const { taken } = bench.input()
  const client = await bench.publish('live/cam')
  send(client, clip())
  await settle(() => taken[0]!.bytes > 0, 'packets come')
  const pause = taken[0]!.pause()
  send(client, [{ type: MESSAGE.video, timestampMs: 600, body: BODIES.inter }])
  const before = taken[0]!.bytes
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
  assert.equal(taken[0]!.bytes, before)
  pause?.[Symbol.dispose]()
  await settle(() => taken[0]!.bytes > before, 'it goes on')
})
