import assert from 'node:assert/strict'
import { test } from 'node:test'
import session from './index.js'
import { SessionBench } from './session.test.kit.js'

test('a session of 64 random bits is created, and admits one client to its stream, once', async () => {
  await using bench = await SessionBench.open({ resume: '0' })
  const { status, headers, body } = await bench.request('POST', '/v1/streams/one/sessions', 'token-of-one')
  assert.equal(status, 201)
  assert.deepEqual([headers.get('content-type'), headers.get('cache-control')], ['application/json', 'no-store'])
  assert.deepEqual(Object.keys(body), ['resource_id', 'session_id'])
  assert.equal(body.resource_id, 'one')
  assert.match(body.session_id ?? '', /^[0-9a-f]{16}$/)
  assert.notEqual(body.session_id, await bench.create())
  assert.equal(bench.outcome(body.session_id, { stream: 'two' }), 'denied')
  assert.equal(bench.outcome(body.session_id), 'allowed')
  assert.equal(bench.outcome(body.session_id), 'expired')
  assert.deepEqual([bench.count('created_total'), bench.count('used_total'), bench.count('sessions')], [2, 1, 1])
})

test('a client without a session, or with a wrong one, is challenged; one of another stream or mode is forbidden', async () => {
  await using bench = await SessionBench.open()
  assert.equal(bench.outcome(undefined), 'no-credentials')
  assert.equal(bench.outcome(''), 'no-credentials')
  assert.equal(bench.outcome('0123456789abcdef'), 'expired')
  assert.equal(bench.outcome('x'.repeat(100_000)), 'expired')
  assert.equal(bench.outcome('token-of-one'), 'expired')
  const watching = await bench.create('two', 'two-request')
  assert.equal(bench.outcome(watching, { stream: 'two', action: 'publish' }), 'denied')
  assert.equal(bench.outcome(watching, { stream: 'two' }), 'allowed')
  const publishing = await bench.create('two', 'two-publish')
  assert.equal(bench.outcome(publishing, { stream: 'two' }), 'denied')
  assert.equal(bench.outcome(publishing, { stream: 'two', action: 'publish' }), 'allowed')
  const verdict = bench.provider.check({ action: 'read', protocol: 'srt', stream: 'one', address: '192.0.2.1' })
  assert.deepEqual(verdict, { allowed: false, reason: 'no-credentials', challenge: 'Bearer realm="millrace"' })
  assert.equal(bench.count('denials_total'), 8)
})

test('a stream with one token has sessions for both modes', async () => {
  await using bench = await SessionBench.open()
  assert.equal(bench.outcome(await bench.create(), { action: 'publish' }), 'allowed')
  assert.equal(bench.outcome(await bench.create()), 'allowed')
})

test('a used session is resumed from its address alone, each time for as long again', async () => {
  await using bench = await SessionBench.open({ resume: '30s' })
  const id = await bench.create()
  assert.equal(bench.outcome(id), 'allowed')
  for (let count = 0; count < 3; count++) {
    bench.clock.advance(29_000)
    assert.equal(bench.outcome(id, { address: '192.0.2.2' }), 'expired')
    assert.equal(bench.outcome(id), 'allowed')
  }
  bench.clock.advance(30_000)
  assert.equal(bench.outcome(id), 'expired')
  assert.deepEqual([bench.count('used_total'), bench.count('resumed_total')], [1, 3])
})

for (const resume of ['0', '30s']) {
  test(`a session that is given back can be used from another address; resume: ${resume}`, async () => {
    await using bench = await SessionBench.open({ resume })
    const id = await bench.create()
    const asked = { action: 'read', protocol: 'srt', stream: 'one', address: '192.0.2.1', token: id } as const
    const verdict = bench.provider.check(asked)
    assert.ok(!(verdict instanceof Promise) && verdict.allowed)
    assert.equal(bench.outcome(id, { address: '192.0.2.2' }), 'expired')
    verdict.giveBack?.()
    assert.equal(bench.count('sessions'), 1)
    bench.clock.advance(299_000)
    assert.equal(bench.outcome(id, { address: '192.0.2.2' }), 'allowed')
  })
}

