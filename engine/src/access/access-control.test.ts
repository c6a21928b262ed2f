import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isEngineError } from '../errors.js'
import { AccessControl } from './access-control.js'
import type { AccessDecision, AccessRequest } from '../plugin/auth.js'
import { AUTH_SCHEMAS, type AuthSettings, type AuthType } from './auth-schema.js'
import { hashPassword, renderPasswordHash } from './password-hash.js'
import { signatureOf } from './signed-link.js'
import { httpCredentials } from './http-credentials.js'
import { CheckQueue } from './check-queue.js'

const at = { file: 'a', line: 1, column: 1 }

function provider<T extends AuthType>(
  name: string,
  type: T,
  options: unknown,
  scope: Partial<Pick<AuthSettings, 'actions' | 'protocols'>> = {},
): AuthSettings {
  return { name, type, options: AUTH_SCHEMAS[type].parse(options), ...scope, at } as AuthSettings
}

const LINK_KEY = 'a key of at least 16 characters'
const PUBLISH = { actions: ['publish'] } as const

const SETTINGS: readonly AuthSettings[] = [
  provider('viewers', 'basic', { users: { anna: 'se:cret', jürgen: 'pässwört' } }),
  provider('api', 'bearer', { realm: 'apps', tokens: { app: 'abc.def', other: 'xyz==' } }),
  provider('players', 'token', { tokens: ['tv-1', 'tv 2'] }),
  provider('office', 'ip', { allow: ['10.0.0.0/8', '2001:db8::/32'], deny: ['10.6.6.6'] }),
  provider('no-banned', 'ip', { deny: ['192.0.2.66', '::ffff:198.51.100.0/120'] }),
  provider('both', 'all', { of: ['viewers', 'office'] }),
  provider('encoders', 'basic', { users: { enc: 'pa:ss' } }, PUBLISH),
  provider('keys', 'bearer', { tokens: { enc: 'abc.def' } }, PUBLISH),
  provider('lines', 'token', { tokens: { enc: 'tv 1' } }, PUBLISH),
  provider('signed', 'signed', { keys: { k: LINK_KEY } }, PUBLISH),
  provider('studio', 'ip', { allow: ['10.0.0.0/8'] }, { actions: ['read', 'publish'] }),
  provider('studio-encoders', 'all', { of: ['encoders', 'studio'] }),
  provider('mixed', 'all', { of: ['viewers', 'studio'] }),
  provider('encrypted', 'basic', { users: { anna: 'se:cret' } }, { protocols: ['https', 'srt'] }),
]

function control(nowMs = (): number => 0): AccessControl {
  return new AccessControl(SETTINGS, { nowMs })
}

type Asked = Partial<AccessRequest> & { readonly authorization?: string }

function request({ authorization, ...more }: Asked = {}): AccessRequest {
  const who = { address: '192.0.2.1', path: '/live.ts', query: '', ...httpCredentials(authorization) }
  return { action: 'read', protocol: 'http', stream: 'live', ...who, ...more }
}

