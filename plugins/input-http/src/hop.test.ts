import assert from 'node:assert/strict'
import { test } from 'node:test'
import { firstHop, nextHop } from './hop.js'
import type { Hop } from './hop.js'
import { readUpstreams } from './upstream.js'
import type { Upstream } from './upstream.js'

function upstream(url: string): Upstream {
  const settings = { urls: [url], headers: { 'X-Key': 'k', 'User-Agent': 'me' } }
  const [first] = readUpstreams({ ...settings, auth: { type: 'bearer', token: 'secret' } })
  assert.ok(first !== undefined)
  return first
}

function follow(url: string, ...locations: readonly string[]): Hop {
  const from = upstream(url)
  return locations.reduce((hop, location) => nextHop(from, hop, location), firstHop(from))
}

const SECRET = ['authorization', 'x-key']

test('credentials and other headers of the configuration stay at the origin of the URL', () => {
  const cases = [
    { name: 'another path', locations: ['/two.ts'], home: true },
    { name: 'the same origin, written out', locations: ['http://up.example:80/two.ts'], home: true },
    { name: 'another host', locations: ['http://cdn.example/one.ts'], home: false },
    { name: 'a sub-domain', locations: ['http://a.up.example/one.ts'], home: false },
    { name: 'another port', locations: ['http://up.example:8080/one.ts'], home: false },
    { name: 'another scheme', locations: ['https://up.example/one.ts'], home: false },
    { name: 'away and back', locations: ['http://cdn.example/one.ts', 'http://up.example/two.ts'], home: false },
  ]
  for (const { name, locations, home } of cases) {
    const { headers } = follow('http://up.example/one.ts', ...locations)
    for (const header of SECRET) assert.equal(header in headers, home, `${name}: ${header}`)
    assert.equal(headers['user-agent'], 'me', name)
  }
})

test('relative Locations start at the URL that sent them', () => {
  assert.equal(
    follow('http://a.example/x/one.ts', 'http://b.example/y/two.ts', 'three.ts').url.href,
    'http://b.example/y/three.ts',
  )
})

test('credentials in a Location are for the server that it names, and not shown', () => {
  const hop = follow('http://a.example/', 'http://u:p@b.example/two.ts')
  assert.equal(hop.headers['authorization'], `Basic ${Buffer.from('u:p').toString('base64')}`)
  assert.equal(hop.url.href, 'http://b.example/two.ts')
})

test('redirects that cannot be followed are refused with the reason', () => {
  const far = Array.from({ length: 11 }, (_, index) => `/${index}`)
  const cases = [
    { name: 'no Location', url: 'http://a.example/', locations: [''], pattern: /without a valid Location/ },
    { name: 'junk', url: 'http://a.example/', locations: ['http://[::'], pattern: /without a valid Location/ },
    { name: 'another scheme', url: 'http://a.example/', locations: ['file:///etc/passwd'], pattern: /scheme file:/ },
    {
      name: 'a loop',
      url: 'http://a.example/1',
      locations: ['/2', '/1'],
      pattern: /in a loop, at http:\/\/a.example\/1/,
    },
    { name: 'itself', url: 'http://u:p@a.example/1', locations: ['/1#x'], pattern: /in a loop/ },
    { name: 'the 11th', url: 'http://a.example/', locations: far, pattern: /more than 10 redirects/ },
    {
      name: 'to plain text',
      url: 'https://a.example/',
      locations: ['http://a.example/x?token=t'],
      pattern: /from https to http:\/\/a.example\/x\?\.\.\.$/,
    },
  ]
  for (const { name, url, locations, pattern } of cases) {
    assert.throws(() => follow(url, ...locations), { code: 'HTTP_REDIRECTS', message: pattern }, name)
  }
  assert.equal(follow('http://a.example/', ...far.slice(0, 10)).asked.length, 11)
})
