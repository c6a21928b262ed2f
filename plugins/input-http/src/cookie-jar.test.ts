import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { CookieJar } from './cookie-jar.js'

const NOW = Date.UTC(2026, 0, 1)
const at = (target: string, origin = 'http://a.example'): { url: URL; target: string } => ({
  url: new URL(origin + target),
  target,
})

/** What a request for `target` sends, after a response to `/live/one.ts` has set the cookies. */
function sent(cookies: readonly string[], target = '/live/two.ts', origin = 'http://a.example'): string | undefined {
  const jar = new CookieJar()
  for (const cookie of cookies) jar.take(cookie, at('/live/one.ts'), NOW)
  return jar.header(at(target, origin), undefined)
}

test('a cookie is sent back as it was set', () => {
  assert.equal(sent(['sid=abc; Path=/; HttpOnly; SameSite=Lax']), 'sid=abc')
  assert.equal(sent([' sid = "a b=c" ;path=/']), 'sid="a b=c"')
  assert.equal(sent(['sid=caf\u00e9']), 'sid=caf\u00e9')
  assert.equal(sent(['sid=voil\u00c3\u00a0']), 'sid=voil\u00c3\u00a0')
  assert.equal(sent(['sid=']), 'sid=')
  assert.equal(sent(['a=1', 'b=2']), 'a=1; b=2')
  assert.equal(sent(['a=1', 'a=2']), 'a=2')
  assert.equal(sent(['a', '=b', '']), undefined)
})

test('a cookie is sent to the origin that set it alone', () => {
  const others = [
    'https://a.example',
    'http://a.example:8080',
    'http://b.example',
    'http://x.a.example',
    'http://example',
  ]
  for (const other of others)
    assert.equal(sent(['a=1; Domain=example; Path=/'], '/live/two.ts', other), undefined, other)
  for (const domain of ['a.example', '.A.example', 'example', ''])
    assert.equal(sent([`a=1; Domain=${domain}`]), 'a=1', domain)
  for (const domain of ['b.example', 'x.a.example', 'le'])
    assert.equal(sent([`a=1; Domain=${domain}`]), undefined, domain)
})

test('a cookie is sent below its path', () => {
  for (const path of ['/', '/live', '/live/', '/live/two.ts', 'nonsense', '']) {
    assert.equal(sent([`a=1; Path=${path}`]), 'a=1', path)
  }
  for (const path of ['/liv', '/live/two', '/other']) assert.equal(sent([`a=1; Path=${path}`]), undefined, path)
  assert.equal(sent(['a=1'], '/liver/x'), undefined)
  assert.equal(sent(['a=1'], '/live?x=/'), 'a=1')
  assert.equal(sent(['a=1; Path=/', 'a=2; Path=/live']), 'a=2; a=1')
})

test('an expired cookie is removed, and one that will expire is kept', () => {
  const gone = [
    'Max-Age=0',
    'max-age=-1',
    'Expires=Wed, 09 Jun 2021 10:18:14 GMT',
    'Expires=Wed, 09-Jun-2021 10:18:14 GMT',
  ]
  for (const attribute of gone) assert.equal(sent(['a=1', `a=2; ${attribute}`]), undefined, attribute)
  const kept = ['Max-Age=9', 'Expires=Wed, 09 Jun 2038 10:18:14 GMT', 'Expires=never', 'Max-Age=9; Expires=Wed, 09 Jun 2021 10:18:14 GMT', 'Max-Age=x'] // prettier-ignore
  for (const attribute of kept) assert.equal(sent([`a=1; ${attribute}`]), 'a=1', attribute)
})

test('a secure cookie is taken over https only', () => {
  const jar = new CookieJar()
  jar.take('a=1; Secure', at('/', 'http://a.example'), NOW)
  jar.take('b=1; Secure', at('/', 'https://a.example'), NOW)
  assert.equal(jar.header(at('/'), undefined), undefined)
  assert.equal(jar.header(at('/', 'https://a.example'), undefined), 'b=1')
})

test('configured cookies come first, and give way to a new value of the same name', () => {
  const jar = new CookieJar()
  assert.equal(jar.header(at('/'), 'x=1; y=2'), 'x=1; y=2')
  jar.take('y=3', at('/'), NOW)
  assert.equal(jar.header(at('/'), 'x=1; y=2'), 'x=1; y=3')
})

test('cookies are bounded', () => {
  const many = Array.from({ length: 1000 }, (_, index) => `n${index}=1`)
  assert.equal(sent(many)?.split(';').length, 64)
  assert.equal(sent([`a=${'x'.repeat(5000)}`]), undefined)
  assert.ok((sent(Array.from({ length: 64 }, (_, index) => `n${index}=${'x'.repeat(4000)}`))?.length ?? 0) <= 8192)
})

test('any Set-Cookie is taken or ignored', () => {
  const piece = fc.constantFrom(
    'Path',
    'Domain',
    'Expires',
    'Max-Age',
    '=',
    ';',
    '/',
    '.',
    ',',
    ' ',
    '0',
    '\u00e9',
    'a',
  )
  const attribute = fc.string({ unit: piece, maxLength: 20 })
  fc.assert(
    fc.property(fc.array(attribute, { maxLength: 8 }), (cookies) => {
      const text = sent(cookies.map((cookie) => `a=b;${cookie}`))
      assert.ok(text === undefined || text.startsWith('a=b'))
    }),
  )
})
