// Upstreams as they are in the field: what ffmpeg and curl take is taken, and viewers get the stream byte for byte; of what
// is no stream, people read what it is.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { buildTs } from '@millrace/engine/testing'
import { checkTs } from '../oracle/check-ts.js'
import { assertClean, assertJoin } from '../e2e/kit/assert-clean.js'
import { until } from '../e2e/kit/until.js'
import { RawUpstreams } from './http-upstreams.js'
import type { Serve } from './http-upstreams.js'
import { TestEngine } from './test-engine.js'

const stream = Buffer.from(buildTs({ durationS: 2 }).bytes)
const OK = 'HTTP/1.1 200 OK\r\n'
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n`

/** Answers every request with this text as Latin-1 and the stream, and leaves the connection open. */
const plays =
  (head: string, body: Uint8Array = stream): Serve =>
  (socket) => {
    socket.write(head, 'latin1')
    socket.write(body)
  }

/** The stream in chunks of 1000 bytes. `size` renders the line in front of each. */
function chunked(size: (hex: string) => string, end = '\r\n'): Buffer {
  const parts: Uint8Array[] = []
  for (let at = 0; at < stream.length; at += 1000) {
    const part = stream.subarray(at, at + 1000)
    parts.push(Buffer.from(size(part.length.toString(16))), part, Buffer.from(end))
  }
  return Buffer.concat(parts)
}

/** Answers by the path; the last path plays. */
function routes(by: Readonly<Record<string, string | ((head: string) => string | undefined)>>): Serve {
  return (socket, head) => {
    const path = head.split(' ')[1] ?? ''
    const route = by[path]
    const answer = typeof route === 'function' ? route(head) : route
    if (path in by && answer !== undefined) socket.end(answer, 'latin1')
    else if (path in by) play(socket)
    else socket.end('HTTP/1.1 404 Not Found\r\n\r\n')
  }
}

function play(socket: Socket): void {
  socket.write(`${OK}\r\n`)
  socket.write(stream)
}

const moved = (to: string, more = ''): string =>
  `HTTP/1.1 302 Found\r\nLocation: ${to}\r\n${more}Content-Length: 0\r\n\r\n`
const cookieOf = (head: string): string | undefined => /^cookie: (.*)$/im.exec(head)?.[1]

/** Asks for a digest; plays for the right answer, which is computed here from RFC 7616 alone. */
function asksForDigest(algorithm: string, hash: string, qop: boolean): Serve {
  const digest = (...parts: readonly string[]): string => createHash(hash).update(parts.join(':')).digest('hex')
  return (socket, head) => {
    const given = new Map([...head.matchAll(/(\w+)=(?:"([^"]*)"|([^\s,]+))/g)].map((m) => [m[1], m[2] ?? m[3] ?? '']))
    const inner = qop ? [given.get('nc') ?? '', given.get('cnonce') ?? '', 'auth'] : []
    const secret = digest('anna', 'live', 'geheim')
    const right = digest(secret, 'n0nce', ...inner, digest('GET', '/one.ts'))
    if (given.get('response') === right && given.get('uri') === '/one.ts') play(socket)
    else {
      const challenge = `Digest realm="live", nonce="n0nce", algorithm=${algorithm}${qop ? ', qop="auth,auth-int"' : ''}`
      socket.end(`HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: ${challenge}\r\nContent-Length: 0\r\n\r\n`)
    }
  }
}

const DIGEST = 'auth: { type: digest, username: anna, password: geheim }'
const once = (head: string): Serve => plays(`${head}\r\n`)

/** By name: how the upstream behaves, and options of the input. */
const PLAYED: Readonly<Record<string, readonly [serve: Serve, options?: string]>> = {
  'gzip-named-plain': [once(`${OK}Content-Encoding: gzip\r\n`)],
  'type-html': [once(`${OK}Content-Type: text/html; charset=utf-8\r\n`)],
  'type-plain': [once(`${OK}Content-Type: text/plain\r\n`)],
  'type-playlist': [once(`${OK}Content-Type: application/x-mpegURL\r\n`)],
  'type-json': [once(`${OK}Content-Type: application/json\r\n`)],
  'length-twice': [once(`${OK}Content-Length: 99999999\r\nContent-Length: 99999999\r\n`)],
  'lengths-differ': [once(`${OK}Content-Length: 5\r\nContent-Length: 99999999\r\n`)],
  'no-colon': [once(`${OK}no colon here\r\nServer: x\r\n`)],
  'space-before-colon': [once(`${OK}Content-Type : video/mp2t\r\n`)],
  'length-and-chunks': [
    plays(
      `${CHUNKED}Content-Length: 5\r\n\r\n`,
      chunked((hex) => `${hex}\r\n`),
    ),
  ],
  'length-zero': [once(`${OK}Content-Length: 0\r\n`)],
  'length-minus-one': [once(`${OK}Content-Length: -1\r\n`)],
  icy: [once('ICY 200 OK\r\nicy-name: one\r\nicy-br: 2000\r\n')],
  'lf-only': [plays('HTTP/1.0 200 OK\nContent-Type: video/mp2t\n\n')],
  'encoding-none': [once(`${OK}Content-Encoding: none\r\n`)],
  folded: [once(`${OK}X-Long: a\r\n  b\r\n\tc\r\n`)],
  'no-value': [once(`${OK}X-Empty:\r\nContent-Type:\r\n`)],
  'no-reason': [once('HTTP/1.1 200\r\n')],
  'lower-case': [once('http/1.1 200 ok\r\n')],
  'more-spaces': [once('HTTP/1.0   200    OK\r\n')],
  interim: [once(`HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n${OK}`)],
  'no-head': [plays('')],
  'chunk-extensions': [
    plays(
      `${CHUNKED}\r\n`,
      chunked((hex) => `${hex};name="a;b"\r\n`),
    ),
  ],
  'chunk-spaces': [
    plays(
      `${CHUNKED}\r\n`,
      chunked((hex) => ` ${hex}  \r\n`),
    ),
  ],
  'chunk-lf': [
    plays(
      `${CHUNKED}\r\n`,
      chunked((hex) => `${hex}\n`, '\n'),
    ),
  ],
  'cookie-next': [
    routes({
      '/one.ts': moved('/two.ts', 'Set-Cookie: sid=a"b=c; Expires=Wed, 09 Jun 2038 10:18:14 GMT; Path=/\r\n'),
      '/two.ts': (head) => (cookieOf(head) === 'sid=a"b=c' ? undefined : 'HTTP/1.1 403 Forbidden\r\n\r\n'),
    }),
  ],
  'cookie-itself': [
    routes({
      '/one.ts': (head) => (cookieOf(head) === 'x=1; seen=1' ? undefined : moved('/one.ts', 'set-cookie: seen=1\r\n')),
    }),
    'headers: { Cookie: x=1 }',
  ],
  'digest-md5': [asksForDigest('MD5', 'md5', true), DIGEST],
  'digest-sha': [asksForDigest('SHA-256', 'sha256', true), DIGEST],
  'digest-old': [asksForDigest('MD5', 'md5', false), DIGEST],
  'latin-1': [routes({ '/one.ts': moved('/caf\u00e9 1.ts?\u00e9#x'), '/caf%E9%201.ts?%E9': () => undefined })],
  'utf-8': [routes({ '/one.ts': moved('caf\u00c3\u00a9|"x".ts'), '/caf%C3%A9|"x".ts': () => undefined })],
  'to-itself-by-name': [
    (socket, head) => {
      const host = /^host: (.*)$/im.exec(head)?.[1] ?? ''
      if (head.startsWith('GET /two ') && head.includes('Basic dTpw')) play(socket)
      else socket.end(moved(`HTTP://u:p@${host}/x/../two`), 'latin1')
    },
  ],
}

