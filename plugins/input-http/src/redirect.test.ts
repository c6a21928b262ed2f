import assert from 'node:assert/strict'
import { test } from 'node:test'
import { initialTarget, followRedirect, isRedirect } from './redirect.js'
import type { RedirectPolicy, RequestTarget } from './redirect.js'
import { readUpstreams } from './upstream.js'
import type { Upstream } from './upstream.js'

function upstream(url: string): Upstream {
  const settings = { urls: [url], headers: { 'X-Key': 'k', 'User-Agent': 'me' } }
  const [first] = readUpstreams({ ...settings, auth: { type: 'bearer', token: 'secret' } })
  assert.ok(first !== undefined)
  return first
}

function follow(url: string, ...locations: readonly string[]): RequestTarget {
  return followWith('public', url, ...locations)
}

function followWith(policy: RedirectPolicy, url: string, ...locations: readonly string[]): RequestTarget {
  const from = upstream(url)
  return locations.reduce((target, location) => followRedirect(from, target, location, policy), initialTarget(from))
}

test('statuses with a Location that a stream can be at are redirects', () => {
  assert.deepEqual(
    Array.from({ length: 100 }, (_, at) => 300 + at).filter((status) => isRedirect(status)),
    [300, 301, 302, 303, 307, 308],
  )
})

const SECRET = ['authorization', 'x-key']

test('credentials and configured headers are sent to the origin of the URL only', () => {
  const cases = [
    { name: 'another path', locations: ['/two.ts'], isSent: true },
    { name: 'the same origin, written out', locations: ['http://up.example:80/two.ts'], isSent: true },
    { name: 'another host', locations: ['http://cdn.example/one.ts'], isSent: false },
    { name: 'a sub-domain', locations: ['http://a.up.example/one.ts'], isSent: false },
    { name: 'another port', locations: ['http://up.example:8080/one.ts'], isSent: false },
    { name: 'another scheme', locations: ['https://up.example/one.ts'], isSent: false },
    { name: 'away and back', locations: ['http://cdn.example/one.ts', 'http://up.example/two.ts'], isSent: false },
  ]
  for (const { name, locations, isSent } of cases) {
    const { headers } = follow('http://up.example/one.ts', ...locations)
    for (const header of SECRET) assert.equal(header in headers, isSent, `${name}: ${header}`)
    assert.equal(headers['user-agent'], 'me', name)
  }
})

test('a relative Location is resolved against the URL that sent it', () => {
  assert.equal(
    follow('http://a.example/x/one.ts', 'http://b.example/y/two.ts', 'three.ts').url.href,
    'http://b.example/y/three.ts',
  )
})

test('credentials in a Location go to the server that it names, and are not shown', () => {
  const target = follow('http://a.example/', 'http://u:p@b.example/two.ts')
  assert.equal(target.headers['authorization'], `Basic ${Buffer.from('u:p').toString('base64')}`)
  assert.equal(target.url.href, 'http://b.example/two.ts')
})

test('a redirect that cannot be followed is refused with the reason', () => {
  const chain = Array.from({ length: 11 }, (_, index) => `/${index}`)
  const cases = [
    { name: 'spaces', url: 'http://a.example/', locations: ['  '], pattern: /without a valid Location/ },
    { name: 'no host', url: 'http://a.example/', locations: ['http:///x'], pattern: /without a valid Location/ },
    { name: 'no Location', url: 'http://a.example/', locations: [''], pattern: /without a valid Location/ },
    { name: 'junk', url: 'http://a.example/', locations: ['http://[::'], pattern: /without a valid Location/ },
    { name: 'another scheme', url: 'http://a.example/', locations: ['file:///etc/passwd'], pattern: /scheme file:/ },
    { name: 'the 11th', url: 'http://a.example/', locations: chain, pattern: /more than 10 redirects/ },
  ]
  for (const { name, url, locations, pattern } of cases) {
    assert.throws(() => follow(url, ...locations), { code: 'HTTP_REDIRECTS', message: pattern }, name)
  }
  assert.equal(follow('http://a.example/', ...chain.slice(0, 10)).redirects, 10)
})

test('redirects: same-origin keeps to scheme, host and port; any goes everywhere', () => {
  const from = 'https://a.example/1'
  assert.equal(followWith('same-origin', from, '/2', 'https://a.example:443/3').url.pathname, '/3')
  for (const to of ['https://a.example:8443/2', 'https://b.example/', '//b.example/']) {
    assert.throws(() => followWith('same-origin', from, to), {
      code: 'HTTP_REDIRECTS',
      message: /another origin, https/,
    })
    assert.equal(followWith('public', from, to).isSameOrigin, false)
  }
  // Without anything that was meant for https.
  for (const policy of ['public', 'any'] as const) {
    const plain = followWith(policy, from, 'http://a.example/2')
    assert.deepEqual([plain.url.href, plain.isSameOrigin], ['http://a.example/2', false])
  }
  assert.throws(() => followWith('same-origin', from, 'http://a.example/2'), { code: 'HTTP_REDIRECTS' })
})
