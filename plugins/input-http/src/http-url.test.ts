import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readHttpUrl, resolveHttpUrl } from './http-url.js'

const BASE = readHttpUrl('http://a.example/b/c/d;p?q')
const bytes = (text: string): string => Buffer.from(text, 'utf8').toString('latin1')

test('a Location is resolved as RFC 3986 section 5.4 says', () => {
  const cases: readonly (readonly [reference: string, target: string])[] = [
    ['g', '/b/c/g'],
    ['./g', '/b/c/g'],
    ['g/', '/b/c/g/'],
    ['/g', '/g'],
    ['?y', '/b/c/d;p?y'],
    ['g?y', '/b/c/g?y'],
    ['#s', '/b/c/d;p?q'],
    ['g#s', '/b/c/g'],
    ['g?y#s', '/b/c/g?y'],
    [';x', '/b/c/;x'],
    ['.', '/b/c/'],
    ['./', '/b/c/'],
    ['..', '/b/'],
    ['../g', '/b/g'],
    ['../..', '/'],
    ['../../../g', '/g'],
    ['/./g', '/g'],
    ['/../g', '/g'],
    ['g.', '/b/c/g.'],
    ['..g', '/b/c/..g'],
    ['./g/.', '/b/c/g/'],
    ['g;x=1/../y', '/b/c/y'],
    ['g?y/../x', '/b/c/g?y/../x'],
  ]
  for (const [reference, target] of cases) assert.equal(resolveHttpUrl(reference, BASE)?.target, target, reference)
})

test('the path and the query of a Location are asked for byte for byte', () => {
  const cases: readonly (readonly [name: string, location: string, target: string])[] = [
    ['Latin-1', '/caf\u00e9.ts', '/caf%E9.ts'],
    ['UTF-8', bytes('/café.ts'), '/caf%C3%A9.ts'],
    ['UTF-8 that ends with the byte A0', bytes('/live/voilà'), '/live/voil%C3%A0'],
    ['Shift JIS', '/\u0083e\u0083X.ts', '/%83e%83X.ts'],
    ['escapes in lower case', '/%e9%2f', '/%e9%2f'],
    ['what URL would rewrite', '/a|b"c<d>`{e}^[f]\\g', '/a|b"c<d>`{e}^[f]\\g'],
    ['spaces', '/a b/c d.ts?e f', '/a%20b/c%20d.ts?e%20f'],
    ['slashes', '//a.example//b///c', '//b///c'],
    ['a query without a path', 'http://a.example?x=\u00e9', '/?x=%E9'],
  ]
  for (const [name, location, target] of cases) assert.equal(resolveHttpUrl(location, BASE)?.target, target, name)
})

test('the URL of the options is asked for byte for byte, too', () => {
  assert.equal(readHttpUrl(' http://a.example/voilà ')?.target, '/voil%C3%A0')
})

test('the host of a Location is read as a browser does', () => {
  const cases: readonly (readonly [location: string, origin: string | undefined])[] = [
    ['HTTP://B.Example:80/', 'http://b.example'],
    ['//b.example:8080', 'http://b.example:8080'],
    ['  http://b.example/ ', 'http://b.example'],
    ['http://0x7f.1/', 'http://127.0.0.1'],
    ['http://[::1]:81/x', 'http://[::1]:81'],
    [bytes('http://bücher.example/'), 'http://xn--bcher-kva.example'],
    ['http:/g', 'http://a.example'],
    ['http:///g', undefined],
    ['https:/g', undefined],
    ['http://b.example:99999/', undefined],
    ['http://[::', undefined],
    ['http://a%0d%0aX-Evil:1@b.example/', undefined],
    ['http://a:b%00@b.example/', undefined],
  ]
  for (const [location, origin] of cases) assert.equal(resolveHttpUrl(location, BASE)?.url.origin, origin, location)
})

test('user and password are taken out of a URL', () => {
  const read = readHttpUrl('http://an%20na:s%3Ae@b.example/x')
  assert.deepEqual(read?.login, { username: 'an na', password: 's:e' })
  assert.equal(read.url.href, 'http://b.example/x')
})

test('whatever a Location is, the request line that it leads to has no space, no control and no other byte than ASCII', () => {
  const piece = fc.constantFrom(
    'http:',
    'ftp:',
    '/',
    '//',
    '\\',
    '?',
    '#',
    '@',
    ':',
    '..',
    '[',
    '%',
    ' ',
    '\0',
    '\u00e9',
    'a',
  )
  const location = fc.oneof(
    fc.string({ unit: piece, maxLength: 20 }),
    fc.uint8Array({ maxLength: 40 }).map((raw) => Buffer.from(raw).toString('latin1')),
  )
  const check = (text: string): void => {
    const found = resolveHttpUrl(text, BASE)
    if (found === undefined || !found.url.protocol.startsWith('http')) return
    assert.match(found.target, /^\/[!-~]*$/)
    assert.equal(found.url.username + found.url.password + found.url.hash, '')
  }
  fc.assert(fc.property(location, check))
})
