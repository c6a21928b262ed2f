// Every route of the table with requests that it does not expect: each answer is one of the table's own, none is a bug.
import assert from 'node:assert/strict'
import { createServer, request as httpRequest, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { createClock } from '../observe/clock.js'
import { createLog } from '../observe/log.js'
import { apiErrorSchema, clientListSchema } from '../observe/status.js'
import { PageSessions } from '../status-page/page-sessions.js'
import { guardOf } from './guard.js'
import { serveRoutes } from './control-api.js'
import { apiRoutes } from './route-table.js'
import type { Method } from './route.js'
import { clientStatus, quietFeed, statusSource } from './status-fixture.test.kit.js'

const TOKEN = 'the-token-of-this-test-0123456789'
const METHODS: readonly Method[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']
const lines: string[] = []
const log = createLog({ level: 'error', stream: { write: (line) => void lines.push(line) } })
const many = Array.from({ length: 25 }, (_, i) => ({ ...clientStatus, id: `k3f9-${i + 1}` }))
const source = { ...statusSource, clients: () => many }
const sessions = new PageSessions(TOKEN, createClock())
const routes = apiRoutes(source, quietFeed(log), sessions)

interface Answer {
  readonly status: number
  readonly text: string
  readonly etag: string | undefined
}

let server: Server

before(async () => {
  const settings = { token: TOKEN, sessions, hosts: [], boundAddresses: () => [] }
  server = createServer(serveRoutes(routes, guardOf(settings), log))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})

after(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

function ask(method: string, path: string, headers: Record<string, string> = {}, body = ''): Promise<Answer> {
  const { port } = server.address() as AddressInfo
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ host: '127.0.0.1', port, path, method, headers, agent: false }, (response) => {
      let text = ''
      const done = (): void => resolve({ status: response.statusCode ?? 0, text, etag: response.headers.etag })
      response.setEncoding('utf8')
      response.on('data', (part: string) => (text += part))
      response.on('error', done)
      response.on('end', done)
      response.on('close', done)
      // A stream does not end by itself.
      if (response.headers['content-type'] === 'text/event-stream') response.once('data', () => response.destroy())
    })
    sent.on('error', (error: NodeJS.ErrnoException) => {
      // The rest of a body that is too large is not read.
      if (error.code === 'EPIPE' || error.code === 'ECONNRESET') resolve({ status: 413, text: '', etag: undefined })
      else reject(error)
    })
    sent.end(body)
  })
}

function pathOf(path: string, value: string): string {
  return path.replace(/\{\w+\}/g, encodeURIComponent(value))
}

function check(name: string, { status, text }: Answer): void {
  assert.notEqual(status, 500, `${name}: ${text}`)
  if (status < 400 || text === '' || name.includes('/readyz')) return
  assert.ok(apiErrorSchema.safeParse(JSON.parse(text)).success, `${name}: ${text}`)
}

const full = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' }
const BODIES = [
  '',
  '{',
  '[]',
  '"x"',
  '1e999',
  '{"a":{"b":[null]}}',
  '{"__proto__":{"x":1}}',
  '\u0000',
  '[[[[[[[[[[[[1]]]]]]]]]]]]',
]
const NAMES = ['live', 'main', '../..', '%', '\u0000', 'ä/ö', '__proto__', 'x'.repeat(3000)]

describe('every route', () => {
  for (const path of new Set(routes.map((route) => route.path))) {
    const own = routes.filter((route) => route.path === path)

    test(`${path} answers wrong methods, bodies, names and parameters with an error of the table`, async () => {
      for (const method of METHODS) {
        const answer = await ask(method, pathOf(path, 'live'), full)
        check(`${method} ${path}`, answer)
        if (!own.some((route) => route.method === method)) assert.equal(answer.status, 405, `${method} ${path}`)
      }
      for (const { method } of own) {
        for (const name of path.includes('{') ? NAMES : [])
          check(`${method} ${path} ${name.slice(0, 20)}`, await ask(method, pathOf(path, name), full))
        for (const body of method === 'GET' ? [] : BODIES)
          check(`${method} ${path} ${body}`, await ask(method, pathOf(path, 'live'), full, body))
        const unknown = await ask(method, `${pathOf(path, 'live')}?no-such=1`, full)
        assert.equal(unknown.status, 400, `${method} ${path}: ${unknown.text}`)
      }
    })

    test(`${path} refuses to change anything without the token, and bodies that are too large`, async () => {
      for (const route of own.filter(({ method, needsToken = method !== 'GET' }) => needsToken)) {
        const { 'content-type': type } = full
        assert.equal((await ask(route.method, pathOf(path, 'live'), { 'content-type': type })).status, 401)
        if (route.body === undefined) continue
        const large = await ask(route.method, pathOf(path, 'live'), full, `"${'x'.repeat(route.body.mostBytes)}"`)
        assert.equal(large.status, 413)
      }
    })

    for (const { query } of own) {
      for (const name of Object.keys(query?.shape ?? {})) {
        test(`${path} takes no odd value of ${name} as a bug`, async () => {
          for (const value of ['', '0', '-1', '1e9', 'x'.repeat(2000), '\u0000', '__proto__', 'a,b', '[]']) {
            check(
              `${path} ${name}`,
              await ask('GET', `${pathOf(path, 'live')}?${name}=${encodeURIComponent(value)}`, full),
            )
          }
        })
      }
    }
  }

  test('has been answered without a bug', () => {
    assert.deepEqual(lines, [])
  })
})

describe('GET /api/v1/clients', () => {
  test('gives pages, which continue although the viewer at their end has left', async () => {
    const ids: string[] = []
    let more = ''
    for (let pages = 0; pages < 10; pages++) {
      const { clients, next } = clientListSchema.parse(
        JSON.parse((await ask('GET', `/api/v1/clients?limit=10${more}`)).text),
      )
      ids.push(...clients.map(({ id }) => id))
      if (next === undefined) break
      more = `&after=${next}`
      many.splice(
        many.findIndex(({ id }) => id === next),
        1,
      )
    }
    assert.deepEqual(
      ids,
      Array.from({ length: 25 }, (_, i) => `k3f9-${i + 1}`),
    )
  })

  test('has no page after what is no id, and none of no viewers', async () => {
    for (const query of ['limit=0', 'limit=x', 'after=x', 'limit=100000']) {
      assert.equal((await ask('GET', `/api/v1/clients?${query}`)).status, 400, query)
    }
  })
})

test('a status that a client has already is not sent again', async () => {
  const { etag = '' } = await ask('GET', '/api/v1/status')
  const again = await ask('GET', '/api/v1/status', { 'if-none-match': etag })
  assert.deepEqual([again.status, again.text], [304, ''])
})
