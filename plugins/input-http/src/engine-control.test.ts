// What the engine does to a connection: it gives up one without packets, and pauses one that sends too much.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildTs } from '@millrace/engine/testing'
import { UpstreamServer } from './upstream-server.test.kit.js'
import { until, InputHarness } from './input-harness.test.kit.js'

const stream = buildTs({ durationS: 1 }).bytes

test('an upstream that the engine gives up is left for the next one at once', async () => {
  await using junk = await UpstreamServer.http((_, response) => void response.write(stream))
  await using good = await UpstreamServer.http((_, response) => void response.write(stream))
  await using input = await InputHarness.open({ urls: [junk.url(), good.url()], readTimeout: '3s' })
  input.subscribe()
  await until(() => input.bytes.length === stream.length, 'the stream has arrived')
  assert.equal(input.source.packetTimeout?.ms, 3000)
  input.source.packetTimeout.giveUp('null packets alone, for 3 s')
  const error = await input.failed()
  assert.deepEqual([error.code, error.retryAfterMs], ['HTTP_NO_PACKETS', 0])
  assert.match(error.message, /: null packets alone, for 3 s$/)
  input.subscribe()
  await until(() => input.bytes.length === stream.length, 'the other one is asked')
})

test('a body is not read while the input is paused, and that is no silence of the upstream', async () => {
  const pieces = 64
  await using server = await UpstreamServer.http((_, response) => {
    for (let piece = 0; piece < pieces; piece++) response.write(stream)
  })
  await using input = await InputHarness.open({ url: server.url() })
  input.subscribe()
  await until(() => input.bytes.length > 0, 'the stream begins')
  const pause = input.source.pause?.()
  const before = input.bytes.length
  for (let second = 0; second < 30; second++) {
    input.clock.advance(1000)
    await new Promise<void>((resolve) => void setImmediate(resolve))
  }
  assert.ok(input.bytes.length < pieces * stream.length)
  assert.equal(input.bytes.length, before)
  pause?.[Symbol.dispose]()
  await until(() => input.bytes.length === pieces * stream.length, 'the rest arrives')
})
