// Signing in at the status page, and what its cookie may do.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as httpRequest,
  type Server,
} from 'node:http'
import { type AddressInfo } from 'node:net'
import { after, before, beforeEach, describe, test } from 'node:test'
import { createLog } from '../observe/log.js'
import { PageSessions } from '../status-page/page-sessions.js'
import { StatusPage } from '../status-page/status-page.js'
import { FakeClock } from '../testing/fake-clock.js'
import { createControlApi } from './control-api.js'
import { quietFeed, statusSource } from './status-fixture.test.kit.js'

const TOKEN = 'the-token-of-this-test-0123456789'
const HOURS_12 = 12 * 3600_000
const json = { 'content-type': 'application/json' }
/** A proxy in front: the connection is local, the client is not. */
const elsewhere = { 'x-forwarded-for': '192.0.2.9' }

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

let server: Server
let clock: FakeClock
let handler: ReturnType<typeof createControlApi>
const log = createLog({ level: 'error', stream: { write: () => undefined } })

before(async () => {
  server = createServer((request, response) => handler(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
after(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})
beforeEach(() => {
  clock = new FakeClock()
  const sessions = new PageSessions(TOKEN, clock)
  const access = { token: TOKEN, hosts: [], boundAddresses: () => [] }
  handler = createControlApi({
    ...access,
    sessions,
    page: new StatusPage(log),
    source: statusSource,
    feed: quietFeed(log),
    log,
  })
})

function own(): string {
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

function ask(method: string, path: string, headers: Record<string, string> = {}, body = ''): Promise<Answer> {
  const { port } = server.address() as AddressInfo
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, method, headers: { ...elsewhere, ...headers }, agent: false }
    const sent = httpRequest(options, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => (text += part))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }))
      response.on('error', reject)
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

function signIn(token = TOKEN, headers: Record<string, string> = {}): Promise<Answer> {
  return ask('POST', '/api/v1/session', { ...json, ...headers }, JSON.stringify({ token }))
}

async function cookie(): Promise<string> {
  const [text = ''] = (await signIn()).headers['set-cookie'] ?? []
  return text.split(';', 1)[0] ?? ''
}

describe('signing in', () => {
  test('takes the token for a cookie that scripts and other sites do not have', async () => {
    assert.equal((await ask('GET', '/api/v1/status')).status, 401)
    const answer = await signIn()
    const { port } = server.address() as AddressInfo
    assert.deepEqual([answer.status, answer.body], [200, '{"signedIn":true}'])
    const [text = ''] = answer.headers['set-cookie'] ?? []
    assert.match(text, new RegExp(`^millrace_${port}=[\\w-]{43}; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict$`))
    assert.ok(!text.includes(TOKEN))
    const read = { cookie: `other=1; ${text.split(';', 1)[0] ?? ''}` }
    assert.equal((await ask('GET', '/api/v1/status', read)).status, 200)
    assert.equal((await ask('GET', '/api/v1/session', read)).body, '{"signedIn":true}')
  })

  test('is refused with a wrong token, without one, from another site, and from a form', async () => {
    for (const token of ['', 'x', `${TOKEN}x`, TOKEN.toUpperCase()]) {
      const { status, headers } = await signIn(token)
      assert.deepEqual([status, headers['set-cookie']], [token === '' ? 400 : 401, undefined], token)
    }
    assert.equal((await signIn(TOKEN, { origin: 'http://evil.example' })).status, 403)
    assert.equal((await signIn(TOKEN, { 'content-type': 'application/x-www-form-urlencoded' })).status, 415)
    assert.equal((await signIn(TOKEN, { host: 'evil.example' })).status, 421)
    assert.equal((await signIn('x'.repeat(9000))).status, 413)
  })

  test('over TLS asks for a cookie that is sent over TLS alone', () => {
    assert.match(new PageSessions(TOKEN, clock).open(TOKEN, 'a:1', true) ?? '', /; SameSite=Strict; Secure$/)
  })

  test('the page and its files need no token, and nothing else is to be had without one', async () => {
    const page = await ask('GET', '/')
    assert.deepEqual([page.status, page.headers['content-type']], [200, 'text/html; charset=utf-8'])
    assert.match(
      String(page.headers['content-security-policy']),
      /script-src 'self'.*require-trusted-types-for 'script'/,
    )
    const [, style = ''] = /href="\.([^"]+page\.css)"/.exec(page.body) ?? []
    const file = await ask('GET', style)
    assert.deepEqual([file.status, file.headers['content-type']], [200, 'text/css; charset=utf-8'])
    assert.match(file.headers['cache-control'] ?? '', /immutable/)
    assert.equal((await ask('GET', style, { 'if-none-match': file.headers.etag ?? '' })).status, 304)
    for (const path of ['/api/page/x/page.js', `${style}/../../../../package.json`, '/api/page/']) {
      assert.equal((await ask('GET', path)).status, 404, path)
    }
    assert.equal((await ask('POST', '/', json)).status, 401)
    assert.equal((await ask('GET', '/', { host: 'evil.example' })).status, 421)
    for (const path of ['/metrics', '/api/v1/session', '/api/v1/events']) {
      assert.equal((await ask('GET', path)).status, 401, path)
    }
  })
})

