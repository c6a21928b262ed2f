import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkHead } from './response-head.js'

const CASES = [
  { name: 'a stream', headers: { 'content-type': 'video/mp2t' }, code: undefined },
  { name: 'no type', headers: {}, code: undefined },
  { name: 'bytes', headers: { 'content-type': 'application/octet-stream' }, code: undefined },
  { name: 'a type derived from .ts', headers: { 'content-type': 'text/vnd.trolltech.linguist' }, code: undefined },
  { name: 'another video type', headers: { 'content-type': 'video/mpeg' }, code: undefined },
  { name: 'identity', headers: { 'content-encoding': 'Identity' }, code: undefined },
  { name: 'chunks', headers: { 'transfer-encoding': 'chunked' }, code: undefined },
  { name: 'a page', headers: { 'content-type': 'text/html; charset=utf-8' }, code: 'HTTP_NOT_TS' },
  { name: 'plain text', headers: { 'content-type': 'Text/Plain' }, code: 'HTTP_NOT_TS' },
  { name: 'JSON', headers: { 'content-type': 'application/json' }, code: 'HTTP_NOT_TS' },
  { name: 'a problem', headers: { 'content-type': 'application/problem+json' }, code: 'HTTP_NOT_TS' },
  { name: 'XHTML', headers: { 'content-type': 'application/xhtml+xml' }, code: 'HTTP_NOT_TS' },
  { name: 'a playlist', headers: { 'content-type': 'application/vnd.apple.mpegurl' }, code: 'HTTP_NOT_TS' },
  { name: 'an image', headers: { 'content-type': 'image/png' }, code: 'HTTP_NOT_TS' },
  { name: 'gzip', headers: { 'content-encoding': 'gzip' }, code: 'HTTP_ENCODED' },
  { name: 'gzip in chunks', headers: { 'transfer-encoding': 'gzip, chunked' }, code: 'HTTP_ENCODED' },
] as const

test('the head decides whether the body can be a stream', () => {
  for (const { name, headers, code } of CASES) {
    if (code === undefined) assert.doesNotThrow(() => checkHead(200, headers), name)
    else assert.throws(() => checkHead(200, headers), { code }, name)
  }
})

test('every status except 2xx is refused, with its reason phrase', () => {
  for (const status of [200, 203, 206, 299]) assert.doesNotThrow(() => checkHead(status, {}))
  assert.throws(() => checkHead(404, {}), { code: 'HTTP_STATUS', message: 'responded with 404 Not Found' })
  assert.throws(() => checkHead(799, {}), { code: 'HTTP_STATUS', message: 'responded with 799' })
  assert.throws(() => checkHead(304, {}), { code: 'HTTP_STATUS' })
})

test('header values of an upstream are shortened and shown without control characters', () => {
  assert.throws(
    () => checkHead(200, { 'content-type': `text/\u009b\u0007${'a'.repeat(500)}` }),
    (error: Error) => {
      return /^[ -~]{0,120}$/.test(error.message)
    },
  )
})
