import assert from 'node:assert/strict'
import type { ClientHttp2Session } from 'node:http2'
import { after, before, describe, test } from 'node:test'
import { HttpListener } from '../listen/http-listener.js'
import { KeptLog, RawClient, REAL_CLOCK, until } from '../listen/loopback.test.kit.js'
import type { OrdinaryRoute } from '../listen/route-table.js'
import { ask, CertificateFolder, http2Client } from '../listen/tls.test.kit.js'
import type { AccessDecision, Auth } from '../plugin/auth.js'
import type { HttpHandler, HttpVisit } from '../plugin/http-routes.js'
import { AccessControl } from './access-control.js'
import type { AuthSettings } from './auth-schema.js'
import { authorizeRequests, type FindSession } from './authorized-requests.js'

const PROVIDER: AuthSettings = {
  name: 'viewers',
  type: 'basic',
  options: { realm: 'tv', users: { anna: 'secret' } },
  at: { file: 'a', line: 1, column: 1 },
}
const ANNA = `Basic ${Buffer.from('anna:secret').toString('base64')}`

/** Decides when the test tells it to. */
class SlowAuth implements Auth {
  readonly asked: ((decision: AccessDecision) => void)[] = []

  check(): Promise<AccessDecision> {
    return new Promise((resolve) => this.asked.push(resolve))
  }
}

interface Answer {
  readonly status: number
  readonly text: string
  readonly headers: Readonly<Record<string, unknown>>
}
type Ask = (path: string, method?: string, authorization?: string, body?: string) => Promise<Answer>

