// Hot reload of the real process: how files are saved, what is reported where, and that viewers are not affected.
import assert from 'node:assert/strict'
import { mkdir, rename, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import type { EngineStatus } from '@millrace/engine/api'
import { engineYaml } from './kit/engine-yaml.js'
import { scrape } from './kit/metrics-page.js'
import { ReloadHarness } from './kit/reload-harness.js'
import { REPOSITORY_ROOT } from './kit/repository-root.js'
import type { TempFolder } from './kit/temp-folder.js'
import { until } from './kit/until.js'

const INPUT = 'path: a.ts, loop: true'
const GOOD = engineYaml({ one: { input: INPUT, through: 'both' } })
/** The output reads another node, and there is one more output. */
const CHANGED = engineYaml({ one: { input: INPUT, through: 'both', outputs: { out: '', more: '' } } }).replace(
  'http-ts, from: gops',
  'http-ts, from: check',
)
const BROKEN = GOOD.replace('from: main', 'from: mian')
/** How long a reload waits for a key frame; also the drain timeout. */
const CUT_WITHIN_MS = 5000
const INVALID = 'the configuration on disk has mistakes'

test('a save is applied, in place or by renaming a new file over the old one, and the viewer loses nothing', async () => {
  await using harness = await ReloadHarness.start(engineYaml({ one: { input: INPUT } }))
  await harness.watch()
  // One more transform in the middle.
  await harness.save(GOOD)
  await harness.untilStatus('the renamed file is applied', ({ last }) => last?.result === 'applied')
  const { last } = await harness.reload()
  assert.deepEqual([last?.by, last?.viewersBefore, last?.viewersLost], ['file', 1, 0])
  assert.equal((await harness.engine.node('one/check')).state, 'ready')
  await harness.assertViewersUnaffected()
  await writeFile(join(harness.engine.folder.path, 'live.yaml'), CHANGED)
  await harness.untilStatus('the overwritten file is applied', (_, { pipelines }) => pipelines[0]?.nodes.length === 5)
  await harness.assertViewersUnaffected()
  assert.equal((await harness.engine.node('one/out')).clients, 1)
  await harness.engine.stop()
})

test('a broken save affects no viewer, and is reported once in the log, in the status, by the API and by exit codes', async () => {
  await using harness = await ReloadHarness.start(GOOD)
  await harness.watch()
  await harness.save(BROKEN)
  await harness.untilStatus('the mistake is noticed', ({ inSync }) => !inSync)
  assert.match((await harness.reload()).reason ?? '', /"check" reads from "mian"/)
  assert.equal((await scrape(harness.engine.api)).value('millrace_config_in_sync'), 0)
  assert.equal(harness.logged(INVALID), 1)
  // The same mistake is not logged again.
  await harness.save(BROKEN)

  const answer = await harness.post()
  const body = JSON.parse(answer.text) as { error: { code: string }; reload: { diagnostics: { line: number }[] } }
  assert.deepEqual([answer.status, body.error.code], [422, 'RELOAD_INVALID'])
  assert.equal(body.reload.diagnostics.length, 1)
  const verbs = [['reload'], ['reload', '--plan'], ['config', '--diff'], ['check', 'live.yaml']]
  const asked = [...verbs, ['check', 'live.yaml', '--against', harness.engine.api]]
  const results = await Promise.all(asked.map((verb) => harness.command(...verb)))
  for (const [index, { code, stderr }] of results.entries()) {
    const verb = asked[index] ?? []
    assert.deepEqual([code, /did you mean "main"/.test(stderr)], [78, true], `${verb.join(' ')}: ${stderr}`)
  }
  const status = await harness.command('status')
  assert.match(status.stdout, /disk differs from running/)
  // The file that was saved again is logged once; each explicit request is logged.
  assert.equal(harness.logged(INVALID), 3)
  await harness.assertViewersUnaffected()
  await harness.save(GOOD)
  await harness.untilStatus('both agree', ({ inSync }) => inSync)
  assert.equal((await scrape(harness.engine.api)).value('millrace_config_in_sync'), 1)
  await harness.assertViewersUnaffected()
})

test('with --no-watch a change is reported and compared, and applied on request', async () => {
  await using harness = await ReloadHarness.start(GOOD, ['--no-watch'])
  await harness.watch()
  await harness.save(CHANGED)
  await harness.untilStatus('the change is noticed', ({ inSync }) => !inSync)

  const [planned, compared, diff] = await Promise.all([
    harness.command('reload', '--plan'),
    harness.command('check', 'live.yaml', '--against', harness.engine.api),
    harness.command('config', '--diff'),
  ])
  assert.deepEqual([planned.code, planned.stderr], [0, ''])
  assert.match(planned.stdout, /1 swap, 1 add.*; 1 viewer stays?[^]*swap +one\/out/)
  assert.deepEqual([compared.code, compared.stdout], [0, planned.stdout])
  assert.deepEqual([diff.code, /^\+ +more:/m.test(diff.stdout)], [1, true], diff.stdout)
  assert.equal((await harness.engine.status()).pipelines[0]?.nodes.length, 4)

  harness.engine.child.signal('SIGHUP')
  await harness.untilStatus('SIGHUP is heard', ({ inSync, last }) => inSync && last?.by === 'SIGHUP')
  assert.equal((await harness.engine.status()).pipelines[0]?.nodes.length, 5)
  assert.deepEqual((await harness.command('config', '--diff')).code, 0)
  await harness.save(GOOD)
  const reloaded = await harness.command('reload')
  assert.deepEqual([reloaded.code, reloaded.stdout], [0, ''])
  assert.match(reloaded.stderr, /^applied \S+ in .*; 1 viewers?, 0 lost\n$/)
  await harness.assertViewersUnaffected()
})

/** Opens when a file is there: the reload that adds it is in progress until then. */
const SLOW = `
import { existsSync } from 'node:fs'
import { defineTransform } from '@millrace/engine/plugin'
import { z } from 'zod'
export default defineTransform({
  type: 'slow', summary: 'Opens late.', consumes: ['ts'], inlets: 'one', ports: [{ name: 'out', kind: 'ts' }],
  options: z.strictObject({}), metrics: [], examples: [],
  async open() {
    while (!existsSync(new URL('./go', import.meta.url))) await new Promise((resolve) => setTimeout(resolve, 20))
    return { apply: ([inlet]) => ({ out: inlet.chunks }), [Symbol.asyncDispose]: () => Promise.resolve() }
  },
})
`

test('two reloads come while the first is in progress: it is applied, one finds nothing to do, and one is superseded', async () => {
  const withPlugin = (text: string): string => text.replace('pipelines:', 'plugins: [./slow.mjs]\npipelines:')
  await using harness = await ReloadHarness.start('', ['--no-watch'], async (folder) => {
    await folder.write('slow.mjs', SLOW)
    await symlink(join(REPOSITORY_ROOT, 'node_modules'), join(folder.path, 'node_modules'))
    await folder.write('live.yaml', withPlugin(GOOD))
  })
  await harness.watch()
  const late = engineYaml({ two: { input: INPUT, through: 'ts-validate' } }).replace('type: ts-validate', 'type: slow')
  await harness.save(withPlugin(CHANGED) + late.slice(late.indexOf('  two:')))
  const first = harness.post()
  await harness.untilStatus('the first one is in progress', ({ inProgress }) => inProgress?.by === 'api')
  const others = [harness.post(), harness.post()]
  assert.equal((await Promise.race(others)).status, 409)
  await harness.engine.folder.write('go', '')
  const answers = await Promise.all([first, ...others])
  assert.deepEqual(answers.map(({ status }) => String(status)).sort(), ['200', '200', '409'])
  const results = answers.flatMap(({ text }) => (JSON.parse(text) as { result?: string }).result ?? [])
  assert.deepEqual(results.sort(), ['applied', 'unchanged'])
  await harness.assertViewersUnaffected()
})

test('an address in use is refused with 75 and named everywhere, and nothing changes', async () => {
  await using taken = await listen()
  await using harness = await ReloadHarness.start(GOOD, ['--no-watch'])
  await harness.watch()
  const before = await harness.engine.status()
  const moved = { web: `127.0.0.1:${taken.port}` }
  await harness.save(engineYaml({ one: { input: INPUT }, two: { input: INPUT } }, moved))
  const { code, stderr } = await harness.command('reload')
  assert.deepEqual([code, /LISTEN_IN_USE/.test(stderr)], [75, true], stderr)
  const after = await harness.engine.status()
  assert.deepEqual(after.listeners, before.listeners)
  assert.deepEqual(
    after.pipelines.map(({ name, nodes }) => [name, nodes.map(({ id }) => id)]),
    before.pipelines.map(({ name, nodes }) => [name, nodes.map(({ id }) => id)]),
  )
  assert.deepEqual([after.reload?.inSync, after.reload?.last?.result], [false, 'failed'])
  const { stdout: json } = await harness.command('reload', '--json')
  const { stdout: table } = await harness.command('status')
  const { text: api } = await harness.post()
  const { why, reason } = { why: '', reason: '', ...after.reload, ...after.reload?.last }
  const log =
    harness.engine.child.stderr
      .split('\n')
      .find((line) => line.includes('LISTEN_IN_USE') || line.includes("can't use")) ?? ''
  for (const said of [stderr, json, table, api, why, reason, log]) {
    assert.match(said, new RegExp(`listener \\\\?"web\\\\?" can't use 127\\.0\\.0\\.1:${taken.port}`))
  }
  await harness.assertViewersUnaffected()
})

/** What can be compared between two runs: addresses are those of free ports. */
function shapeOf({ pipelines, services, listeners, reload }: EngineStatus): unknown {
  const pathOf = (url: string): string => new URL(url).pathname
  const nodes = [...services, ...pipelines.flatMap((pipeline) => pipeline.nodes)]
  return {
    id: reload?.runningId,
    inSync: reload?.inSync,
    listeners: listeners.map(({ name, protocol }) => [name, protocol]),
    nodes: nodes
      .map(({ id, type, state, from, urls = [] }) => ({ id, type, state, from, paths: urls.map(pathOf) }))
      .sort((a, b) => (a.id < b.id ? -1 : 1)),
  }
}

/** When everything is ready, but for the source that is not there, which is looked for now and then, and what reads it. */
function settled({ engine }: ReloadHarness): Promise<EngineStatus> {
  const settledStatus = async (): Promise<EngineStatus | false> => {
    const status = await engine.status()
    const [one, two] = status.pipelines
    const isReady = one?.nodes.every(({ state }) => state === 'ready') === true
    return isReady && two?.nodes[0]?.state === 'waiting' && status
  }
  return until(settledStatus, () => `not settled\n${engine.child.stderr.slice(-2000)}`)
}

test('after edits of all kinds the running engine is what a restart makes of the same files', async () => {
  await using harness = await ReloadHarness.start(GOOD)
  await harness.watch()
  const edits = [
    CHANGED,
    // Renamed, another option, a node less, a pipeline more whose source is not there.
    CHANGED.replace('more: { type: http-ts,', 'other: { type: http-ts, was: more, clients: { max: 7 },'),
    engineYaml({
      one: { input: INPUT, through: 'gop', outputs: { out: 'clients: { max: 5 }', other: '' } },
      two: { input: 'path: missing.ts', outputs: { late: '' } },
    }),
    BROKEN,
    engineYaml({ one: { input: INPUT, through: 'gop' }, two: { input: 'path: missing.ts', outputs: { late: '' } } }),
  ]
  for (const edit of edits) {
    await harness.save(edit)
    // Until it has been applied, or refused: by the watch of the files, or by the request.
    const isDone = async (): Promise<boolean> => {
      const { status, text } = await harness.post()
      return status === 422 || (status === 200 && text.includes('"unchanged"'))
    }
    await until(isDone, () => `not applied\n${harness.engine.child.stderr.slice(-2000)}`)
  }
  const before = shapeOf(await settled(harness))
  await harness.assertViewersUnaffected()
  await harness.engine.stop()
  const restarted = await harness.again()
  await using _child = restarted.engine.child
  assert.deepEqual(shapeOf(await settled(restarted)), before)
  await restarted.engine.stop()
})

test('swapping the link of a ConfigMap counts as a save', async () => {
  const version = async ({ path }: TempFolder, name: string, text: string): Promise<void> => {
    await mkdir(join(path, name))
    await writeFile(join(path, name, 'live.yaml'), text.replaceAll('path: a.ts', `path: ${join(path, 'a.ts')}`))
    await symlink(name, join(path, '..data_tmp'))
    await rename(join(path, '..data_tmp'), join(path, '..data'))
  }
  await using harness = await ReloadHarness.start(GOOD, [], async (folder) => {
    await version(folder, '..2026_1', GOOD)
    await symlink('..data/live.yaml', join(folder.path, 'live.yaml'))
  })
  await harness.watch()
  await version(harness.engine.folder, '..2026_2', CHANGED)
  await harness.untilStatus('the swapped link is applied', ({ last }) => last?.result === 'applied')
  assert.equal((await harness.engine.node('one/more')).state, 'ready')
  await harness.assertViewersUnaffected()
})

test('--last-good starts the last good configuration if the file has a mistake, and applies the corrected file', async () => {
  await using harness = await ReloadHarness.start(CHANGED)
  await harness.proven()
  await harness.engine.stop()
  await harness.save(BROKEN)
  const refused = await harness.command('run', 'live.yaml')
  assert.deepEqual([refused.code, /did you mean \\"main\\"/.test(refused.stderr)], [78, true])

  await using again = await harness.again(['--last-good'])
  assert.match(again.engine.child.stderr, /LAST GOOD CONFIGURATION/)
  assert.deepEqual([(await again.reload()).inSync, (await again.engine.node('one/more')).state], [false, 'ready'])
  await again.watch()
  await again.save(GOOD)
  await again.untilStatus('the mended file is applied', ({ inSync }) => inSync)
  assert.equal((await again.engine.status()).pipelines[0]?.nodes.length, 4)
  await again.assertViewersUnaffected()
})

test('TERM in the middle of a reload ends everything within the drain', async () => {
  await using upstream = await listen()
  await using harness = await ReloadHarness.start(GOOD, ['--no-watch'])
  const viewer = await harness.watch()
  // It is connected, and has no key frame for the cutover.
  await harness.save(
    GOOD.replace('type: file, path: a.ts, loop: true', `type: http, url: "http://127.0.0.1:${upstream.port}/"`),
  )
  const asked = harness.post().catch(() => undefined)
  await until(async () => (await harness.engine.node('one/main')).type === 'http', 'the reload is being committed')
  assert.equal((await harness.reload()).last, undefined)
  const startMs = performance.now()
  await harness.engine.stop()
  assert.ok(performance.now() - startMs < CUT_WITHIN_MS, 'the engine does not wait for the key frame')
  assert.equal((await viewer.done()).ended, 'end')
  await asked
})

/** An HTTP server that streams only stuffing. */
async function listen(): Promise<AsyncDisposable & { readonly port: number }> {
  const stuffing = Buffer.alloc(188 * 100, 0xff)
  for (let offset = 0; offset < stuffing.length; offset += 188) stuffing.set([0x47, 0x1f, 0xff, 0x10], offset)
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'video/mp2t' })
    response.write(stuffing)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
