// The control API of a running engine: health, readiness, status, and access.
import assert from 'node:assert/strict'
import { readFile, stat } from 'node:fs/promises'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { ApiError, EngineStatus, NodeStatus, PipelineStatus } from '@millrace/engine/api'
import { buildTs } from '@millrace/engine/testing'
import { engineYaml } from './kit/engine-yaml.js'
import { getJson, httpRequest } from './kit/http-request.js'
import type { HttpRequestOptions } from './kit/http-request.js'
import { startEngine } from './kit/start-engine.js'
import type { EngineProcess } from './kit/start-engine.js'

const clip = buildTs({ durationS: 2 }).bytes
const CHANNELS = {
  one: { input: 'path: a.ts, loop: true', through: 'both' },
  two: { input: 'path: b.ts, loop: true', through: 'ts' },
} as const
const FILES = { 'a.ts': clip, 'b.ts': clip }
const STATUS = '/api/v1/status'

async function codeOf(url: string, options?: HttpRequestOptions): Promise<{ status: number; code: string }> {
  const { status, text } = await httpRequest(url, options)
  return { status, code: (JSON.parse(text) as ApiError).error.code }
}

describe('on loopback', () => {
  let engine: EngineProcess
  before(async () => {
    engine = await startEngine({ yaml: engineYaml(CHANNELS), files: FILES })
    await engine.ready()
  })
  after(async () => {
    await engine.stop()
    await engine[Symbol.asyncDispose]()
  })

  test('health is a line of text, and readiness covers everything, a pipeline or a node', async () => {
    const health = await httpRequest(`${engine.api}/healthz`)
    assert.deepEqual({ status: health.status, text: health.text }, { status: 200, text: 'ok\n' })
    for (const query of ['', '?pipeline=one', '?node=two/out']) {
      assert.deepEqual(await getJson(`${engine.api}/readyz${query}`), { ready: true, reasons: [] }, query)
    }
    for (const query of ['?pipeline=three', '?node=one/nothing']) {
      assert.deepEqual(await codeOf(`${engine.api}/readyz${query}`), { status: 404, code: 'API_NOT_FOUND' }, query)
    }
    assert.equal((await codeOf(`${engine.api}/readyz?pipelin=one`)).status, 400)
  })

  test('status shows every running listener, pipeline and node', async () => {
    const status = await getJson<EngineStatus>(engine.api + STATUS)
    assert.equal(status.pid, engine.child.pid)
    assert.equal(status.state, 'running')
    assert.deepEqual({ ready: status.ready, reasons: status.reasons }, { ready: true, reasons: [] })
    assert.ok(!Number.isNaN(Date.parse(status.startedAt)) && status.uptimeSeconds >= 0)
    assert.deepEqual(status.listeners.map(({ name }) => name).sort(), ['api', 'web'])
    for (const { address, origins } of status.listeners) assert.equal(`http://${address}`, origins[0])
    const nodes = [...status.services, ...status.pipelines.flatMap((pipeline) => pipeline.nodes)]
    const kinds = Object.fromEntries(nodes.map(({ id, kind, type, state }) => [id, `${kind} ${type} ${state}`]))
    assert.deepEqual(kinds, {
      'services/metrics': 'service prometheus ready',
      'one/main': 'input file ready',
      'one/check': 'transform ts-validate ready',
      'one/gops': 'transform gop ready',
      'one/out': 'output http-ts ready',
      'two/main': 'input file ready',
      'two/out': 'output http-ts ready',
    })
    assert.deepEqual((await engine.node('one/gops')).from, ['one/check.out'])
    assert.equal((await engine.node('one/out')).clients, 0)
    assert.ok((await engine.node('one/main')).sentBytes > 0)
  })

  test('a single pipeline or node can be requested, and an unknown one is an error with help', async () => {
    const pipeline = await getJson<PipelineStatus>(`${engine.api}/api/v1/pipelines/two`)
    assert.deepEqual(
      pipeline.nodes.map(({ id }) => id),
      ['two/main', 'two/out'],
    )
    const node = await getJson<NodeStatus>(`${engine.api}/api/v1/pipelines/two/nodes/out`)
    assert.match(node.urls?.[0] ?? '', /^http:\/\/127\.0\.0\.1:\d+\/two\/out\.ts$/)
    const missing = await getJson<ApiError>(`${engine.api}/api/v1/pipelines/nine`, 404)
    assert.equal(missing.error.code, 'API_NOT_FOUND')
    assert.ok(missing.error.message !== '' && missing.error.help !== '')
  })

  test('every readable path in the OpenAPI document responds', async () => {
    interface Operation {
      readonly responses: { readonly 200: { readonly content: Readonly<Record<string, unknown>> } }
    }
    interface Document {
      readonly openapi: string
      readonly paths: Readonly<Record<string, { readonly get?: Operation }>>
    }
    const authorization = `Bearer ${(await readFile(join(engine.folder.path, 'state/api.token'), 'utf8')).trim()}`
    const { openapi, paths } = await getJson<Document>(`${engine.api}/api/v1/openapi.json`)
    assert.match(openapi, /^3\.1\./)
    for (const path of ['/healthz', '/readyz', STATUS]) assert.ok(paths[path]?.get !== undefined, path)
    for (const [path, { get }] of Object.entries(paths)) {
      if (get === undefined) continue
      const filled = path.replace('{pipeline}', 'one').replace('{node}', 'main').replace('{service}', 'metrics')
      // Streams have no end, so that only their heads are requested; a stream of media needs the token.
      const { content } = get.responses[200]
      const method = 'text/event-stream' in content || 'video/mp2t' in content ? 'HEAD' : 'GET'
      assert.equal((await httpRequest(engine.api + filled, { method, headers: { authorization } })).status, 200, path)
    }
  })

  test('unsupported methods are refused, and writes without the token are refused first', async () => {
    const token = (await readFile(join(engine.folder.path, 'state/api.token'), 'utf8')).trim()
    const authorization = `Bearer ${token}`
    const json = { 'content-type': 'application/json' }
    const ask = (method: string, headers: Record<string, string>) =>
      codeOf(engine.api + STATUS, { method, headers, body: '{}' })
    assert.deepEqual(await ask('POST', json), { status: 401, code: 'API_TOKEN_NEEDED' })
    assert.deepEqual(await ask('POST', { ...json, authorization: `${authorization}x` }), {
      status: 401,
      code: 'API_TOKEN_NEEDED',
    })
    assert.deepEqual(await ask('POST', { authorization }), { status: 415, code: 'API_JSON_NEEDED' })
    assert.deepEqual(await ask('POST', { ...json, authorization }), { status: 405, code: 'API_METHOD_NOT_ALLOWED' })
    const refused = await httpRequest(engine.api + STATUS, { method: 'DELETE', headers: { ...json, authorization } })
    assert.deepEqual({ status: refused.status, allow: refused.headers.allow }, { status: 405, allow: 'GET, HEAD' })
    assert.equal((await httpRequest(engine.api + STATUS, { method: 'HEAD' })).status, 200)
  })

  test('requests from other origins, and for other host names, are refused, including metrics', async () => {
    const { host } = new URL(engine.api)
    for (const path of [STATUS, '/metrics', '/api/v1/openapi.json']) {
      const foreign = { headers: { origin: 'http://evil.example' } }
      assert.deepEqual(await codeOf(engine.api + path, foreign), { status: 403, code: 'API_ORIGIN_REFUSED' }, path)
      const rebound = { headers: { host: `evil.example:${new URL(engine.api).port}` } }
      assert.deepEqual(await codeOf(engine.api + path, rebound), { status: 421, code: 'API_HOST_REFUSED' }, path)
      assert.equal((await httpRequest(engine.api + path, { headers: { origin: `http://${host}` } })).status, 200, path)
      assert.equal((await httpRequest(engine.api + path, { headers: { host: 'localhost' } })).status, 200, path)
    }
    assert.equal((await codeOf(engine.api + STATUS, { headers: { origin: 'null' } })).status, 403)
    assert.equal((await httpRequest(`${engine.api}/healthz`, { headers: { host: 'probe.example' } })).status, 200)
  })

  test('only the user can read the token file', async () => {
    const { mode } = await stat(join(engine.folder.path, 'state/api.token'))
    assert.equal(mode & 0o777, 0o600)
    assert.equal((await stat(join(engine.folder.path, 'state'))).mode & 0o777, 0o700)
  })
})

