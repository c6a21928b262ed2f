import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { renderAmf0 } from '../amf/amf0-writer.js'
import { renderChunks } from '../chunk/chunk-writer.js'
import { MediaMessage } from '../send/media-message.js'
import { answerAdobeChallenge } from './adobe-auth.js'
import { MESSAGE } from './message.js'
import { SessionPair, TestServer } from './session.test.kit.js'

const audio = (timestampMs: number, length = 3): MediaMessage =>
  new MediaMessage(MESSAGE.audio, 'audio', timestampMs, new Uint8Array(length).fill(0xaf))

test('publishes: media arrive as they were sent, metadata without their wrapping', () => {
  const pair = new SessionPair({ name: 'cam?token=a' }).settle()
  assert.equal(pair.isStarted, true)
  const metadata = renderAmf0(['onMetaData', { width: 320 }])
  pair.send(new MediaMessage(MESSAGE.data, 'headers', 0, metadata))
  pair.send(audio(0x1000000, 10_000))
  const [publisher] = pair.server.publishers
  assert.deepEqual([publisher!.request.path, publisher!.request.query], ['live/cam', 'token=a'])
  assert.deepEqual(publisher!.media, [
    { type: 18, timestampMs: 0, body: Buffer.from(metadata).toString('hex') },
    { type: 8, timestampMs: 0x1000000, body: 'af'.repeat(10_000) },
  ])
  pair.client.close(pair.server.nowMs)
  pair.settle()
  assert.deepEqual([pair.end?.code, publisher!.ended], ['closed', 'unpublished'])
})

test('plays: media come through, and the end of the stream is told once', () => {
  const pair = new SessionPair({ mode: 'play' }).settle()
  const [play] = pair.server.plays
  play!.handle!.send(audio(5), pair.server.nowMs)
  pair.settle()
  assert.deepEqual(
    pair.media.filter(({ type }) => type === MESSAGE.audio),
    [{ type: 8, timestampMs: 5, body: 'afafaf' }],
  )
  play!.handle!.end('over', pair.server.nowMs)
  pair.settle()
  assert.deepEqual([pair.unpublished, pair.end], [1, undefined])
})

test('plays what a server sends on message stream 0', () => {
  const pair = new SessionPair({ mode: 'play' }).settle()
  const message = { type: MESSAGE.audio, chunkStreamId: 4, messageStreamId: 0, timestampMs: 7 }
  pair.client.receive(renderChunks({ ...message, body: Uint8Array.of(0xaf, 1, 2) }, 4096), pair.server.nowMs)
  assert.deepEqual(pair.media.at(-1), { type: 8, timestampMs: 7, body: 'af0102' })
})

for (const [kind, mode, refusal] of [
  ['taken', 'publish', 'badName'],
  ['denied', 'publish', 'rejected'],
  ['notFound', 'play', 'notFound'],
  ['denied', 'play', 'rejected'],
] as const) {
  test(`${mode}: a server that says ${kind} is understood as ${refusal}`, () => {
    const server = new TestServer()
    server.holds = true
    const pair = new SessionPair({ mode }, { server }).settle()
    const { request } = mode === 'play' ? server.plays[0]! : server.publishers[0]!
    request.reject(kind, `because${'!'.repeat(1000)}\n`, server.nowMs)
    pair.settle()
    assert.equal(pair.failure?.refusal, refusal)
    assert.ok(pair.failure.description.startsWith('because!') && pair.failure.description.length < 250)
    assert.deepEqual([pair.isStarted, pair.end?.code], [false, 'refused'])
  })
}

test('a server that repeats the key in its refusal does not make it public, nor control a terminal', () => {
  const server = new TestServer()
  server.holds = true
  const pair = new SessionPair({ name: 'stream-key?token=s3cret' }, { server }).settle()
  server.publishers[0]!.request.reject('denied', '\u001b[31mno live/stream-key?token=s3cret', server.nowMs)
  pair.settle()
  assert.deepEqual([pair.failure?.description, pair.end?.detail], Array(2).fill('?[31mno live/***?***'))
})