test('a session that was used again since is not given back: one address has it', async () => {
  await using bench = await SessionBench.open({ resume: '30s' })
  const id = await bench.create()
  const use = (): (() => void) => {
    const asked = { action: 'read', protocol: 'http', stream: 'one', address: '192.0.2.1', token: id } as const
    const verdict = bench.provider.check(asked)
    assert.ok(verdict.allowed && verdict.giveBack !== undefined)
    return verdict.giveBack
  }
  const [first, second] = [use(), use()]
  first()
  assert.equal(bench.outcome(id, { address: '192.0.2.2' }), 'expired')
  second()
  assert.equal(bench.outcome(id, { address: '192.0.2.2' }), 'expired')
  assert.equal(bench.outcome(id), 'allowed')
})

test('a session for one use that is given back is removed when its time is over', async () => {
  await using bench = await SessionBench.open({ resume: '0' })
  const id = await bench.create()
  const asked = { action: 'read', protocol: 'srt', stream: 'one', address: '192.0.2.1', token: id } as const
  const verdict = bench.provider.check(asked)
  bench.clock.advance(10_000)
  assert.equal(bench.clock.pending, 0)
  assert.ok(verdict.allowed)
  verdict.giveBack?.()
  bench.clock.advance(300_000)
  assert.deepEqual([bench.count('sessions'), bench.clock.pending], [0, 0])
})

test('an unused session is good for five minutes, and then removed', async () => {
  await using bench = await SessionBench.open()
  const [early, late] = [await bench.create(), await bench.create()]
  bench.clock.advance(299_999)
  assert.equal(bench.outcome(early), 'allowed')
  bench.clock.advance(1)
  assert.equal(bench.outcome(late), 'expired')
  bench.clock.advance(40_000)
  assert.deepEqual([bench.count('sessions'), bench.count('unused_total')], [0, 1])
  assert.equal(bench.clock.pending, 0, 'nothing is left to remove')
})

test('sessions of a token are listed and deleted by its holder alone', async () => {
  await using bench = await SessionBench.open()
  const [first, second] = [await bench.create('two', 'two-request'), await bench.create('two', 'two-request')]
  await bench.create('two', 'two-publish')
  bench.outcome(second, { stream: 'two' })
  const { status, body } = await bench.request('GET', '/v1/streams/two/sessions', 'two-request')
  assert.equal(status, 200)
  const at = (ms: number): string => new Date(bench.clock.wallMs(bench.clock.nowMs() + ms)).toISOString()
  const rows = [
    { session_id: first, modes: ['request'], state: 'unused', expires_at: at(300_000) },
    { session_id: second, modes: ['request'], state: 'used', expires_at: at(30_000) },
  ]
  assert.deepEqual(body, { resource_id: 'two', sessions: rows })
  const place = `/v1/streams/two/sessions/${first}`
  const one = await bench.request('GET', place, 'two-request')
  assert.deepEqual([one.status, one.body], [200, { resource_id: 'two', ...rows[0] }])
  assert.equal((await bench.request('DELETE', place, 'two-publish')).status, 404)
  assert.equal((await bench.request('DELETE', place, 'two-request')).status, 204)
  assert.equal((await bench.request('DELETE', place, 'two-request')).status, 404)
  assert.equal(bench.outcome(first, { stream: 'two' }), 'expired')
})

