// Paths that an auth provider of a plugin serves on listeners of a whole engine.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import pino from 'pino'
import { NEVER } from 'rxjs'
import { z } from 'zod'
import { loadConfig } from '../config/load-config.js'
import type { AnyDefinition } from '../plugin/auth-definition.js'
import { defineAuth } from '../plugin/define-auth.js'
import { defineInput } from '../plugin/define.js'
import { listenerName } from '../plugin/options.js'
import { registryOf } from '../plugin/registry.js'
import { LISTENERS } from '../plugin/tokens.js'
import { planReload } from '../reload/plan-reload.js'
import type { Engine } from '../run/engine.js'
import { openStateDir } from '../state/state-dir.js'
import { buildEngine } from './build-engine.js'

const TEXT = `
version: 1
engine: { api: { address: "127.0.0.1:0" }, stateDir: state, drain: 1s }
listeners: { web: { address: "127.0.0.1:0" } }
auth: { ours: { type: serving, listener: web } }
pipelines: { one: { inputs: { main: { type: silent } } } }
`

const silent = defineInput({
  type: 'silent',
  summary: 'For tests.',
  produces: 'bytes',
  options: z.strictObject({}),
  examples: [],
  open: (_options, context) => {
    context.ready()
    return { chunks: NEVER, [Symbol.asyncDispose]: () => Promise.resolve() }
  },
})

/** Its paths are freed by the engine: it frees only those that move. */
const serving = defineAuth({
  type: 'serving',
  summary: 'For tests.',
  options: z.strictObject({ listener: listenerName().meta({ description: 'For tests.', reload: 'live' }) }),
  inject: { listeners: LISTENERS },
  examples: [],
  open: (options$, context, { listeners }) => {
    let held: Disposable | undefined
    options$.subscribe(({ listener }) => {
      held?.[Symbol.dispose]()
      held = listeners.http(listener).mount({ path: '/keys/', prefix: true }, (_, response, { path }) => {
        if (path === '/keys/bad') throw new Error('no such key')
        response.end(`${context.id} ${path}`)
      })
    })
    return { check: () => ({ allowed: true }), [Symbol.asyncDispose]: () => Promise.resolve() }
  },
})

async function load(folder: string, text: string) {
  const file = join(folder, 'live.yaml')
  await writeFile(file, text)
  const registry = registryOf([silent, serving] as readonly AnyDefinition[])
  return loadConfig([file], { env: {}, plugins: () => Promise.resolve({ registry, problems: [] }) })
}

async function start(t: TestContext): Promise<{ readonly engine: Engine; reload(text: string): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-auth-'))
  const { graph } = await load(folder, TEXT)
  assert.ok(graph !== undefined)
  const stateDir = await openStateDir(graph.engine.stateDir)
  const createApi = () => ({ guard: () => true, respond: () => undefined }) as never
  const engine = buildEngine(graph, { log: pino({ level: 'silent' }), stateDir, createApi })
  t.after(async () => {
    await engine.stop('test')
    await rm(folder, { recursive: true, force: true })
  })
  await engine.start()
  const reload = async (text: string): Promise<void> => {
    const { graph: next } = await load(folder, text)
    assert.ok(next !== undefined)
    await engine.apply(planReload(engine.graph, next), next)
  }
  return { engine, reload }
}

function answerOf(engine: Engine, listener: string, path: string): Promise<Response> {
  const address = engine.status().listeners.find(({ name }) => name === listener)?.address ?? ''
  return fetch(`http://${address}${path}`)
}

async function untilStatus(wanted: number, ask: () => Promise<Response>): Promise<void> {
  const deadline = performance.now() + 30_000
  while ((await ask()).status !== wanted) assert.ok(performance.now() < deadline, `it never answers ${wanted}`)
}

test('a provider serves a path, moves with a reload to a listener that it adds, and leaves none behind', async (t) => {
  const { engine, reload } = await start(t)
  await untilStatus(200, () => answerOf(engine, 'web', '/keys/a'))
  assert.equal(await (await answerOf(engine, 'web', '/keys/a')).text(), 'auth/ours /keys/a')
  assert.equal((await answerOf(engine, 'web', '/keys/bad')).status, 500)
  const moved = TEXT.replace('listeners: {', 'listeners: { keys: { address: "127.0.0.1:0" },')
  await reload(moved.replace('listener: web', 'listener: keys'))
  assert.equal((await answerOf(engine, 'web', '/keys/a')).status, 404)
  assert.equal(await (await answerOf(engine, 'keys', '/keys/a')).text(), 'auth/ours /keys/a')
  await reload(moved.replace(/auth: .*/, ''))
  await untilStatus(404, () => answerOf(engine, 'keys', '/keys/a'))
})

test('a listener that a provider names has to exist', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-auth-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const { diagnostics } = await load(folder, TEXT.replace('listener: web', 'listener: wbe'))
  assert.deepEqual(
    diagnostics.map(({ code, message }) => `${code} ${message}`),
    ['CONFIG_UNKNOWN_LISTENER auth "ours" names the listener "wbe", which does not exist'],
  )
})
