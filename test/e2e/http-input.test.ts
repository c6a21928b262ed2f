// Misbehaving upstreams: each is retried forever, with the reason in status, log and metrics, and another channel is
// not affected.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createServer as createHttp } from 'node:http'
import type { RequestListener, ServerResponse } from 'node:http'
import { createServer as createHttps } from 'node:https'
import { createServer as createTcp } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { buildTs } from '@millrace/engine/testing'
import { HttpReader } from '../oracle/http-reader.js'
import { assertClean, assertJoin } from './kit/assert-clean.js'
import { scrape } from './kit/metrics-page.js'
import { startEngine } from './kit/start-engine.js'
import type { EngineProcess } from './kit/start-engine.js'
import { TempFolder } from './kit/temp-folder.js'
import { until } from './kit/until.js'

const stream = buildTs({ durationS: 4 }).bytes
/** Its PAT and PMT have PIDs 0 and 0x1000. */
const withoutPat = packetsOf(stream, (pid) => pid !== 0)
/** At most a second, so that upstreams that do nothing fail soon. Others may be slow to fail: the machine may be busy. */
const TIMEOUTS = 'connectTimeout: 1s, firstByteTimeout: 500ms, readTimeout: 500ms'

interface Hostile {
  readonly respond: RequestListener | 'https'
  /** In the log, and as the reason in status. */
  readonly code: string
  readonly why: RegExp
  readonly metric: string
  /** It fails by `TIMEOUTS`. */
  readonly isMute?: boolean
}

const NOISE = noise(1_000_000)
const attempts = (result: string): string => `attempts_total result ${result}`
const ends = (reason: string): string => `stream_ends_total reason ${reason}`

