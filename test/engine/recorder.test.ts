// The recorder of an input in a running engine: on request, and when the source disconnects.
import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { buildTs } from '@millrace/engine/testing'
import { until } from '../e2e/kit/until.js'
import { checkTs } from '../oracle/check-ts.js'
import { TestEngine } from './test-engine.js'

const clip = buildTs({ durationS: 4, video: { gopFrames: 5, bitrate: 4e6 } })

function yaml(input: string): string {
  return `version: 1
engine: { api: { address: "127.0.0.1:0" }, stateDir: state, drain: 2s }
listeners: { web: { address: "127.0.0.1:0" } }
pipelines:
  one:
    inputs:
      main: { ${input}, recorder: { keep: 2s, after: 0s, path: kept } }
    transforms:
      gops: { type: gop, from: main }
    outputs:
      ts: { type: http-ts, from: gops, listener: web, path: /live.ts }
`
}

async function recordings(live: TestEngine): Promise<readonly string[]> {
  const folder = join(live.folder.path, 'kept/one/main')
  const names = await readdir(folder).catch((): string[] => [])
  return names.filter((name) => name.endsWith('.ts')).map((name) => join(folder, name))
}

test('an input writes what its viewers received to a file that plays, on request', async () => {
  await using live = await TestEngine.create()
  await live.folder.write('main.ts', clip.bytes)
  const engine = await live.start(yaml('type: file, path: main.ts, loop: true'))
  await live.watch('/live.ts', 100_000)
  const answer = (await engine.command('one/main', 'record', {})) as { readonly file: string }
  await until(async () => (await recordings(live)).length === 1, 'a recording')
  assert.deepEqual(await recordings(live), [answer.file])
  const { packets, continuityErrors, syncErrors } = checkTs(await readFile(answer.file))
  assert.deepEqual([packets > 500, continuityErrors, syncErrors], [true, 0, 0])
  await assert.rejects(engine.command('one/ts', 'record', {}))
})

test('a source that breaks off is recorded, once', async () => {
  let response: ServerResponse | undefined
  const server = createServer((_, opened) => {
    response = opened
    opened.write(clip.bytes)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    await using live = await TestEngine.create()
    await live.start(yaml(`type: http, url: "http://127.0.0.1:${(server.address() as AddressInfo).port}/"`))
    await until(() => live.node('one/main').receivedBytes >= clip.bytes.length, 'the stream')
    response?.destroy()
    await until(async () => (await recordings(live)).length === 1, 'a recording')
    const [file = ''] = await recordings(live)
    assert.match(file, /-disconnect\.ts$/)
    assert.ok((await readFile(file)).length > 100_000)
  } finally {
    server.closeAllConnections()
    server.close()
  }
})
