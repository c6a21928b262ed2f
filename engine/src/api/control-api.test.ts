import assert from 'node:assert/strict'
import { createServer, type IncomingHttpHeaders, request as httpRequest, type Server } from 'node:http'
import { type AddressInfo, Socket } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { createLog } from '../observe/log.js'
import { createControlApi, serveRoutes } from './control-api.js'
import { guardOf } from './guard.js'
import { apiRoutes } from './route-table.js'
import type { Route } from './route.js'
import {
  apiErrorSchema,
  clientListSchema,
  engineStatusSchema,
  nodeStatusSchema,
  pipelineStatusSchema,
} from '../observe/status.js'
import { clientStatus, engineStatus, outputStatus, quietFeed, statusSource } from './status-fixture.test.kit.js'

const TOKEN = 'the-token-of-this-test-0123456789'
const bearer = { authorization: `Bearer ${TOKEN}` }

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

interface Ask {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

let server: Server
let remote = false
const lines: string[] = []
const log = createLog({ level: 'info', stream: { write: (line: string) => void lines.push(line) } })

const settings = { token: TOKEN, hosts: ['engine.example'], boundAddresses: () => ['10.1.2.3:9990'] }

const extraRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: '/api/v1/write',
    summary: 'stands for every writing route',
    answers: { 200: { text: 'done' } },
    answer: () => ({ status: 200, text: 'done' }),
  },
  {
    method: 'GET',
    path: '/api/v1/broken',
    summary: 'stands for a bug',
    answers: {},
    answer: () => {
      throw new Error('a secret of the engine')
    },
  },
]

before(async () => {
  const handler = serveRoutes([...apiRoutes(statusSource, quietFeed(log)), ...extraRoutes], guardOf(settings), log)
  server = createServer((request, response) => {
    // Stands for a connection that was not made over loopback.
    if (remote) Object.defineProperty(request.socket, 'localAddress', { value: '10.1.2.3', configurable: true })
    handler(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})

after(async () => {
  await new Promise((resolve) => server.close(resolve))
})

function ask(path: string, { method = 'GET', headers = {}, body }: Ask = {}, of = server): Promise<Answer> {
  const { port } = of.address() as AddressInfo
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port, path, method, headers, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (part: string) => (text += part))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }))
    })
    request.on('error', reject)
    request.end(body)
  })
}

async function asRemote<T>(run: () => Promise<T>): Promise<T> {
  remote = true
  try {
    return await run()
  } finally {
    remote = false
  }
}

function codeOf(answer: Answer): string {
  return apiErrorSchema.parse(JSON.parse(answer.body)).error.code
}

/** What proxies, load balancers and delivery networks say of their clients. */
const PROXY_HEADERS = [
  ...['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-forwarded-port'],
  ...['x-forwarded-server', 'x-forwarded-prefix', 'x-forwarded-scheme', 'x-forwarded', 'forwarded-for'],
  ...['x-original-forwarded-for', 'x-original-host', 'x-original-url', 'x-rewrite-url', 'x-real-ip', 'x-client-ip'],
  ...['true-client-ip', 'cf-connecting-ip', 'cf-ray', 'fly-client-ip', 'fastly-client-ip', 'x-cluster-client-ip'],
  ...['x-envoy-external-address', 'x-azure-clientip', 'x-appengine-user-ip', 'do-connecting-ip', 'client-ip'],
  ...['wl-proxy-client-ip', 'ali-cdn-real-ip', 'x-remote-addr', 'x-sucuri-clientip', 'cdn-loop', 'x-arr-clientip'],
  ...['x-amzn-trace-id', 'front-end-https', 'x-url-scheme', 'x-scheme', 'x-host'],
]

