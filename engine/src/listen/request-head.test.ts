import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type BadHead, checkFraming, isBareLine, parseRequestHead, RefusedHead } from './request-head.js'

const HOST = 'Host: here'

const accepted: readonly { name: string; lines: readonly string[]; method: string; path: string }[] = [
  { name: 'a plain GET', lines: ['GET /live.ts HTTP/1.1', HOST], method: 'GET', path: '/live.ts' },
  { name: 'HTTP/1.0 without Host', lines: ['GET /a HTTP/1.0'], method: 'GET', path: '/a' },
  { name: 'a path without its query', lines: ['GET /a?b=/c HTTP/1.1', HOST], method: 'GET', path: '/a' },
  { name: 'the absolute form', lines: ['GET http://here:80/a?b HTTP/1.1', HOST], method: 'GET', path: '/a' },
  { name: 'the absolute form without a path', lines: ['GET http://here HTTP/1.1', HOST], method: 'GET', path: '/' },
  { name: 'percent-encoding', lines: ['GET /%6Cive%C3%A9.ts HTTP/1.1', HOST], method: 'GET', path: '/liveé.ts' },
  { name: 'the asterisk form', lines: ['OPTIONS * HTTP/1.1', HOST], method: 'OPTIONS', path: '' },
  { name: 'the authority form', lines: ['CONNECT here:443 HTTP/1.1', HOST], method: 'CONNECT', path: '' },
  { name: 'a POST with a body', lines: ['POST /a HTTP/1.1', HOST, 'Content-Length: 5'], method: 'POST', path: '/a' },
  {
    name: 'a GET with a length of 0',
    lines: ['GET /a HTTP/1.1', HOST, 'content-length: 0'],
    method: 'GET',
    path: '/a',
  },
  { name: 'an empty Host', lines: ['GET /a HTTP/1.1', 'Host:'], method: 'GET', path: '/a' },
  { name: 'an IPv6 Host', lines: ['GET /a HTTP/1.1', 'Host: [::1]:8000'], method: 'GET', path: '/a' },
  { name: 'bytes above ASCII in a value', lines: ['GET /a HTTP/1.1', HOST, 'X: \xe9'], method: 'GET', path: '/a' },
]

for (const row of accepted) {
  test(`accepts ${row.name}`, () => {
    const { method, path } = parseRequestHead(row.lines.join('\r\n'))
    assert.deepEqual({ method, path }, { method: row.method, path: row.path })
  })
}

test('returns the query as sent, and headers with trimmed values', () => {
  const { query, headers } = parseRequestHead('GET /a?b=%20&c?d HTTP/1.1\r\nhost: here  \r\nX-Long:\t1 2 ')
  assert.equal(query, 'b=%20&c?d')
  assert.deepEqual(headers, ['host', 'here', 'X-Long', '1 2'])
})

