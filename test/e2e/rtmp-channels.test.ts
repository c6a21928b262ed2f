// pipelines/rtmp-to-hls.yaml: a real ffmpeg publishes over RTMP, and viewers watch over HTTP and HLS: tokens in any part of
// the URL, refusals, a return within linger, a pull from another server.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { MediaMessage } from '@millrace/rtmp'
import { RtmpServer } from '@millrace/rtmp/node'
import { HttpReader } from '../oracle/http-reader.js'
import { assertClean, assertJoin } from './kit/assert-clean.js'
import { Child } from './kit/child.js'
import { readFlv } from './kit/flv-file.js'
import { httpRequest } from './kit/http-request.js'
import { scrape } from './kit/metrics-page.js'
import { REPOSITORY_ROOT } from './kit/repository-root.js'
import { SelfSigned } from './kit/self-signed.js'
import { EngineProcess, runCommandLine, startEngine } from './kit/start-engine.js'
import { TempFolder } from './kit/temp-folder.js'
import { until } from './kit/until.js'

const CLIP = join(REPOSITORY_ROOT, 'pipelines/media/testcard.ts')
const TOKEN = 'a-token-for-this-test'
const ENOUGH_BYTES = 200_000
const TAKEOVER_AFTER_MS = 5000

function publish(url: string): Child {
  const args = [
    '-loglevel',
    'error',
    '-nostdin',
    '-re',
    '-stream_loop',
    '-1',
    '-i',
    CLIP,
    '-c',
    'copy',
    '-f',
    'flv',
    url,
  ]
  return new Child('ffmpeg', args, { cwd: REPOSITORY_ROOT })
}

test('a publisher over RTMP is watched over HTTP and HLS; it returns within linger; strangers are refused', async () => {
  await using engine = await startShipped({ RTMP_LINGER: '30s' })
  await engine.ready()
  const found = (await engine.status()).listeners.find(({ name }) => name === 'rtmp')
  const base = `rtmp://${found!.address}`

  // The token in the name, in the app, or nowhere.
  await using wrong = publish(`${base}/hls/news?token=wrong`)
  await using none = publish(`${base}/hls/news`)
  await using elsewhere = publish(`${base}/other/news?token=${TOKEN}`)
  for (const refused of [wrong, none, elsewhere]) {
    assert.notEqual((await refused.exited).code, 0)
    assert.match(refused.stderr, /Server error/)
  }
  let publisher = publish(`${base}/hls/news?token=${TOKEN}`)
  try {
    const url = await until(() => engine.url('live@news/ts'), 'the copy of news')
    const urls = async (id: string): Promise<readonly string[]> => (await engine.node(id)).urls ?? []
    assert.deepEqual(await urls('live/pub'), [`${base}/hls/\${stream}`])
    assert.deepEqual(await urls('live@news/play'), [`${base}/hls/news`])
    await using viewer = new HttpReader(url)
    await viewer.until(({ bodyBytes }) => bodyBytes > ENOUGH_BYTES)
    // A second publisher of the key, whose encoder splits the URL elsewhere.
    await using rival = publish(`${base}/hls?token=${TOKEN}/news`)
    assert.notEqual((await rival.exited).code, 0)
    assert.match(rival.stderr, /somebody publishes under this key/)

    const before = viewer.report().bodyBytes
    await publisher[Symbol.asyncDispose]()
    publisher = publish(`${base}/hls//news?token=${TOKEN}`)
    await viewer.until(({ bodyBytes }) => bodyBytes > before + ENOUGH_BYTES)
    const { ended, ts } = viewer.report()
    assert.equal(ended, 'open')
    assertJoin('news', assertClean('news', ts, { announced: true }))

    const playlist = await until(() => engine.url('live@news/hls'), 'its playlist')
    await until(async () => (await httpRequest(playlist)).text.includes('mp4a.40.2'), 'codecs in the playlist')
    const page = await scrape(engine.api)
    const refused = (reason: string): number =>
      page.value('millrace_listener_refused_total', { listener: 'rtmp', reason }) ?? 0
    const counts = ['unauthorized', 'not-found', 'busy'].map(refused)
    assert.deepEqual(counts, [2, 1, 1])
  } finally {
    await publisher[Symbol.asyncDispose]()
  }
  await engine.stop()
})

