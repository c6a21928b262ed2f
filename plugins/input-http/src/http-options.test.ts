import assert from 'node:assert/strict'
import { test } from 'node:test'
import { httpOptions } from './http-options.js'

const url = 'http://up.example/one.ts'

test('one URL is enough', () => {
  assert.deepEqual(httpOptions.parse({ url }), {
    url,
    order: 'listed',
    connectTimeout: 5000,
    readTimeout: 5000,
    firstByteTimeout: 20_000,
    lenient: true,
    redirects: 'public',
    headers: {},
    tls: { insecure: false },
  })
})

const REFUSED = [
  { name: 'no URL', given: {}, path: [] },
  { name: 'both', given: { url, urls: [url] }, path: ['urls'] },
  { name: 'an empty list', given: { urls: [] }, path: ['urls'] },
  { name: 'another scheme', given: { url: 'ftp://up.example/' }, path: ['url'] },
  { name: 'a timeout of 0', given: { url, readTimeout: 0 }, path: ['readTimeout'] },
  { name: 'two users', given: { url: 'http://a:b@up.example/', auth: { type: 'bearer', token: 't' } }, path: ['auth'] },
  {
    name: 'a colon',
    given: { url, auth: { type: 'basic', username: 'a:b', password: 'p' } },
    path: ['auth', 'username'],
  },
  { name: 'no password', given: { url, auth: { type: 'basic', username: 'a' } }, path: ['auth'] },
  { name: 'no token', given: { url, auth: { type: 'bearer' } }, path: ['auth'] },
  {
    name: 'a key of another type',
    given: { url, auth: { type: 'bearer', token: 't', password: 'p' } },
    path: ['auth', 'password'],
  },
  { name: 'another type', given: { url, auth: { type: 'ntlm' } }, path: ['auth', 'type'] },
  { name: 'a digest without a password', given: { url, auth: { type: 'digest', username: 'a' } }, path: ['auth'] },
  {
    name: 'a user of two lines',
    given: { url, auth: { type: 'digest', username: 'a\nb', password: 'p' } },
    path: ['auth', 'username'],
  },
  { name: 'headers behind the URL', given: { url: `${url}|User-Agent=a` }, path: ['url'] },
  { name: 'headers behind one of them', given: { urls: [url, `${url}|Referer=a&X-C=c`] }, path: ['urls', 1] },
  { name: 'a scheme without a host', given: { url: 'http:one.ts' }, path: ['url'] },
  { name: 'other redirects', given: { url, redirects: 'private' }, path: ['redirects'] },
  { name: 'a token of two lines', given: { url, auth: { type: 'bearer', token: 'a\nb' } }, path: ['auth', 'token'] },
  { name: 'a header of two lines', given: { url, headers: { 'X-A': 'a\r\nX-B: b' } }, path: ['headers', 'X-A'] },
  { name: 'a header name with a space', given: { url, headers: { 'X A': 'a' } }, path: ['headers', 'X A'] },
  { name: 'a header of the connection', given: { url, headers: { Host: 'h' } }, path: ['headers', 'Host'] },
  { name: 'one header twice', given: { url, headers: { 'X-A': 'a', 'x-a': 'b' } }, path: ['headers'] },
  {
    name: 'two Authorizations',
    given: { url, headers: { authorization: 'x' }, auth: { type: 'bearer', token: 't' } },
    path: ['headers'],
  },
]

test('a contradiction is refused at its path, and the message contains no secret', () => {
  for (const { name, given, path } of REFUSED) {
    const result = httpOptions.safeParse(given)
    assert.equal(result.success, false, name)
    assert.deepEqual(result.error?.issues[0]?.path, path, name)
    assert.doesNotMatch(result.error?.message ?? '', /a\\?\r?\\?\nb|X-B/, name)
  }
})

test('headers behind a URL are named, with the option that holds them, and without their values', () => {
  const { error } = httpOptions.safeParse({ url: `${url}|User-Agent=VLC/3&Cookie=secret&verifypeer=false` })
  assert.equal(
    error?.issues[0]?.message,
    'must not end with request headers (`|User-Agent=`); set `headers: { User-Agent: ..., Cookie: ..., verifypeer: ... }`, and write a `|` of the URL itself as %7C',
  )
})

test('a pipe that is part of a URL is asked for', () => {
  for (const text of [`${url}?x=a|b`, 'http://up.example/a|b.ts', `${url}|`]) {
    assert.equal(httpOptions.parse({ url: text }).url, text)
  }
})
