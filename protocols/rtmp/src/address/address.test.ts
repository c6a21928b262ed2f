import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseRtmpUrl } from './rtmp-url.js'
import { keyInApp, parseStreamPath } from './stream-path.js'

/** How encoders split a URL: app, name, and what it means. */
const SPLITS: readonly (readonly [from: string, app: string, name: string, path: string, query: string])[] = [
  ['ffmpeg, /live/cam', 'live', 'cam', 'live/cam', ''],
  ['ffmpeg, /live/cam?token=a', 'live', 'cam?token=a', 'live/cam', 'token=a'],
  ['ffmpeg, /live/a/b/cam', 'live/a', 'b/cam', 'live/a/b/cam', ''],
  ['ffmpeg, /cam?user=a&pass=b', 'cam?user=a&pass=b', '', 'cam', 'user=a&pass=b'],
  ['ffmpeg, /live?token=a/cam', 'live?token=a', 'cam', 'live/cam', 'token=a'],
  ['ffmpeg, /live//cam', 'live/', 'cam', 'live/cam', ''],
  ['ffmpeg, /live/', 'live', '', 'live', ''],
  ['RootEncoder', 'mystream?', 'user=a&pass=b', 'mystream', 'user=a&pass=b'],
  ['OBS with a key that is only a query', 'live/cam', '?key=a', 'live/cam', 'key=a'],
  ['OBS with the whole path in the server', 'live/cam', '', 'live/cam', ''],
  ['a slash before and after', '/live/', '/cam/', 'live/cam', ''],
  ['a query in both', 'live?a=1', 'cam?a=2&b=3', 'live/cam', 'a=2&b=3&a=1'],
  ['two question marks', 'live', 'cam??a=1', 'live/cam', 'a=1'],
]

describe('a path', () => {
  for (const [from, app, name, path, query] of SPLITS) {
    test(`from ${from}`, () => {
      assert.deepEqual(parseStreamPath({ app, tcUrl: `rtmp://host/${app}`, name }), { path, query })
    })
  }

  test('the query may be in tcUrl only', () => {
    const source = { app: 'live', tcUrl: 'rtmp://host/live?token=a', name: 'cam' }
    assert.deepEqual(parseStreamPath(source), { path: 'live/cam', query: 'token=a' })
  })
})

describe('a key in an app', () => {
  for (const [path, app, key] of [
    ['live/cam', 'live', 'cam'],
    ['live/cam', '/live/', 'cam'],
    ['live/a/cam', 'live', 'a/cam'],
    ['live/a/cam', 'live/a', 'cam'],
    ['live', 'live', ''],
    ['lives/cam', 'live', undefined],
    ['', 'live', undefined],
    ['cam', '', 'cam'],
  ] as const) {
    test(`${path} in ${app} is ${key}`, () => assert.equal(keyInApp(path, app), key))
  }
})

describe('a URL', () => {
  const parts = (url: string): unknown => {
    const target = parseRtmpUrl(url)
    return target && [target.host, target.port, target.app, target.tcUrl, target.name]
  }

  test('is split after the first part', () => {
    assert.deepEqual(parts('rtmp://a.example/live/b/cam?k=1'), [
      'a.example',
      1935,
      'live',
      'rtmp://a.example/live',
      'b/cam?k=1',
    ])
  })

  test('is split at a double slash', () => {
    assert.deepEqual(parts('rtmp://a.example/live/b//cam'), [
      'a.example',
      1935,
      'live/b',
      'rtmp://a.example/live/b',
      'cam',
    ])
  })

  test('has a port, an IPv6 address, a user', () => {
    assert.deepEqual(parts('rtmps://[::1]:8443/app/key'), ['::1', 8443, 'app', 'rtmps://[::1]:8443/app', 'key'])
    const { user, password, isSecure } = parseRtmpUrl('rtmps://a%40b:c%3Ad@host/app/key')!
    assert.deepEqual([user, password, isSecure], ['a@b', 'c:d', true])
  })

  for (const url of [
    'http://host/app/key',
    'rtmp://host',
    'rtmp://host/app',
    'rtmp://host//',
    'rtmp:///app/key',
    'nothing',
  ]) {
    test(`${url} is none`, () => assert.equal(parseRtmpUrl(url), undefined))
  }
})
