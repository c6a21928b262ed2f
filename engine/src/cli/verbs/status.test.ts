import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { engineStatus, inputStatus } from '../../api/status-fixture.test.kit.js'
import { type KeptStreams, keepStreams } from '../cli-streams.test.kit.js'
import { TestApi, TOKEN } from '../control-api.test.kit.js'
import { statusVerb } from './status.js'

let api: TestApi
let folder: string

before(async () => {
  api = await TestApi.start()
  folder = await mkdtemp(join(tmpdir(), 'millrace-status-'))
})

after(async () => {
  await api[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

function showStatus(streams: KeptStreams, options: { readonly api?: string; readonly json?: boolean } = {}) {
  return statusVerb.run({ streams, folder }, options)
}

test('status is a table for people, exit 1 while something is not ready', async () => {
  const streams = keepStreams()
  assert.equal(await showStatus(streams, { api: api.url }), 1)
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
      '  ts    output  http-ts  degraded  -          12       no key frames; http://127.0.0.1:8000/live.ts; until 2026-01-02T03:04:05Z also http://127.0.0.1:8000/old.ts, 3 viewers; restarted 2 times; blocked the event loop 3 times, 0.8 s in total',
      '',
    ].join('\n'),
  )
  assert.equal(streams.errText(), '')
})

test('status shows why a node is idle, and exits 0', async () => {
  const before = api.status
  const idle = { ...inputStatus, state: 'idle', why: 'nobody publishes' } as const
  const pipelines = [{ name: 'live', description: '', nodes: [idle], edges: [] }]
  api.status = { ...engineStatus, ready: true, reasons: [], pipelines }
  try {
    const streams = keepStreams()
    assert.equal(await showStatus(streams, { api: api.url }), 0)
    assert.match(streams.outText(), /main {2}input {2}file {2}idle .* nobody publishes/)
  } finally {
    api.status = before
  }
})

test('status --json is the reply of the API; exit 0 when everything is ready', async () => {
  api.status = {
    ...engineStatus,
    ready: true,
    reasons: [],
    pipelines: [{ name: 'live', description: '', nodes: [inputStatus], edges: [] }],
  }
  try {
    const streams = keepStreams({ ENGINE_API: api.url })
    assert.equal(await showStatus(streams, { json: true }), 0)
    assert.deepEqual(JSON.parse(streams.outText()), api.status)
  } finally {
    api.status = engineStatus
  }
})

test('a difference between the disk and the engine is the first line', async () => {
  const reload = { inSync: false, runningId: '7f3c0a11', reason: 'live.yaml:13:15: "check" reads from "mian"' }
  api.status = { ...engineStatus, reload }
  try {
    const streams = keepStreams()
    await showStatus(streams, { api: api.url })
    assert.match(
      streams.outText(),
      /^disk differs from running 7f3c0a11: live\.yaml:13:15: "check" reads from "mian"\nengine /,
    )
  } finally {
    api.status = engineStatus
  }
})

test('a port that HTTP clients never connect to is reported as such', async () => {
  const streams = keepStreams()
  assert.equal(await showStatus(streams, { api: 'http://127.0.0.1:1' }), 69)
  assert.match(streams.errText(), /HTTP clients never connect to this port/)
})

test('control characters from a stream do not reach the terminal', async () => {
  api.status = {
    ...engineStatus,
    pipelines: [{ name: 'live', description: '', nodes: [{ ...inputStatus, why: 'a\u001b[2Jb\nc' }], edges: [] }],
  }
  try {
    const streams = keepStreams()
    await showStatus(streams, { api: api.url })
    assert.match(streams.outText(), /a\?\[2Jb c/)
  } finally {
    api.status = engineStatus
  }
})

test('an engine that does not reply is exit 69 with the reason', async () => {
  const closed = createServer()
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve))
  const { port } = closed.address() as AddressInfo
  await new Promise((resolve) => closed.close(resolve))
  const streams = keepStreams()
  assert.equal(await showStatus(streams, { api: `http://127.0.0.1:${port}` }), 69)
  assert.match(streams.errText(), /no engine answers at http:\/\/127\.0\.0\.1:\d+: .*ECONNREFUSED/)
  assert.equal(streams.outText(), '')
})

test('a server that refuses in plain text is named as no control API', async () => {
  const other = createServer((_request, response) => response.writeHead(404).end('Not found'))
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  const streams = keepStreams()
  const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`
  try {
    assert.equal(await showStatus(streams, { api: url }), 69)
    assert.equal(streams.errText(), `error: ${url} answered with status 404, and is not a control API\n`)
  } finally {
    other.closeAllConnections()
    await new Promise((resolve) => other.close(resolve))
  }
})

test('a server that is not a control API is exit 69', async () => {
  const other = createServer((_request, response) => response.end('{"hello":"world"}'))
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  const streams = keepStreams()
  const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`
  assert.equal(await showStatus(streams, { api: url }), 69)
  assert.match(streams.errText(), /does not come from a control API/)
  other.closeAllConnections()
  await new Promise((resolve) => other.close(resolve))
})

test('a wrong URL is wrong usage', async () => {
  const streams = keepStreams()
  assert.equal(await showStatus(streams, { api: 'ftp://localhost:9990' }), 2)
})

test('the token comes from ENGINE_TOKEN, else from the state folder', async () => {
  api.tokenNeeded = true
  try {
    const refused = keepStreams()
    assert.equal(await showStatus(refused, { api: api.url }), 69)
    assert.match(refused.errText(), /refused: this request needs the token/)
    assert.equal(await showStatus(keepStreams({ ENGINE_TOKEN: TOKEN }), { api: api.url }), 1)
    await mkdir(join(folder, '.millrace'))
    await writeFile(join(folder, '.millrace', 'api.token'), TOKEN, { mode: 0o600 })
    assert.equal(await showStatus(keepStreams(), { api: api.url }), 1)
  } finally {
    api.tokenNeeded = false
  }
})
