// The output `srt` with real programs at the other end: ffmpeg, srt-live-transmit and GStreamer watch one stream at once,
// plain and encrypted, and a receiver that is called keeps its connection while the source is restarted.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { buildTs } from '@millrace/engine/testing'
import type { ClientList } from '@millrace/engine/api'
import { TsChecker } from '../oracle/check-ts.js'
import { assertClean, assertJoin } from './kit/assert-clean.js'
import { Child } from './kit/child.js'
import { freeUdpPort } from './kit/free-port.js'
import { getJson } from './kit/http-request.js'
import { LiveSource } from './kit/live-source.js'
import { REPOSITORY_ROOT } from './kit/repository-root.js'
import { srtLiveTransmit } from './kit/srt-live-transmit.js'
import { startEngine } from './kit/start-engine.js'
import { until } from './kit/until.js'

const HOST = '127.0.0.1'
const CLIP = join(REPOSITORY_ROOT, 'pipelines/media/testcard.ts')
const PASSPHRASE = 'a-passphrase-to-test'
/** Senders give up what nobody acknowledges for as long: a machine may be busy with other tests. */
const LATENCY_MS = 2000
const ENOUGH_PACKETS = 600

/** What a program has received. */
class Received {
  readonly checker = new TsChecker()
  bytes = 0

  readonly take = (bytes: Uint8Array): void => {
    this.bytes += bytes.length
    this.checker.push(bytes)
  }

  get hasEnough(): boolean {
    return this.bytes >= ENOUGH_PACKETS * 188
  }
}

test('ffmpeg, srt-live-transmit and GStreamer watch one stream, plain and encrypted; a receiver is called', async () => {
  const pushPort = await freeUdpPort()
  const pushed = new Received()
  await using receiver = srtLiveTransmit(`srt://:${pushPort}?mode=listener&latency=${LATENCY_MS}`, pushed.take)
  await using engine = await startEngine({
    yaml: `
version: 1
engine: { api: { address: "127.0.0.1:0" } }
listeners: { srt: { protocol: srt, address: "${HOST}:0", latency: ${LATENCY_MS}ms } }
pipelines:
  one:
    inputs: { file: { type: file, path: "${CLIP}", loop: true } }
    transforms: { gops: { type: gop, from: file } }
    outputs:
      open: { type: srt, from: gops, listener: srt, stream: open }
      secret: { type: srt, from: gops, listener: srt, stream: secret, passphrase: ${PASSPHRASE} }
      push: { type: srt, from: gops, mode: caller, address: "${HOST}:${pushPort}" }
`,
  })
  const found = (await engine.status()).listeners.find(({ name }) => name === 'srt')
  assert.ok(found !== undefined)
  const url = `srt://${found.address}`
  const received = new Map<string, Received>([['push', pushed]])
  const take = (name: string): Received['take'] => {
    const viewer = new Received()
    received.set(name, viewer)
    return viewer.take
  }
  const ffmpeg = (name: string, query: string): Child => {
    const from = `${url}?latency=${LATENCY_MS}000&${query}`
    const copy = ['-map', '0', '-c', 'copy', '-f', 'data', '-']
    // Not demultiplexed: what it received.
    return new Child('ffmpeg', ['-v', 'error', '-f', 'data', '-i', from, ...copy], { cwd: '/', onStdout: take(name) })
  }
  const gstreamer = (name: string, ...properties: readonly string[]): Child => {
    const source = ['srtsrc', `uri=${url}?mode=caller`, `latency=${LATENCY_MS}`, ...properties]
    return new Child('gst-launch-1.0', ['-q', ...source, '!', 'fdsink'], { cwd: '/', onStdout: take(name) })
  }
  const transmit = (name: string, query: string): Child =>
    srtLiveTransmit(`${url}?latency=${LATENCY_MS}&${query}`, take(name))
  await using _1 = ffmpeg('ffmpeg, plain', 'streamid=open')
  await using _2 = ffmpeg('ffmpeg, AES-256', `streamid=secret&passphrase=${PASSPHRASE}&pbkeylen=32`)
  await using _3 = transmit('srt-live-transmit, plain', 'streamid=open')
  await using _4 = transmit('srt-live-transmit, AES-128', `streamid=secret&passphrase=${PASSPHRASE}&pbkeylen=16`)
  await using _5 = gstreamer('GStreamer, plain', 'streamid=open')
  await using _6 = gstreamer('GStreamer, AES-256', 'streamid=secret', `passphrase=${PASSPHRASE}`, 'pbkeylen=32')
  const programs = [receiver, _1, _2, _3, _4, _5, _6]
  await until(
    () => [...received.values()].every(({ hasEnough }) => hasEnough),
    () =>
      `${JSON.stringify([...received].map(([name, { bytes }]) => [name, bytes]))}\n${programs.map(({ stderr }) => stderr).join('\n')}`,
  )
  const { clients } = await getJson<ClientList>(`${engine.api}/api/v1/clients`)
  assert.equal(clients.length, 6)
  for (const { protocol, state, connection } of clients) {
    assert.deepEqual([protocol, state, connection?.dropped], ['srt', 'reading', 0])
    assert.ok((connection?.latencyMs ?? 0) >= LATENCY_MS)
  }
  for (const [name, { checker }] of received) assertJoin(name, assertClean(name, checker.report()))
  await engine.stop()
})

test('a receiver that is called keeps its connection while the source is lost and replaced, and sees no gap', async () => {
  const rate = 2_000_000
  const stream = buildTs({ durationS: 60, muxRate: rate, video: { gopFrames: 12, bitrate: rate * 0.5 } }).bytes
  const port = await freeUdpPort()
  const checker = new TsChecker()
  let bytes = 0
  await using receiver = srtLiveTransmit(`srt://:${port}?mode=listener&latency=${LATENCY_MS}`, (part) => {
    bytes += part.length
    checker.push(part)
  })
  const [first, second] = [await LiveSource.open(), await LiveSource.open()]
  await using _ = second
  await using engine = await startEngine({
    yaml: `
version: 1
engine: { api: { address: "127.0.0.1:0" } }
pipelines:
  one:
    inputs: { in: { type: http, urls: ["${first.url}", "${second.url}"] } }
    transforms: { gops: { type: gop, from: in } }
    outputs: { push: { type: srt, from: gops, mode: caller, address: "${HOST}:${port}" } }
`,
  })
  await until(() => first.readers === 1, 'it reads the first one')
  for (const source of [first, second]) source.play(stream, rate, 0)
  await until(
    () => bytes > 150_000,
    () => `${bytes} bytes\n${receiver.stderr}`,
  )
  await first[Symbol.asyncDispose]()
  const before = bytes
  await until(
    () => bytes > before + 300_000,
    () => `${bytes - before} bytes after the change\n${receiver.stderr}`,
  )
  const { details } = await engine.node('one/push')
  assert.match(JSON.stringify(details), /"dropped":0/)
  assert.equal(receiver.stderr.match(/Accepted SRT source connection/g)?.length ?? 0, 1, receiver.stderr)
  assertJoin('push', assertClean('push', checker.report(), { announced: true }))
  await engine.stop()
})
