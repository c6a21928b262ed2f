// The output `hls` over HTTP/2, as browsers read it from a listener with TLS.
import assert from 'node:assert/strict'
import { connect, type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2'
import { test } from 'node:test'
import { buildTs } from '@millrace/engine/testing'
import { SelfSigned } from '../e2e/kit/self-signed.js'
import { TestEngine } from './test-engine.js'

const NAME = 'hls.test'
const YAML = `
version: 1
engine: { api: { address: "127.0.0.1:0" }, stateDir: state, drain: 2s }
listeners: { web: { address: "127.0.0.1:0", tls: { cert: cert.pem, key: key.pem } } }
pipelines:
  one:
    inputs: { main: { type: file, path: main.ts, loop: true } }
    transforms: { gops: { type: gop, from: main } }
    outputs: { hls: { type: hls, from: gops, listener: web, path: /live/index.m3u8, segment: 500ms, window: 6s } }
`

interface Answer {
  readonly status: number | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

function get(session: ClientHttp2Session, path: string, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':path': path, ...headers })
    const parts: Buffer[] = []
    let answered: IncomingHttpHeaders & { readonly ':status'?: number | undefined } = {}
    stream.on('response', (given) => void (answered = given))
    stream.on('data', (part: Buffer) => void parts.push(part))
    stream.on('end', () => resolve({ status: answered[':status'], headers: answered, body: Buffer.concat(parts) }))
    stream.on('error', reject)
  })
}

function lastUri({ body }: Answer): string {
  return `/live/${body.toString().trimEnd().split('\n').at(-1)}`
}

test('playlists, segments, ranges and 304 are the same over HTTP/2', async () => {
  await using certificate = await SelfSigned.make(NAME)
  await using live = await TestEngine.create()
  await live.folder.write('cert.pem', certificate.tls.cert)
  await live.folder.write('key.pem', certificate.tls.key)
  await live.folder.write(
    'main.ts',
    buildTs({ durationS: 6, video: { gopFrames: 12, fps: 24, bitrate: 300_000 } }).bytes,
  )
  await live.start(YAML)
  const session = connect(`https://${live.address('web')}`, { ca: certificate.tls.cert, servername: NAME })
  // Its requests fail with it.
  session.on('error', () => undefined)
  try {
    const multivariant = await get(session, '/live/index.m3u8')
    assert.equal(session.alpnProtocol, 'h2')
    assert.equal(multivariant.status, 200, multivariant.body.toString())
    const variant = multivariant.body
      .toString()
      .split('\n')
      .find((line) => line.endsWith('.m3u8') && !line.startsWith('#'))
    const path = `/live/${variant}`
    const list = await get(session, path)
    assert.deepEqual(
      [list.status, list.headers['content-type'], list.headers['content-length']],
      [200, 'application/vnd.apple.mpegurl', `${list.body.length}`],
    )
    const segment = lastUri(list)
    const whole = await get(session, segment)
    const { length } = whole.body
    assert.deepEqual([whole.status, whole.headers['content-length'], length % 188], [200, `${length}`, 0])
    const part = await get(session, segment, { range: 'bytes=188-375' })
    assert.deepEqual([part.status, part.headers['content-range']], [206, `bytes 188-375/${length}`])
    assert.deepEqual(part.body, whole.body.subarray(188, 376))
    const unchanged = await get(session, segment, { 'if-none-match': whole.headers.etag ?? '' })
    assert.deepEqual([unchanged.status, unchanged.body.length], [304, 0])
  } finally {
    session.close()
  }
})
