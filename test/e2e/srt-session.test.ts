// Sessions over SRT: ffmpeg publishes and srt-live-transmit watches with one, and without a good one both are refused with
// SRT's own codes.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { SrtError, SrtSocket } from '@millrace/srt/node'
import { getJson, httpRequest } from './kit/http-request.js'
import { REPOSITORY_ROOT } from './kit/repository-root.js'
import { sendClip } from './kit/send-clip.js'
import { srtLiveTransmit } from './kit/srt-live-transmit.js'
import { type EngineProcess, startEngine } from './kit/start-engine.js'
import { until } from './kit/until.js'

const ENOUGH_BYTES = 100_000
/** How libsrt's programs show codes from 1000. */
const REJECTED = /Application-defined rejection reason/

function yamlOf(description: string): string {
  return `
version: 1
engine: { api: { address: "127.0.0.1:0" } }
listeners:
  srt: { protocol: srt, address: "127.0.0.1:0", latency: 300ms }
  web: { address: "127.0.0.1:0" }
auth:
  keys:
    type: session
    actions: [read, publish]
    resume: 0s
    listener: web
    streams: { news: { publish: news-publish, request: news-request }, other: other-token }
    passphrases: { other: that-of-other }
    cors: ["https://tv.example"]
services:
  metrics: { type: prometheus, listener: web, path: /metrics }
pipelines:
  relay:
    description: ${description}
    inputs: { pub: { type: srt, listener: srt, streams: "*", batch: 20ms, auth: keys } }
    transforms: { gops: { type: gop, from: pub } }
    outputs: { view: { type: srt, from: gops, listener: srt, auth: keys } }
`
}

test('publishers and viewers need a session of their stream and mode; it is used once, and outlives a reload', async () => {
  await using engine = await startEngine({ yaml: yamlOf('before') })
  await engine.ready()
  const [srt, web] = await Promise.all([addressOf(engine, 'srt'), addressOf(engine, 'web')])
  const create = async (stream: string, token: string): Promise<string> => {
    const headers = { Authorization: `Bearer ${token}`, Origin: 'https://tv.example' }
    const url = `http://${web}/v1/streams/${stream}/sessions`
    const made = await getJson<Record<string, string>>(url, 201, { method: 'POST', headers })
    assert.equal(made['resource_id'], stream)
    return made['session_id'] ?? ''
  }
  const url = `srt://${srt}?mode=caller&latency=300000&streamid=`

  const [publishing, watching] = [await create('news', 'news-publish'), await create('news', 'news-request')]
  await engine.folder.write('pipeline.yaml', yamlOf('after'))
  await until(async () => (await engine.status()).pipelines.some((one) => one.description === 'after'), 'the reload')

  await using caller = await SrtSocket.open()
  const [host = '', port = ''] = srt.split(':')
  const refusalOf = async (streamId: string, secret: { passphrase?: string } = {}): Promise<number | undefined> => {
    // Longer than a request for an unknown name waits.
    const asked = { host, port: Number(port), streamId, timeoutMs: 60_000, ...secret }
    const error: unknown = await caller.connect(asked).catch((reason: unknown) => reason)
    return error instanceof SrtError ? error.rejectCode : undefined
  }
  assert.equal(await refusalOf('#!::r=news,m=publish'), 1401)
  assert.equal(await refusalOf('#!::r=news,m=publish,s=0123456789abcdef'), 1401)
  assert.equal(await refusalOf(`#!::r=news,m=publish,s=${watching}`), 1403)
  assert.equal(await refusalOf(`#!::r=other,m=publish,s=${publishing}`), 1403)
  await using refused = sendClip('mpegts', `${url}#!::r=news,m=publish`)
  assert.notEqual((await refused.exited).code, 0)
  assert.match(refused.stderr, REJECTED)

  await using publisher = sendClip('mpegts', `${url}#!::r=news,m=publish,s=${publishing}`)
  await until(
    () => has(engine, 'relay@news/view'),
    () => `the copy of news: ${publisher.stderr}`,
  )
  await using stranger = srtLiveTransmit(`srt://${srt}?streamid=#!::r=news,m=request`, () => undefined)
  await until(
    () => REJECTED.test(stranger.stderr),
    () => stranger.stderr,
  )
  await stranger[Symbol.asyncDispose]()
  let received = 0
  const place = `srt://${srt}?latency=300&streamid=#!::r=news,m=request,s=${watching}`
  await using viewer = srtLiveTransmit(place, (bytes) => (received += bytes.length))
  await until(
    () => received >= ENOUGH_BYTES,
    () => `${received} bytes: ${viewer.stderr}`,
  )
  assert.equal(await refusalOf(`#!::r=unknown,m=request,s=${watching}`), 1404)

  const { text } = await httpRequest(`http://${web}/metrics`)
  assert.match(text, /^millrace_auth_session_used_total\{[^}]*node="keys"[^}]*\} 2$/m)
  assert.match(text, /^millrace_auth_session_resumed_total\{[^}]*\} 0$/m)
  const preflight = await httpRequest(`http://${web}/v1/streams/news/sessions`, {
    method: 'OPTIONS',
    headers: { Origin: 'https://tv.example', 'Access-Control-Request-Headers': 'authorization' },
  })
  assert.equal(preflight.status, 204)
  assert.equal(preflight.headers['access-control-allow-methods'], 'GET, HEAD, POST, DELETE')
  assert.equal(preflight.headers['access-control-allow-origin'], 'https://tv.example')
  const other = `#!::r=other,m=publish,s=${await create('other', 'other-token')}`
  // A wrong passphrase does not use up the session.
  assert.equal(await refusalOf(other, { passphrase: 'another-one' }), 10)
  assert.equal(await refusalOf(other, { passphrase: 'that-of-other' }), undefined)
  await publisher[Symbol.asyncDispose]()
  await viewer[Symbol.asyncDispose]()
  await engine.stop()
})

