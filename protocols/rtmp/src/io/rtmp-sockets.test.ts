import assert from 'node:assert/strict'
import { getEventListeners, once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { renderAmf0 } from '../amf/amf0-writer.js'
import { renderChunks } from '../chunk/chunk-writer.js'
import { MediaMessage } from '../send/media-message.js'
import type { End } from '../session/end.js'
import { MESSAGE } from '../session/message.js'
import { ServerSession } from '../session/server-session.js'
import { RtmpClient } from './rtmp-client.js'
import { RtmpError } from './rtmp-error.js'
import { RtmpServer } from './rtmp-server.js'
import type { RtmpServerOptions } from './rtmp-server.js'
import type { PlayerSession, PublisherArrival } from './server-connection.js'

const LOCAL = { address: '127.0.0.1', port: 0 } as const

/** Relays everything that is published to everybody who plays. */
async function relay(options: Partial<RtmpServerOptions> = {}) {
  const players = new Set<PlayerSession>()
  const ends: End[] = []
  const server = await RtmpServer.open({
    ...LOCAL,
    onPublish: (arrival) => {
      arrival.accept({
        media: (type, timestampMs, body) => {
          const message = new MediaMessage(type, 'audio', timestampMs, body.slice())
          for (const player of players) player.send(message)
        },
        ended: () => {
          for (const player of players) player.end('over')
        },
      })
    },
    onPlay: (arrival) => {
      const player = arrival.accept({ ended: () => {} })
      if (player !== undefined) players.add(player)
    },
    onEnd: (end) => void ends.push(end),
    ...options,
  })
  return { server, players, ends, url: `rtmp://127.0.0.1:${server.port}/live/cam` }
}

async function until(claim: () => boolean, what: string): Promise<void> {
  for (const endMs = performance.now() + 60_000; performance.now() < endMs;) {
    if (claim()) return
    await pause(10)
  }
  throw new Error(`still not true: ${what}`)
}

const codeOf = (promise: Promise<unknown>): Promise<string | undefined> =>
  promise.then(
    () => undefined,
    (error: unknown) => (error instanceof RtmpError ? error.code : String(error)),
  )

test('a stream goes through a server to a player, byte for byte, and both see its end', async () => {
  const { server, players, url } = await relay()
  const received: Buffer[] = []
  let unpublished = 0
  const player = await RtmpClient.play(url, {
    onMedia: (type, _, body) => type === MESSAGE.audio && received.push(Buffer.from(body)),
    onUnpublished: () => void unpublished++,
  })
  await until(() => players.size === 1, 'the server knows the player')
  const publisher = await RtmpClient.publish(url)
  const bodies = Array.from({ length: 200 }, (_, at) => Buffer.alloc(1 + 97 * at, at))
  for (const [at, body] of bodies.entries()) publisher.send(new MediaMessage(MESSAGE.audio, 'audio', at, body))
  await until(() => received.length === bodies.length, 'everything has come')
  assert.deepEqual(Buffer.concat(received), Buffer.concat(bodies))
  await publisher.close()
  await until(() => unpublished === 1, 'the player knows that the stream has ended')
  await player.close()
  await server.close()
})

test('a client that does not wait for the decision loses nothing, however long it takes', async () => {
  let arrival: PublisherArrival | undefined
  const { server, url } = await relay({ onPublish: (arrived) => (arrival = arrived) })
  const socket = connect(server.port, '127.0.0.1')
  const command = (id: number, ...values: Parameters<typeof renderAmf0>[0]): Uint8Array =>
    renderChunks(
      { type: MESSAGE.command, chunkStreamId: 3, messageStreamId: id, timestampMs: 0, body: renderAmf0(values) },
      128,
    )
  socket.resume()
  socket.write(Buffer.concat([Uint8Array.of(3), Buffer.alloc(2 * 1536)]))
  socket.write(command(0, 'connect', 1, { app: 'live', tcUrl: url }))
  socket.write(Buffer.concat([command(0, 'createStream', 2, null), command(1, 'publish', 3, null, 'cam', 'live')]))
  const frames = 200
  const body = Buffer.alloc(40_000, 0x27)
  for (let at = 0; at < frames; at++) {
    const header = { type: MESSAGE.video, chunkStreamId: 6, messageStreamId: 1, timestampMs: at * 40 }
    socket.write(renderChunks({ ...header, body }, 128))
  }
  await until(() => (arrival?.connection.stats().receivedBytes ?? 0) > 400_000, 'media wait for the decision')
  const stamps: number[] = []
  arrival!.accept({ media: (_, timestampMs) => void stamps.push(timestampMs), ended: () => undefined })
  await until(() => stamps.length === frames, 'all of it has come')
  assert.deepEqual(
    stamps,
    Array.from({ length: frames }, (_, at) => at * 40),
  )
  socket.destroy()
  await server.close()
})

test('a refusal reaches a client that still sends', async () => {
  let arrival: PublisherArrival | undefined
  const { server, url, ends } = await relay({ onPublish: (arrived) => (arrival = arrived) })
  const call = codeOf(RtmpClient.publish(url))
  await until(() => arrival !== undefined, 'the request has come')
  arrival!.reject('taken', 'somebody publishes already')
  assert.equal(await call, 'RTMP_BAD_NAME')
  assert.deepEqual(ends, [{ code: 'refused', detail: 'somebody publishes already' }])
  await server.close()
})

test('calls that fail leave nothing behind on a signal that lives on', async () => {
  const { server, url } = await relay({ onPublish: (arrival) => arrival.reject('denied', 'no') })
  const { signal } = new AbortController()
  const call = (to: string): Promise<string | undefined> => codeOf(RtmpClient.publish(to, { signal }))
  for (let count = 0; count < 10; count++) assert.equal(await call(url), 'RTMP_REJECTED')
  await server.close()
  for (let count = 0; count < 10; count++) assert.equal(await call(url), 'RTMP_UNREACHABLE')
  assert.equal(getEventListeners(signal, 'abort').length, 0)
})

test('without handlers nobody publishes and nothing plays', async () => {
  await using server = await RtmpServer.open(LOCAL)
  const url = `rtmp://127.0.0.1:${server.port}/live/cam`
  assert.deepEqual(await Promise.all([codeOf(RtmpClient.publish(url)), codeOf(RtmpClient.play(url))]), [
    'RTMP_REJECTED',
    'RTMP_NOT_FOUND',
  ])
})

test('another protocol is closed at once, and a socket that is reset costs nothing', async () => {
  const { server, ends } = await relay()
  const http = connect(server.port, '127.0.0.1')
  http.write('GET / HTTP/1.1\r\n\r\n')
  http.on('error', () => {})
  await once(http, 'close')
  const reset = connect(server.port, '127.0.0.1')
  await once(reset, 'connect')
  reset.resetAndDestroy()
  await until(() => ends.length === 2, 'both have ended')
  assert.deepEqual(
    ends.map(({ code }) => code),
    ['foreign', 'peer'],
  )
  assert.equal(server.connections.size, 0)
  await server.close()
})

/** A far end that accepts a publisher, counts its messages, and acknowledges as `value` says, whatever it has received. */
async function acknowledging(value: (count: number) => number | undefined) {
  const seen = { bytes: 0 }
  const sockets = createServer((socket) => {
    let count = 0
    const session = new ServerSession(
      {
        transmit: (bytes) => socket.write(bytes),
        ended: () => socket.destroy(),
        publish: (request) =>
          void request.accept({ media: (_, __, body) => (seen.bytes += body.length), ended: () => {} }, 0),
        play: () => {},
      },
      {},
      0,
    )
    socket.on('error', () => {})
    socket.on('data', (bytes) => {
      session.receive(bytes, 0)
      const acknowledged = seen.bytes > 0 ? value(count++) : undefined
      if (acknowledged === undefined) return
      const body = Buffer.alloc(4)
      body.writeUInt32BE(acknowledged)
      const header = { type: MESSAGE.acknowledgement, chunkStreamId: 2, messageStreamId: 0, timestampMs: 0 }
      socket.write(renderChunks({ ...header, body }, 4096))
    })
  })
  sockets.listen(0, '127.0.0.1')
  await once(sockets, 'listening')
  return { seen, sockets, url: `rtmp://127.0.0.1:${(sockets.address() as AddressInfo).port}/live/cam` }
}

for (const [name, value] of [
  ['always the same', () => 131_325],
  ['zero', () => 0],
  ['decreasing', (count: number) => 2 ** 31 - count],
  ['absent', () => undefined],
] as const) {
  test(`20 MB go to a far end whose acknowledgements are ${name}`, async () => {
    const { seen, sockets, url } = await acknowledging(value)
    await using client = await RtmpClient.publish(url)
    let sent = 0
    while (sent < 20_000_000) {
      const isSent = client.send(new MediaMessage(MESSAGE.video, 'key', sent / 1000, Buffer.alloc(100_000)))
      if (isSent) sent += 100_000
      if (!isSent || client.stats().queuedBytes > 0) await pause(1)
    }
    await until(() => seen.bytes === sent, 'everything has come')
    assert.equal(client.stats().rttMs, undefined)
    await client.close()
    sockets.close()
    await once(sockets, 'close')
  })
}

test('a reader that pauses makes the sender lose frames, and nothing else', async () => {
  const { server, players, url } = await relay({ queue: { maxBytes: 100_000, maxMs: 60_000 } })
  const player = await RtmpClient.play(url)
  await until(() => players.size === 1, 'the server knows the player')
  const hold = player.hold()
  const [session] = players
  const message = new MediaMessage(MESSAGE.video, 'key', 0, new Uint8Array(50_000))
  let isTaken = true
  for (let count = 0; count < 1000 && isTaken; count++) {
    isTaken = session!.send(message)
    await pause(0)
  }
  assert.equal(isTaken, false)
  const [connection] = server.connections
  assert.ok(connection!.stats().queuedBytes <= 100_000)
  hold[Symbol.dispose]()
  await until(() => connection!.stats().queuedBytes === 0, 'the queue is empty')
  await player.close()
  await server.close()
})

describe('a client', () => {
  test('says what is wrong with a URL, an address and a server', async () => {
    const closed = createServer()
    closed.listen(0, '127.0.0.1')
    await once(closed, 'listening')
    const { port } = closed.address() as AddressInfo
    closed.close()
    await once(closed, 'close')
    assert.equal(await codeOf(RtmpClient.publish('rtmp://127.0.0.1/app')), 'RTMP_OPTION')
    assert.equal(await codeOf(RtmpClient.publish(`rtmp://127.0.0.1:${port}/a/b`)), 'RTMP_UNREACHABLE')
  })

  test('gives up a server that is silent, or of which the caller has had enough', async () => {
    const sockets = new Set<{ destroy(): void }>()
    const silent = createServer((socket) => {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.resume()
    })
    silent.listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const url = `rtmp://127.0.0.1:${(silent.address() as AddressInfo).port}/a/b`
    assert.equal(await codeOf(RtmpClient.publish(url, { handshakeTimeoutMs: 50 })), 'RTMP_TIMEOUT')
    const signal = AbortSignal.timeout(50)
    await assert.rejects(RtmpClient.publish(url, { signal }), { name: 'TimeoutError' })
    for (const socket of sockets) socket.destroy()
    silent.close()
  })

  test('answers the challenge of a server, with three connections', async () => {
    const apps: string[] = []
    const descriptions = [
      '[ code=403 need auth; authmod=adobe ]',
      '[ authmod=adobe ] : ?reason=needauth&user=u&salt=s&challenge=c&opaque=o',
      '[ authmod=adobe ] : ?reason=authfailed&opaque=o',
    ]
    const server = createServer((socket) => {
      let [bytes, isAnswered] = [Buffer.alloc(0), false]
      socket.on('error', () => {})
      socket.on('data', (piece) => {
        bytes = Buffer.concat([bytes, piece])
        if (bytes.length >= 1537 && !isAnswered) {
          isAnswered = true
          socket.write(Buffer.concat([Uint8Array.of(3), Buffer.alloc(1536), bytes.subarray(1, 1537)]))
        }
        const sent = bytes
          .subarray(3073)
          .toString('latin1')
          .replaceAll(/[^ -~]/g, ' ')
        const app = /app  .([^ ]*)  type/.exec(sent)
        if (app === null) return
        const description = descriptions[apps.push(app[1]!) - 1] ?? ''
        const body = renderAmf0([
          '_error',
          1,
          null,
          { level: 'error', code: 'NetConnection.Connect.Rejected', description },
        ])
        const header = { type: MESSAGE.command, chunkStreamId: 3, messageStreamId: 0, timestampMs: 0 }
        socket.end(renderChunks({ ...header, body }, 128))
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    assert.equal(await codeOf(RtmpClient.publish(`rtmp://u:p@127.0.0.1:${port}/live/cam`)), 'RTMP_REJECTED')
    assert.deepEqual(apps.slice(0, 2), ['live', 'live?authmod=adobe&user=u'])
    assert.match(apps[2]!, /^live\?authmod=adobe&user=u&challenge=[0-9a-f]{8}&response=[^&]+==&opaque=o$/)
    server.close()
  })
})
