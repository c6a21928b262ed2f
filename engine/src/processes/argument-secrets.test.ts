import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { secretsIn } from './argument-secrets.js'
import { childEnvironment } from './child-environment.js'

describe('secrets in arguments', () => {
  for (const { args, secrets } of [
    { args: ['ffmpeg', '-i', 'rtsp://anna:s3cret@10.0.0.1/live'], secrets: ['s3cret'] },
    { args: ['x', 'https://a:p@ss@host/p'], secrets: ['p@ss'] },
    { args: ['x', 'srt://h:1?mode=caller&passphrase=long-enough&latency=1'], secrets: ['long-enough'] },
    { args: ['x', 'rtmp://h/app/key?token=abc#frag', 'http://h/?api_key=k1;sig=k2'], secrets: ['abc', 'k1', 'k2'] },
    { args: ['x', '[f=mpegts]srt://h:1?streamid=a&passphrase=one|[f=flv]rtmp://b:two@h/a'], secrets: ['two', 'one'] },
    {
      args: ['x', '-passphrase', 'abcdefghij', '--token=tok', '--stream-key', 'sk', '-y'],
      secrets: ['abcdefghij', 'tok', 'sk'],
    },
    { args: ['x', '-i', 'http://host/path?quality=high', '-g', '50', '-'], secrets: [] },
    { args: ['x', 'http://anna@host/', 'a:b@c', '-keyint', '50'], secrets: [] },
  ]) {
    test(args.join(' '), () => assert.deepEqual([...secretsIn(args, {})].sort(), [...secrets].sort()))
  }

  test('variables are judged by their names', () => {
    const env = {
      API_TOKEN: 't',
      PASSWORD: 'p',
      DB_PASS: 'q',
      STREAM_KEY: 'k',
      MODE: 'live',
      KEYBOARD: 'us',
      EMPTY_SECRET: '',
    }
    assert.deepEqual(secretsIn([], env), ['t', 'p', 'q', 'k'])
  })

  test('there are at most 32, and none is longer than an argument can be', () => {
    const many = Array.from({ length: 100 }, (_, index) => `--token=t${index}`)
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
