import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { Bench, Hook, json, REQUEST, until } from './hook.test.kit.js'

test('a question is a signed POST of JSON, without the secrets that are not to be sent', async () => {
  await using hook = await Hook.open()
  await using bench = new Bench({ url: hook.url, secret: 'key', headers: { Authorization: 'Bearer ours' } })
  const secrets = { user: 'anna', password: 'geheim', query: 'token=tv-1&x=2' }
  assert.equal(await bench.outcome(secrets), 'allowed')
  const [{ headers, body } = { headers: {}, body: '' }] = hook.received
  assert.deepEqual(JSON.parse(body), {
    ...{ action: 'read', protocol: 'http', stream: 'one', path: '/one.ts', address: '192.0.2.1', user: 'anna' },
    ...{ token: 'tv-1', query: 'token=tv-1&x=2', agent: 'VLC/3' },
  })
  assert.equal(headers['x-millrace-signature'], `sha256=${createHmac('sha256', 'key').update(body).digest('hex')}`)
  assert.deepEqual([headers['content-type'], headers['authorization']], ['application/json', 'Bearer ours'])
  bench.set({ url: hook.url, send: ['password'] })
  await bench.outcome(secrets)
  const { token, query, password } = hook.questions[1] ?? {}
  assert.deepEqual(
    [token, query, password, hook.received[1]?.headers['x-millrace-signature']],
    [undefined, undefined, 'geheim', undefined],
  )
})

test('a publisher of any protocol is asked about in the same words', async () => {
  await using hook = await Hook.open(json({ user: 'cam' }))
  await using bench = new Bench({ url: hook.url })
  const { path: _, query: __, agent: ___, ...bare } = REQUEST
  const verdict = await bench.provider.check({
    ...bare,
    action: 'publish',
    protocol: 'srt',
    stream: 'cam-1',
    token: 'k',
  })
  assert.ok(verdict.allowed)
  assert.equal(verdict.user, 'cam')
  assert.match(verdict.credential ?? '', /^[\w+/]{43}=$/, 'a digest of the token')
  assert.deepEqual(hook.questions, [
    { action: 'publish', protocol: 'srt', stream: 'cam-1', address: '192.0.2.1', token: 'k' },
  ])
})

const MEGABYTE = Buffer.alloc(1_000_000, ' ')
const rows: readonly { readonly name: string; readonly respond: Hook['respond']; readonly says: string }[] = [
  { name: '204', respond: (response) => void response.writeHead(204).end(), says: 'allowed' },
  { name: '200 without a body', respond: (response) => void response.writeHead(200).end(), says: 'allowed' },
  { name: 'a user', respond: json({ user: 'anna', extra: 1 }), says: 'allowed anna' },
  { name: 'allow: false', respond: json({ allow: false, reason: 'unpaid' }), says: 'denied: unpaid' },
  { name: '403 with a reason', respond: json({ reason: 'unpaid' }, 403), says: 'denied: unpaid' },
  { name: '403 with an error page', respond: (response) => void response.writeHead(403).end('<html>'), says: 'denied' },
  { name: '403 with allow: true', respond: json({ allow: true }, 403), says: 'denied' },
  { name: '401', respond: json({}, 401), says: 'no-credentials' },
  { name: 'invalid JSON', respond: (response) => void response.writeHead(200).end('{"allow": tru'), says: 'failed' },
  {
    name: 'an HTML page',
    respond: (response) => void response.writeHead(200).end('<html>welcome</html>'),
    says: 'failed',
  },
  { name: 'a list', respond: json(['allow']), says: 'failed' },
  { name: 'allow that is no flag', respond: json({ allow: 'false' }), says: 'failed' },
  { name: 'a user with a line feed', respond: json({ user: 'a\nb' }), says: 'failed' },
  { name: 'a time to live without a unit', respond: json({ ttl: 60 }), says: 'failed' },
  {
    name: 'bytes that are no text',
    respond: (response) => void response.writeHead(200).end(Buffer.from([0x22, 0xff, 0x22])),
    says: 'failed',
  },
  { name: '404', respond: (response) => void response.writeHead(404).end(), says: 'failed' },
  { name: '500', respond: (response) => void response.writeHead(500).end(), says: 'failed' },
  {
    name: 'a redirect to a private address',
    respond: (response) => void response.writeHead(307, { Location: 'http://169.254.169.254/' }).end(),
    says: 'failed',
  },
  { name: 'a reset', respond: (response) => void response.socket?.resetAndDestroy(), says: 'failed' },
  {
    name: 'half an answer',
    respond: (response) => {
      response.writeHead(200, { 'Content-Length': '100' }).write('{"allow":')
      setImmediate(() => response.socket?.destroy())
    },
    says: 'failed',
  },
  {
    name: '10 MB',
    respond: (response) => {
      response.writeHead(200).on('error', () => undefined)
      for (let count = 0; count < 10; count++) response.write(MEGABYTE)
      response.end('{}')
    },
    says: 'failed',
  },
]