function basic(user: string, password: string): Asked {
  return { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` }
}

function outcomeOf(decision: AccessDecision): string {
  if (decision.allowed) return `allowed ${decision.user ?? ''}`.trim()
  return `${decision.status} ${decision.reason}`
}

const rows: readonly { name: string; auth: readonly string[]; asks: Asked; says: string }[] = [
  { name: 'no provider', auth: [], asks: {}, says: 'allowed' },
  { name: 'basic', auth: ['viewers'], asks: basic('anna', 'se:cret'), says: 'allowed anna' },
  { name: 'basic in UTF-8', auth: ['viewers'], asks: basic('jürgen', 'pässwört'), says: 'allowed jürgen' },
  { name: 'basic, wrong password', auth: ['viewers'], asks: basic('anna', 'secret'), says: '401 bad-credentials' },
  { name: 'basic, no such user', auth: ['viewers'], asks: basic('otto', 'se:cret'), says: '401 bad-credentials' },
  {
    name: 'basic, a name that every object has',
    auth: ['viewers'],
    asks: basic('constructor', ''),
    says: '401 bad-credentials',
  },
  { name: 'basic without credentials', auth: ['viewers'], asks: {}, says: '401 no-credentials' },
  { name: 'basic, malformed', auth: ['viewers'], asks: { authorization: 'Basic ?' }, says: '401 bad-credentials' },
  { name: 'bearer', auth: ['api'], asks: { authorization: 'Bearer xyz==' }, says: 'allowed other' },
  { name: 'bearer, wrong', auth: ['api'], asks: { authorization: 'Bearer xyz' }, says: '401 bad-credentials' },
  { name: 'bearer, two', auth: ['api'], asks: { authorization: 'Bearer a, b' }, says: '401 bad-credentials' },
  { name: 'token', auth: ['players'], asks: { query: 'a=b&token=tv+2' }, says: 'allowed' },
  { name: 'token, wrong', auth: ['players'], asks: { query: 'token=tv-3' }, says: '403 bad-credentials' },
  { name: 'token, twice', auth: ['players'], asks: { query: 'token=tv-1&token=tv-1' }, says: '403 bad-credentials' },
  { name: 'token, none', auth: ['players'], asks: { query: 'tokens=tv-1' }, says: '403 no-credentials' },
  { name: 'ip', auth: ['office'], asks: { address: '10.1.2.3' }, says: 'allowed' },
  { name: 'ip, mapped', auth: ['office'], asks: { address: '::ffff:10.1.2.3' }, says: 'allowed' },
  { name: 'ip, mapped in hexadecimal', auth: ['office'], asks: { address: '::ffff:a01:203' }, says: 'allowed' },
  { name: 'ip, v6', auth: ['office'], asks: { address: '2001:db8::1' }, says: 'allowed' },
  { name: 'ip, with a zone', auth: ['office'], asks: { address: '2001:db8::1%eth0' }, says: 'allowed' },
  { name: 'ip, outside', auth: ['office'], asks: { address: '11.1.2.3' }, says: '403 address' },
  { name: 'ip, denied within an allowed range', auth: ['office'], asks: { address: '10.6.6.6' }, says: '403 address' },
  { name: 'ip, no address', auth: ['office'], asks: { address: 'unknown' }, says: '403 address' },
  { name: 'ip, denied', auth: ['no-banned'], asks: { address: '::ffff:192.0.2.66' }, says: '403 address' },
  {
    name: 'ip, denied by a mapped range',
    auth: ['no-banned'],
    asks: { address: '198.51.100.7' },
    says: '403 address',
  },
  { name: 'ip, no address, with a deny list only', auth: ['no-banned'], asks: { address: '' }, says: '403 address' },
  { name: 'ip, not denied', auth: ['no-banned'], asks: {}, says: 'allowed' },
  { name: 'any, by address', auth: ['viewers', 'office'], asks: { address: '10.1.1.1' }, says: 'allowed' },
  { name: 'any, by password', auth: ['office', 'viewers'], asks: basic('anna', 'se:cret'), says: 'allowed anna' },
  { name: 'any, neither', auth: ['office', 'viewers'], asks: {}, says: '401 no-credentials' },
  {
    name: 'any, the second scheme',
    auth: ['viewers', 'api'],
    asks: { authorization: 'Bearer abc.def' },
    says: 'allowed app',
  },
  {
    name: 'all, both',
    auth: ['both'],
    asks: { ...basic('anna', 'se:cret'), address: '10.1.1.1' },
    says: 'allowed anna',
  },
  { name: 'all, only the address', auth: ['both'], asks: { address: '10.1.1.1' }, says: '401 no-credentials' },
  { name: 'all, only the password', auth: ['both'], asks: basic('anna', 'se:cret'), says: '403 address' },
]

/** What a publisher presents over TCP, which has neither paths nor headers. */
function publisher(more: Partial<AccessRequest>): AccessRequest {
  return { action: 'publish', protocol: 'tcp', stream: 'cam-1', address: '192.0.2.1', ...more }
}

function signedQuery(prefix: string, expires = 1): string {
  const signature = signatureOf(LINK_KEY, String(expires), prefix).toString('hex')
  return `expires=${expires}&prefix=${encodeURIComponent(prefix)}&key=k&signature=${signature}`
}

const publishers: readonly { name: string; auth: readonly string[]; asks: Partial<AccessRequest>; says: string }[] = [
  { name: 'no provider', auth: [], asks: {}, says: 'allowed' },
  { name: 'basic', auth: ['encoders'], asks: { user: 'enc', password: 'pa:ss' }, says: 'allowed enc' },
  { name: 'basic, wrong', auth: ['encoders'], asks: { user: 'enc', password: 'no' }, says: '401 bad-credentials' },
  { name: 'basic, a user alone', auth: ['encoders'], asks: { user: 'enc' }, says: '401 no-credentials' },
  { name: 'basic, a password alone', auth: ['encoders'], asks: { password: 'x' }, says: '401 bad-credentials' },
  {
    name: 'basic, endless',
    auth: ['encoders'],
    asks: { user: 'enc', password: 'x'.repeat(1025) },
    says: '401 bad-credentials',
  },
  { name: 'bearer', auth: ['keys'], asks: { token: 'abc.def' }, says: 'allowed enc' },
  { name: 'bearer, empty', auth: ['keys'], asks: { token: '' }, says: '401 bad-credentials' },
  { name: 'token', auth: ['lines'], asks: { token: 'tv 1' }, says: 'allowed enc' },
  { name: 'token in a query', auth: ['lines'], asks: { query: 'token=tv+1' }, says: 'allowed enc' },
  { name: 'token, none', auth: ['lines'], asks: {}, says: '403 no-credentials' },
  { name: 'signed, its stream', auth: ['signed'], asks: { query: signedQuery('/cam-1') }, says: 'allowed' },
  { name: 'signed, another', auth: ['signed'], asks: { query: signedQuery('/cam-2') }, says: '403 wrong-path' },
  { name: 'ip', auth: ['studio'], asks: { address: '10.1.1.1' }, says: 'allowed' },
  { name: 'ip, outside', auth: ['studio'], asks: {}, says: '403 address' },
  {
    name: 'all',
    auth: ['studio-encoders'],
    asks: { user: 'enc', password: 'pa:ss', address: '10.1.1.1' },
    says: 'allowed enc',
  },
  {
    name: 'all, a part for viewers',
    auth: ['mixed'],
    asks: { user: 'anna', password: 'se:cret', address: '10.1.1.1' },
    says: '403 wrong-action',
  },
  { name: 'viewers', auth: ['viewers'], asks: { user: 'anna', password: 'se:cret' }, says: '403 wrong-action' },
  {
    name: 'over a protocol that is not listed',
    auth: ['encrypted'],
    asks: { action: 'read', user: 'anna', password: 'se:cret' },
    says: '403 wrong-protocol',
  },
  {
    name: 'over a protocol that is listed',
    auth: ['encrypted'],
    asks: { action: 'read', protocol: 'srt', user: 'anna', password: 'se:cret' },
    says: 'allowed anna',
  },
]

for (const { name, auth, asks, says } of publishers) {
  test(`a publisher, ${name}: ${says}`, async () => {
    const access = new AccessControl(SETTINGS, { nowMs: () => 0, unixMs: () => 0 })
    assert.equal(outcomeOf(await access.check(auth, publisher(asks))), says)
  })
}

test('a provider for publishers admits no viewer, and only HTTP receives headers', async () => {
  const known = { user: 'enc', password: 'pa:ss' }
  assert.equal(outcomeOf(await control().check(['encoders'], request(known))), '403 wrong-action')
  const refused = await control().check(['encoders'], publisher({}))
  assert.deepEqual(refused, { allowed: false, reason: 'no-credentials', status: 401, headers: {} })
})

test('guesses of publishers and viewers count together', async () => {
  const access = control()
  for (let count = 0; count < 5; count++) {
    await access.check(['encoders'], publisher({ user: 'enc', password: 'no' }))
    await access.check(['viewers'], request(basic('anna', 'no')))
  }
  const right = publisher({ user: 'enc', password: 'pa:ss' })
  assert.equal(outcomeOf(await access.check(['encoders'], right)), '429 too-many-failures')
})

for (const { name, auth, asks, says } of rows) {
  test(`${name}: ${says}`, async () => assert.equal(outcomeOf(await control().check(auth, request(asks))), says))
}

test('a challenge names each scheme that would help, once', async () => {
  const decision = await control().check(['api', 'viewers', 'viewers'], request())
  assert.ok(!decision.allowed)
  assert.equal(decision.headers['WWW-Authenticate'], 'Bearer realm="apps", Basic realm="millrace", charset="UTF-8"')
  const wrong = await control().check(['api'], request({ authorization: 'Bearer nope' }))
  assert.ok(!wrong.allowed)
  assert.equal(wrong.headers['WWW-Authenticate'], 'Bearer realm="apps", error="invalid_token"')
})

test('an unknown provider is an error', () => {
  assert.throws(() => control().check(['viewer'], request()), { code: 'AUTH_UNKNOWN' })
})

test('after ten failures an address is refused for a minute, even with the right password, and others are not', async () => {
  let nowMs = 0
  const access = control(() => nowMs)
  for (let count = 0; count < 10; count++) {
    assert.equal(
      outcomeOf(await access.check(['viewers'], request(basic('anna', `no ${count}`)))),
      '401 bad-credentials',
    )
  }
  const right = request(basic('anna', 'se:cret'))
  const refused = await access.check(['viewers'], right)
  assert.equal(outcomeOf(refused), '429 too-many-failures')
  assert.equal(!refused.allowed && refused.headers['Retry-After'], '60')
  assert.equal(outcomeOf(await access.check(['no-banned'], right)), 'allowed', 'an address cannot be guessed')
  assert.equal(outcomeOf(await access.check(['viewers'], { ...right, address: '192.0.2.2' })), 'allowed anna')
  nowMs = 60_001
  assert.equal(outcomeOf(await access.check(['viewers'], right)), 'allowed anna')
  assert.deepEqual(
    [...access.refused],
    [
      ['bad-credentials', 10],
      ['too-many-failures', 1],
    ],
  )
})

test('a request without credentials is not a failure', async () => {
  const access = control()
  for (let count = 0; count < 20; count++) await access.check(['viewers'], request())
  assert.equal(outcomeOf(await access.check(['viewers'], request(basic('anna', 'se:cret')))), 'allowed anna')
})

test('failures of an IPv6 client count for its /64', async () => {
  const access = control()
  for (let count = 0; count < 10; count++) {
    await access.check(['players'], request({ address: `2001:db8:1:2::${count}`, query: 'token=x' }))
  }
  const from = (address: string): AccessRequest => request({ address, query: 'token=tv-1' })
  assert.equal(outcomeOf(await access.check(['players'], from('2001:db8:1:2:ffff::1'))), '429 too-many-failures')
  assert.equal(outcomeOf(await access.check(['players'], from('2001:db8:1:3::1'))), 'allowed')
})

test('hashed passwords admit; unknown names and plain passwords beside them are checked in the same way', async () => {
  const hash = renderPasswordHash(await hashPassword('secret'))
  const access = new AccessControl([provider('v', 'basic', { users: { anna: hash, otto: 'plain' } })], {
    nowMs: () => 0,
  })
  let clients = 0
  // Of one client only two wait.
  const ask = (user: string, password: string): ReturnType<AccessControl['check']> =>
    access.check(['v'], request({ ...basic(user, password), address: `10.0.0.${clients++}` }))
  const answers = await Promise.all([
    ask('anna', 'secret'),
    ask('anna', 'wrong'),
    ask('otto', 'plain'),
    ask('otto', 'secret'),
    ask('nobody', 'secret'),
  ])
  assert.deepEqual(answers.map(outcomeOf), [
    'allowed anna',
    '401 bad-credentials',
    'allowed otto',
    '401 bad-credentials',
    '401 bad-credentials',
  ])
  const again = ask('anna', 'secret')
  assert.ok(!(again instanceof Promise), 'a recent right password is remembered')
})

test('many viewers with one password cost one derivation, many guesses are refused when too many wait', async () => {
  const hash = renderPasswordHash(await hashPassword('secret'))
  const access = new AccessControl([provider('v', 'basic', { users: { anna: hash } })], { nowMs: () => 0 })
  const crowd = Array.from({ length: 500 }, async (_, index) =>
    access.check(['v'], request({ ...basic('anna', 'secret'), address: `10.0.${index >> 8}.${index & 255}` })),
  )
  assert.ok((await Promise.all(crowd)).every(({ allowed }) => allowed))
  const guesses = Array.from({ length: 80 }, async (_, index) =>
    access.check(['v'], request({ ...basic('anna', `guess ${index}`), address: `10.1.0.${index}` })),
  )
  const said = (await Promise.all(guesses)).map(outcomeOf)
  assert.equal(said.filter((each) => each === '401 bad-credentials').length, 66)
  assert.equal(said.filter((each) => each === '503 busy').length, 14)
})

test('guesses of a token count although the password beside it could not be checked in time', async () => {
  const hash = renderPasswordHash(await hashPassword('secret'))
  const providers = [provider('t', 'token', { tokens: ['right'] }), provider('v', 'basic', { users: { anna: hash } })]
  const access = new AccessControl(providers, { nowMs: () => 0 })
  const ask = async (token: string): Promise<string> =>
    outcomeOf(await access.check(['t', 'v'], request({ ...basic('anna', `no ${token}`), token, address: '10.0.0.1' })))
  const said = await Promise.all(Array.from({ length: 20 }, (_, index) => ask(`guess ${index}`)))
  assert.ok(said.filter((each) => each === '503 busy').length >= 10, said.join())
  assert.equal(await ask('right'), '429 too-many-failures')
})

test('at most two checks of one client wait, so that guesses in parallel end at the limit of failures', async () => {
  const checks = new CheckQueue({ concurrency: 1, mostWaiting: 10 })
  const check = (): Promise<boolean> => Promise.resolve(true)
  const results = await Promise.all(['a', 'a', 'a', 'a', 'b'].map((client) => checks.run(client, check)))
  assert.deepEqual(results, [true, true, true, 'busy', true])
  assert.equal(await checks.run('a', check), true)
})

test('queued checks run a few at a time, in order, and one that fails hands its place on', async () => {
  const checks = new CheckQueue({ concurrency: 1, mostWaiting: 2 })
  const order: string[] = []
  const check =
    (name: string, fails = false) =>
    async (): Promise<boolean> => {
      order.push(name)
      await Promise.resolve()
      if (fails) throw new Error('out of memory')
      return true
    }
  const results = await Promise.allSettled([
    checks.run('one', check('a', true)),
    checks.run('two', check('b')),
    checks.run('three', check('c')),
    checks.run('four', check('d')),
  ])
  assert.deepEqual(order, ['a', 'b', 'c'])
  assert.deepEqual(
    results.map((result) => (result.status === 'fulfilled' ? result.value : 'failed')),
    ['failed', true, true, 'busy'],
  )
  assert.equal(await checks.run('one', check('e')), true)
})

test('an update applies to new requests, and counted failures are kept', async () => {
  const basic = (password: string): AuthSettings => provider('viewers', 'basic', { users: { anna: password } })
  const ask = (password: string, address: string): boolean => {
    const authorization = `Basic ${Buffer.from(`anna:${password}`).toString('base64')}`
    const decision = auth.check(['viewers'], request({ address, authorization }))
    return !(decision instanceof Promise) && decision.allowed
  }
  const auth = new AccessControl([basic('old')], { nowMs: () => 0 })
  assert.deepEqual([ask('old', '192.0.2.1'), ask('new', '192.0.2.1')], [true, false])
  auth.update([basic('new')])
  assert.deepEqual([ask('old', '192.0.2.1'), ask('new', '192.0.2.1')], [false, true])
  assert.equal(auth.refused.get('bad-credentials'), 2)
  for (let count = 0; count < 10; count++) ask('wrong', '192.0.2.2')
  auth.update([basic('newer')])
  assert.deepEqual([ask('newer', '192.0.2.1'), ask('newer', '192.0.2.2')], [true, false])
  const broken = provider('both', 'all', { of: ['viewers', 'nobody'] })
  assert.throws(() => auth.update([basic('newest'), broken]), hasUnknown)
  assert.equal(ask('newer', '192.0.2.1'), true)
})

test('nodes that a reload has not replaced yet keep a provider that is gone, and one that is back replaces it', async () => {
  const named = (name: string, password: string): AuthSettings => provider(name, 'token', { tokens: [password] })
  const outcome = async (name: string, token: string): Promise<string> =>
    outcomeOf(await auth.check([name], request({ query: `token=${token}` })))
  const auth = new AccessControl([named('old', 'one')], { nowMs: () => 0 })
  auth.update([named('new', 'two')])
  assert.deepEqual([await outcome('old', 'one'), await outcome('new', 'two')], ['allowed', 'allowed'])
  auth.update([named('newer', 'two')])
  assert.deepEqual([await outcome('old', 'one'), await outcome('new', 'two')], ['allowed', 'allowed'])
  auth.update([named('old', 'three')])
  assert.deepEqual([await outcome('old', 'one'), await outcome('old', 'three')], ['403 bad-credentials', 'allowed'])
  for (let count = 0; count < 20; count++) auth.update([named(`other-${count}`, 'four')])
  assert.throws(() => auth.check(['old'], request()), hasUnknown)
})

test('a check in progress finishes with the providers it started with', async () => {
  const users = { anna: renderPasswordHash(await hashPassword('right')) }
  const auth = new AccessControl([provider('viewers', 'basic', { users })], { nowMs: () => 0 })
  const authorization = `Basic ${Buffer.from('anna:right').toString('base64')}`
  const decision = auth.check(['viewers'], request({ authorization }))
  assert.ok(decision instanceof Promise)
  auth.update([])
  assert.equal((await decision).allowed, true)
})

function hasUnknown(error: unknown): boolean {
  return isEngineError(error) && error.code === 'AUTH_UNKNOWN'
}

test('a credential is told by a digest, the same for the same one; where each request is checked anew, there is none', async () => {
  const access = control()
  const credentialOf = async (names: readonly string[], asked: Asked): Promise<string | undefined> => {
    const decision = await access.check(names, request(asked))
    assert.ok(decision.allowed)
    return decision.credential && `${decision.credential.id}${decision.credential.isForAddress ? ' here' : ''}`
  }
  const anna = basic('anna', 'se:cret')
  const shown = await credentialOf(['viewers'], anna)
  assert.match(shown ?? '', /^[\w-]{43}$/)
  assert.equal(await credentialOf(['viewers'], { ...anna, address: '192.0.2.9', path: '/other' }), shown)
  assert.notEqual(await credentialOf(['viewers'], basic('jürgen', 'pässwört')), shown)
  const token = await credentialOf(['players'], { query: 'token=tv-1&_=1' })
  assert.equal(await credentialOf(['players'], { query: '_=2&token=tv-1' }), token)
  assert.notEqual(await credentialOf(['players'], { query: 'token=tv+2' }), token)
  assert.equal(await credentialOf(['both'], { ...anna, address: '10.0.0.1' }), `${shown} here`)
  assert.equal(await credentialOf(['office'], { address: '10.0.0.1' }), undefined)
  assert.equal(await credentialOf([], {}), undefined)
  const other = await control().check(['viewers'], request(anna))
  assert.ok(other.allowed && other.credential?.id !== shown, 'another process has another digest')
})
