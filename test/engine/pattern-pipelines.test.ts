// A pattern pipeline as people use it: publishers over real sockets, viewers over HTTP, the control API, metrics, and a
// reload, with the real transforms and outputs.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { describe, test } from 'node:test'
import { planReload, type RunningEngine } from '@millrace/engine'
import { defineInput, type Publisher } from '@millrace/engine/plugin'
import { buildTs } from '@millrace/engine/testing'
import { Observable } from 'rxjs'
import { z } from 'zod'
import { until } from '../e2e/kit/until.js'
import { TestEngine } from './test-engine.js'

/** Ten seconds, a key frame a second. */
const STREAM = buildTs({ durationS: 10 }).bytes

/** Connections whose first line is the key; then comes the stream. */
function publisherOf(socket: Socket, key: string, first: Buffer): Publisher {
  const gone = new AbortController()
  socket.once('close', () => gone.abort())
  const { remoteAddress: address = '', remotePort = 0 } = socket
  const client = `${address}:${remotePort}`
  return {
    key,
    who: { protocol: 'test', listener: 'test', client, address, user: undefined, agent: '', place: key },
    credentials: {},
    signal: gone.signal,
    accept: () => ({
      chunks: new Observable((subscriber) => {
        if (first.length > 0) subscriber.next(first)
        socket.on('data', (bytes: Buffer) => subscriber.next(bytes))
        socket.once('close', () => subscriber.complete())
        socket.resume()
      }),
      [Symbol.asyncDispose]: () => {
        socket.destroy()
        return Promise.resolve()
      },
    }),
    reject: (code) => void socket.end(`${code}\n`),
  }
}

let port = 0
const publishing = defineInput({
  type: 'test-line',
  summary: 'Publishers that begin with a line.',
  produces: 'bytes',
  options: z.strictObject({}),
  examples: [],
  open: () => {
    throw new Error('needs streams')
  },
  publishers: (_options, context) =>
    new Observable((subscriber) => {
      const server = createServer((socket) => {
        socket.on('error', () => undefined)
        socket.once('data', (bytes: Buffer) => {
          socket.pause()
          const end = bytes.indexOf('\n')
          subscriber.next(publisherOf(socket, bytes.subarray(0, end).toString(), bytes.subarray(end + 1)))
        })
      })
      server.listen(port, '127.0.0.1', () => {
        const address = server.address()
        if (typeof address === 'object' && address !== null) ({ port } = address)
        context.ready()
      })
      return () => void server.close()
    }),
})

function yaml(path = '/live/${stream}.ts', linger = '500ms'): string {
  return `
version: 1
engine: { api: { address: "127.0.0.1:0" }, stateDir: state, drain: 2s }
listeners: { web: { address: "127.0.0.1:0" } }
services: { metrics: { type: prometheus, listener: api, path: /metrics } }
pipelines:
  live:
    description: "stream \${stream}"
    inputs: { pub: { type: test-line, streams: "cam-*", linger: ${linger} } }
    transforms: { gops: { type: gop, from: pub } }
    outputs: { ts: { type: http-ts, from: gops, listener: web, path: "${path}" } }
`
}

/** Sends the stream at ten times its speed, over and over. */
class Encoder implements Disposable {
  readonly socket: Socket
  answer = ''
  #at = 0
  readonly #timer: NodeJS.Timeout

  constructor(key: string) {
    this.socket = connect(port, '127.0.0.1')
    this.socket.on('error', () => undefined)
    this.socket.on('data', (bytes: Buffer) => (this.answer += bytes.toString()))
    this.socket.write(`${key}\n`)
    const step = 188 * Math.ceil(STREAM.length / 188 / 100)
    this.#timer = setInterval(() => {
      this.socket.write(STREAM.subarray(this.#at, this.#at + step))
      this.#at = this.#at + step >= STREAM.length ? 0 : this.#at + step
    }, 10)
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    this.socket.destroy()
  }
}

async function started(test: TestEngine, text: string): Promise<RunningEngine> {
  const engine = await test.start(text)
  await until(() => engine.status().pipelines[0]?.nodes[0]?.state === 'idle', 'it listens')
  return engine
}

describe('a pattern pipeline', () => {
  test('serves each stream to viewers, and shows it everywhere by its own name', async () => {
    await using test = await TestEngine.create([publishing])
    const engine = await started(test, yaml())
    const waiting = test.viewer('/live/cam-1.ts')
    {
      using _ = new Encoder('cam-1')
      await waiting.reader.until(({ bodyBytes }) => bodyBytes > 100_000)
      const get = async (path: string): Promise<Response> => fetch(`http://${test.address('api')}${path}`)
      const one = (await (await get('/api/v1/pipelines/live%40cam-1')).json()) as Record<string, unknown>
      assert.deepEqual(
        [one['name'], one['pattern'], one['stream'], one['description']],
        ['live@cam-1', 'live', 'cam-1', 'stream cam-1'],
      )
      assert.equal((await get('/api/v1/pipelines/live@cam-1/nodes/ts')).status, 200)
      assert.equal((await get('/readyz?pipeline=live@cam-1')).status, 200)
      const text = await (await get('/metrics')).text()
      assert.match(text, /millrace_output_clients\{[^}]*pipeline="live"[^}]*\} 1/)
      assert.match(text, /millrace_output_clients\{[^}]*stream="cam-1"[^}]*\} 1/)
      assert.deepEqual(
        engine.clients('live@cam-1/ts').map(({ path }) => path),
        ['/live/cam-1.ts'],
      )
      using wrong = new Encoder('other')
      await until(() => wrong.answer === 'bad-key\n', 'the key is refused')
      const refused = /millrace_publishers_refused_total\{reason="bad-key",[^}]*\} 1\n/
      await until(async () => refused.test(await (await get('/metrics')).text()), 'the metric')
      using second = new Encoder('cam-1')
      await until(() => second.answer === 'busy\n', 'the second publisher is refused')
    }
    await until(() => engine.status().pipelines.length === 1, 'the copy has ended')
    await waiting.reader.until(({ ended }) => ended === 'end')
    assert.equal(engine.status().pipelines[0]?.nodes[0]?.state, 'idle')
  })

  test('keeps publishers and viewers over a reload, and a publisher that returns costs no viewer', async () => {
    await using test = await TestEngine.create([publishing])
    const engine = await started(test, yaml(undefined, '20s'))
    let encoder = new Encoder('cam-1')
    try {
      const viewer = await test.watch('/live/cam-1.ts', 100_000)
      const next = await test.load(yaml('/tv/${stream}.ts', '20s'))
      await engine.apply(planReload(engine.graph, next), next)
      await test.watch('/tv/cam-1.ts', 100_000)
      const { bodyBytes } = viewer.report()
      encoder[Symbol.dispose]()
      encoder = new Encoder('cam-1')
      await viewer.reader.until((report) => report.bodyBytes > bodyBytes + 200_000)
      assert.equal(engine.clients('live@cam-1/ts').length, 2)
    } finally {
      encoder[Symbol.dispose]()
      await once(encoder.socket, 'close')
    }
  })
})