for (const protocol of ['HTTP/1', 'HTTP/2'] as const) {
  describe(`a request over ${protocol}`, () => {
    const certificates = new CertificateFolder()
    const kept = new KeptLog()
    const control = new AccessControl([PROVIDER], { nowMs: () => performance.now() })
    const visits: HttpVisit[] = []
    let nowMs = 0
    let listener: HttpListener
    let session: ClientHttp2Session | undefined

    before(async () => {
      const tls = protocol === 'HTTP/2' ? { tls: certificates.files } : {}
      const settings = { trustedProxies: ['127.0.0.1'], ...tls }
      listener = new HttpListener({
        name: 'web',
        address: '127.0.0.1:0',
        clock: { ...REAL_CLOCK, nowMs: () => nowMs },
        log: kept.log,
        ...settings,
      })
      await listener.bind()
      session = protocol === 'HTTP/2' ? http2Client(listener.origins[0] ?? '') : undefined
    })
    after(async () => {
      session?.destroy()
      await listener.close(0)
      certificates[Symbol.dispose]()
    })

    const send: Ask = async (path, method = 'GET', authorization, body) => {
      const headers = { 'x-forwarded-for': '192.0.2.7', ...(authorization === undefined ? {} : { authorization }) }
      if (session !== undefined) return ask(session, { ':path': path, ':method': method, ...headers }, body)
      const more = body === undefined ? {} : { body }
      const response = await fetch(`${listener.origins[0]}${path}`, { method, headers, ...more })
      return { status: response.status, text: await response.text(), headers: Object.fromEntries(response.headers) }
    }

    function mount(
      route: Omit<OrdinaryRoute, 'respond'>,
      handle: HttpHandler,
      { auth = control, names = [] }: { readonly auth?: Auth; readonly names?: readonly string[] } = {},
    ): Disposable {
      return listener.claim({
        ...route,
        respond: authorizeRequests({ listener, auth, owner: () => 'one/page', options: { auth: names } }, handle),
      })
    }

    const reply: HttpHandler = (_request, response, visit) => {
      visits.push(visit)
      response.end(`hello ${visit.user ?? 'stranger'}`)
    }

    test('reaches the handler with the client behind the proxy, the path and the query', async () => {
      using _mount = mount({ path: '/p/', isPrefix: true }, reply)
      assert.equal((await send('/p/a%20b/c.ts?x=1&y')).text, 'hello stranger')
      const { client, who, ...visit } = visits.at(-1)!
      assert.deepEqual(
        [who.protocol, who.listener, who.address, who.place],
        [protocol === 'HTTP/2' ? 'https' : listener.protocol, 'web', '192.0.2.7', '/p/a b/c.ts'],
      )
      assert.equal(client, '192.0.2.7')
      assert.deepEqual(visit, { address: '192.0.2.7', user: undefined, path: '/p/a b/c.ts', query: 'x=1&y' })
      for (const path of ['/p', '/p/..%2fsecret', '/p/%2e%2e/secret']) assert.equal((await send(path)).status, 404)
    })

    test('without valid credentials receives a challenge, and the refusal is counted', async () => {
      using _mount = mount({ path: '/a' }, reply, { names: ['viewers'] })
      const { status, headers, text } = await send('/a')
      assert.deepEqual(
        [status, text, headers['cache-control']],
        [401, 'Sign in: this needs a user name and password, a token or a signed link.\n', 'no-store'],
      )
      assert.match(String(headers['www-authenticate']), /^Basic realm="tv"/)
      assert.equal((await send('/a', 'GET', ANNA)).text, 'hello anna')
      assert.equal((await send('/a', 'HEAD')).status, 401)
      assert.ok((control.refused.get('no-credentials') ?? 0) >= 2)
    })

    test('receives 429 after too many wrong passwords, and 403 if the provider is unknown', async () => {
      using _mount = mount({ path: '/a' }, reply, { names: ['viewers'] })
      const wrong = `Basic ${Buffer.from('anna:wrong').toString('base64')}`
      let answer = await send('/a', 'GET', wrong)
      while (answer.status === 401) answer = await send('/a', 'GET', wrong)
      assert.equal(answer.status, 429)
      assert.match(String(answer.headers['retry-after']), /^\d+$/)
      using _other = mount({ path: '/b' }, reply, { names: ['nobody'] })
      using _none = listener.claim({
        path: '/c',
        respond: authorizeRequests(
          { listener, auth: undefined, owner: () => 'one/page', options: { auth: ['viewers'] } },
          reply,
        ),
      })
      assert.deepEqual([(await send('/b')).status, (await send('/c')).status], [403, 403])
    })

    test('can be decided asynchronously, and its handler is not called if the client has gone', async () => {
      const auth = new SlowAuth()
      using _mount = mount({ path: '/slow' }, reply, { auth, names: ['viewers'] })
      const [admitted, refused] = [send('/slow'), send('/slow')]
      await until(() => auth.asked.length === 2, 'both wait')
      auth.asked[0]?.({ allowed: true, user: 'otto' })
      auth.asked[1]?.({ allowed: false, reason: 'busy', status: 503, headers: { 'Retry-After': '2' } })
      assert.equal((await admitted).text, 'hello otto')
      const late = await refused
      assert.deepEqual([late.status, late.headers['retry-after']], [503, '2'])
      if (protocol === 'HTTP/2') return
      const [calls, open] = [visits.length, listener.openConnections]
      const gone = new RawClient(listener.address).get('/slow')
      await until(() => auth.asked.length === 3, 'it waits')
      gone.close()
      await until(() => listener.openConnections <= open, 'it has gone')
      auth.asked[2]?.({ allowed: true, user: 'otto' })
      await send('/none')
      assert.equal(visits.length, calls)
    })

    test('that is refused after its admission gives back what that has used up', async () => {
      let back = 0
      const auth: Auth = { check: () => ({ allowed: true, user: undefined, giveBack: () => void back++ }) }
      const answers: HttpHandler = (_request, response, { path }) => response.writeHead(Number(path.slice(3))).end()
      using _mount = mount({ path: '/s/', isPrefix: true }, answers, { auth, names: ['viewers'] })
      for (const status of [200, 204, 404, 503]) assert.equal((await send(`/s/${status}`)).status, status)
      await until(() => back === 2, 'two were refused')
    })

    test('of a session that the node knows is admitted as its user, without a provider', async () => {
      const [auth, handled] = [new SlowAuth(), [] as HttpVisit[]]
      const anna = { user: 'anna' }
      const asked: string[] = []
      const find: FindSession = ({ path, query, address, header }) => {
        asked.push(`${path} ${query} ${address} ${header('cookie') ?? ''}`)
        return path === '/s/anna' ? anna : undefined
      }
      const options = { auth: ['viewers'], sessions: { find, hint: 'Begin at /s/.' }, place: '/s/' }
      const handle: HttpHandler = (_request, response, visit) => {
        handled.push(visit)
        response.end('ok')
      }
      using _mount = listener.claim({
        ...{ path: '/s/', isPrefix: true },
        respond: authorizeRequests({ listener, auth, owner: () => 'one/page', options, findSession: find }, handle),
      })
      assert.equal((await send('/s/anna?x=1')).text, 'ok')
      assert.deepEqual([auth.asked.length, asked[0]], [0, '/s/anna x=1 192.0.2.7 '])
      const [visit] = handled
      assert.equal(visit?.session, anna)
      assert.deepEqual(
        [visit?.user, visit?.who.user, visit?.who.place, visit?.path],
        ['anna', 'anna', '/s/', '/s/anna'],
      )

      const [admitted, refused] = [send('/s/otto'), send('/s/none')]
      await until(() => auth.asked.length === 2, 'the provider decides')
      const credential = { id: 'digest', isForAddress: false }
      auth.asked[0]?.({ allowed: true, user: 'otto', credential })
      auth.asked[1]?.({ allowed: false, reason: 'no-credentials', status: 403, headers: {} })
      assert.equal((await admitted).text, 'ok')
      assert.deepEqual([handled[1]?.credential, handled[1]?.session], [credential, undefined])
      const { status, text, headers } = await refused
      assert.deepEqual(
        [status, text, headers['www-authenticate']],
        [401, 'Begin at /s/.\n', 'Session realm="millrace"'],
      )
    })

    test('receives 405 for methods that the mount does not list, and its handler can read a body', async () => {
      const echo: HttpHandler = async (request, response) => {
        let size = 0
        for await (const part of request) size += (part as Buffer).length
        response.end(`${request.method} ${size}`)
      }
      using _mount = mount({ path: '/in', methods: ['POST', 'PUT'] }, echo)
      using _read = mount({ path: '/out' }, reply)
      assert.equal((await send('/in', 'POST', undefined, 'x'.repeat(100_000))).text, 'POST 100000')
      const [wrong, other] = [await send('/in'), await send('/out', 'DELETE')]
      assert.deepEqual([wrong.status, wrong.headers['allow']], [405, 'POST, PUT'])
      assert.deepEqual([other.status, other.headers['allow']], [405, 'GET, HEAD'])
    })

    test('receives 500 if the handler throws or rejects, and the error is logged, once a second at most', async () => {
      const errors = (): unknown[] => kept.lines.filter(({ level }) => level === 'error').map(({ data }) => data)
      using _throws = mount({ path: '/throws' }, () => {
        throw new Error('broken')
      })
      using _rejects = mount({ path: '/rejects/', isPrefix: true }, () => Promise.reject(new Error('broken')))
      const auth = new SlowAuth()
      const thrower: HttpHandler = () => {
        throw new Error('broken')
      }
      using _late = mount({ path: '/late' }, thrower, { auth, names: ['viewers'] })
      const before = errors().length
      assert.equal((await send('/throws')).status, 500)
      nowMs += 1000
      assert.equal((await send('/rejects/secret')).status, 500)
      assert.equal((errors().at(-1) as { readonly path?: string }).path, '/rejects/', 'what follows can be a secret')
      nowMs += 1000
      const late = send('/late')
      await until(() => auth.asked.length === 1, 'it waits')
      auth.asked[0]?.({ allowed: true, user: undefined })
      assert.equal((await late).status, 500)
      assert.equal(errors().length, before + 3)
      assert.equal((await send('/throws')).status, 500)
      assert.equal(errors().length, before + 3)
      nowMs += 1000
      assert.equal((await send('/throws')).status, 500)
      const { leftOut } = errors().at(-1) as { readonly leftOut?: number }
      assert.deepEqual([errors().length, leftOut], [before + 4, 1])
    })
  })
}
