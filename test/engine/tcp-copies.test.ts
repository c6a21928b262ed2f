// Many publishers over TCP, each with a copy of the pipeline: a reload that every copy follows, while another one comes.
import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { planReload } from '@millrace/engine'
import { buildTs } from '@millrace/engine/testing'
import { assertClean } from '../e2e/kit/assert-clean.js'
import { until } from '../e2e/kit/until.js'
import { TestEngine } from './test-engine.js'

const COPIES = 30
const STREAM = buildTs({ durationS: 4, video: { gopFrames: 5, bitrate: 300_000 } }).bytes
const HALF = 188 * Math.floor(STREAM.length / 188 / 2)

function yaml(more = ''): string {
  return `version: 1
engine: { api: { address: "127.0.0.1:0" }, stateDir: state, drain: 2s }
listeners:
  web: { address: "127.0.0.1:0" }
  pubs: { protocol: tcp, address: "127.0.0.1:0", maxPerAddress: 100 }
pipelines:
  live:
    inputs: { pub: { type: tcp, listener: pubs, streams: "*", maxStreams: 100, readTimeout: 10m } }
    transforms: { gops: { type: gop, from: pub } }
    outputs:
      ts: { type: http-ts, from: gops, listener: web, path: "/\${stream}.ts" }
${more}`
}

test(`${COPIES} copies follow a reload without losing a publisher, and one that comes meanwhile is let in`, async () => {
  await using live = await TestEngine.create()
  await using publishers = new Publishers()
  const engine = await live.start(yaml())
  const address = live.address('pubs')
  const copiesWith = (node: string): readonly string[] =>
    engine.status().pipelines.flatMap(({ stream, nodes }) => {
      const isReady = nodes.some(({ id, state }) => id.endsWith(`/${node}`) && state === 'ready')
      return stream !== undefined && isReady ? [stream] : []
    })
  const watched = publishers.connect(address, 'k0')
  const viewer = await live.watch('/k0.ts', 10_000)
  for (let index = 1; index < COPIES; index++) publishers.connect(address, `k${index}`)
  await until(
    () => copiesWith('ts').length === COPIES,
    () => `${copiesWith('ts').length} copies are there`,
  )

  const more = '      more: { type: http-ts, from: gops, listener: web, path: "/more/${stream}.ts" }\n'
  const next = await live.load(yaml(more))
  const applying = engine.apply(planReload(engine.graph, next), next)
  // Copies follow one after the other.
  publishers.connect(address, 'late')
  await until(() => copiesWith('more').includes('late'), 'the late one is let in')
  await applying
  await until(
    () => copiesWith('more').length === COPIES + 1,
    () => `${copiesWith('more').length} have followed`,
  )
  assert.equal(publishers.closed, 0)

  const { bodyBytes } = viewer.report()
  watched.write(STREAM.subarray(HALF))
  await viewer.reader.until((report) => report.bodyBytes > bodyBytes + 10_000)
  await engine.stop('the test is over')
  assertClean('the viewer', (await viewer.reader.done()).ts)
})

class Publishers implements AsyncDisposable {
  closed = 0
  readonly #sockets: Socket[] = []

  /** Sends the line with the key, and the first half of the stream. */
  connect(address: string, key: string): Socket {
    const [host = '', port] = address.split(':')
    const socket = connect({ host, port: Number(port) })
    this.#sockets.push(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => this.closed++)
    socket.write(`${key}\n`)
    socket.write(STREAM.subarray(0, HALF))
    return socket
  }

  [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    return Promise.resolve()
  }
}
