// The paths of a whole engine while its nodes open for the first time.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import pino from 'pino'
import { NEVER } from 'rxjs'
import { z } from 'zod'
import { loadConfig } from '../config/load-config.js'
import { renderText } from '../config/report/render-diagnostics.js'
import { until } from '../listen/loopback.test.kit.js'
import type { Definition } from '../plugin/contract.js'
import { defineInput } from '../plugin/define.js'
import { registryOf } from '../plugin/registry.js'
import { LISTENERS } from '../plugin/tokens.js'
import { openStateDir } from '../state/state-dir.js'
import { buildEngine } from './build-engine.js'

const TEXT = `
version: 1
engine: { api: { address: "127.0.0.1:0" }, stateDir: state, drain: 1s }
listeners: { web: { address: "127.0.0.1:0" } }
pipelines: { one: { inputs: { main: { type: slow } } } }
`

test('a path that nobody has is 503 until every node has opened once, then 404', async (t) => {
  let open = (): void => undefined
  const opened = new Promise<void>((resolve) => (open = resolve))
  const slow = defineInput({
    type: 'slow',
    summary: 'For tests.',
    produces: 'bytes',
    options: z.strictObject({}),
    inject: { listeners: LISTENERS },
    examples: [],
    open: async (_options, context, { listeners }) => {
      await opened
      const routes = listeners.http('web')
      const held = routes.mount({ path: '/one/', prefix: true }, (_, response) => void response.end('mine'))
      context.ready()
      return {
        chunks: NEVER,
        [Symbol.asyncDispose]: () => {
          held[Symbol.dispose]()
          return Promise.resolve()
        },
      }
    },
  })
  const folder = await mkdtemp(join(tmpdir(), 'millrace-starting-'))
  const file = join(folder, 'live.yaml')
  await writeFile(file, TEXT)
  const registry = registryOf([slow as Definition])
  const plugins = () => Promise.resolve({ registry, problems: [] })
  const { graph, diagnostics } = await loadConfig([file], { env: {}, plugins })
  assert.ok(graph !== undefined, renderText(diagnostics))
  const stateDir = await openStateDir(graph.engine.stateDir)
  const createApi = () => ({ guard: () => true, respond: (_: unknown, response: never) => notFound(response) }) as never
  const engine = buildEngine(graph, { log: pino({ level: 'silent' }), stateDir, createApi })
  t.after(async () => {
    open()
    await engine.stop('test')
    await rm(folder, { recursive: true, force: true })
  })
  const started = engine.start()
  const originOf = (name: string): string | undefined => {
    const address = engine.status().listeners.find((each) => each.name === name)?.address
    return address?.endsWith(':0') === false ? `http://${address}` : undefined
  }
  await until(() => originOf('web') !== undefined && originOf('api') !== undefined, 'the listeners are bound')
  for (const path of [`${originOf('web')}/one/index.m3u8`, `${originOf('web')}/`, `${originOf('api')}/two`]) {
    const early = await fetch(path)
    assert.equal(early.status, 503, path)
    assert.equal(early.headers.get('access-control-allow-origin'), '*', 'pages can tell it from a lost connection')
    assert.equal(early.headers.get('retry-after'), '1')
    assert.equal(early.headers.get('cache-control'), 'no-store')
    assert.match(await early.text(), /starting/)
  }
  open()
  await started
  const web = originOf('web') ?? ''
  assert.equal(await (await fetch(`${web}/one/index.m3u8`)).text(), 'mine')
  assert.equal((await fetch(`${web}/other`)).status, 404)
  assert.equal((await fetch(`${originOf('api')}/two`)).status, 404)
})

function notFound(response: { writeHead(status: number): { end(): void } }): void {
  response.writeHead(404).end()
}
