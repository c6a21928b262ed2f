import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callerProblems, callTargetOf } from './io/call-target.js'
import { parseSrtUrl, shownTarget } from './srt-url.js'

const GOOD: readonly (readonly [string, ReturnType<typeof parseSrtUrl>])[] = [
  ['srt://cam.example:9000', { host: 'cam.example', port: 9000 }],
  ['srt://[::1]:9000/', { host: '::1', port: 9000 }],
  ['srt://h:1?streamid=#!::r=cam,m=publish', { host: 'h', port: 1, streamId: '#!::r=cam,m=publish' }],
  ['srt://h:1?streamid=%23!::r=cam%2Cm=publish', { host: 'h', port: 1, streamId: '#!::r=cam,m=publish' }],
  [
    'srt://h:1?mode=caller&latency=300&passphrase=0123456789&pbkeylen=32&transtype=live',
    { host: 'h', port: 1, latencyMs: 300, passphrase: '0123456789', keyLength: 32 },
  ],
]

test('a URL of libsrt names host, port, StreamID, passphrase, key length and latency in milliseconds', () => {
  for (const [url, expected] of GOOD) assert.deepEqual(parseSrtUrl(url), expected, url)
})

const BAD: readonly (readonly [string, RegExp])[] = [
  ['udp://h:1', /srt:\/\/host:port/],
  ['srt://h', /srt:\/\/host:port/],
  ['srt://h:0', /port from 1/],
  ['srt://h:70000', /port from 1/],
  ['srt://h:1?latency=200000', /^latency: .*milliseconds/],
  ['srt://h:1?passphrase=short', /^passphrase: must have 10/],
  ['srt://h:1?pbkeylen=17', /^pbkeylen/],
  ['srt://h:1?mode=listener', /^mode: must be caller/],
  ['srt://h:1?streamid=a&streamid=b', /^streamid: stands twice/],
  ['srt://h:1?streamid=%zz', /^streamid: is not valid/],
  ['srt://h:1?packetfilter=fec', /^packetfilter: is not known/],
  ['srt://h:1?__proto__=x', /^__proto__: is not known/],
]

test('what a URL cannot say is named, without its secrets', () => {
  for (const [url, expected] of BAD) {
    const problems = parseSrtUrl(url)
    assert.ok(Array.isArray(problems) && problems.length === 1, url)
    assert.match(String(problems), expected, url)
    assert.doesNotMatch(String(problems), /short/)
  }
  assert.equal(shownTarget('srt://h:1?passphrase=0123456789'), 'srt://h:1')
})

test('everything that is wrong with a URL is named at once', () => {
  const address = 'srt://h:0?latency=70000&mode=listener&passphrase=short&streamid=cam&x=1'
  const [{ key, problem } = { key: '', problem: '' }, ...others] = callerProblems({ address })
  assert.deepEqual([key, others], ['address', []])
  assert.deepEqual(
    problem.split('; ').map((text) => text.split(' ')[0]),
    ['must', 'latency:', 'mode:', 'passphrase:', 'x:', 'known'],
  )
})

test('options beside an address and those of a URL give the same call; what stands in both is refused', () => {
  const apart = { address: 'h:1', streamId: 'cam', passphrase: '0123456789', pbkeylen: 24, latency: 200 } as const
  const address = 'srt://h:1?streamid=cam&passphrase=0123456789&pbkeylen=24&latency=200'
  assert.deepEqual(callTargetOf(apart), callTargetOf({ address }))
  assert.deepEqual(callTargetOf({ address: '[::1]:5' }), { host: '::1', port: 5 })
  assert.deepEqual(callerProblems(apart), [])
  assert.deepEqual(
    callerProblems({ ...apart, address }).map(({ key }) => key),
    ['streamId', 'passphrase', 'pbkeylen', 'latency'],
  )
  assert.deepEqual(
    callerProblems({ address: 'h:0' }).map(({ key }) => key),
    ['address'],
  )
  assert.throws(() => callTargetOf({ address: 'srt://h' }), RangeError)
})

test('no text breaks the parser', () => {
  let seed = 7
  const next = (below: number): number => (seed = (seed * 48271) % 0x7fffffff) % below
  const parts = [
    'srt://',
    'h',
    ':',
    '1',
    '?',
    '&',
    '=',
    '%',
    'latency',
    'streamid',
    '[',
    ']',
    '::',
    '#!::',
    '\0',
    '\u{1f600}',
  ]
  for (let round = 0; round < 5000; round++) {
    const text = Array.from({ length: next(14) }, () => parts[next(parts.length)]).join('')
    const result = parseSrtUrl(text)
    assert.ok(Array.isArray(result) || (result as { port: number }).port >= 1)
  }
})
