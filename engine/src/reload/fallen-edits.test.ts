import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { describe, test } from 'node:test'
import { FakeClock } from '../testing/fake-clock.js'
import { PROBATION_MS } from './config-sync-state.js'
import { outdated } from './reload-errors.js'
import { servingAt, Supervised, type SuperviseMore, until } from './supervised.test.kit.js'

const including = servingAt('/a').replace('version: 1', 'version: 1\ninclude: [more.yaml]')
const second = (path: string): string =>
  servingAt(path)
    .replace('  one:', '  two:')
    .replace(/^listeners.*\n/m, '')

/** Two files with a pipeline each. */
function start(more: SuperviseMore = {}): Promise<Supervised> {
  const prepare: SuperviseMore['prepare'] = (files) => files.write('more.yaml', second('/x'))
  return Supervised.start(including, { watch: false, ...more, prepare })
}

function edit(
  setting: Supervised,
  node: string,
  patch: Record<string, unknown>,
): ReturnType<Supervised['control']['edit']> {
  return setting.control.edit({ node, patch, isPlan: false })
}

async function texts(setting: Supervised): Promise<{ readonly main: string; readonly more: string }> {
  const [main = '', more = ''] = await Promise.all(
    ['live.yaml', 'more.yaml'].map((name) => readFile(setting.files.path(name), 'utf8')),
  )
  return { main, more }
}

/** The engine runs this again. */
async function goBack(setting: Supervised, { main, more }: { readonly main: string; readonly more: string }) {
  const { reader, files, engine } = setting
  const contents = new Map([
    [files.path('live.yaml'), main],
    [files.path('more.yaml'), more],
  ])
  const { graph } = await reader.load(reader.files, { ...reader.options, contents })
  if (graph === undefined) throw new Error('the text has mistakes')
  engine.graph = graph
}

async function fail(setting: Supervised, node: string, runs: { readonly main: string; readonly more: string }) {
  await goBack(setting, runs)
  const ended = (): number => setting.events().filter((kind) => /^reload\.(not_)?restored$/.test(kind)).length
  const before = ended()
  setting.engine.onRolledBack?.({ node, why: 'it threw' })
  await until(() => ended() > before)
}

describe('edits of several files', () => {
  for (const [first, next] of [
    ['one/ts', 'two/ts'],
    ['two/ts', 'one/ts'],
  ] as const) {
    test(`whose nodes fail one after the other are both taken back, first that of ${first}`, async () => {
      await using setting = await start()
      const started = await texts(setting)
      await edit(setting, 'one/ts', { path: '/b' })
      await edit(setting, 'two/ts', { path: '/y' })
      const both = await texts(setting)
      const half =
        first === 'one/ts' ? { main: started.main, more: both.more } : { main: both.main, more: started.more }
      await fail(setting, first, half)
      assert.deepEqual(await texts(setting), half)
      const { length } = setting.engine.applied
      await fail(setting, next, started)
      assert.deepEqual(await texts(setting), started)
      assert.deepEqual(
        [setting.engine.applied.length, setting.control.status().inSync, setting.control.status().last?.restored],
        [length, true, true],
      )
    })
  }

  test('are not taken out of an earlier configuration that was brought back since: it stays, and differs', async () => {
    await using setting = await start()
    const started = await texts(setting)
    await edit(setting, 'one/ts', { path: '/b' })
    const wanted = await texts(setting)
    await edit(setting, 'two/ts', { path: '/y' })
    const [, before] = await setting.control.history()
    assert.equal((await setting.control.rollback(before?.id, false)).result, 'applied')
    await fail(setting, 'one/ts', started)
    assert.deepEqual(await texts(setting), wanted)
    assert.ok(setting.events().includes('reload.not_restored'))
    const { inSync, reason = '' } = setting.control.status()
    assert.deepEqual([inSync, /the files stay as they are/.test(reason)], [false, true], reason)
  })

  test('stay where they are of other nodes, in whichever file', async () => {
    await using setting = await start()
    await edit(setting, 'one/ts', { path: '/b' })
    await edit(setting, 'two/ts', { path: '/y' })
    await edit(setting, 'one/main', { path: 'other.ts' })
    const all = await texts(setting)
    await fail(setting, 'one/ts', { main: all.main.replace('/b', '/a'), more: all.more })
    assert.deepEqual(await texts(setting), { main: all.main.replace('/b', '/a'), more: all.more })
  })
})

