import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { describe, test } from 'node:test'
import { FakeClock } from '../testing/fake-clock.js'
import { PROBATION_MS } from './config-sync-state.js'
import { servingAt, Supervised, until } from './supervised.test.kit.js'

const live = (setting: Supervised): Promise<string> => readFile(setting.files.path('live.yaml'), 'utf8')

function edit(setting: Supervised, node: string, patch: Record<string, unknown>): Promise<{ readonly result: string }> {
  return setting.control.edit({ node, patch, isPlan: false })
}

/** The node fails, and the engine runs this text again. */
async function fail(setting: Supervised, node: string, runs: string): Promise<void> {
  const { reader } = setting
  const texts = new Map(reader.files.map((path) => [path, runs]))
  const { graph } = await reader.load(reader.files, { ...reader.options, contents: texts })
  if (graph === undefined) throw new Error('the text has mistakes')
  setting.engine.graph = graph
  setting.engine.onRolledBack?.({ node, why: 'it threw' })
}

function endOf(setting: Supervised): Promise<void> {
  return until(() => setting.events().some((kind) => /^reload\.(not_)?restored$/.test(kind)))
}

describe('a node that an edit has changed, and that fails on probation', () => {
  test('has its file put back, and both agree', async () => {
    await using setting = await Supervised.start(servingAt('/a'), { watch: false })
    await edit(setting, 'one/ts', { path: '/b' })
    assert.equal(await live(setting), servingAt('/b'))
    await fail(setting, 'one/ts', servingAt('/a'))
    await endOf(setting)
    assert.equal(await live(setting), servingAt('/a'))
    const { inSync, last } = setting.control.status()
    assert.deepEqual([inSync, last?.result, last?.restored, last?.why], [true, 'rolled-back', true, 'one/ts: it threw'])
    assert.deepEqual(setting.events(), ['reload.applied', 'reload.rolled_back', 'reload.restored'])
    const states = (await setting.control.history()).map(({ state }) => state)
    assert.deepEqual(states, ['rolled-back', 'running'])
    assert.ok(setting.lines.some(({ msg }) => msg === 'what was written does not run: the file is as before'))
    // And the same once more: nothing is left of the first.
    assert.equal((await edit(setting, 'one/ts', { path: '/c' })).result, 'applied')
  })

  test('has its file left as it is if somebody has changed it since', async () => {
    await using setting = await Supervised.start(servingAt('/a'), { watch: false })
    await edit(setting, 'one/ts', { path: '/b' })
    const byHand = `${servingAt('/b')}# by hand\n`
    await setting.files.write('live.yaml', byHand)
    await fail(setting, 'one/ts', servingAt('/a'))
    await endOf(setting)
    assert.equal(await live(setting), byHand)
    const { inSync, last } = setting.control.status()
    assert.deepEqual([inSync, last?.restored], [false, false])
    assert.deepEqual(setting.events().at(-1), 'reload.not_restored')
  })

  test('takes no later edit of another node with it', async () => {
    await using setting = await Supervised.start(servingAt('/a'), { watch: false })
    await edit(setting, 'one/ts', { path: '/b' })
    await edit(setting, 'one/main', { path: 'other.ts' })
    const both = await live(setting)
    const wanted = both.replace('/b', '/a')
    await fail(setting, 'one/ts', wanted)
    await endOf(setting)
    assert.equal(await live(setting), wanted)
    assert.notEqual(wanted, servingAt('/a'))
    assert.equal(setting.control.status().inSync, true)
    const entries = await setting.control.history()
    assert.deepEqual(
      entries.map(({ state }) => state),
      ['running', 'rolled-back', 'rolled-back', 'ran'],
    )
    // The other one fails as well.
    await fail(setting, 'one/main', servingAt('/a'))
    await until(() => setting.events().filter((kind) => kind === 'reload.restored').length === 2)
    assert.equal(await live(setting), servingAt('/a'))
  })

  test('keeps its file if it came by a change of the files by hand', async () => {
    await using setting = await Supervised.start(servingAt('/a'), { watch: false })
    await edit(setting, 'one/ts', { path: '/b' })
    await setting.files.write('live.yaml', servingAt('/c'))
    await setting.control.reload()
    await fail(setting, 'one/ts', servingAt('/b'))
    await setting.control.history()
    assert.deepEqual([await live(setting), setting.control.status().inSync], [servingAt('/c'), false])
  })

  test('finds no edit whose probation is over', async () => {
    const clock = new FakeClock()
    await using setting = await Supervised.start(servingAt('/a'), { watch: false, clock })
    await edit(setting, 'one/ts', { path: '/b' })
    clock.advance(PROBATION_MS)
    await edit(setting, 'one/main', { path: 'other.ts' })
    const text = await live(setting)
    await fail(setting, 'one/ts', text)
    // Has its turn after whatever the failure has to do.
    await edit(setting, 'one/ts', { path: '/b' })
    assert.deepEqual([await live(setting), setting.control.status().last?.restored], [text, undefined])
  })
})

test('a rollback of the files with a node that fails on probation is undone as a whole', async () => {
  await using setting = await Supervised.start(servingAt('/a'), { watch: false })
  const second = servingAt('/b').replace('a.ts', 'b.ts')
  await setting.files.write('live.yaml', second)
  await setting.control.reload()
  assert.equal((await setting.control.rollback(undefined, false)).result, 'applied')
  assert.equal(await live(setting), servingAt('/a'))
  // One of two nodes goes back; the other follows with the file.
  await fail(setting, 'one/ts', servingAt('/b'))
  await endOf(setting)
  assert.equal(await live(setting), second)
  await until(() => setting.control.status().inSync)
  assert.equal(setting.control.status().last?.result, 'applied')
})

test('an edit whose node fails while it is applied is answered with whether the file is as before', async () => {
  await using setting = await Supervised.start(servingAt('/a'), { watch: false })
  const { graph } = setting.engine
  setting.engine.held = async () => {
    setting.engine.onRolledBack?.({ node: 'one/ts', why: 'it threw' })
    // After the apply has set the new one.
    setImmediate(() => (setting.engine.graph = graph))
  }
  const report = await setting.control.edit({ node: 'one/ts', patch: { path: '/b' }, isPlan: false })
  assert.deepEqual([report.result, report.restored, await live(setting)], ['rolled-back', true, servingAt('/a')])
})
