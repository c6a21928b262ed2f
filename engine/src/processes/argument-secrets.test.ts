import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { secretsIn } from './argument-secrets.js'
import { childEnvironment } from './child-environment.js'

describe('secrets in arguments', () => {
  for (const { args, secrets } of [
    { args: ['ffmpeg', '-i', 'rtsp://anna:s3cret@10.0.0.1/live'], secrets: ['s3cret'] },
    { args: ['x', 'https://a:p@ss2u@host/p'], secrets: ['p@ss2u'] },
    { args: ['x', 'srt://h:1?mode=caller&passphrase=long-enough1&latency=1'], secrets: ['long-enough1'] },
    {
      args: ['x', 'rtmp://h/app/key?token=abc123#frag', 'http://h/?api_key=k1-one;sig=k2-two'],
      secrets: ['abc123', 'k1-one', 'k2-two'],
    },
    {
      args: ['x', '[f=mpegts]srt://h:1?streamid=a&passphrase=one-of-2|[f=flv]rtmp://b:two222@h/a'],
      secrets: ['two222', 'one-of-2'],
    },
    {
      args: ['x', '-passphrase', 'abcdefghij0', '--token=tok-456', '--stream-key', 'sk-789', '-y'],
      secrets: ['abcdefghij0', 'tok-456', 'sk-789'],
    },
    { args: ['x', '-pass', '1', '--token=2', '-key', 'luma', 'http://h/?key=live'], secrets: [] },
    { args: ['x', '-i', 'http://host/path?quality=high', '-g', '50', '-'], secrets: [] },
    { args: ['x', 'http://anna@host/', 'a:b@c', '-keyint', '50'], secrets: [] },
  ]) {
    test(args.join(' '), () => assert.deepEqual([...secretsIn(args, {})].sort(), [...secrets].sort()))
  }

  test('variables are judged by their names', () => {
    const env = {
      API_TOKEN: 't-12345',
      PASSWORD: 'p-12345',
      DB_PASS: 'q-12345',
      STREAM_KEY: 'k-12345',
      PASS: '1',
      MODE: 'live',
      KEYBOARD: 'us',
      EMPTY_SECRET: '',
    }
    assert.deepEqual(secretsIn([], env), ['t-12345', 'p-12345', 'q-12345', 'k-12345'])
  })

  test('there are at most 32, and none is longer than an argument can be', () => {
    const many = Array.from({ length: 100 }, (_, index) => `--token=token-${index}`)
    assert.equal(secretsIn(many, {}).length, 32)
    assert.deepEqual(secretsIn([], { TOKEN: 'x'.repeat(5000) }), [])
  })
})

describe('the environment of a process', () => {
  test('has what programs need of the engine, and all that the node gives', () => {
    const own = {
      PATH: '/bin',
      LC_ALL: 'C',
      LC_TIME: 'de',
      LC: 'x',
      ANNA_PASSWORD: 'secret',
      TZ: undefined,
      HOME: '/root',
    }
    assert.deepEqual(childEnvironment(own, { MODE: 'live', HOME: '/home/a' }), {
      PATH: '/bin',
      LC_ALL: 'C',
      LC_TIME: 'de',
      HOME: '/home/a',
      MODE: 'live',
    })
  })
})