for (const { name, respond, says } of rows) {
  test(`${name}: ${says}`, async () => {
    await using hook = await Hook.open(respond)
    await using bench = new Bench({ url: hook.url })
    assert.equal(await bench.outcome(), says)
    assert.equal(bench.count('failures_total'), says === 'failed' ? 1 : 0)
    assert.equal(bench.warnings.length, says === 'failed' ? 1 : 0)
    assert.ok(!JSON.stringify(bench.context.lines).includes('in-the-url'))
    assert.equal(hook.received.length, 1)
  })
}

test('401 asks for what the hook reads, and is a wrong guess if something was presented', async () => {
  await using hook = await Hook.open(json({}, 401))
  await using bench = new Bench({ url: hook.url, realm: 'tv', cacheDenied: 0 })
  const bearer = { allowed: false, challenge: 'Bearer realm="tv"', why: undefined }
  assert.deepEqual(await bench.ask(), { ...bearer, reason: 'no-credentials' })
  assert.deepEqual(await bench.ask({ token: 'x' }), { ...bearer, reason: 'bad-credentials' })
  bench.set({ url: hook.url, realm: 'tv', send: ['password'] })
  const verdict = await bench.ask({ user: 'anna', password: 'x' })
  assert.deepEqual(verdict, { ...bearer, reason: 'bad-credentials', challenge: 'Basic realm="tv", charset="UTF-8"' })
})

test('the name of a user counts only if the hook says it, or has seen the password', async () => {
  await using hook = await Hook.open()
  await using bench = new Bench({ url: hook.url })
  assert.equal(await bench.outcome({ user: 'anna', password: 'x' }), 'allowed')
  bench.set({ url: hook.url, send: ['password'] })
  assert.equal(await bench.outcome({ user: 'anna', password: 'x' }), 'allowed anna')
})

test('answers are kept for a while, allowed ones for longer, or as long as the hook says', async () => {
  await using hook = await Hook.open((response, { body }) => {
    const { token } = JSON.parse(body) as { token?: string }
    if (token === 'long') json({ ttl: '1m' })(response, { headers: {}, body }, 0)
    else if (token === 'never') json({ ttl: '0s' })(response, { headers: {}, body }, 0)
    else response.writeHead(token?.startsWith('good') === true ? 204 : 403).end()
  })
  await using bench = new Bench({ url: hook.url })
  const askedFor = async (token: string, afterMs: number): Promise<number> => {
    const before = hook.received.length
    await bench.ask({ token })
    bench.clock.advance(afterMs)
    await bench.ask({ token })
    return hook.received.length - before
  }
  assert.deepEqual([await askedFor('good', 9999), await askedFor('good too', 10_000)], [1, 2])
  assert.deepEqual([await askedFor('bad', 1999), await askedFor('bad too', 2000)], [1, 2])
  assert.deepEqual([await askedFor('long', 59_999), await askedFor('never', 0)], [1, 2])
  assert.equal(bench.count('cached_total'), 3)
  const before = hook.received.length
  bench.set({ url: hook.url, secret: 'another' })
  await bench.ask({ token: 'long' })
  assert.equal(hook.received.length, before + 1, 'other options mean other answers')
})

test('no failure is kept, and equal questions at the same time are asked once', async () => {
  await using hook = await Hook.open((response, _, count) => void response.writeHead(count === 1 ? 500 : 204).end())
  await using bench = new Bench({ url: hook.url })
  const first = await Promise.all(Array.from({ length: 100 }, () => bench.outcome()))
  assert.deepEqual([new Set(first), hook.received.length], [new Set(['failed']), 1])
  assert.equal(await bench.outcome(), 'allowed')
  assert.deepEqual([hook.received.length, bench.count('cached_total')], [2, 99])
})

test('onFailure: allow admits while the hook fails, but not those who find it too busy', async () => {
  await using hook = await Hook.open(() => undefined)
  await using bench = new Bench({ url: hook.url, onFailure: 'allow', inFlight: 1, queue: 0, timeout: '1s' })
  const waiting = bench.outcome({ token: 'a' })
  assert.equal(await bench.outcome({ token: 'b' }), 'busy')
  await until(() => hook.received.length === 1, 'it was asked')
  bench.clock.advance(1000)
  assert.equal(await waiting, 'allowed')
  assert.deepEqual([bench.count('undecided_total'), bench.count('busy_total')], [1, 1])
})

