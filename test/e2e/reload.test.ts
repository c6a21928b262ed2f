// Hot reload of the real process: how files are saved, what is reported where, and that viewers are not affected.
import assert from 'node:assert/strict'
import { mkdir, rename, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { engineYaml } from './kit/engine-yaml.js'
import { scrape } from './kit/metrics-page.js'
import { ReloadHarness } from './kit/reload-harness.js'
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

test('of three concurrent reloads one is applied, one finds nothing to do, and one is superseded', async () => {
  await using harness = await ReloadHarness.start(GOOD, ['--no-watch'])
  await harness.watch()
  await harness.save(CHANGED)
  const answers = await Promise.all([harness.post(), harness.post(), harness.post()])
  assert.deepEqual(answers.map(({ status }) => String(status)).sort(), ['200', '200', '409'])
  const results = answers.flatMap(({ text }) => (JSON.parse(text) as { result?: string }).result ?? [])
  assert.deepEqual(results.sort(), ['applied', 'unchanged'])
  await harness.assertViewersUnaffected()
})

test('an address in use is refused with 75, and nothing changes', async () => {
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
  await harness.assertViewersUnaffected()
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
  assert.deepEqual([refused.code, /did you mean "main"/.test(refused.stderr)], [78, true])

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
