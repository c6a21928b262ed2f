import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { keepStreams } from '../cli-streams.test.kit.js'
import { piped } from '../piped.test.kit.js'
import { linkVerb } from './link.js'

test('a link is signed for a limited time', async () => {
  mock.timers.enable({ apis: ['Date'], now: 1_800_000_000_000 })
  try {
    const streams = keepStreams()
    const options = { key: 'new', for: '1h', prefix: '/live/' }
    const sign = (url: string, to: typeof streams, key: string, more: object = {}): Promise<number> =>
      linkVerb.run({ streams: to, input: () => piped(key) }, url, { ...options, ...more })
    assert.equal(await sign('http://tv.example/live/a.ts', streams, 'a key of sixteen\n'), 0)
    const { searchParams } = new URL(streams.outText().trim())
    assert.deepEqual([...searchParams.keys()], ['expires', 'prefix', 'key', 'signature'])
    assert.deepEqual([searchParams.get('expires'), searchParams.get('prefix')], ['1800003600', '/live/'])
    for (const wrong of [{ for: '1 hour' }, { prefix: 'live' }]) {
      assert.equal(await sign('http://a/', keepStreams(), 'key', wrong), 2)
    }
  } finally {
    mock.timers.reset()
  }
})
