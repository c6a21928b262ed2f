import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keptQuery, presentedCredentials } from './credential-query.js'
import { grantCookie, grantsOfCookies, locate } from './granted-paths.js'
import { networkOf } from './network-of.js'

test('paths in the folder of a grant are those of the output', () => {
  const rows: readonly [path: string, grant: string | undefined, name: string][] = [
    ['/tv/one/live.m3u8', undefined, 'index.m3u8'],
    ['/tv/one/~abc/live.m3u8', 'abc', 'index.m3u8'],
    ['/tv/one/main-1.m3u8', undefined, 'main-1.m3u8'],
    ['/tv/one/~abc/main-1-2.ts', 'abc', 'main-1-2.ts'],
    ['/tv/one/~abc/page/hls.js', 'abc', 'page/hls.js'],
    ['/tv/one/', undefined, ''],
    ['/tv/one/~abc/', 'abc', ''],
    ['/tv/one/~abc', undefined, '~abc'],
    ['/tv/one/~/x', '', 'x'],
    ['/tv/one/~a/~b/x', 'a', '~b/x'],
  ]
  for (const [path, grant, name] of rows) {
    assert.deepEqual(locate(path, '/tv/one/live.m3u8'), { grant, name, fileName: 'live.m3u8' }, path)
  }
})

test('cookies carry a grant for the folder, over TLS for pages of other sites too', () => {
  assert.equal(grantCookie('abc', false), 'hls-grant=abc; HttpOnly; SameSite=Lax')
  assert.equal(grantCookie('abc', true), 'hls-grant=abc; HttpOnly; Secure; SameSite=None')
  assert.deepEqual(grantsOfCookies('a=b; hls-grant=one; hls-grant=two;hls-grants=x'), ['one', 'two'])
  assert.deepEqual(grantsOfCookies('a=b, hls-grant=one'), ['one'])
  assert.deepEqual(grantsOfCookies(undefined), [])
  assert.equal(grantsOfCookies('hls-grant=x;'.repeat(1000)).length, 16)
})

test('a query has credentials, parameters for the playlist, and reports', () => {
  const query = 'start=5&token=t&CMCD=bl%3D5&_HLS_msn=7&utc=1'
  assert.equal(keptQuery(query), 'start=5&_HLS_msn=7&utc=1')
  assert.equal(keptQuery(`start=${'5'.repeat(600)}`), '')
  const presented = presentedCredentials({ query, authorization: undefined })
  assert.equal(presented, presentedCredentials({ query: 'token=t&start=9', authorization: undefined }))
  assert.notEqual(presented, presentedCredentials({ query, authorization: 'Basic x' }))
  assert.equal(presentedCredentials({ query: 'CMCD=sid&lutc=1', authorization: undefined }), undefined)
  assert.equal(presentedCredentials({ query: '', authorization: undefined }), undefined)
})

test('a network is an IPv4 address or an IPv6 /64', () => {
  const rows = [
    ['192.0.2.1', '192.0.2.1'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8:1:2::', '2001:db8:1:2'],
    ['::1', '0:0:0:0'],
    ['1::', '1:0:0:0'],
    ['fe80::1:2:3:4', 'fe80:0:0:0'],
  ] as const
  for (const [address, network] of rows) assert.equal(networkOf(address), network, address)
})