const REFUSED: Readonly<Record<string, readonly [serve: Serve, why: RegExp]>> = {
  tuner: [
    (socket) => socket.end('HTTP/1.1 503 Service Unavailable\r\nX-HDHomeRun-Error: 805 All Tuners In Use\r\n\r\n'),
    /responded with 503 Service Unavailable: 805 All Tuners In Use/,
  ],
  playlist: [
    (socket) => socket.end(`${OK}Content-Type: application/octet-stream\r\n\r\n#EXTM3U\n#EXT-X-TARGETDURATION:4\n`),
    /this is an HLS playlist: the input `type: ffmpeg` plays it: `type: ffmpeg, url: URL`/,
  ],
  channels: [
    (socket) => socket.end(`${OK}\r\n#EXTM3U\n#EXTINF:-1,One\nhttp://a.example/1\n`),
    /this is a playlist of channels \(M3U\): set `url` to that of one of its entries/,
  ],
  page: [
    (socket) => socket.end(`${OK}Content-Type: video/mp2t\r\n\r\n<!doctype html><title>Log in</title>`),
    /this is an HTML page: its title is "Log in"/,
  ],
  gzip: [(socket) => socket.end(Buffer.concat([Buffer.from(`${OK}\r\n`), gzipSync(stream)])), /compressed with gzip/],
  'gzip-named': [
    (socket) => socket.end(Buffer.concat([Buffer.from(`${OK}Content-Encoding: gzip\r\n\r\n`), gzipSync(stream)])),
    /with Content-Encoding "gzip"/,
  ],
  'reset-in-head': [(socket) => void socket.write(`${OK}X: y`, () => socket.resetAndDestroy()), /no response: /],
  'to-itself': [(socket) => socket.end(moved('/one.ts')), /a redirect loop at /],
  'to-nowhere': [(socket) => socket.end(moved('')), /a redirect without a valid Location/],
  'asks-for-basic': [
    (socket) => socket.end('HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest realm=a, nonce=b\r\n\r\n'),
    /responded with 401 Unauthorized, asks for digest/,
  ],
}

