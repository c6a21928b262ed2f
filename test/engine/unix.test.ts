// A unix socket with real ffmpegs: the writer is killed and restarted, and viewers stay.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { assertClean } from '../e2e/kit/assert-clean.js'
import { sendClip } from '../e2e/kit/send-clip.js'
import { until } from '../e2e/kit/until.js'
import { TestEngine } from './test-engine.js'

test('ffmpeg writes, is killed, and the next one continues: idle in between, and no error', async () => {
  await using live = await TestEngine.create()
  const path = join(live.folder.path, 'live.sock')
  await live.start(`version: 1
engine: { api: { address: "127.0.0.1:0" }, stateDir: state, drain: 2s }
listeners: { web: { address: "127.0.0.1:0" } }
pipelines:
  one:
    inputs: { main: { type: unix, path: live.sock } }
    transforms: { gops: { type: gop, from: main } }
    outputs: { ts: { type: http-ts, from: gops, listener: web, path: /live.ts } }
`)
  await until(() => live.node('one/main').state === 'idle', 'it waits for a writer')
  await using first = sendClip('mpegts', `unix:${path}`)
  const viewer = await live.watch('/live.ts', 200_000)
  first.signal('SIGKILL')
  await first.exited
  await until(() => live.node('one/main').state === 'idle', 'nobody writes')
  const { length } = viewer.body
  await using second = sendClip('mpegts', `unix:${path}`)
  await until(
    () => viewer.body.length > length + 200_000,
    () => `the stream goes on\n${second.stderr}`,
  )
  assert.equal(live.node('one/main').restarts, 0)
  await live.engine.stop('the test is over')
  assertClean('viewer', (await viewer.reader.done()).ts, { announced: true })
  assert.equal(existsSync(path), false)
})
