// @millrace/srt against libsrt: srt-live-transmit and ffmpeg, in both directions, as caller and as listener.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { buildTs } from '@millrace/engine/testing'
import { SrtError, SrtSocket } from '@millrace/srt/node'
import type { SrtConnection, ThreadedConnection, ThreadedListenOptions, ThreadedRequest } from '@millrace/srt/node'
import { Child } from './kit/child.js'
import { freeUdpPort } from './kit/free-port.js'
import { LossyRelay } from './kit/lossy-relay.js'
import { CHUNK_BYTES, StreamCheck, numberedStream } from './kit/numbered-stream.js'
import { chunksOf, pump, pumped, srtLiveTransmit } from './kit/srt-live-transmit.js'
import { SrtRecovery } from './kit/srt-recovery.js'
import { until } from './kit/until.js'

const HOST = '127.0.0.1'
/** srt-live-transmit takes percent encoding literally. */
const PASSPHRASE = 'a-passphrase-to-test'
const SECRET = `passphrase=${PASSPHRASE}`
/** Long enough for a machine that is busy with other tests. */
const LATENCY_MS = 2000
/** For packets that are sent again, perhaps twice, where round trips take as long as the processor is busy. */
const LOSSY_LATENCY_MS = 4000
/** What that takes at 20 Mbit/s fits in twice: a reader may be late. */
const LOSSY_BUFFER = { packets: 16_384, url: 'rcvbuf=24000000' }
/** Far longer than the round trips that it takes, and shorter than the stream. */
const RECOVERED_MS = 1000
/** For a program that stands still for seconds. */
const IDLE_US = 60_000_000
const PATH = { loss: 0.05, delayMs: 20 }

/** Where the socket of a listener runs. */
const PLACES = [
  { place: 'our listener', worker: false },
  { place: 'our listener in a thread of its own', worker: true },
] as const

interface Options extends Pick<ThreadedListenOptions, 'passphrase' | 'connection'> {
  onRequest?(request: ThreadedRequest): { readonly reject: number } | Record<string, never>
}

/** A listener on a free port, and its first connection. */
async function listen(options: Options = {}, worker = false) {
  const socket = worker ? await SrtSocket.open({ address: HOST, worker }) : await SrtSocket.open({ address: HOST })
  const refused: number[] = []
  const connections: (SrtConnection | ThreadedConnection)[] = []
  socket.listen({
    latencyMs: LATENCY_MS,
    ...options,
    connection: { idleUs: IDLE_US, ...options.connection },
    onRefused: (_, code) => void refused.push(code),
    onConnection: (connection) => void connections.push(connection),
  })
  const connected = () => until(() => connections[0], 'a connection')
  const assertConnectedOnce = () => assert.equal(connections.length, 1)
  return { socket, refused, connected, assertConnectedOnce, port: socket.address.port }
}

/**
 * Of the fast one, the beginning is read while the rest is sent. They are made before anything is connected: while this process computes, it answers nobody, and a peer without an answer
 * for 5 s is gone.
 */
const FAST = streamOf(LOSSY_LATENCY_MS / 1000 + 1, 20)
const [LONG, SHORT] = [streamOf(2.5, 5), streamOf(1, 5)]

function streamOf(seconds: number, mbit: number): Uint8Array {
  return numberedStream(Math.floor((seconds * mbit * 1e6) / 8 / CHUNK_BYTES))
}

function openRelay(port: number, recovery: SrtRecovery): Promise<LossyRelay> {
  return LossyRelay.open(port, { ...PATH, onDatagram: (datagram, isLost) => recovery.note(datagram, isLost) })
}

/** Collects what comes until all of the stream is there. */
async function receiveAll(connection: SrtConnection | ThreadedConnection, stream: Uint8Array): Promise<void> {
  const check = new StreamCheck(pumped(stream))
  let failure: unknown
  connection.onData = (payloads) => {
    try {
      for (const payload of payloads) check.push(payload)
    } catch (error) {
      failure ??= error
    }
  }
  await until(
    () => failure !== undefined || check.bytes >= stream.length,
    () => `${check.bytes} of ${stream.length} bytes: ${JSON.stringify(connection.stats())}`,
  )
  if (failure !== undefined) throw new Error(JSON.stringify(connection.stats()), { cause: failure })
}