describe('routes', () => {
  test('/healthz returns ok', async () => {
    const answer = await ask('/healthz')
    assert.deepEqual([answer.status, answer.body], [200, 'ok\n'])
    assert.equal(answer.headers['cache-control'], 'no-store')
  })

  test('/readyz reports on everything, a pipeline or a node, with reasons', async () => {
    const all = await ask('/readyz')
    assert.deepEqual([all.status, JSON.parse(all.body)], [503, { ready: false, reasons: engineStatus.reasons }])
    assert.equal((await ask('/readyz?pipeline=live')).status, 503)
    assert.deepEqual(JSON.parse((await ask('/readyz?node=live/main')).body), { ready: true, reasons: [] })
    assert.equal((await ask('/readyz?node=live%2Fmain')).status, 200)
  })

  test('/readyz returns 404 for names that do not exist and 400 for malformed queries', async () => {
    assert.equal(codeOf(await ask('/readyz?pipeline=nope')), 'API_NOT_FOUND')
    assert.equal(codeOf(await ask('/readyz?node=nope')), 'API_NOT_FOUND')
    for (const query of ['pipline=live', 'pipeline=live&node=live/main', 'pipeline=a&pipeline=b']) {
      const answer = await ask(`/readyz?${query}`)
      assert.deepEqual([answer.status, codeOf(answer)], [400, 'API_BAD_REQUEST'], query)
    }
  })

  test('status, pipeline and node have the documented shape', async () => {
    const status = await ask('/api/v1/status')
    assert.equal(status.headers['content-type'], 'application/json; charset=utf-8')
    assert.deepEqual(engineStatusSchema.strict().parse(JSON.parse(status.body)), engineStatus)
    const pipeline = pipelineStatusSchema.parse(JSON.parse((await ask('/api/v1/pipelines/live')).body))
    assert.equal(pipeline.nodes.length, 2)
    const node = nodeStatusSchema.parse(JSON.parse((await ask('/api/v1/pipelines/live/nodes/ts')).body))
    assert.equal(node.why, 'no key frames')
    assert.deepEqual(node.aliases, outputStatus.aliases)
    assert.deepEqual(node.details, outputStatus.details)
  })

  test('anything that does not exist is 404, in the shape of every error', async () => {
    for (const path of [
      '/',
      '/api/v1/nope',
      '/api/v1/pipelines/nope',
      '/api/v1/pipelines/live/nodes/nope',
      '/healthz/',
    ]) {
      const answer = await ask(path)
      assert.deepEqual([answer.status, codeOf(answer)], [404, 'API_NOT_FOUND'], path)
    }
  })

  test('a wrong method is 405, with the allowed ones', async () => {
    const answer = await ask('/api/v1/status', {
      method: 'DELETE',
      headers: { ...bearer, 'content-type': 'application/json' },
    })
    assert.deepEqual([answer.status, codeOf(answer)], [405, 'API_METHOD_NOT_ALLOWED'])
    assert.equal(answer.headers.allow, 'GET, HEAD')
    assert.equal((await ask('/api/v1/write')).headers.allow, 'POST')
  })

  test('HEAD responds like GET, without a body', async () => {
    const answer = await ask('/api/v1/status', { method: 'HEAD' })
    assert.deepEqual([answer.status, answer.body], [200, ''])
  })

  test('a bug is 500 without details, which go to the log', async () => {
    const answer = await ask('/api/v1/broken')
    assert.deepEqual([answer.status, codeOf(answer)], [500, 'API_BUG'])
    assert.doesNotMatch(answer.body, /secret/)
    assert.match(lines.join(''), /a secret of the engine/)
  })

  test('the JSON Schema of configuration files is that of `engine schema`', async () => {
    const { body } = await ask('/api/v1/schema')
    assert.equal((JSON.parse(body) as { title?: string }).title, 'Millrace pipelines')
  })

  test('viewers are listed, also per output, and disconnecting one needs the token', async () => {
    const all = clientListSchema.parse(JSON.parse((await ask('/api/v1/clients')).body))
    assert.deepEqual(all.clients, [clientStatus])
    const none = clientListSchema.parse(JSON.parse((await ask('/api/v1/clients?node=live/main')).body))
    assert.deepEqual(none.clients, [])
    assert.equal((await ask('/api/v1/clients?node=live/other')).status, 404)
    const json = { 'content-type': 'application/json' }
    const kick = (id: string, headers: Ask['headers'] = {}): Promise<Answer> =>
      ask(`/api/v1/clients/${id}`, { method: 'DELETE', headers })
    assert.equal((await kick(clientStatus.id, json)).status, 401)
    assert.equal((await kick(clientStatus.id, bearer)).status, 415)
    assert.equal((await kick('other', { ...json, ...bearer })).status, 404)
    const kicked = await kick(clientStatus.id, { ...json, ...bearer })
    assert.deepEqual([kicked.status, JSON.parse(kicked.body)], [200, clientStatus])
  })

  test('the OpenAPI document lists every route, and its references resolve', async () => {
    const document = JSON.parse((await ask('/api/v1/openapi.json')).body) as {
      openapi: string
      paths: Record<string, Record<string, { parameters?: { name: string; in: string }[] }>>
      components: { schemas: Record<string, unknown> }
    }
    const ids = Object.values(document.paths).flatMap((methods) =>
      Object.values(methods).map((operation) => (operation as { operationId?: string }).operationId),
    )
    assert.deepEqual([ids.length, ids.includes(undefined)], [new Set(ids).size, false])
    assert.equal(document.openapi, '3.1.0')
    assert.deepEqual(Object.keys(document.paths), [
      '/healthz',
      '/readyz',
      '/api/v1/status',
      '/api/v1/pipelines/{pipeline}',
      '/api/v1/pipelines/{pipeline}/nodes/{node}',
      '/api/v1/clients',
      '/api/v1/clients/{client}',
      '/api/v1/node-types',
      '/api/v1/pipelines/{pipeline}/nodes/{node}/commands/{command}',
      '/api/v1/pipelines/{pipeline}/nodes/{node}/switch',
      '/api/v1/services/{service}/commands/{command}',
      '/api/v1/schema',
      '/api/v1/reload',
      '/api/v1/config',
      '/api/v1/config/check',
      '/api/v1/services/{service}',
      '/api/v1/history',
      '/api/v1/history/{entry}/rollback',
      '/api/v1/events',
      '/api/v1/logs',
      ...['restart', 'enable', 'disable', 'options'].map(
        (action) => `/api/v1/pipelines/{pipeline}/nodes/{node}/${action}`,
      ),
      ...['restart', 'enable', 'disable', 'options'].map((action) => `/api/v1/services/{service}/${action}`),
      ...['explain', 'tap'].map((last) => `/api/v1/pipelines/{pipeline}/nodes/{node}/${last}`),
      '/api/v1/openapi.json',
    ])
    const node = document.paths['/api/v1/pipelines/{pipeline}/nodes/{node}']?.['get']
    assert.deepEqual(
      node?.parameters?.map((each) => `${each.in} ${each.name}`),
      ['path pipeline', 'path node'],
    )
    const references = JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)
    const names = [...references].map(([, name]) => name ?? '')
    assert.ok(names.includes('NodeStatus'))
    for (const name of names) assert.ok(name in document.components.schemas, name)
  })
})