const PLACE = '/v1/streams/one/sessions'
const rows: readonly {
  readonly name: string
  readonly asked: readonly [method: string, path: string, token?: string]
  readonly status: number
  readonly header?: readonly [string, string]
}[] = [
  { name: 'no token', asked: ['POST', PLACE], status: 401, header: ['www-authenticate', 'Bearer realm="millrace"'] },
  {
    name: 'a wrong token',
    asked: ['POST', PLACE, 'token-of-onf'],
    status: 401,
    header: ['www-authenticate', 'Bearer realm="millrace", error="invalid_token"'],
  },
  { name: 'the token of another stream', asked: ['POST', PLACE, 'two-publish'], status: 403 },
  { name: 'an unknown stream', asked: ['POST', '/v1/streams/three/sessions', 'token-of-one'], status: 404 },
  {
    name: 'a name from the prototype',
    asked: ['POST', '/v1/streams/constructor/sessions', 'token-of-one'],
    status: 404,
  },
  { name: 'a name that no stream has', asked: ['POST', '/v1/streams/a%5Cb/sessions', 'token-of-one'], status: 400 },
  { name: 'a hidden name', asked: ['POST', '/v1/streams/.one/sessions', 'token-of-one'], status: 400 },
  { name: 'a long name', asked: ['POST', `/v1/streams/${'x'.repeat(129)}/sessions`, 'token-of-one'], status: 400 },
  { name: 'nothing', asked: ['GET', '/v1/streams/one', 'token-of-one'], status: 404 },
  { name: 'below a session', asked: ['GET', `${PLACE}/a/b`, 'token-of-one'], status: 404 },
  { name: 'no session', asked: ['GET', `${PLACE}/`, 'token-of-one'], status: 404 },
  { name: 'an unknown session', asked: ['DELETE', `${PLACE}/0123456789abcdef`, 'token-of-one'], status: 404 },
  {
    name: 'all sessions',
    asked: ['DELETE', PLACE, 'token-of-one'],
    status: 405,
    header: ['allow', 'GET, HEAD, POST, OPTIONS'],
  },
  {
    name: 'a named session',
    asked: ['POST', `${PLACE}/a`, 'token-of-one'],
    status: 405,
    header: ['allow', 'GET, HEAD, DELETE, OPTIONS'],
  },
  { name: 'another method', asked: ['PUT', PLACE, 'token-of-one'], status: 405 },
  { name: 'OPTIONS', asked: ['OPTIONS', PLACE], status: 204, header: ['allow', 'GET, HEAD, POST, OPTIONS'] },
]

test('requests that are wrong say how', async (t) => {
  await using bench = await SessionBench.open()
  for (const { name, asked, status, header } of rows) {
    await t.test(`${asked[0]}, ${name}: ${status}`, async () => {
      const [method, path, token] = asked
      const reply = await bench.request(method, path, token)
      assert.equal(reply.status, status)
      if (header !== undefined) assert.equal(reply.headers.get(header[0]), header[1])
    })
  }
  assert.equal(bench.count('sessions'), 0)
})

test('ten wrong tokens within a minute stop their address for a minute', async () => {
  await using bench = await SessionBench.open()
  for (let count = 0; count < 10; count++)
    assert.equal((await bench.request('POST', PLACE, `guess-${count}`)).status, 401)
  const { status, headers } = await bench.request('POST', PLACE, 'token-of-one')
  assert.deepEqual([status, headers.get('retry-after')], [429, '60'])
  bench.clock.advance(60_000)
  await bench.create()
})

test('a token has a limited number of sessions, and those whose time is over make room', async () => {
  await using bench = await SessionBench.open({ maxSessions: 3 })
  for (let count = 0; count < 3; count++) await bench.create()
  const { status, headers } = await bench.request('POST', PLACE, 'token-of-one')
  assert.deepEqual([status, headers.get('retry-after')], [429, '10'])
  await bench.create('two', 'two-publish')
  bench.clock.advance(300_000)
  await bench.create()
})

test('a body is not read', async () => {
  await using bench = await SessionBench.open()
  const { status, headers } = await bench.request('POST', PLACE, 'token-of-one', '{"mode":"publish"}')
  assert.deepEqual([status, headers.get('connection')], [201, 'close'])
})

test('a reload keeps the sessions whose token stays, and moves the path', async () => {
  await using bench = await SessionBench.open()
  const [one, two] = [await bench.create(), await bench.create('two', 'two-request')]
  bench.set({ path: '/keys', lifetime: '10s' })
  assert.equal((await bench.request('POST', PLACE, 'token-of-one')).status, 404)
  assert.equal((await bench.request('POST', '/keys/one/sessions', 'token-of-one')).status, 201)
  bench.set({ path: '/keys', streams: { one: 'token-of-one', two: 'another-token' } })
  assert.equal(bench.outcome(one), 'allowed')
  assert.equal(bench.outcome(two, { stream: 'two' }), 'expired')
})

test('the same token and the names of streams are checked', () => {
  const refused = (streams: unknown): string =>
    session.options.safeParse({ listener: 'web', streams }).error?.issues[0]?.message ?? ''
  assert.match(refused({ one: { publish: 'same', request: 'same' } }), /Invalid input|two different tokens/)
  assert.match(refused({}), /at least one stream/)
  assert.equal(session.options.safeParse({ listener: 'web', streams: { 'a/b': 'token' } }).success, false)
})