describe('srt-live-transmit and @millrace/srt', () => {
  for (const { place, worker } of PLACES) {
    test(`it publishes 20 Mbit/s to ${place} over 5 % loss each way, and no packet is lost`, async () => {
      const buffer = { bufferPackets: LOSSY_BUFFER.packets }
      const { socket, connected, assertConnectedOnce, port } = await listen({ connection: buffer }, worker)
      await using _ = socket
      const recovery = new SrtRecovery()
      await using relay = await openRelay(port, recovery)
      await using peer = srtLiveTransmit(`srt://${HOST}:${relay.port}?streamid=publish:cam&latency=${LOSSY_LATENCY_MS}`)
      const connection = await connected()
      assert.equal(connection.streamId, 'publish:cam')
      await peer.untilStderr(/SRT target connected/)
      await Promise.all([receiveAll(connection, FAST), pump(FAST, 20, (bytes) => peer.write(bytes))])
      await until(() => relay.lost > 0 && connection.stats().receive.lost > 0, 'packets were lost')
      assert.equal(connection.stats().receive.dropped, 0)
      assert.ok(recovery.medianMs < RECOVERED_MS, `half of the lost packets took ${recovery.medianMs} ms or longer`)
      assertConnectedOnce()
    })
  }

  test('it publishes to our listener with AES-256 and changes its key every 500 packets', async () => {
    const { socket, connected, assertConnectedOnce, port } = await listen({ passphrase: PASSPHRASE })
    await using _ = socket
    const key = `${SECRET}&pbkeylen=32&kmrefreshrate=500&kmpreannounce=200`
    await using peer = srtLiveTransmit(`srt://${HOST}:${port}?${key}`)
    const connection = await connected()
    await peer.untilStderr(/SRT target connected/)
    await Promise.all([receiveAll(connection, LONG), pump(LONG, 5, (bytes) => peer.write(bytes))])
    await until(() => connection.stats().keyRefreshes >= 2, 'two keys')
    assert.equal(connection.stats().receive.undecryptable, 0)
    assertConnectedOnce()
  })

  const key = { url: `&${SECRET}&pbkeylen=16`, passphrase: PASSPHRASE }
  for (const { name, url, passphrase, place, worker } of [
    { name: 'plain', url: '', passphrase: undefined, ...PLACES[0] },
    { name: 'with AES-128 whose key we change every 500 packets', ...key, ...PLACES[1] },
  ]) {
    test(`it requests 20 Mbit/s from ${place} over 5 % loss each way, ${name}`, async () => {
      const keyRefresh = { everyPackets: 500, announcePackets: 200 }
      const options = { ...(passphrase === undefined ? {} : { passphrase }), connection: { keyRefresh } }
      const { socket, connected, assertConnectedOnce, port } = await listen(options, worker)
      await using _ = socket
      const recovery = new SrtRecovery()
      await using relay = await openRelay(port, recovery)
      const check = new StreamCheck(pumped(FAST))
      await using peer = srtLiveTransmit(
        `srt://${HOST}:${relay.port}?streamid=cam&latency=${LOSSY_LATENCY_MS}&${LOSSY_BUFFER.url}${url}`,
        (bytes) => check.push(bytes),
      )
      const connection = await connected()
      await pump(FAST, 20, (bytes) => connection.send(chunksOf(bytes)))
      await until(
        () => check.bytes >= FAST.length,
        () => `${check.bytes} of ${FAST.length} bytes: ${JSON.stringify(connection.stats())}\n${peer.stderr}`,
      )
      await until(() => connection.stats().send.retransmitted > 0, 'packets were sent again')
      assert.ok(recovery.medianMs < RECOVERED_MS, `half of the lost packets took ${recovery.medianMs} ms or longer`)
      assertConnectedOnce()
    })
  }

  test('we publish to it, and request from it, with AES-192', async () => {
    const port = await freeUdpPort()
    const check = new StreamCheck(pumped(SHORT))
    await using socket = await SrtSocket.open({ address: HOST })
    const options = { host: HOST, port, passphrase: PASSPHRASE, keyLength: 24, timeoutMs: 60_000 } as const
    {
      await using receiver = srtLiveTransmit(`srt://:${port}?mode=listener&${SECRET}`, (bytes) => check.push(bytes))
      const connection = await socket.connect(options)
      await pump(SHORT, 5, (bytes) => connection.send(chunksOf(bytes)))
      await until(
        () => check.bytes >= SHORT.length,
        () => `${check.bytes} bytes\n${receiver.stderr}`,
      )
      assert.equal(await connection.close(), 'closed')
    }
    await using sender = srtLiveTransmit(`srt://:${port}?mode=listener&${SECRET}`)
    const connection = await socket.connect(options)
    await sender.untilStderr(/Accepted SRT target connection/)
    await Promise.all([receiveAll(connection, SHORT), pump(SHORT, 5, (bytes) => sender.write(bytes))])
  })

  test('a wrong and a missing passphrase are refused, and both sides say why', async () => {
    const { socket, refused, port } = await listen({
      passphrase: PASSPHRASE,
      onRequest: ({ streamId }) => (streamId === 'unknown' ? { reject: 1404 } : {}),
    })
    await using _ = socket
    const rows: [query: string, code: number, said: RegExp][] = [
      ['passphrase=something-else', 10, /Incorrect passphrase/],
      ['', 11, /Password required/],
      ['streamid=unknown&passphrase=something-else', 1404, /Application-defined rejection/],
    ]
    for (const [query, code, said] of rows) {
      await using peer = srtLiveTransmit(`srt://${HOST}:${port}?${query}`)
      await peer.untilStderr(said)
      assert.ok(refused.includes(code), `${code} in ${refused.join()}`)
    }
  })

  test('our call with a wrong passphrase, or to nobody, fails with the reason', async () => {
    const port = await freeUdpPort()
    await using socket = await SrtSocket.open({ address: HOST })
    await assert.rejects(
      socket.connect({ host: HOST, port, timeoutMs: 300 }),
      (error) => error instanceof SrtError && error.code === 'SRT_TIMEOUT',
    )
    await using _ = srtLiveTransmit(`srt://:${port}?mode=listener&${SECRET}`, () => {})
    for (const [passphrase, code] of [
      ['something else', 10],
      [undefined, 11],
    ] as const) {
      await assert.rejects(
        socket.connect({ host: HOST, port, timeoutMs: 60_000, ...(passphrase === undefined ? {} : { passphrase }) }),
        (error) => error instanceof SrtError && error.rejectCode === code,
      )
    }
  })
})