test('a hook that hangs is asked rarely, and told once; a time limit covers the waiting', async () => {
  await using hook = await Hook.open(() => undefined)
  await using bench = new Bench({ url: hook.url, inFlight: 5, queue: 10, timeout: '3s' })
  const asked = Array.from({ length: 20 }, (_, index) => bench.outcome({ token: `t${index}` }))
  await until(() => hook.received.length === 5, 'all places are taken')
  assert.equal(bench.count('waiting'), 10)
  bench.clock.advance(3000)
  const outcomes = await Promise.all(asked)
  // Those that waited have waited as long, and might have been asked in vain.
  assert.deepEqual(
    [outcomes.filter((each) => each === 'failed').length, outcomes.filter((each) => each === 'busy').length],
    [5, 15],
  )
  assert.equal(await bench.outcome({ token: 'next' }), 'failed')
  assert.equal(hook.received.length, 5)
  let attempts = 0
  for (let second = 0; second < 60; second++) {
    const attempt = bench.outcome({ token: `s${second}` })
    if (hook.received.length - 5 < bench.count('asks_total') - 5) {
      attempts++
      await until(() => hook.received.length === 5 + attempts, 'the attempt has arrived')
      bench.clock.advance(3000)
    } else bench.clock.advance(1000)
    assert.equal(await attempt, 'failed')
  }
  assert.ok(attempts >= 4 && attempts <= 6, `${attempts} attempts in a minute`)
  assert.deepEqual([bench.warnings.length, bench.warnings[0]?.includes('it did not answer within 3000 ms')], [1, true])
  hook.respond = (response) => void response.writeHead(204).end()
  bench.clock.advance(30_000)
  assert.equal(await bench.outcome({ token: 'again' }), 'allowed')
  assert.equal(await bench.outcome({ token: 'and again' }), 'allowed')
  assert.deepEqual(
    bench.context.lines.filter(({ level }) => level === 'info').map(({ text }) => text),
    ['the auth webhook answers again'],
  )
})

test('a refused connection is a failure that names no address', async () => {
  const hook = await Hook.open()
  const { url } = hook
  await hook[Symbol.asyncDispose]()
  await using bench = new Bench({ url })
  assert.equal(await bench.outcome(), 'failed')
  assert.match(bench.warnings[0] ?? '', /clients are refused: it refuses connections$/)
})

test('1000 logins at once to a slow hook: a bounded number of connections, the rest waits or is refused', async () => {
  let most = 0
  let open = 0
  await using hook = await Hook.open((response) => {
    most = Math.max(most, ++open)
    setTimeout(() => {
      open--
      response.writeHead(204).end()
    }, 20)
  })
  await using bench = new Bench({ url: hook.url, inFlight: 20, queue: 200 })
  const outcomes = await Promise.all(Array.from({ length: 1000 }, (_, index) => bench.outcome({ token: `t${index}` })))
  assert.deepEqual(
    [outcomes.filter((each) => each === 'allowed').length, outcomes.filter((each) => each === 'busy').length],
    [220, 780],
  )
  assert.ok(most <= 20 && hook.sockets.size <= 20, `${most} requests, ${hook.sockets.size} connections`)
  assert.equal(bench.context.histogram('auth_webhook_duration_seconds').count, 220)
})

test('connections are kept, and one that the hook has closed meanwhile costs no client anything', async () => {
  await using hook = await Hook.open()
  await using bench = new Bench({ url: hook.url, cache: 0 })
  for (let count = 0; count < 20; count++) {
    assert.equal(await bench.outcome(), 'allowed')
    assert.equal(hook.sockets.size, 1)
    if (count % 2 === 1) for (const socket of hook.sockets) socket.resetAndDestroy()
    await until(() => count % 2 === 0 || hook.sockets.size === 0, 'it is closed')
  }
  assert.equal(bench.count('failures_total'), 0)
})

test('options change while questions are on the way, and a provider that ends leaves nothing open', async () => {
  await using hook = await Hook.open(() => undefined)
  const bench = new Bench({ url: hook.url, inFlight: 2 })
  const asked = Array.from({ length: 5 }, (_, index) => bench.outcome({ token: `t${index}` }))
  await until(() => hook.received.length === 2, 'two are on the way')
  bench.set({ url: hook.url, inFlight: 1, queue: 0 })
  assert.equal(await bench.outcome({ token: 'x' }), 'busy')
  await bench[Symbol.asyncDispose]()
  assert.deepEqual(new Set(await Promise.all(asked)), new Set(['failed']))
  await until(() => hook.sockets.size === 0, 'no connection is open')
})

test('a client that comes after a reload is not decided by an answer of the hook before it', async () => {
  await using old = await Hook.open(() => undefined)
  await using hook = await Hook.open()
  await using bench = new Bench({ url: old.url })
  const before = bench.outcome()
  await until(() => old.received.length === 1, 'the old hook is asked')
  bench.set({ url: hook.url })
  assert.deepEqual([await bench.outcome(), hook.received.length], ['allowed', 1])
  bench.clock.advance(10_000)
  assert.equal(await before, 'failed')
})

test('a question that is too long is not sent', async () => {
  await using hook = await Hook.open()
  await using bench = new Bench({ url: hook.url })
  assert.equal(await bench.outcome({ token: 'x'.repeat(40_000) }), 'denied: the request is too long')
  assert.equal(hook.received.length, 0)
})