describe('guard', () => {
  const hosts = [
    { host: 'localhost:1234', status: 200 },
    { host: '127.0.0.1', status: 200 },
    { host: '[::1]:9990', status: 200 },
    { host: 'engine.example:9990', status: 200 },
    { host: '10.1.2.3:9990', status: 200 },
    { host: 'ENGINE.example', status: 200 },
    { host: 'rebound.evil.example:9990', status: 421 },
    { host: 'localhost.evil.example', status: 421 },
    { host: '10.9.9.9', status: 421 },
  ]
  for (const { host, status } of hosts) {
    test(`Host "${host}" receives ${status}`, async () => {
      const answer = await ask('/api/v1/status', { headers: { host } })
      assert.equal(answer.status, status)
      if (status === 421) assert.equal(codeOf(answer), 'API_HOST_REFUSED')
    })
  }

  test('health checks can use any Host, and receive no reasons with a foreign one', async () => {
    const headers = { host: 'pod.cluster.example' }
    assert.equal((await ask('/healthz', { headers })).status, 200)
    assert.deepEqual(JSON.parse((await ask('/readyz', { headers })).body), { ready: false })
  })

  test("a foreign Origin receives 403, the server's own is served", async () => {
    for (const origin of ['http://evil.example', 'null', 'file:///x', 'http://localhost:1']) {
      const answer = await ask('/api/v1/status', { headers: { host: 'localhost:9990', origin } })
      assert.deepEqual([answer.status, codeOf(answer)], [403, 'API_ORIGIN_REFUSED'], origin)
    }
    const own = { host: 'localhost:9990', origin: 'http://localhost:9990' }
    assert.equal((await ask('/api/v1/status', { headers: own })).status, 200)
  })

  test('reading needs the token if the connection is not local', async () => {
    await asRemote(async () => {
      const refused = await ask('/api/v1/status')
      assert.deepEqual([refused.status, codeOf(refused)], [401, 'API_TOKEN_NEEDED'])
      assert.match(refused.headers['www-authenticate'] ?? '', /^Bearer/)
      for (const authorization of ['Bearer wrong', TOKEN, `Basic ${TOKEN}`, `Bearer ${TOKEN}x`]) {
        assert.equal((await ask('/api/v1/status', { headers: { authorization } })).status, 401, authorization)
      }
      assert.equal((await ask('/api/v1/status', { headers: bearer })).status, 200)
      assert.equal((await ask('/healthz')).status, 200)
      assert.deepEqual(JSON.parse((await ask('/readyz')).body), { ready: false })
      assert.deepEqual(JSON.parse((await ask('/readyz', { headers: bearer })).body).reasons, engineStatus.reasons)
    })
  })

  test('a page of another server does not read as a local client does, whatever browser shows it', async () => {
    for (const [site, status] of [
      ['cross-site', 401],
      ['same-site', 401],
      ['same-origin', 200],
      ['none', 200],
    ] as const) {
      const headers = { 'sec-fetch-site': site }
      assert.equal((await ask('/api/v1/status', { headers })).status, status, site)
      assert.equal((await ask('/api/v1/status', { headers: { ...headers, ...bearer } })).status, 200, site)
    }
  })

  test('with readToken: always, reading over loopback needs the token, health checks do not', async () => {
    const api = createControlApi({ ...settings, readToken: 'always', source: statusSource, feed: quietFeed(log), log })
    const strict = createServer(api)
    await new Promise<void>((resolve) => strict.listen(0, '127.0.0.1', resolve))
    try {
      assert.equal(codeOf(await ask('/api/v1/status', {}, strict)), 'API_TOKEN_NEEDED')
      assert.equal((await ask('/api/v1/status', { headers: bearer }, strict)).status, 200)
      assert.equal((await ask('/healthz', {}, strict)).status, 200)
      assert.deepEqual(JSON.parse((await ask('/readyz', {}, strict)).body), { ready: false })
    } finally {
      await new Promise((resolve) => strict.close(resolve))
    }
  })

  test('reading through a proxy needs the token, since the proxy is local but the client is not', async () => {
    for (const name of PROXY_HEADERS) {
      const headers = { [name]: '198.51.100.7' }
      assert.equal((await ask('/api/v1/status', { headers })).status, 401, name)
      assert.equal((await ask('/api/v1/status', { headers: { ...headers, ...bearer } })).status, 200, name)
    }
  })

  test('writing needs the token on every address, and JSON', async () => {
    const json = { 'content-type': 'application/json; charset=utf-8' }
    const write = (headers: Readonly<Record<string, string>>): Promise<Answer> =>
      ask('/api/v1/write', { method: 'POST', headers, body: '{}' })
    assert.equal(codeOf(await write(json)), 'API_TOKEN_NEEDED')
    assert.equal(codeOf(await write({ ...bearer })), 'API_JSON_NEEDED')
    assert.equal(codeOf(await write({ ...bearer, 'content-type': 'text/plain' })), 'API_JSON_NEEDED')
    assert.equal(codeOf(await write({ ...bearer, ...json, host: 'evil.example' })), 'API_HOST_REFUSED')
    const done = await write({ ...bearer, ...json })
    assert.deepEqual([done.status, done.body], [200, 'done'])
  })

  test('a request without Host is refused', async () => {
    const { port } = server.address() as AddressInfo
    const socket = new Socket().connect(port, '127.0.0.1')
    socket.setEncoding('utf8').end('GET /api/v1/status HTTP/1.0\r\n\r\n')
    let text = ''
    for await (const part of socket) text += String(part)
    assert.match(text, /^HTTP\/1\.1 421 /)
  })
})

test('the control API guards itself', async () => {
  const guarded = createServer(createControlApi({ ...settings, source: statusSource, feed: quietFeed(log), log }))
  await new Promise<void>((resolve) => guarded.listen(0, '127.0.0.1', resolve))
  try {
    assert.equal((await ask('/api/v1/status', {}, guarded)).status, 200)
    assert.equal((await ask('/api/v1/status', { headers: { host: 'evil.example' } }, guarded)).status, 421)
  } finally {
    await new Promise((resolve) => guarded.close(resolve))
  }
})
