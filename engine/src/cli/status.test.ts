import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { createControlApi } from '../api/control-api.js'
import { engineStatus, inputStatus, statusSource } from '../api/status-fixture.test.kit.js'
import type { EngineStatus } from '../observe/status.js'
import { createLog } from '../observe/log.js'
import { keepStreams } from './cli-streams.test.kit.js'
import { apiUrl, findToken } from './request-api.js'
import { showStatus } from './status.js'

const TOKEN = 'the-token-of-this-test-0123456789'
let status: EngineStatus = engineStatus
let tokenNeeded = false
let server: Server
let api: string
let folder: string

before(async () => {
  const handler = createControlApi({
    source: { ...statusSource, status: () => status },
    token: TOKEN,
    hosts: [],
    boundAddresses: () => [],
    log: createLog({ level: 'error', stream: { write: () => undefined } }),
  })
  server = createServer((request, response) => {
    // As if through a proxy, which makes the token needed.
    if (tokenNeeded) request.headers['x-forwarded-for'] = '198.51.100.7'
    handler(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  api = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  folder = await mkdtemp(join(tmpdir(), 'millrace-status-'))
})

after(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  await rm(folder, { recursive: true, force: true })
})

test('status is a table for people, exit 1 while something is not ready', async () => {
  const streams = keepStreams()
  assert.equal(await showStatus(streams, { api, folder }), 1)
  assert.equal(
    streams.outText(),
    [
      'engine  running, not ready, up 2h 3m',
      '  live.yaml',
      '  version 0.1.0, Node 20.20.2, process 42',
      '',
      'listeners',
      '  api  http  127.0.0.1:9990',
      '',
      'pipeline live  channel one',
      '  node  kind    type     state     rate       viewers  url or reason',
      '  main  input   file     ready     4.20 Mb/s  -',
      '  ts    output  http-ts  degraded  -          12       no key frames; http://127.0.0.1:8000/live.ts; restarted 2 times; held the event loop 3 times, 0.8 s in all',
      '',
    ].join('\n'),
  )
  assert.equal(streams.errText(), '')
})

test('status --json is what the API said; exit 0 when everything is ready', async () => {
  status = {
    ...engineStatus,
    ready: true,
    reasons: [],
    pipelines: [{ name: 'live', description: '', nodes: [inputStatus] }],
  }
  try {
    const streams = keepStreams({ ENGINE_API: api })
    assert.equal(await showStatus(streams, { json: true, folder }), 0)
    assert.deepEqual(JSON.parse(streams.outText()), status)
  } finally {
    status = engineStatus
  }
})

test('that disk and engine differ is the first line', async () => {
  const reload = { inSync: false, runningId: '7f3c0a11', reason: 'live.yaml:13:15: "check" reads from "mian"' }
  status = { ...engineStatus, reload }
  try {
    const streams = keepStreams()
    await showStatus(streams, { api, folder })
    assert.match(
      streams.outText(),
      /^disk differs from running 7f3c0a11: live\.yaml:13:15: "check" reads from "mian"\nengine /,
    )
  } finally {
    status = engineStatus
  }
})

test('a port that HTTP clients never ask at is said to be one', async () => {
  const streams = keepStreams()
  assert.equal(await showStatus(streams, { api: 'http://127.0.0.1:1', folder }), 69)
  assert.match(streams.errText(), /HTTP clients never ask at this port/)
})

test('control characters from a stream do not reach the terminal', async () => {
  status = {
    ...engineStatus,
    pipelines: [{ name: 'live', description: '', nodes: [{ ...inputStatus, why: 'a\u001b[2Jb\nc' }] }],
  }
  try {
    const streams = keepStreams()
    await showStatus(streams, { api, folder })
    assert.match(streams.outText(), /a\?\[2Jb c/)
  } finally {
    status = engineStatus
  }
})

test('an engine that does not answer is exit 69 with the reason', async () => {
  const closed = createServer()
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve))
  const { port } = closed.address() as AddressInfo
  await new Promise((resolve) => closed.close(resolve))
  const streams = keepStreams()
  assert.equal(await showStatus(streams, { api: `http://127.0.0.1:${port}`, folder }), 69)
  assert.match(streams.errText(), /no engine answers at http:\/\/127\.0\.0\.1:\d+: .*ECONNREFUSED/)
  assert.equal(streams.outText(), '')
})

test('something else that answers is exit 69', async () => {
  const other = createServer((_request, response) => response.end('{"hello":"world"}'))
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  const streams = keepStreams()
  const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`
  assert.equal(await showStatus(streams, { api: url, folder }), 69)
  assert.match(streams.errText(), /does not answer as a control API/)
  other.closeAllConnections()
  await new Promise((resolve) => other.close(resolve))
})

test('a wrong URL is wrong usage', async () => {
  const streams = keepStreams()
  assert.equal(await showStatus(streams, { api: 'localhost:9990', folder }), 2)
})

test('the token comes from ENGINE_TOKEN, else from the state folder', async () => {
  tokenNeeded = true
  try {
    const refused = keepStreams()
    assert.equal(await showStatus(refused, { api, folder }), 69)
    assert.match(refused.errText(), /refused: this needs the token/)
    assert.equal(await showStatus(keepStreams({ ENGINE_TOKEN: TOKEN }), { api, folder }), 1)
    await mkdir(join(folder, '.millrace'))
    await writeFile(join(folder, '.millrace', 'api.token'), TOKEN, { mode: 0o600 })
    assert.equal(await showStatus(keepStreams(), { api, folder }), 1)
  } finally {
    tokenNeeded = false
  }
})

test('the token of the state folder is not sent to other machines', async () => {
  await mkdir(join(folder, '.millrace'), { recursive: true })
  await writeFile(join(folder, '.millrace', 'api.token'), TOKEN, { mode: 0o600 })
  assert.equal(await findToken(new URL('http://localhost:9990'), {}, folder), TOKEN)
  assert.equal(await findToken(new URL('http://engine.example:9990'), {}, folder), undefined)
  assert.equal(await findToken(new URL('http://192.0.2.1:9990'), {}, folder), undefined)
  assert.equal(await findToken(new URL('http://192.0.2.1:9990'), { ENGINE_TOKEN: 'given' }, folder), 'given')
})

test('the API is asked where --api, ENGINE_API or the default say', () => {
  assert.equal(apiUrl(undefined, {})?.href, 'http://127.0.0.1:9990/')
  assert.equal(apiUrl(undefined, { ENGINE_API: 'https://a.example' })?.href, 'https://a.example/')
  assert.equal(apiUrl('http://b.example', { ENGINE_API: 'https://a.example' })?.href, 'http://b.example/')
  assert.equal(apiUrl('ftp://b.example', {}), undefined)
})
