import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseChallenges } from './challenges.js'
import { answerDigest, chooseDigest, isStale } from './digest-auth.js'

const login = { username: 'Mufasa', password: 'Circle of Life' }

/** The parameters of the answer to a challenge. */
function answer(
  header: string,
  more: { target?: string; cnonce?: string; password?: string } = {},
): Map<string, string> {
  const {
    target = '/dir/index.html',
    cnonce = 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
    password = login.password,
  } = more
  const challenge = chooseDigest(parseChallenges([header]))
  assert.ok(challenge !== undefined)
  const text = answerDigest(challenge, { method: 'GET', target, cnonce, login: { ...login, password } })
  const [only, ...others] = parseChallenges([text])
  assert.deepEqual([only?.scheme, others], ['digest', []])
  return new Map(only?.parameters)
}

const RFC_7616 =
  'realm="http-auth@example.org", qop="auth, auth-int", nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'

test('the examples of RFC 7616 and RFC 2617 are answered as printed there', () => {
  const sha = answer(`Digest ${RFC_7616}, algorithm=SHA-256`)
  assert.equal(sha.get('response'), '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1')
  const md5 = answer(`Digest ${RFC_7616}, algorithm=MD5`)
  assert.equal(md5.get('response'), '8ca523f5e9506fed4657c9700eebdbec')
  const old = answer(
    'Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"',
    {
      cnonce: '0a4f113b',
      password: 'Circle Of Life',
    },
  )
  assert.equal(old.get('response'), '6629fae49393a05397450978507c4ef1')
  assert.deepEqual(
    [...sha].filter(([name]) => name !== 'response' && name !== 'cnonce'),
    [
      ['username', 'Mufasa'],
      ['realm', 'http-auth@example.org'],
      ['nonce', '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v'],
      ['uri', '/dir/index.html'],
      ['algorithm', 'SHA-256'],
      ['opaque', 'FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS'],
      ['qop', 'auth'],
      ['nc', '00000001'],
    ],
  )
})

test('a challenge without a quality of protection is answered as RFC 2069 says', () => {
  const old = answer('digest realm="r", nonce=n')
  // MD5(MD5(Mufasa:r:Circle of Life):n:MD5(GET:/dir/index.html)), by openssl.
  assert.equal(old.get('response'), '0bab5c24c08a1ef94a6cc3d446ce558a')
  for (const name of ['qop', 'nc', 'cnonce', 'algorithm', 'opaque']) assert.equal(old.has(name), false, name)
})

test('a session, a hashed user and quotes in a realm are answered', () => {
  const session = answer('Digest realm="r", nonce="n", qop=auth, algorithm=md5-sess', { cnonce: 'c' })
  assert.equal(session.get('response'), '2008d6d1fdf4ec35555cf8426b3eb39d')
  const hashed = answer('Digest realm="a \\"b\\" \\\\ c", nonce="n", qop="auth", algorithm=SHA-256, userhash=true')
  assert.equal(hashed.get('realm'), 'a "b" \\ c')
  assert.match(hashed.get('username') ?? '', /^[0-9a-f]{64}$/)
  assert.equal(hashed.get('userhash'), 'true')
})

test('of several challenges the strongest one that can be answered is chosen', () => {
  const cases: readonly (readonly [headers: readonly string[], algorithm: string | undefined])[] = [
    [['Digest realm=a, nonce=b, algorithm=MD5', 'Digest realm=a, nonce=b, algorithm=SHA-256'], 'SHA-256'],
    [
      ['Digest realm=a, nonce=b, algorithm=MD5, Digest realm=a, nonce=b, algorithm=SHA-512-256, Basic realm=x'],
      'SHA-512-256',
    ],
    [['Negotiate, NTLM, Digest realm="a, b", nonce="c=", algorithm="MD5"'], 'MD5'],
    [['Digest realm=a, nonce=b, algorithm=SHA-3, Digest realm=a, nonce=b, algorithm=MD5-sess'], 'MD5-sess'],
    [['Digest realm=a, nonce=b, qop="auth-int"'], undefined],
    [['Digest realm=a'], undefined],
    [['Basic realm="Digest nonce=x"'], undefined],
    [[''], undefined],
  ]
  for (const [headers, algorithm] of cases) {
    assert.equal(chooseDigest(parseChallenges(headers))?.parameters.get('algorithm'), algorithm, headers.join('|'))
  }
  const [stale] = parseChallenges(['Digest realm=a, nonce=b, stale=TRUE'])
  assert.ok(stale !== undefined && isStale(stale))
})

test('any challenge is parsed in bounds, and what can be answered is answered in one line', () => {
  const text = fc.string({
    unit: fc.constantFrom('Digest', ' ', ',', '=', '"', '\\', 'nonce', 'realm', 'x', '\u00e9'),
    maxLength: 60,
  })
  fc.assert(
    fc.property(fc.array(text), (headers) => {
      const challenges = parseChallenges(headers)
      assert.ok(challenges.length <= 16)
      const challenge = chooseDigest(challenges)
      if (challenge === undefined) return
      assert.match(answerDigest(challenge, { method: 'GET', target: '/', login, cnonce: 'c' }), /^Digest [^\r\n]+$/)
    }),
  )
})