test('pipelines/srt-sessions.yaml: the token of a stream makes sessions, with which ffmpeg publishes and viewers watch', async () => {
  const shipped = await readFile(join(REPOSITORY_ROOT, 'pipelines/srt-sessions.yaml'), 'utf8')
  const env = {
    ...{ STREAM_TOKEN: 'a-long-secret', SRT_LATENCY: '500ms' },
    ...{ SRT_ADDRESS: '127.0.0.1:0', WEB_ADDRESS: '127.0.0.1:0' },
  }
  const yaml = `${shipped}\nengine: { api: { address: "127.0.0.1:0" } }\n`
  await using engine = await startEngine({ yaml, env })
  await engine.ready()
  const [srt, web] = await Promise.all([addressOf(engine, 'srt'), addressOf(engine, 'web')])
  const session = async (): Promise<string> => {
    const headers = { Authorization: 'Bearer a-long-secret' }
    const url = `http://${web}/v1/streams/1/sessions`
    const made = await getJson<Record<string, string>>(url, 201, { method: 'POST', headers })
    return made['session_id'] ?? ''
  }
  await using publisher = sendClip(
    'mpegts',
    `srt://${srt}?mode=caller&latency=500000&streamid=#!::r=1,m=publish,s=${await session()}`,
  )
  await until(
    () => has(engine, 'relay@1/view'),
    () => `the copy: ${publisher.stderr}`,
  )
  let received = 0
  const place = `srt://${srt}?latency=500&streamid=#!::r=1,m=request,s=${await session()}`
  await using viewer = srtLiveTransmit(place, (bytes) => (received += bytes.length))
  await until(
    () => received >= ENOUGH_BYTES,
    () => `${received} bytes: ${viewer.stderr}`,
  )
  const { text } = await httpRequest(`http://${web}/v1/metrics`)
  assert.match(text, /^srt_connection_\w+\{/m)
})

async function has(engine: EngineProcess, id: string): Promise<boolean> {
  const { pipelines } = await engine.status()
  return pipelines.some(({ nodes }) => nodes.some((node) => node.id === id))
}

async function addressOf(engine: EngineProcess, listener: string): Promise<string> {
  const found = (await engine.status()).listeners.find(({ name }) => name === listener)
  assert.ok(found !== undefined)
  return found.address
}