const refused: readonly { name: string; lines: readonly string[]; reason: BadHead }[] = [
  { name: 'no version', lines: ['GET /a', HOST], reason: 'request-line' },
  { name: 'two spaces', lines: ['GET  /a HTTP/1.1', HOST], reason: 'request-line' },
  { name: 'a method that is not a token', lines: ['G(T /a HTTP/1.1', HOST], reason: 'request-line' },
  { name: 'a target above ASCII', lines: ['GET /\xe9 HTTP/1.1', HOST], reason: 'request-line' },
  { name: 'HTTP/2', lines: ['PRI * HTTP/2.0'], reason: 'version' },
  { name: 'HTTP/1.2', lines: ['GET / HTTP/1.2', HOST], reason: 'version' },
  { name: 'a target without a slash', lines: ['GET a HTTP/1.1', HOST], reason: 'target' },
  { name: 'the asterisk form of a GET', lines: ['GET * HTTP/1.1', HOST], reason: 'target' },
  { name: 'a fragment', lines: ['GET /a#b HTTP/1.1', HOST], reason: 'target' },
  { name: 'half an escape', lines: ['GET /%4 HTTP/1.1', HOST], reason: 'encoding' },
  { name: 'an escape that is not UTF-8', lines: ['GET /%FF HTTP/1.1', HOST], reason: 'encoding' },
  { name: 'an escaped NUL', lines: ['GET /a%00 HTTP/1.1', HOST], reason: 'encoding' },
  { name: 'no Host in 1.1', lines: ['GET /a HTTP/1.1'], reason: 'host' },
  { name: 'two Hosts', lines: ['GET /a HTTP/1.1', HOST, 'host: there'], reason: 'host' },
  { name: 'two Hosts in 1.0', lines: ['GET /a HTTP/1.0', HOST, HOST], reason: 'host' },
  { name: 'a Host with a path', lines: ['GET /a HTTP/1.1', 'Host: a/b'], reason: 'host' },
  { name: 'a folded header', lines: ['GET /a HTTP/1.1', HOST, 'X: 1', ' 2'], reason: 'header' },
  { name: 'a space before the colon', lines: ['GET /a HTTP/1.1', HOST, 'X : 1'], reason: 'header' },
  { name: 'a header without a colon', lines: ['GET /a HTTP/1.1', HOST, 'X'], reason: 'header' },
  { name: 'a control in a value', lines: ['GET /a HTTP/1.1', HOST, 'X: \x01'], reason: 'header' },
  {
    name: 'length and chunks at once',
    lines: ['POST /a HTTP/1.1', HOST, 'Content-Length: 1', 'Transfer-Encoding: chunked'],
    reason: 'body',
  },
  {
    name: 'two lengths',
    lines: ['POST /a HTTP/1.1', HOST, 'Content-Length: 1', 'Content-Length: 1'],
    reason: 'body',
  },
  { name: 'a length that is not a number', lines: ['POST /a HTTP/1.1', HOST, 'Content-Length: +1'], reason: 'body' },
  { name: 'chunks in 1.0', lines: ['POST /a HTTP/1.0', HOST, 'Transfer-Encoding: chunked'], reason: 'body' },
]

for (const row of refused) {
  test(`refuses ${row.name}`, () => {
    assert.throws(
      () => parseRequestHead(row.lines.join('\r\n')),
      (error) => error instanceof RefusedHead && error.reason === row.reason,
    )
  })
}

test('reports a body, which only a handler that discards it accepts from a GET', () => {
  for (const [method, header, hasBody] of [
    ['GET', 'Content-Length: 1', true],
    ['HEAD', 'Content-Length: 1', true],
    ['GET', 'Transfer-Encoding: chunked', true],
    ['POST', 'Content-Length: 1', true],
    ['GET', 'Content-Length: 0', false],
    ['GET', 'X: y', false],
  ] as const) {
    const head = parseRequestHead(`${method} /a HTTP/1.1\r\n${HOST}\r\n${header}`)
    assert.equal(head.hasBody, hasBody)
    const check = (): void => checkFraming(method, '1', head.headers)
    if (hasBody && method !== 'POST') assert.throws(check, RefusedHead)
    else check()
  }
})

test('reads lines that all end with LF alone, unless a body follows', () => {
  const text = 'GET /a?b HTTP/1.1\nHost: here\nX: 1'
  assert.equal(isBareLine(text), true)
  assert.equal(isBareLine(text.replaceAll(/\r?\n/g, '\r\n')), false)
  assert.deepEqual(parseRequestHead(text).headers, ['Host', 'here', 'X', '1'])
  for (const refused of [
    'POST /a HTTP/1.1\nHost: here\nContent-Length: 1',
    'GET /a HTTP/1.1\r\nHost: here\r\nX: y\nZ: 1',
  ]) {
    assert.throws(
      () => parseRequestHead(refused),
      (error) => error instanceof RefusedHead && error.reason === 'line-end',
    )
  }
})