describe('ffmpeg and @millrace/srt', () => {
  test('it publishes with a passphrase and no key length, and whole packets come', async () => {
    const { socket, connected, assertConnectedOnce, port } = await listen({ passphrase: PASSPHRASE })
    await using _ = socket
    const source = ['-re', '-f', 'lavfi', '-i', 'testsrc=size=320x180:rate=25', '-c:v', 'mpeg2video', '-b:v', '2M']
    await using peer = new Child(
      'ffmpeg',
      ['-v', 'error', ...source, '-f', 'mpegts', `srt://${HOST}:${port}?${SECRET}&latency=300000`],
      { cwd: '/' },
    )
    const connection = await connected()
    let packets = 0
    let damaged = 0
    connection.onData = (payloads) => {
      for (const payload of payloads) {
        packets += payload.length / 188
        for (let at = 0; at < payload.length; at += 188) if (payload[at] !== 0x47) damaged++
      }
    }
    await until(
      () => packets > 700,
      () => `${packets} packets\n${peer.stderr}`,
    )
    assert.equal(damaged, 0)
    assertConnectedOnce()
  })

  test('it requests, and decodes what we send', async () => {
    const stream = buildTs({ durationS: 3, video: { codec: 'h264' } }).bytes
    const { socket, connected, assertConnectedOnce, port } = await listen()
    await using _ = socket
    await using peer = new Child(
      'ffmpeg',
      ['-v', 'error', '-i', `srt://${HOST}:${port}?streamid=cam`, '-t', '1', '-c', 'copy', '-f', 'mpegts', '-'],
      { cwd: '/', onStdout: () => {} },
    )
    const connection = await connected()
    const mbit = (stream.length * 8) / 3e6
    await pump(stream, mbit, (bytes) => connection.send(chunksOf(bytes)))
    void connection.close()
    assert.deepEqual(await peer.exited, { code: 0, signal: null })
    assertConnectedOnce()
  })
})
