import assert from 'node:assert/strict'
import { test } from 'node:test'
import { admitResponse } from './admit-response.js'
import { Leniency } from './leniency.js'
import type { Deviation } from './leniency.js'
import { parseResponseHead, valuesOf } from './response-head.js'
import type { ResponseHead } from './response-head.js'

const noted: Deviation[] = []
const takesAll = (): Leniency => new Leniency(true, (deviation) => noted.push(deviation))
const lenient = takesAll()
const strict = new Leniency(false, () => undefined)

function head(status: number, headers: Readonly<Record<string, string>>, reason = ''): ResponseHead {
  return { status, reason, fields: Object.entries(headers) }
}

const STATUS_LINES: readonly (readonly [line: string, status: number, reason: string, isStrict: boolean])[] = [
  ['HTTP/1.1 200 OK', 200, 'OK', true],
  ['HTTP/1.0 404 Not Found', 404, 'Not Found', true],
  ['HTTP/1.1 200 ', 200, '', true],
  ['HTTP/1.1 200', 200, '', true],
  ['http/1.1 200 OK', 200, 'OK', false],
  ['HTTP/1.0  200   OK', 200, 'OK', false],
  ['HTTP/1.1\t200\tOK', 200, 'OK', false],
  ['HTTP/2 200', 200, '', false],
  ['HTTP 200 OK', 200, 'OK', false],
  ['  HTTP/1.1 200 OK', 200, 'OK', false],
  ['ICY 200 OK', 200, 'OK', false],
  ['icy 401 Unauthorized', 401, 'Unauthorized', false],
  ['HTTP/1.1 200OK', 200, 'OK', false],
]

test('a status line is read in every form that servers send', () => {
  for (const [line, status, reason, isStrict] of STATUS_LINES) {
    assert.deepEqual(parseResponseHead([line], lenient), { status, reason, fields: [] }, line)
    if (isStrict) assert.equal(parseResponseHead([line], strict).status, status)
    else assert.throws(() => parseResponseHead([line], strict), { code: 'HTTP_BAD_ANSWER' }, line)
  }
})

