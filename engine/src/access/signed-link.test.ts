import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import fc from 'fast-check'
import { readParameter } from './query-parameters.js'
import { covers, LINK_PARAMETERS, signLink, type LinkOptions } from './signed-link.js'
import { SignedProvider } from './signed-provider.js'

const KEY = 'a key of sixteen characters and more'
const NOW_MS = 1_800_000_000_000
const LATER = NOW_MS / 1000 + 60

const provider = new SignedProvider(
  { keys: { old: 'the key of last year, still good', new: KEY }, parameters: LINK_PARAMETERS },
  () => NOW_MS,
)

function ask(link: string, path?: string): string {
  const { pathname, search } = new URL(link)
  const client = { action: 'read', protocol: 'http', stream: 'one', address: '192.0.2.1' } as const
  const request = { ...client, path: path ?? decodeURIComponent(pathname) }
  const verdict = provider.check({ ...request, query: search.slice(1) }) as { allowed: boolean; reason?: string }
  return verdict.reason ?? 'allowed'
}

function sign(url: string, more: Partial<LinkOptions> = {}): string {
  return signLink(url, { keyId: 'new', key: KEY, expires: LATER, ...more })
}

const rows: readonly { name: string; link: string; path?: string; says: string }[] = [
  { name: 'a link for its path', link: sign('http://a/live.ts'), says: 'allowed' },
  { name: 'a link with other query parameters', link: sign('http://a/live.ts?x=1&y=2'), says: 'allowed' },
  { name: 'a link for a path that needs encoding', link: sign('http://a/kanal%20é.ts'), says: 'allowed' },
  { name: 'a link for another path', link: sign('http://a/live.ts'), path: '/other.ts', says: 'bad-signature' },
  { name: 'a link for a folder', link: sign('http://a/hls/x/1.ts', { prefix: '/hls/' }), says: 'allowed' },
  { name: 'a link for another folder', link: sign('http://a/hls/x', { prefix: '/hls/y/' }), says: 'wrong-path' },
  { name: 'a prefix without a slash', link: sign('http://a/live.ts', { prefix: '/live' }), says: 'wrong-path' },
  { name: 'an expired link', link: sign('http://a/live.ts', { expires: NOW_MS / 1000 }), says: 'expired' },
  {
    name: 'an older key',
    link: sign('http://a/a', { keyId: 'old', key: 'the key of last year, still good' }),
    says: 'allowed',
  },
  { name: 'an unknown key id', link: sign('http://a/a', { keyId: 'gone' }), says: 'bad-signature' },
  {
    name: 'an unknown key id, signed with an empty key',
    link: sign('http://a/a', { keyId: 'gone', key: '' }),
    says: 'bad-signature',
  },
  { name: 'a key id that every object has', link: sign('http://a/a', { keyId: 'constructor' }), says: 'bad-signature' },
  { name: 'another key', link: sign('http://a/a', { key: `${KEY}.` }), says: 'bad-signature' },
  {
    name: 'a later expiry',
    link: sign('http://a/a').replace(`expires=${LATER}`, `expires=${LATER + 1}`),
    says: 'bad-signature',
  },
  { name: 'two expiries', link: `${sign('http://a/a')}&expires=${LATER + 9}`, says: 'no-credentials' },
  { name: 'no signature', link: 'http://a/a?expires=1&key=new', says: 'no-credentials' },
  { name: 'no query', link: 'http://a/a', says: 'no-credentials' },
]

for (const { name, link, path, says } of rows) {
  test(`${name}: ${says}`, () => assert.equal(ask(link, path), says))
}

test('the openssl command of the documentation makes the same signature', () => {
  const script = `printf '%s\\n%s' "$expires" "$prefix" | openssl dgst -sha256 -hmac "$key" -r | cut -d' ' -f1`
  const made = execFileSync('sh', ['-c', script], {
    env: { ...process.env, expires: String(LATER), prefix: '/live.ts', key: KEY },
    stdio: ['ignore', 'pipe', 'inherit'],
  }).toString()
  assert.equal(new URL(sign('http://a/live.ts')).searchParams.get('signature'), made.trim())
})

test('a prefix with a slash at its end covers what is below it', () => {
  assert.equal(covers('/a/', '/a/b/c'), true)
  assert.equal(covers('/a/', '/ab'), false)
  assert.equal(covers('/a', '/a/b'), false)
  assert.equal(covers('/a', '/a'), true)
})

test('no query makes the provider throw, and none is admitted', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.webQueryParameters(), (text, query) => {
      for (const each of [text, query, `expires=${LATER}&key=new&signature=${text}`]) {
        assert.notEqual(ask(`http://a/a?${encodeURI(each)}`), 'allowed')
      }
    }),
  )
})

test('parameters are read as forms write them', () => {
  assert.deepEqual(readParameter('a=1&b=%20+x&a=2&c', 'a'), ['1', '2'])
  assert.deepEqual(readParameter('a=1&b=%20+x', 'b'), ['  x'])
  assert.deepEqual(readParameter('a=%FF%', 'a'), ['%FF%'])
  assert.deepEqual(readParameter('', 'a'), [])
})
