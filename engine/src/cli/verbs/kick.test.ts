import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keepStreams } from '../cli-streams.test.kit.js'
import { TestApi, TOKEN } from '../control-api.test.kit.js'
import { kickVerb } from './kick.js'

test('a viewer is disconnected by its id, with the token', async () => {
  await using api = await TestApi.start()
  const withToken = { ENGINE_TOKEN: TOKEN }
  const kick = (id: string, streams: ReturnType<typeof keepStreams>, url = api.url): Promise<number> =>
    kickVerb.run({ streams, folder: '/nowhere' }, id, { api: url })
  const streams = keepStreams(withToken)
  assert.equal(await kick('k3f9-7', streams), 0)
  assert.match(streams.errText(), /192\.0\.2\.1:5000 is disconnected from live\/ts/)
  assert.equal(await kick('other', keepStreams(withToken)), 1)
  assert.equal(await kick('k3f9-7', keepStreams()), 1)
  assert.equal(await kick('k3f9-7', keepStreams(), 'http://127.0.0.1:1'), 69)
})