const HOSTILE: Readonly<Record<string, Hostile>> = {
  hangs: {
    respond: () => undefined,
    code: 'HTTP_TIMEOUT',
    why: /no response within 0\.5 s/,
    metric: attempts('timeout'),
    isMute: true,
  },
  missing: {
    respond: (_, response) => void response.writeHead(404).end('no such stream'),
    code: 'HTTP_STATUS',
    why: /responded with 404 Not Found/,
    metric: attempts('status'),
  },
  loops: {
    respond: ({ url }, response) => void response.writeHead(302, { location: url === '/a' ? '/b' : '/a' }).end(),
    code: 'HTTP_REDIRECTS',
    why: /a redirect loop at http/,
    metric: attempts('redirects'),
  },
  page: {
    respond: (_, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
    code: 'HTTP_NOT_TS',
    why: /ended without a packet: this is an HTML page: open the URL in a browser/,
    metric: ends('not_ts'),
  },
  trickles: {
    respond: (_, response) => trickle(response),
    code: 'HTTP_SILENT',
    why: /only \d+ bytes in 1 s/,
    metric: ends('silent'),
    isMute: true,
  },
  untrusted: {
    respond: 'https',
    code: 'HTTP_TLS',
    why: /TLS failed: self-signed certificate/,
    metric: attempts('tls'),
  },
  silent: {
    respond: (_, response) => response.flushHeaders(),
    code: 'HTTP_SILENT',
    why: /no byte for 0\.5 s/,
    metric: ends('silent'),
    isMute: true,
  },
  empty: {
    respond: (_, response) => void response.end(),
    code: 'HTTP_ENDED',
    why: /ended without a byte/,
    metric: ends('ended'),
  },
  random: {
    respond: (_, response) => void response.end(NOISE),
    code: 'HTTP_NOT_TS',
    why: /no packets in the first 64 KiB/,
    metric: ends('not_ts'),
  },
  truncated: {
    respond: (_, response) => void response.end(stream.subarray(0, 100_001)),
    code: 'HTTP_ENDED',
    why: /the stream ended/,
    metric: ends('ended'),
  },
  'no-pat': {
    respond: (_, response) => void response.end(withoutPat),
    code: 'HTTP_ENDED',
    why: /the stream ended/,
    metric: ends('ended'),
  },
}

test('hostile upstreams are retried, with the reason in status, log and metrics, and affect nothing else', async () => {
  await using servers = await Servers.start(HOSTILE)
  const yaml = hostileYaml(servers)
  await using engine = await startEngine({ yaml, files: { 'a.ts': buildTs({ durationS: 3 }).bytes } })
  await using viewer = new HttpReader(await engine.url('beside/out'))
  for (const [name, { code, why, metric }] of Object.entries(HOSTILE)) {
    await until(async () => why.test((await engine.node(`${name}/main`)).why), `the status of ${name} says why`)
    await until(async () => (await countOf(engine, name, metric)) >= 2, `${name} is retried`)
    const lines = linesOf(engine, `${name}/main`)
    assert.ok(
      lines.some((line) => line.includes(code) && why.test(line)),
      `${name}: ${lines.join('\n')}`,
    )
  }
  await viewer.until(({ bodyBytes }) => bodyBytes > 200_000)
  assertJoin('viewer', assertClean('viewer', viewer.report().ts))
  for (const name of Object.keys(HOSTILE)) {
    const { state, restarts } = await engine.node(`${name}/main`)
    assert.notEqual(state, 'failed', name)
    assert.ok(restarts >= 2, name)
  }
  await viewer[Symbol.asyncDispose]()
  await engine.stop()
})

test('the second of two upstreams is tried at once, passwords are never shown, and viewers get a clean stream', async () => {
  let asked = ''
  // It goes on for as long as a busy machine may take.
  const long = buildTs({ durationS: 60 }).bytes
  const good: RequestListener = (request, response) => {
    asked = request.headers.authorization ?? ''
    playSlowly(response, long)
  }
  const refuse: RequestListener = (_, response) => void response.writeHead(401).end()
  await using servers = await Servers.start({ refuse: { respond: refuse }, good: { respond: good } })
  const password = 'geheim-4711'
  const urls = ['refuse', 'good'].map((name) => servers.url(name).replace('://', `://anna:${password}@`))
  const yaml = [
    'version: 1',
    'engine: { api: { address: "127.0.0.1:0" }, stateDir: state, log: { level: debug } }',
    'listeners: { web: { address: "127.0.0.1:0" } }',
    'services: { metrics: { type: prometheus, listener: api, path: /metrics } }',
    'pipelines:',
    '  one:',
    `    inputs: { main: { type: http, urls: ${JSON.stringify(urls)} } }`,
    '    outputs: { out: { type: http-ts, from: main, listener: web, path: /one.ts } }',
    '',
  ].join('\n')
  await using engine = await startEngine({ yaml })
  await engine.ready()
  await using viewer = new HttpReader(await engine.url())
  const { ts } = await viewer.until(({ bodyBytes }) => bodyBytes > 100_000)
  assertClean('viewer', ts)
  assert.equal(asked, `Basic ${Buffer.from(`anna:${password}`).toString('base64')}`)
  assert.equal(await countOf(engine, 'one', attempts('status')), 1)
  const { why } = await engine.node('one/main')
  const shown = [engine.child.stdout, engine.child.stderr, why, JSON.stringify(await engine.status())].join('\n')
  for (const secret of [password, asked.slice(6)]) assert.ok(!shown.includes(secret), 'a secret is shown')
  assert.ok(shown.includes(servers.url('refuse')), 'the URL itself is shown')
  await viewer[Symbol.asyncDispose]()
  await engine.stop()
})

/** Servers by name, on free ports, disposed with all their connections. */
class Servers implements AsyncDisposable {
  readonly #servers = new Map<string, { readonly server: Server; readonly scheme: string }>()
  readonly #sockets = new Set<Socket>()

  static async start(by: Readonly<Record<string, Pick<Hostile, 'respond'>>>): Promise<Servers> {
    const servers = new Servers()
    for (const [name, { respond }] of Object.entries(by)) {
      const isTls = respond === 'https'
      const server = isTls ? createHttps(await makeCertificate()) : createHttp(respond)
      servers.#servers.set(name, { server, scheme: isTls ? 'https' : 'http' })
      server.on('connection', (socket: Socket) => servers.#sockets.add(socket))
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    }
    return servers
  }

  url(name: string): string {
    const { server, scheme } = this.#servers.get(name) ?? { server: createTcp(), scheme: 'http' }
    return `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}/a`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = [...this.#servers.values()].map(({ server }) => new Promise((resolve) => server.close(resolve)))
    for (const socket of this.#sockets) socket.destroy()
    await Promise.all(closed)
  }
}

function hostileYaml(servers: Servers): string {
  const pipelines = Object.entries(HOSTILE).map(([name, { isMute = false }]) => [
    `  ${name}:`,
    `    inputs: { main: { type: http, url: "${servers.url(name)}"${isMute ? `, ${TIMEOUTS}` : ''} } }`,
    `    outputs: { out: { type: http-ts, from: main, listener: web, path: /${name}.ts } }`,
  ])
  return [
    'version: 1',
    'engine: { api: { address: "127.0.0.1:0" }, stateDir: state }',
    'listeners: { web: { address: "127.0.0.1:0" } }',
    'services: { metrics: { type: prometheus, listener: api, path: /metrics } }',
    'pipelines:',
    ...pipelines.flat(),
    '  beside:',
    '    inputs: { main: { type: file, path: a.ts, loop: true } }',
    '    outputs: { out: { type: http-ts, from: main, listener: web, path: /beside.ts } }',
    '',
  ].join('\n')
}

async function countOf(engine: EngineProcess, pipeline: string, metric: string): Promise<number> {
  const [name = '', label = '', value = ''] = metric.split(' ')
  return (await scrape(engine.api)).value(`millrace_http_${name}`, { pipeline, [label]: value }) ?? 0
}

/** Lines of the node in the engine's log. */
function linesOf(engine: EngineProcess, node: string): string[] {
  return `${engine.child.stdout}\n${engine.child.stderr}`.split('\n').filter((line) => line.includes(node))
}

/** Sends 3 bytes at a time until the other side closes. */
function trickle(response: ServerResponse): void {
  let at = 0
  const timer = setInterval(() => response.write(stream.subarray(at, (at += 3))), 100)
  response.on('close', () => clearInterval(timer))
}

/** Sends it at about twice its rate, then nothing. */
function playSlowly(response: ServerResponse, bytes: Uint8Array): void {
  const step = 20 * 188
  let at = 0
  const timer = setInterval(() => {
    if (at >= bytes.length) return clearInterval(timer)
    response.write(bytes.subarray(at, (at += step)))
  }, 10)
  response.on('close', () => clearInterval(timer))
}

/** The same in every run: no sync bytes line up by chance. */
function noise(bytes: number): Uint8Array {
  const parts = Array.from({ length: Math.ceil(bytes / 32) }, (_, index) =>
    createHash('sha256').update(`${index}`).digest(),
  )
  return Buffer.concat(parts)
}

function packetsOf(bytes: Uint8Array, isKept: (pid: number) => boolean): Uint8Array {
  const packets = Array.from({ length: bytes.length / 188 }, (_, index) =>
    bytes.subarray(index * 188, index * 188 + 188),
  )
  return Buffer.concat(packets.filter(([, high = 0, low = 0]) => isKept(((high & 0x1f) << 8) | low)))
}

/** A self-signed certificate for 127.0.0.1. */
async function makeCertificate(): Promise<{ key: Buffer; cert: Buffer }> {
  await using folder = await TempFolder.make()
  const [key, cert] = [join(folder.path, 'key.pem'), join(folder.path, 'cert.pem')]
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']
  const names = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1']
  await promisify(execFile)('openssl', ['req', ...kind, '-keyout', key, '-out', cert, ...names])
  return { key: await readFile(key), cert: await readFile(cert) }
}
