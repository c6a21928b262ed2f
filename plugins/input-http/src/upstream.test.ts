import assert from 'node:assert/strict'
import { test } from 'node:test'
import { showUrl } from './http-url.js'
import { readUpstreams } from './upstream.js'
import type { UpstreamSettings } from './upstream.js'

function read(settings: Partial<UpstreamSettings>): ReturnType<typeof readUpstreams> {
  return readUpstreams({ urls: ['http://up.example/one.ts'], headers: {}, auth: undefined, ...settings })
}

test('user and password of a URL become basic authentication, and appear nowhere else', () => {
  const [upstream] = read({ urls: ['http://an%20na:s%3Acr%C3%A9t@up.example:8000/one.ts?token=abc#x'] })
  assert.equal(upstream?.url.href, 'http://up.example:8000/one.ts?token=abc')
  assert.equal(upstream.name, 'http://up.example:8000/one.ts?...')
  assert.equal(upstream.originHeaders['authorization'], `Basic ${Buffer.from('an na:s:crét').toString('base64')}`)
})

test('user info with an invalid encoding is taken literally', () => {
  const [upstream] = read({ urls: ['http://a:100%@up.example/'] })
  assert.equal(upstream?.originHeaders['authorization'], `Basic ${Buffer.from('a:100%').toString('base64')}`)
})

test('basic and bearer are encoded according to RFC 7617 and RFC 6750', () => {
  const [basic] = read({ auth: { type: 'basic', username: 'Aladdin', password: 'open sesame' } })
  assert.equal(basic?.originHeaders['authorization'], 'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==')
  const [bearer] = read({ auth: { type: 'bearer', token: 'mF_9.B5f-4.1JqM' } })
  assert.equal(bearer?.originHeaders['authorization'], 'Bearer mF_9.B5f-4.1JqM')
})

test('upstreams with the same shown URL get distinct names', () => {
  const names = read({ urls: ['http://up.example/a?x=1', 'http://up.example/a?x=2', 'http://up.example/b'] }).map(
    ({ name }) => name,
  )
  assert.deepEqual(names, ['http://up.example/a?...', 'http://up.example/a?... (2)', 'http://up.example/b'])
})

test('headers that may be secrets are separated from those sent to any origin', () => {
  const [upstream] = read({ headers: { 'User-Agent': 'me', Cookie: 'c', 'X-Key': 'k', Referer: 'r' } })
  assert.deepEqual(upstream?.originHeaders, { cookie: 'c', 'x-key': 'k' })
  assert.deepEqual(upstream.publicHeaders, {
    'user-agent': 'me',
    accept: '*/*',
    'accept-encoding': 'identity',
    referer: 'r',
  })
})

test('a shown URL is short enough for a log line', () => {
  assert.ok(showUrl(new URL(`http://up.example/${'a'.repeat(10_000)}`)).length <= 201)
})