/** A far end made of bytes, that has accepted a publisher. */
function publishing() {
  const pair = new SessionPair().settle()
  const tell = (type: number, body: Uint8Array, messageStreamId = 0): void =>
    pair.client.receive(
      renderChunks({ type, chunkStreamId: 2, messageStreamId, timestampMs: 0, body }, 4096),
      pair.server.nowMs,
    )
  return { pair, tell }
}

for (const [name, valueAt] of [
  ['always the same', () => 131_325],
  ['zero', () => 0],
  ['decreasing', (count: number) => 2 ** 32 - count],
  ['absent', () => undefined],
] as const) {
  test(`acknowledgements that are ${name} hold up nothing over 20 MB`, () => {
    const { pair, tell } = publishing()
    for (let count = 0; count < 200; count++) {
      assert.equal(pair.send(audio(count, 100_000)), true)
      const value = valueAt(count)
      if (value !== undefined) tell(MESSAGE.acknowledgement, new Uint8Array(new Uint32Array([value]).buffer).reverse())
    }
    const stats = pair.client.stats(pair.server.nowMs)
    assert.deepEqual([stats.queuedBytes, stats.droppedMessages, stats.rttMs], [0, 0, undefined])
    assert.equal(pair.server.publishers[0]!.media.length, 200)
  })
}

describe('a server that misbehaves', () => {
  test('is given up after 10 s without an answer', () => {
    const server = new TestServer()
    server.holds = true
    const pair = new SessionPair({}, { server }).settle()
    server.nowMs += 9999
    pair.client.advance(server.nowMs)
    assert.equal(pair.client.isEnded, false)
    server.nowMs += 1
    pair.client.advance(server.nowMs)
    assert.equal(pair.end?.code, 'setupTimeout')
  })

  test('errors about releaseStream, unknown statuses and redirects after the start end nothing but what they say', () => {
    const { pair, tell } = publishing()
    tell(MESSAGE.command, renderAmf0(['_error', 2, null, { level: 'error', code: 'NetConnection.Call.Failed' }]))
    tell(MESSAGE.command, renderAmf0(['onStatus', 0, null, { level: 'status', code: 'NetStream.Something' }]), 1)
    tell(MESSAGE.command, renderAmf0(['onStatus', 0, null, null]), 1)
    tell(MESSAGE.command, renderAmf0(['_result', 4, null, 77]))
    assert.equal(pair.client.isEnded, false)
  })

  test('a redirect is a refusal', () => {
    const { pair, tell } = publishing()
    const ex = { code: 302, redirect: 'rtmp://elsewhere.example/app' }
    const info = { level: 'error', code: 'NetConnection.Connect.Rejected', description: 'moved', ex }
    tell(MESSAGE.command, renderAmf0(['onStatus', 0, null, info]))
    assert.deepEqual([pair.failure?.refusal, pair.end?.code], ['rejected', 'refused'])
  })
})

describe("Adobe's challenge", () => {
  const credentials = { user: 'anna', password: 's3cret' }

  test('first the user is named', () => {
    const said = '[ AccessManager.Reject ] : [ code=403 need auth; authmod=adobe ] : '
    assert.equal(answerAdobeChallenge(said, credentials), 'authmod=adobe&user=anna')
  })

  test('then the challenge is answered', () => {
    const said =
      '[ AccessManager.Reject ] : [ authmod=adobe ] : ?reason=needauth&user=anna&salt=7hnmKQ==&challenge=HrGJ7g==&opaque=HrGJ7g=='
    // base64(md5(base64(md5(user, salt, password)), opaque, nonce)), as ffmpeg computes it.
    assert.equal(
      answerAdobeChallenge(said, credentials, '01020304'),
      'authmod=adobe&user=anna&challenge=01020304&response=nr24ATeXrpVeweO6qvnJbg==&opaque=HrGJ7g==',
    )
  })

  for (const said of ['', 'authmod=llnw code=403 need auth', '[ authmod=adobe ] : ?reason=authfailed&opaque=x']) {
    test(`"${said}" is not answered`, () => assert.equal(answerAdobeChallenge(said, credentials), undefined))
  }
})