test('what is no status line is refused, and shown', () => {
  for (const line of ['SSH-2.0-OpenSSH_9.2', 'HTTP/1.1 OK', 'HTTP/1.1 2000 OK', 'HTTP/1.1', 'RTSP/1.0 200 OK', '']) {
    assert.throws(
      () => parseResponseHead([line], lenient),
      { code: 'HTTP_BAD_ANSWER', message: /it begins with "/ },
      line,
    )
  }
})

const FIELDS: readonly (readonly [lines: readonly string[], fields: ResponseHead['fields'], deviation?: Deviation])[] =
  [
    [['Content-Type: video/mp2t'], [['content-type', 'video/mp2t']]],
    [['X:', 'Y:  '], [['x', ''], ['y', '']]], // prettier-ignore
    [['X:a:b', 'X: c '], [['x', 'a:b'], ['x', 'c']]], // prettier-ignore
    [['X : a', 'Y\t: b'], [['x', 'a'], ['y', 'b']], 'space-before-colon'], // prettier-ignore
    [['X: a', ' b', '\tc'], [['x', 'a b c']], 'folded'],
    [[' b', 'X: a'], [['x', 'a']], 'folded'],
    [['nothing', 'X: a'], [['x', 'a']], 'no-colon'],
    [[': a', 'X Y: a', 'Z: a'], [['z', 'a']], 'header-name'],
    [['X: a\0b\u0007'], [['x', 'a b']], 'control'],
  ]

test('fields are read in every form that servers send', () => {
  for (const [lines, fields, deviation] of FIELDS) {
    noted.length = 0
    assert.deepEqual(parseResponseHead(['HTTP/1.1 200 OK', ...lines], takesAll()).fields, fields, lines.join('|'))
    assert.deepEqual(noted, deviation === undefined ? [] : [deviation], lines.join('|'))
    const parse = (): ResponseHead => parseResponseHead(['HTTP/1.1 200 OK', ...lines], strict)
    if (deviation === undefined) assert.doesNotThrow(parse)
    else assert.throws(parse, { code: 'HTTP_BAD_ANSWER', message: /\(`lenient: true` takes it\)$/ })
  }
  const two = parseResponseHead(['HTTP/1.1 200 OK', 'Set-Cookie: a=1', 'x: y', 'set-cookie: b=2, c'], strict)
  assert.deepEqual(valuesOf(two, 'set-cookie'), ['a=1', 'b=2, c'])
})

test('a head of more than 512 lines is refused', () => {
  const lines = Array.from({ length: 512 }, () => 'a:b')
  assert.throws(() => parseResponseHead(['HTTP/1.1 200 OK', ...lines], lenient), { code: 'HTTP_BAD_ANSWER' })
})

test('a Content-Type that is none of a stream is worth a warning, and refuses nothing', () => {
  for (const type of ['', 'video/mp2t', 'application/octet-stream', 'text/vnd.trolltech.linguist', 'video/mpeg']) {
    assert.equal(admitResponse(head(200, { 'content-type': type }), strict).type, undefined, type)
  }
  for (const type of ['text/html; charset=utf-8', 'Text/Plain', 'application/json', 'application/problem+json']) {
    assert.equal(admitResponse(head(200, { 'content-type': type }), strict).type, JSON.stringify(type.toLowerCase()))
  }
  for (const type of ['application/xhtml+xml', 'application/x-mpegURL', 'audio/mpegurl', 'image/png']) {
    assert.ok(admitResponse(head(200, { 'content-type': type }), strict).type !== undefined, type)
  }
})

test('a compression is refused by its name, or noted if bytes decide; a coding that is none is taken', () => {
  for (const coding of ['gzip', 'GZip', 'x-gzip', 'deflate', 'br', 'zstd', 'identity, gzip']) {
    for (const name of ['content-encoding', 'transfer-encoding']) {
      assert.throws(() => admitResponse(head(200, { [name]: coding }), strict), { code: 'HTTP_ENCODED' }, coding)
      noted.length = 0
      const { compression } = admitResponse(head(200, { [name]: coding }), takesAll())
      assert.match(compression ?? '', /^(Content|Transfer)-Encoding "/)
      assert.deepEqual(noted, ['compression'])
    }
  }
  for (const coding of ['', 'identity', 'Identity']) admitResponse(head(200, { 'content-encoding': coding }), strict)
  admitResponse(head(200, { 'transfer-encoding': 'Chunked' }), strict)
  for (const coding of ['none', 'utf-8', 'binary', '8bit', 'chunked']) {
    noted.length = 0
    admitResponse(head(200, { 'content-encoding': coding }), takesAll())
    assert.deepEqual(noted, ['content-coding'])
    assert.throws(() => admitResponse(head(200, { 'content-encoding': coding }), strict), { code: 'HTTP_BAD_ANSWER' })
  }
})

test('every status except 2xx is refused, with what the server says about it', () => {
  for (const status of [200, 203, 206, 299]) assert.doesNotThrow(() => admitResponse(head(status, {}), strict))
  const cases: readonly (readonly [response: ResponseHead, message: string])[] = [
    [head(404, {}), 'responded with 404 Not Found'],
    [head(799, {}), 'responded with 799'],
    [head(304, {}, 'Not Modified'), 'responded with 304 Not Modified'],
    [head(503, {}, 'All tuners busy'), 'responded with 503 All tuners busy'],
    [
      head(503, { 'x-hdhomerun-error': '805 (All Tuners In Use)' }, 'Service Unavailable'),
      'responded with 503 Service Unavailable: 805 (All Tuners In Use)',
    ],
    [
      head(403, { 'x-error-message': 'no such channel', 'x-reason': 'r' }),
      'responded with 403 Forbidden: no such channel, r',
    ],
    [
      head(401, { 'www-authenticate': 'Digest realm="a, b", nonce="c", Basic realm="d"' }),
      'responded with 401 Unauthorized, asks for digest or basic',
    ],
  ]
  for (const [response, message] of cases) {
    assert.throws(() => admitResponse(response, lenient), { code: 'HTTP_STATUS', message }, message)
  }
})

test('text of an upstream is shortened and shown without control characters', () => {
  const shown = admitResponse(head(200, { 'content-type': `text/\u009b\u0007${'a'.repeat(500)}` }), lenient).type
  assert.match(shown ?? '', /^[ -~]{0,70}…"$/)
  const refuse = (): unknown =>
    admitResponse(head(500, { 'x-error': `\u001b[31m${'a'.repeat(5000)}` }, '\u0007'), lenient)
  assert.throws(refuse, (error: Error) => /^[ -~…]{0,300}$/.test(error.message))
})