test('viewers get what upstreams send byte for byte, however they put it into HTTP; of the rest, the status says what it is', async () => {
  await using upstreams = new RawUpstreams()
  const pipelines: string[] = []
  for (const [name, [serve, options]] of Object.entries({ ...PLAYED, ...REFUSED })) {
    const upstream = await upstreams.open(serve)
    // Upstreams are silent after the stream: one that is called again would go on with other counters and times.
    const patience = name in PLAYED ? ', readTimeout: 5m' : ''
    const more = typeof options === 'string' ? `${patience}, ${options}` : patience
    pipelines.push(
      `  ${name}:`,
      `    inputs: { main: { type: http, url: "http://${upstream.host}/one.ts"${more} } }`,
      `    outputs: { ts: { type: http-ts, from: main, listener: web, path: /${name} } }`,
    )
  }
  await using live = await TestEngine.create()
  await live.start(
    [
      'version: 1',
      'engine: { api: { address: "127.0.0.1:0" }, stateDir: state, drain: 1s }',
      'listeners: { web: { address: "127.0.0.1:0" } }',
      'pipelines:',
      ...pipelines,
    ].join('\n'),
  )
  const viewers = Object.keys(PLAYED).map((name) => [name, live.viewer(`/${name}`)] as const)
  for (const [name, [, why]] of Object.entries(REFUSED)) {
    await until(
      () => why.test(live.node(`${name}/main`).why),
      () => `${name}: ${live.node(`${name}/main`).why}`,
    )
  }
  const end = stream.subarray(-1880)
  for (const [name, viewer] of viewers) {
    await until(
      () => viewer.body.includes(end),
      () => `${name}: the end of the stream; ${viewer.body.length} bytes, ${JSON.stringify(live.node(`${name}/main`))}`,
    )
    const body = viewer.body.subarray(0, viewer.body.indexOf(end) + end.length)
    assertJoin(name, assertClean(name, checkTs(body)))
    // PAT and PMT of the join have counters of their own; the rest is as it was sent.
    assert.ok(stream.includes(body.subarray(2 * 188)), `${name}: ${body.length} bytes are not those of the upstream`)
  }
})