describe('after the edit of a node that has failed is taken out from below others', () => {
  test('no entry of the history that had it can be brought back by itself', async () => {
    await using setting = await start()
    await edit(setting, 'one/ts', { path: '/b' })
    await edit(setting, 'two/ts', { path: '/y' })
    await edit(setting, 'one/main', { path: 'other.ts' })
    const { main, more } = await texts(setting)
    const wanted = { main: main.replace('/b', '/a'), more }
    await fail(setting, 'one/ts', wanted)
    const states = (await setting.control.history()).map(({ state }) => state)
    assert.deepEqual(states, ['running', 'rolled-back', 'rolled-back', 'rolled-back', 'ran'])
    assert.equal((await setting.control.rollback(undefined, false)).result, 'applied')
    assert.deepEqual(await texts(setting), { main: including, more: second('/x') })
  })

  test('what runs then is the last good configuration once it has passed its own probation', async () => {
    const clock = new FakeClock()
    await using setting = await start({ clock })
    clock.advance(PROBATION_MS)
    await edit(setting, 'one/ts', { path: '/b' })
    await edit(setting, 'two/ts', { path: '/y' })
    const { main, more } = await texts(setting)
    await fail(setting, 'one/ts', { main: main.replace('/b', '/a'), more })
    await setting.control.history()
    clock.advance(PROBATION_MS)
    const kept = (): Promise<string> => readFile(setting.files.path('last-good.yaml'), 'utf8').catch(() => '')
    while (!(await kept()).includes('/y')) await new Promise((resolve) => setTimeout(resolve, 5))
    assert.doesNotMatch(await kept(), /path: \/b/)
  })
})

describe('a node that is rolled back while an edit of another one waits for its turn', () => {
  test('has its own edit taken back; the other one is refused, and can be sent again', async () => {
    await using setting = await start()
    const started = await texts(setting)
    await edit(setting, 'one/ts', { path: '/b' })
    setting.engine.held = async () => {
      setting.engine.held = () => Promise.resolve()
      await goBack(setting, started)
      setting.engine.onRolledBack?.({ node: 'one/ts', why: 'it threw' })
      throw outdated()
    }
    const { length } = setting.engine.applied
    const report = await edit(setting, 'two/ts', { path: '/y' })
    assert.deepEqual([report.result, report.restored], ['failed', true])
    assert.match(report.why, /RELOAD_OUTDATED/)
    await until(() => setting.events().includes('reload.restored'))
    assert.deepEqual(await texts(setting), started)
    assert.deepEqual([setting.engine.applied.length, setting.control.status().inSync], [length, true])
    assert.equal((await edit(setting, 'two/ts', { path: '/y' })).result, 'applied')
    assert.deepEqual(await texts(setting), { main: started.main, more: second('/y') })
  })

  test('is not taken for one of the edit that was applied after it', async () => {
    await using setting = await start()
    const started = await texts(setting)
    await edit(setting, 'one/ts', { path: '/b' })
    setting.engine.held = () => {
      setting.engine.held = () => Promise.resolve()
      setting.engine.onRolledBack?.({ node: 'one/ts', why: 'it threw' })
      return Promise.resolve()
    }
    const report = await edit(setting, 'two/ts', { path: '/y' })
    assert.equal(report.result, 'applied')
    await goBack(setting, { main: started.main, more: second('/y') })
    await until(() => setting.events().includes('reload.restored'))
    assert.deepEqual(await texts(setting), { main: started.main, more: second('/y') })
  })
})
