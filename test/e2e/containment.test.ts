// An error of a plugin, thrown in any way and at any time, fails nodes of that plugin and affects nothing else.
import assert from 'node:assert/strict'
import { readFile, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { describe, test } from 'node:test'
import { scrape } from './kit/metrics-page.js'
import { ReloadHarness } from './kit/reload-harness.js'
import { REPOSITORY_ROOT } from './kit/repository-root.js'
import type { TempFolder } from './kit/temp-folder.js'
import { until } from './kit/until.js'

/** From Node 24 on, AsyncLocalStorage leads from an error to its node; before, only its stack is known. */
const FOLLOWS = Number.parseInt(process.versions.node, 10) >= 24

/** Each ends with its node `failed`. */
const WITH_STACK = [
  'synchronously', 'promise', 'async', 'timer', 'immediate', 'next-tick', 'microtask', 'listener', 'stream', 'rxjs',
  'guarded', 'guarded-async',
] // prettier-ignore
/** Their errors have no line of the plugin in their stack, or no stack. */
const WITHOUT_STACK = ['fs', 'net', 'http', 'text', 'rejected-text']
/** Caught by their caller: the node survives, or is being removed. */
const CAUGHT = ['dispose', 'dispose-async', 'metric', 'stall']

async function writePlugins(folder: TempFolder, ways: readonly string[]): Promise<void> {
  const source = await readFile(join(REPOSITORY_ROOT, 'test/fixtures/throwing-plugin.mjs'), 'utf8')
  for (const way of ways) await folder.write(`throws-${way}.mjs`, source)
  await symlink(join(REPOSITORY_ROOT, 'node_modules'), join(folder.path, 'node_modules')).catch(() => undefined)
}

interface Yaml {
  readonly plugins: readonly string[]
  /** The plugins that run, in a pipeline each; by default all. */
  readonly ways?: readonly string[]
  readonly options?: string
}

function yamlOf({ plugins, ways = plugins, options = '' }: Yaml): string {
  return [
    'version: 1',
    'engine: { api: { address: "127.0.0.1:0" }, stateDir: state, drain: 5s }',
    'listeners: { web: { address: "127.0.0.1:0" } }',
    'services: { metrics: { type: prometheus, listener: api, path: /metrics } }',
    `plugins: [${plugins.map((way) => `./throws-${way}.mjs`).join(', ')}]`,
    'pipelines:',
    '  one:',
    '    inputs: { main: { type: file, path: a.ts, loop: true } }',
    '    transforms: { gops: { type: gop, from: main } }',
    '    outputs: { out: { type: http-ts, from: gops, listener: web, path: /one.ts } }',
    ...ways.flatMap((way) => [
      `  ${way}:`,
      '    inputs: { main: { type: file, path: a.ts, loop: true } }',
      `    transforms: { bad: { type: throws-${way}, from: main${options} } }`,
      `    outputs: { out: { type: http-ts, from: bad, listener: web, path: /${way}.ts } }`,
    ]),
    '',
  ].join('\n')
}

async function start(yaml: Yaml): Promise<ReloadHarness> {
  return ReloadHarness.start('', [], async (folder) => {
    await writePlugins(folder, yaml.plugins)
    await folder.write('live.yaml', yamlOf(yaml))
  })
}

test('an error of a plugin fails the node that threw it, and no viewer of another pipeline is lost', async () => {
  const thrown = FOLLOWS ? [...WITH_STACK, ...WITHOUT_STACK] : WITH_STACK
  const plugins = [...thrown, ...CAUGHT]
  await using harness = await start({ plugins })
  const { engine } = harness
  await harness.watch()
  await engine.folder.write('go', '')
  const badOf = async (way: string) => engine.node(`${way}/bad`)
  const notFailed: string[] = []
  await until(
    async () => {
      notFailed.length = 0
      for (const way of thrown) if ((await badOf(way)).state !== 'failed') notFailed.push(way)
      return notFailed.length === 0
    },
    () => `not failed: ${notFailed.join(' ')}\n${engine.child.stderr.slice(-3000)}`,
  )
  for (const way of thrown) {
    const { why } = await badOf(way)
    const expected =
      way === 'fs' ? /ENOENT/ : way === 'net' || way === 'http' ? /ECONNREFUSED/ : new RegExp(`: ${way}$`)
    assert.match(why, expected)
    assert.equal(harness.logged(`"node":"${way}/bad"`) > 0, true, `${way} is not named in the log`)
    assert.deepEqual(
      [(await engine.node(`${way}/main`)).state, (await engine.node(`${way}/out`)).state],
      ['ready', 'ready'],
      way,
    )
  }
  await until(async () => (await badOf('stall')).stalls !== undefined, 'it has blocked the event loop')
  const page = await scrape(engine.api)
  const upOf = (way: string) => page.value('millrace_node_up', { pipeline: way, node: 'bad' })
  assert.deepEqual(
    thrown.filter((way) => upOf(way) !== 0),
    [],
  )
  assert.deepEqual(
    CAUGHT.filter((way) => upOf(way) !== 1),
    [],
  )
  assert.equal(page.value('millrace_throws_metric'), undefined)
  await scrape(engine.api)
  assert.equal(harness.logged('"node":"metric/bad","msg":"a metric could not be read'), 1)
  assert.equal(page.value('millrace_throws_stall'), 1)
  // A node that blocks the event loop appears in metrics, status and log.
  const stalled = { pipeline: 'stall', node: 'bad' }
  assert.equal(page.value('millrace_node_event_loop_stalls_total', stalled), 1)
  assert.equal((page.value('millrace_node_event_loop_stall_seconds_total', stalled) ?? 0) >= 0.2, true)
  assert.equal((await badOf('stall')).stalls?.count, 1)
  assert.equal(harness.logged('"node":"stall/bad"', 'blocked the event loop'), 1)
  await harness.save(yamlOf({ plugins, ways: plugins.filter((way) => !way.startsWith('dispose')) }))
  await harness.untilStatus('the pipelines are removed', ({ last }) => last?.result === 'applied')
  await until(() => Promise.resolve(harness.logged('while stopping') === 2), 'the errors of dispose are logged')
  await harness.assertViewersUnaffected()
  await engine.stop()
})

test('before Node 24, an error without a line of a plugin in its stack is a bug like any other', async () => {
  if (FOLLOWS) return
  await Promise.all(
    WITHOUT_STACK.map(async (way) => {
      await using harness = await start({ plugins: [way] })
      await harness.engine.ready()
      await harness.engine.folder.write('go', '')
      assert.deepEqual(await harness.engine.child.exited, { code: 70, signal: null }, way)
    }),
  )
})

test('an edit that adds a plugin whose module throws later, or while it is imported, costs no viewer', async () => {
  await using harness = await start({ plugins: ['immediate'] })
  const { engine } = harness
  const added = ['importing', 'import']
  await writePlugins(engine.folder, added)
  await harness.watch()
  await harness.watch('immediate/out')
  // Their modules are loaded, but their nodes do not exist. The first plugin is in the same folder.
  await harness.save(yamlOf({ plugins: ['immediate', ...added], ways: ['immediate'], options: ', wrong: 1' }))
  await harness.untilStatus('the mistake is reported', ({ last }) => last?.result === 'invalid')
  for (const way of added) {
    await until(
      () => harness.logged(`"message":"broken: ${way}"`) > 0,
      () => `the error of the module is logged\n${engine.child.stderr}`,
    )
    assert.equal(harness.logged(`"message":"broken: ${way}"`, `"plugins":["./throws-${way}.mjs"],"nodes":[]`), 1)
  }
  assert.equal((await engine.node('immediate/bad')).state, 'ready')
  await harness.assertViewersUnaffected()
  await engine.stop()
})

// Each waits for the end of a probation, which takes 30 s.
describe('after its probation', { concurrency: true }, () => {
  test('an edit that makes a plugin throw later is rolled back and costs no viewer, not even of its other nodes', async () => {
    const plugins = ['immediate']
    const more = [
      '  other:',
      '    inputs: { main: { type: file, path: a.ts, loop: true } }',
      '    transforms: { same: { type: throws-immediate, from: main } }',
      '    outputs: { out: { type: http-ts, from: same, listener: web, path: /other.ts } }',
      '',
    ].join('\n')
    await using harness = await start({ plugins })
    const { engine } = harness
    await harness.save(yamlOf({ plugins }) + more)
    await harness.untilStatus('it is applied', ({ last }) => last?.result === 'applied')
    for (const id of ['one/out', 'immediate/out', 'other/out']) await harness.watch(id)
    await harness.proven('/other.ts')
    await harness.save(yamlOf({ plugins, options: ', bad: true' }) + more)
    await harness.untilStatus('it is rolled back', ({ last, inSync }) => last?.result === 'rolled-back' && !inSync)
    await until(async () => (await engine.node('immediate/bad')).state === 'ready', 'the old definition runs')
    await harness.assertViewersUnaffected()
    await engine.stop()
  })

  test('after an edit that ends the process with a bug, the next start runs the last good configuration', async () => {
    await using harness = await start({ plugins: ['elsewhere'] })
    await harness.proven()
    await harness.save(yamlOf({ plugins: ['elsewhere'], options: ', bad: true' }))
    assert.deepEqual(await harness.engine.child.exited, { code: 70, signal: null })
    for (const args of [[], ['--last-good']]) {
      const again = await harness.again(args)
      await using engine = again.engine.child
      assert.match(engine.stderr, /STARTING THE LAST GOOD CONFIGURATION.*a text: elsewhere/)
      assert.equal(engine.stderr.match(/last good configuration/gi)?.length, 1, 'said once')
      const { inSync, reason } = await again.reload()
      assert.deepEqual([inSync, reason?.includes('a text: elsewhere')], [false, true])
      assert.equal((await again.engine.node('elsewhere/bad')).state, 'ready')
      // It is tried again on request.
      if (args.length > 0) {
        await again.post().catch(() => undefined)
        assert.deepEqual(await engine.exited, { code: 70, signal: null })
      } else await again.engine.stop()
    }
    await harness.save(yamlOf({ plugins: ['elsewhere'] }))
    await using mended = (await harness.again()).engine.child
    assert.doesNotMatch(mended.stderr, /LAST GOOD/)
    mended.signal('SIGKILL')
    await mended.exited
    // A process that is killed from outside leaves no mark.
    await using killed = (await harness.again()).engine.child
    assert.doesNotMatch(killed.stderr, /LAST GOOD/)
  })
})
