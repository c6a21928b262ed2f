// What people see of an input whose upstream accepts the connection, and then sends nothing, junk or a stream.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { buildTs } from '@millrace/engine/testing'
import { until } from '../e2e/kit/until.js'
import { TestEngine } from './test-engine.js'

const stream = buildTs({ durationS: 2 }).bytes
const junk = Buffer.alloc(20_000, 'no transport stream ')

/** Accepts every request, and sends what the test writes. */
class Upstream implements AsyncDisposable {
  readonly #server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'video/mp2t' }).flushHeaders()
    this.#responses.push(response)
  })
  readonly #responses: ServerResponse[] = []

  static async open(): Promise<Upstream> {
    const upstream = new Upstream()
    await once(upstream.#server.listen(0, '127.0.0.1'), 'listening')
    return upstream
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`
  }

  get requests(): number {
    return this.#responses.length
  }

  send(bytes: Uint8Array): void {
    this.#responses.at(-1)?.write(bytes)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }
}

function yamlFor(url: string): string {
  return `
version: 1
engine: { api: { address: "127.0.0.1:0" }, stateDir: state, drain: 1s }
listeners: { web: { address: "127.0.0.1:0" } }
pipelines:
  one:
    inputs:
      main: { type: http, url: "${url}", readTimeout: 10m }
    transforms:
      gops: { type: gop, from: main }
    outputs:
      ts: { type: http-ts, from: gops, listener: web, path: /live.ts }
`
}

test('an input waits while its upstream is silent or sends junk, and is ready while it sends packets', async () => {
  await using upstream = await Upstream.open()
  await using live = await TestEngine.create()
  const engine = await live.start(yamlFor(upstream.url))
  const sees = (state: string, why: RegExp, meanwhile = (): void => undefined): Promise<true> =>
    until(
      () => {
        meanwhile()
        return live.node('one/main').state === state && why.test(live.node('one/main').why)
      },
      () => `${state}, ${String(why)}; it is ${live.node('one/main').state}: ${live.node('one/main').why}`,
    )
  await sees('waiting', /^connected, no packets so far$/)
  assert.equal(engine.readiness({ node: 'one/main' })?.ready, false)
  assert.deepEqual(engine.readiness({ node: 'one/gops' }), { ready: true, reasons: [] })
  upstream.send(junk)
  await sees('waiting', /^connected, no packets for 5 s$/)
  upstream.send(stream)
  await sees('ready', /^$/)
  await sees('waiting', /^connected, [\d.]+ [kM]B received but no MPEG-TS packets found$/, () => upstream.send(junk))
  assert.deepEqual(engine.readiness(), { ready: false, reasons: [`one/main: ${live.node('one/main').why}`] })
  upstream.send(stream)
  await sees('ready', /^$/)
  await sees('waiting', /^connected, no packets for 5 s$/)
  upstream.send(stream)
  await sees('ready', /^$/)
  assert.deepEqual([live.node('one/main').restarts, upstream.requests], [0, 1])
})