test('a publisher whose line has broken is replaced after `takeoverAfter`, and not before; its viewers stay', async () => {
  const after = `takeoverAfter: ${TAKEOVER_AFTER_MS}ms`
  const withAfter = (yaml: string): string => yaml.replace(/( +)linger: .*/, `$&\n$1${after}`)
  await using engine = await startShipped({ RTMP_LINGER: '30s' }, withAfter)
  await engine.ready()
  const address = (await engine.status()).listeners.find(({ name }) => name === 'rtmp')?.address ?? ''
  const path = `hls/news?token=${TOKEN}`
  await using line = await Line.to(address)
  await using rivalLine = await Line.to(address)
  await using first = publish(`rtmp://${line.address}/${path}`)
  // Its longest silence.
  let [lastMs, longestMs, overMs] = [Infinity, 0, 0]
  const onBody = (): void => {
    const nowMs = performance.now()
    if (nowMs - lastMs > longestMs) [longestMs, overMs] = [nowMs - lastMs, nowMs]
    lastMs = nowMs
  }
  await using viewer = new HttpReader(await until(() => engine.url('live@news/ts'), 'the copy of news'), { onBody })
  await viewer.until(({ bodyBytes }) => bodyBytes > ENOUGH_BYTES)

  // The rival is waiting when the line breaks: it need not start in that time.
  rivalLine.cut()
  await using rival = publish(`rtmp://${rivalLine.address}/${path}`)
  await until(() => rivalLine.isUsed, 'it is there')
  line.cut()
  rivalLine.mend()
  assert.notEqual((await rival.exited).code, 0)
  assert.match(rival.stderr, /somebody publishes under this key/)
  for (let isTaken = false; !isTaken;) {
    const before = viewer.report().bodyBytes
    await using second = publish(`rtmp://${address}/${path}`)
    await until(
      () => second.exit !== undefined || viewer.report().bodyBytes > before + ENOUGH_BYTES,
      () => `${second.stderr}`,
    )
    isTaken = second.exit === undefined
    if (!isTaken) {
      assert.match(second.stderr, /somebody publishes under this key/)
      continue
    }
    const silentMs = overMs - line.lastMs
    assert.ok(silentMs > 0.9 * TAKEOVER_AFTER_MS, `${silentMs} ms`)
    // Its connection is gone.
    assert.notEqual((await first.exited).code, 0)
    assert.equal(second.exit, undefined)
  }
  const { ended, ts } = viewer.report()
  assert.equal(ended, 'open')
  assertJoin('news', assertClean('news', ts, { announced: true }))
  await engine.stop()
})

/** What a publisher connects to instead of the engine, and its only way to it: when it is cut, neither side learns of it. */
class Line implements AsyncDisposable {
  /** When it last took something that was on the way to the engine. */
  lastMs = 0
  readonly #server = createServer((publisher) => this.#connect(publisher))
  readonly #publishers = new Set<Socket>()
  readonly #to: { readonly host: string; readonly port: number }
  #isCut = false

  private constructor(to: string) {
    const { hostname: host, port } = new URL(`tcp://${to}`)
    this.#to = { host, port: Number(port) }
  }