describe('a session', () => {
  test('reads for pages of this server only', async () => {
    const held = { cookie: await cookie() }
    for (const [site, status] of [
      ['same-origin', 200],
      ['none', 200],
      ['same-site', 401],
      ['cross-site', 401],
    ] as const) {
      assert.equal((await ask('GET', '/api/v1/status', { ...held, 'sec-fetch-site': site })).status, status, site)
    }
  })

  test('changes something only with an Origin of this server', async () => {
    const held = { cookie: await cookie(), ...json }
    const kick = (headers: Record<string, string>): Promise<Answer> => ask('DELETE', '/api/v1/clients/none', headers)
    assert.equal((await kick(held)).status, 401)
    assert.equal((await kick({ ...held, origin: 'http://evil.example' })).status, 403)
    assert.equal((await kick({ ...held, origin: 'null' })).status, 403)
    assert.equal((await kick({ ...held, origin: `http://${own()}`, 'sec-fetch-site': 'cross-site' })).status, 401)
    assert.equal((await kick({ ...held, origin: `http://${own()}` })).status, 404)
    assert.equal((await kick({ ...held, origin: `http://${own()}`, 'content-type': 'text/plain' })).status, 415)
  })

  test('is not taken under another name, changed, or of another engine', async () => {
    const [name = '', value = ''] = (await cookie()).split('=')
    const stranger = new PageSessions(TOKEN, clock).open(TOKEN, own(), false)?.split(';', 1)[0] ?? ''
    for (const text of [`x${name}=${value}`, `${name}=${value}x`, `${name}=`, `${name}=${'a'.repeat(43)}`, stranger]) {
      assert.equal((await ask('GET', '/api/v1/status', { cookie: text })).status, 401, text)
    }
  })

  test('ends after 12 hours', async () => {
    const held = { cookie: await cookie() }
    clock.advance(HOURS_12 - 1000)
    assert.equal((await ask('GET', '/api/v1/status', held)).status, 200)
    clock.advance(2000)
    assert.equal((await ask('GET', '/api/v1/status', held)).status, 401)
  })

  test('ends with what it reads when somebody signs out', async () => {
    const held = { cookie: await cookie() }
    const [stream] = (await once(
      httpRequest(`http://${own()}/api/v1/events`, { headers: { ...elsewhere, ...held }, agent: false }).end(),
      'response',
    )) as [IncomingMessage]
    const ended = new Promise<void>((resolve) => {
      stream
        .on('error', () => undefined)
        .on('close', resolve)
        .resume()
    })
    const { status, headers } = await ask('DELETE', '/api/v1/session', { ...held, ...json, origin: `http://${own()}` })
    assert.equal(status, 200)
    assert.match(String(headers['set-cookie']), /=; Path=\/; Max-Age=0; /)
    await ended
    assert.equal((await ask('GET', '/api/v1/status', held)).status, 401)
  })

  test('of which there are at most 100: the one that has not been used for longest ends', () => {
    const sessions = new PageSessions(TOKEN, clock)
    const open = (): string => sessions.open(TOKEN, 'a:1', false)?.split(';', 1)[0] ?? ''
    const [first, second] = [open(), open()]
    for (let count = 2; count < 100; count++) open()
    assert.ok(sessions.has({ host: 'a:1', cookie: first }), 'it is used')
    open()
    assert.ok(sessions.has({ host: 'a:1', cookie: first }))
    assert.ok(!sessions.has({ host: 'a:1', cookie: second }))
  })
})
