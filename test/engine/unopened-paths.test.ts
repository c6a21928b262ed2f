// What requests receive for the paths of an output that cannot open, while the rest of the engine runs.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { authName, defineErrors, defineOutput, LISTENERS } from '@millrace/engine/plugin'
import { buildTs } from '@millrace/engine/testing'
import { Subscription } from 'rxjs'
import { z } from 'zod'
import { until } from '../e2e/kit/until.js'
import { ask } from './hls-requests.js'
import { TestEngine } from './test-engine.js'

const lateError = defineErrors({
  LATE_DISK: { sentence: 'The disk is not there.', hint: 'Wait for it.', reaction: 'retry' },
})

const YAML = `
version: 1
engine: { api: { address: "127.0.0.1:0" }, stateDir: state, drain: 2s }
listeners: { web: { address: "127.0.0.1:0" } }
auth: { players: { type: token, tokens: [let-me-in-please] } }
pipelines:
  one:
    inputs: { main: { type: file, path: main.ts, loop: true } }
    transforms: { gops: { type: gop, from: main } }
    outputs:
      open: { type: late, from: gops, path: /open/ }
      guarded: { type: late, from: gops, path: /guarded/, auth: players }
      ts: { type: http-ts, from: gops, listener: web, path: /one.ts }
`

/** Serves a folder, once its disk is there. */
function lateOutput(isThere: () => boolean) {
  return defineOutput({
    type: 'late',
    summary: 'For tests.',
    consumes: ['gop'],
    inlets: 'one',
    inject: { listeners: LISTENERS },
    options: z.strictObject({
      path: z.string().meta({ description: 'Of the folder.', reload: 'swap' }),
      auth: authName().optional().meta({ description: 'Who may.', reload: 'swap' }),
    }),
    exclusive: ({ path }) => [{ kind: 'http', listener: 'web', path, prefix: true }],
    examples: [],
    open(options$, _context, { listeners }) {
      if (!isThere()) throw lateError('LATE_DISK', 'no disk at /mnt/late')
      const { path, auth } = options$.value
      const { mount } = listeners.http('web')
      const mounted = mount({ path, prefix: true, ...(auth && { auth: [auth].flat() }) }, (_, response) => {
        response.end('here')
      })
      return { accept: () => new Subscription(), [Symbol.asyncDispose]: async () => mounted[Symbol.dispose]() }
    },
  })
}

test('an output that cannot open answers 503, with the reason where anybody may watch, until it has opened', async () => {
  let isThere = false
  await using live = await TestEngine.create([lateOutput(() => isThere)])
  await live.folder.write('main.ts', buildTs({ durationS: 4 }).bytes)
  await live.start(YAML)
  assert.equal(await live.statusOf('/one.ts'), 200)
  for (const path of ['/open/index.m3u8', '/open/', '/open/main-1-2.ts']) {
    const { status, headers, body } = await ask(live, path)
    assert.equal(status, 503, path)
    assert.match(body.toString(), /^The output with this path is not open yet: .*no disk at \/mnt\/late/)
    assert.deepEqual([headers.get('retry-after'), headers.get('cache-control')], ['1', 'no-store'])
  }
  const { status, body } = await ask(live, '/guarded/index.m3u8')
  assert.equal(status, 503)
  assert.doesNotMatch(body.toString(), /disk/)
  for (const path of ['/opened/', '/two.ts', '/open']) assert.equal((await ask(live, path)).status, 404, path)
  isThere = true
  await until(async () => (await ask(live, '/open/index.m3u8')).status === 200, 'it has opened')
})