  static async to(address: string): Promise<Line> {
    const line = new Line(address)
    await once(line.#server.listen(0, '127.0.0.1'), 'listening')
    return line
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  get isUsed(): boolean {
    return this.#publishers.size > 0
  }

  cut(): void {
    this.#isCut = true
    for (const publisher of this.#publishers) publisher.pause()
  }

  mend(): void {
    this.#isCut = false
    for (const publisher of this.#publishers) publisher.resume()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const publisher of this.#publishers) publisher.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #connect(publisher: Socket): void {
    const engine = connect(this.#to)
    this.#publishers.add(publisher)
    publisher.on('data', (bytes) => {
      this.lastMs = performance.now()
      engine.write(bytes)
    })
    if (this.#isCut) publisher.pause()
    engine.on('data', (bytes) => publisher.write(bytes))
    for (const socket of [publisher, engine]) {
      socket.on('error', () => undefined)
      socket.on('close', () => {
        publisher.destroy()
        engine.destroy()
      })
    }
  }
}

test('a stream is pulled from another server, again when that has lost it', async () => {
  await using folder = await TempFolder.make()
  const file = join(folder.path, 'clip.flv')
  await using copy = new Child('ffmpeg', ['-loglevel', 'error', '-nostdin', '-i', CLIP, '-c', 'copy', file], {
    cwd: folder.path,
  })
  assert.equal((await copy.exited).code, 0)
  const tags = readFlv(await readFile(file))
  let plays = 0
  await using server = await RtmpServer.open({
    address: '127.0.0.1',
    port: 0,
    onPlay: (arrival) => {
      const player = arrival.accept({ ended: () => undefined })
      plays++
      for (const { type, timestampMs, body } of tags) {
        player?.send(new MediaMessage(type as 8 | 9 | 18, 'headers', timestampMs, body))
      }
      player?.end('over')
    },
  })
  await using engine = await startEngine({
    yaml: [
      'version: 1',
      'listeners: { web: { address: "127.0.0.1:0" } }',
      'engine: { api: { address: "127.0.0.1:0" } }',
      'pipelines:',
      '  up:',
      `    inputs: { pull: { type: rtmp, mode: pull, url: "rtmp://127.0.0.1:${server.port}/live/cam?token=x" } }`,
      '    outputs: { ts: { type: http-ts, from: pull, listener: web, path: /up.ts } }',
    ].join('\n'),
  })
  await until(() => plays > 1, 'it plays again')
  const url = await engine.url('up/ts')
  await using viewer = new HttpReader(url)
  await viewer.until(({ bodyBytes }) => bodyBytes > ENOUGH_BYTES)
  assert.ok(server.connections.size <= 1)
  await engine.stop()
})

test('encoders publish over TLS, to the URL that the status shows', async () => {
  await using certificate = await SelfSigned.make('localhost')
  const [cert, key] = [certificate.tls.cert.toString(), certificate.tls.key.toString()]
  await using engine = await startEngine({
    files: { 'cert.pem': cert, 'key.pem': key },
    yaml: [
      'version: 1',
      'listeners:',
      '  web: { address: "127.0.0.1:0" }',
      '  rtmps: { protocol: rtmp, address: "127.0.0.1:0", tls: { cert: cert.pem, key: key.pem } }',
      'engine: { api: { address: "127.0.0.1:0" } }',
      'pipelines:',
      '  one:',
      '    inputs: { pub: { type: rtmp, listener: rtmps, app: live, streams: cam } }',
      '    outputs: { ts: { type: http-ts, from: pub, listener: web, path: /one.ts } }',
    ].join('\n'),
  })
  const url = await engine.url('one/pub')
  assert.match(url, /^rtmps:\/\/127\.0\.0\.1:\d+\/live\/cam$/)
  await using publisher = publish(url)
  await using viewer = new HttpReader(await engine.url('one/ts'))
  await viewer.until(({ bodyBytes }) => bodyBytes > ENOUGH_BYTES)
  assert.equal(publisher.exit, undefined)
  await engine.stop()
})

/** The shipped configuration, on other ports. */
async function startShipped(
  env: Readonly<Record<string, string>>,
  change = (yaml: string): string => yaml,
): Promise<EngineProcess> {
  const folder = await TempFolder.make()
  try {
    const yaml = change(await readFile(join(REPOSITORY_ROOT, 'pipelines/rtmp-to-hls.yaml'), 'utf8'))
    const engine = 'engine: { api: { address: "127.0.0.1:0" }, stateDir: state }'
    await folder.write('rtmp-to-hls.yaml', `${yaml}\n${engine}\n`)
    const ports = { RTMP_ADDRESS: '127.0.0.1:0', WATCH_ADDRESS: '127.0.0.1:0', PUBLISH_TOKEN: TOKEN }
    const child = runCommandLine(['run', 'rtmp-to-hls.yaml'], folder.path, { ...ports, ...env })
    const [, api = ''] = await child.untilStderr(/"(http:[^"]+)\/api\/v1\/status"/)
    return new EngineProcess(folder, child, api)
  } catch (error) {
    await folder[Symbol.asyncDispose]()
    throw error
  }
}