test('on all addresses: loopback may read, others need the token, and health checks need none', async () => {
  await using engine = await startEngine({ yaml: engineYaml(CHANNELS, { api: '0.0.0.0:0' }), files: { 'a.ts': clip } })
  const { port } = new URL(engine.api)
  const token = (await readFile(join(engine.folder.path, 'state/api.token'), 'utf8')).trim()
  assert.equal((await httpRequest(engine.api + STATUS)).status, 200)
  // A proxy on this machine forwards for others.
  const proxied = { headers: { 'x-forwarded-for': '192.0.2.7' } }
  assert.deepEqual(await codeOf(engine.api + STATUS, proxied), { status: 401, code: 'API_TOKEN_NEEDED' })
  const allowed = { headers: { ...proxied.headers, authorization: `Bearer ${token}` } }
  assert.equal((await httpRequest(engine.api + STATUS, allowed)).status, 200)
  assert.deepEqual(await getJson(`${engine.api}/readyz`, 503, proxied), { ready: false })
  for (const address of outerAddresses()) {
    const url = `http://${address}:${port}`
    assert.deepEqual(await codeOf(url + STATUS), { status: 401, code: 'API_TOKEN_NEEDED' }, address)
    // A loopback host name does not make the connection local.
    assert.equal((await codeOf(url + STATUS, { headers: { host: `127.0.0.1:${port}` } })).status, 401, address)
    assert.equal((await codeOf(`${url}/metrics`)).status, 401, address)
    const authorised = { headers: { authorization: `Bearer ${token}` } }
    assert.equal((await httpRequest(url + STATUS, authorised)).status, 200, address)
    assert.deepEqual(await getJson(`${url}/readyz`, 503), { ready: false }, address)
    assert.equal((await httpRequest(`${url}/healthz`)).status, 200, address)
  }
  await engine.stop()
})

/** IPv4 addresses of this machine other than loopback; there may be none. */
function outerAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((each) => each ?? [])
  return all.filter(({ family, internal }) => family === 'IPv4' && !internal).map(({ address }) => address)
}
