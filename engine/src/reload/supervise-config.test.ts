import assert from 'node:assert/strict'
import { mkdir, readFile, rename, rm, symlink } from 'node:fs/promises'
import { describe, test } from 'node:test'
import { parseExposition } from '../observe/exposition.test.kit.js'
import type { ReloadReport } from '../observe/reload-report.js'
import { configError } from '../config/report/config-errors.js'
import { createClock } from '../observe/clock.js'
import { FakeClock } from '../testing/fake-clock.js'
import { PROBATION_MS } from './config-sync-state.js'
import { MISTAKE, type RecordingTarget, servingAt, Supervised, until } from './supervised.test.kit.js'

/** The first apply fails when it goes on; the others do as before. */
function failFirst(engine: RecordingTarget): void {
  const { held } = engine
  engine.held = async () => {
    engine.held = held
    await held()
    throw new Error('not yet')
  }
}

describe('a change of the files', () => {
  test('is applied automatically, emitted as an event, and everything agrees again', async () => {
    await using setting = await Supervised.start(servingAt('/a'))
    const before = setting.control.status()
    assert.deepEqual([before.inSync, before.diskId], [true, before.runningId])
    assert.match(before.runningId, /^[0-9a-f]{8}$/)
    await setting.files.write('live.yaml', servingAt('/b'))
    await until(() => setting.engine.applied.length === 1)
    await until(() => setting.events().includes('reload.applied'))
    const after = setting.control.status()
    assert.notEqual(after.runningId, before.runningId)
    assert.deepEqual([after.inSync, after.last?.by, after.last?.result], [true, 'file', 'applied'])
    assert.ok(after.probation !== undefined)
  })

  test('that only adds a comment or changes the order is not a change', async () => {
    await using setting = await Supervised.start(servingAt('/a'))
    await setting.files.write('live.yaml', `# a comment\n${servingAt('/a')}`)
    await until(() => setting.control.status().last?.result === 'unchanged')
    assert.equal(setting.engine.applied.length, 0)
    assert.deepEqual(setting.events(), [])
  })

  test('to something broken affects nothing that runs, and is logged once, with all mistakes in one line', async () => {
    await using setting = await Supervised.start(servingAt('/a'))
    const { graph } = setting.engine
    await setting.files.write('live.yaml', MISTAKE)
    await until(() => setting.events().includes('reload.invalid'))
    const status = setting.control.status()
    assert.equal(status.inSync, false)
    assert.equal(status.diskId, undefined)
    assert.match(status.reason ?? '', /live\.yaml:\d+:\d+: "gops" reads from "mian", which does not exist/)
    // The same content written again, by hand and by an editor.
    await setting.files.write('live.yaml', MISTAKE)
    await setting.files.write('next', MISTAKE)
    await rename(setting.files.path('next'), setting.files.path('live.yaml'))
    await setting.supervision.reloader.reload('file')
    assert.equal(setting.events().filter((kind) => kind === 'reload.invalid').length, 1)
    const errors = setting.lines.filter(({ level }) => level === 50)
    assert.equal(errors.length, 1)
    assert.match(String(errors[0]?.['diagnostics']), /^error\[CONFIG_UNKNOWN_NODE\]: .*live\.yaml:\d+:\d+: /)
    assert.equal(setting.engine.graph, graph)
    await setting.files.write('live.yaml', servingAt('/a'))
    await until(() => setting.control.status().inSync)
    assert.equal(setting.engine.applied.length, 0)
  })

  for (const { name, text } of [
    { name: 'an empty file', text: '' },
    { name: 'a file that is half written', text: servingAt('/b').split('http-ts')[0] ?? '' },
    { name: '1 MiB of braces', text: '{'.repeat(1024 * 1024) },
    { name: 'more than 1 MiB', text: `#${' '.repeat(1024 * 1024)}` },
  ]) {
    test(`to ${name} is invalid`, async () => {
      await using setting = await Supervised.start(servingAt('/a'))
      await setting.files.write('live.yaml', text)
      await until(() => setting.control.status().last?.result === 'invalid')
      assert.equal(setting.engine.applied.length, 0)
    })
  }

  test('to a folder, to nothing, and back is invalid twice and then no change', async () => {
    await using setting = await Supervised.start(servingAt('/a'))
    const path = setting.files.path('live.yaml')
    await rm(path)
    await until(() => setting.control.status().reason?.includes('it does not exist') === true)
    await mkdir(path)
    await until(() => setting.control.status().reason?.includes('it is a folder') === true)
    await rm(path, { recursive: true })
    await setting.files.write('live.yaml', servingAt('/a'))
    await until(() => setting.control.status().inSync)
  })

  test('ten times a second between good and bad ends with what the file says last', async () => {
    await using setting = await Supervised.start(servingAt('/a'))
    for (let flip = 0; flip < 30; flip++) {
      await setting.files.write('live.yaml', flip % 2 === 0 ? MISTAKE : servingAt(`/${flip}`))
      await new Promise((resolve) => setTimeout(resolve, 30))
    }
    await setting.files.write('live.yaml', servingAt('/end'))
    await until(() => JSON.stringify(setting.engine.graph.pipelines).includes('"/end"'))
    await until(() => setting.control.status().inSync)
  })

  test('through the swap of ..data reloads every time', async () => {
    await using setting = await Supervised.start('', {
      async prepare(files) {
        await rm(files.path('live.yaml'))
        await mkdir(files.path('..1'))
        await files.write('..1/live.yaml', servingAt('/1'))
        await symlink('..1', files.path('..data'))
        await symlink('..data/live.yaml', files.path('live.yaml'))
      },
    })
    for (const version of [2, 3]) {
      await mkdir(setting.files.path(`..${version}`))
      await setting.files.write(`..${version}/live.yaml`, servingAt(`/${version}`))
      await symlink(`..${version}`, setting.files.path('..data_tmp'))
      await rename(setting.files.path('..data_tmp'), setting.files.path('..data'))
      await rm(setting.files.path(`..${version - 1}`), { recursive: true })
      await until(() => setting.engine.applied.length === version - 1)
    }
  })

  test('is recorded but not applied without watching, until a reload is requested', async () => {
    await using setting = await Supervised.start(servingAt('/a'), { watch: false, clock: createClock() })
    await setting.files.write('live.yaml', servingAt('/b'))
    await until(() => !setting.control.status().inSync)
    assert.match(setting.control.status().reason ?? '', /not applied automatically/)
    assert.equal(setting.engine.applied.length, 0)
    assert.equal((await setting.control.reload()).result, 'applied')
    assert.equal(setting.control.status().inSync, true)
  })

  test('of a variable in an env file is applied', async () => {
    const text = servingAt('"${WHERE}"')
    await using setting = await Supervised.start(text, {
      prepare: (files) => files.write('x.env', 'WHERE=/a'),
      options: (files) => ({ envFiles: [files.path('x.env')] }),
    })
    await setting.files.write('x.env', 'WHERE=/b')
    await until(() => setting.engine.applied.length === 1)
  })
})

describe('a request', () => {
  test('tries again after a failure, even if the files are the same', async () => {
    await using setting = await Supervised.start(servingAt('/a'))
    let failures = 1
    setting.engine.held = async () => {
      if (failures-- > 0) throw configError('CONFIG_EMPTY', 'stands for an address in use')
    }
    await setting.files.write('live.yaml', servingAt('/b'))
    await until(() => setting.events().includes('reload.failed'))
    const { reason, diskId, runningId } = setting.control.status()
    assert.equal(reason, 'CONFIG_EMPTY: stands for an address in use')
    assert.notEqual(diskId, runningId)
    assert.equal((await setting.supervision.reloader.reload('file')).result, 'unchanged')
    assert.equal(setting.engine.applied.length, 0)
    const report = await setting.control.reload()
    assert.deepEqual([report.result, setting.control.status().inSync], ['applied', true])
  })

  test('waits for the reload in progress, and is superseded by a newer request', async () => {
    await using setting = await Supervised.start(servingAt('/a'), { watch: false })
    const { first, release } = await heldReload(setting)
    const second = setting.control.reload()
    const third = setting.control.reload()
    assert.equal((await second).result, 'superseded')
    release()
    assert.deepEqual([(await first).result, (await third).result], ['applied', 'unchanged'])
    assert.equal(setting.engine.applied.length, 1)
    assert.ok(setting.events().includes('reload.superseded'))
  })

  test('that somebody has asked for is carried out as asked, when the files change while it waits', async () => {
    await using setting = await Supervised.start(servingAt('/a'), { watch: false })
    const { first, release } = await heldReload(setting, { fails: true })
    const second = setting.control.reload(true)
    const third = setting.supervision.reloader.reload('file')
    release()
    const results = (await Promise.all([first, second, third])).map(({ result }) => result)
    assert.deepEqual(results, ['failed', 'applied', 'applied'])
    assert.deepEqual(setting.engine.forced, [true])
    assert.ok(!setting.events().includes('reload.superseded'))
  })

  test('that is superseded while the one in progress fails is carried out by the newer one', async () => {
    await using setting = await Supervised.start(servingAt('/a'), { watch: false })
    const { first, release } = await heldReload(setting, { fails: true })
    await setting.files.write('live.yaml', servingAt('/c'))
    const second = setting.control.reload()
    const third = setting.control.reload()
    release()
    const results = (await Promise.all([first, second, third])).map(({ result }) => result)
    assert.deepEqual(results, ['failed', 'superseded', 'applied'])
    assert.equal(setting.engine.applied.length, 1)
    assert.match(JSON.stringify(setting.engine.graph.pipelines), /"\/c"/)
    assert.deepEqual([setting.control.status().inSync, setting.events().includes('reload.superseded')], [true, true])
  })

  test('of changed files is the one that already waits for the reload in progress', async () => {
    await using setting = await Supervised.start(servingAt('/a'), { watch: false })
    const { first, release } = await heldReload(setting)
    const second = setting.supervision.reloader.reload('file')
    await setting.files.write('live.yaml', servingAt('/c'))
    const third = setting.supervision.reloader.reload('file')
    release()
    const results = (await Promise.all([first, second, third])).map(({ result }) => result)
    // With `watch: false`, the change is only noted.
    assert.deepEqual(results, ['applied', 'planned', 'planned'])
    assert.ok(!setting.events().includes('reload.superseded'))
  })

  test('during a stop is refused, and the stop waits for the reload in progress', async () => {
    await using setting = await Supervised.start(servingAt('/a'), { watch: false })
    const { first, release } = await heldReload(setting)
    const { control } = setting
    const waiting = control.reload()
    let isStopped = false
    const stopped = setting.supervision[Symbol.asyncDispose]().then(() => (isStopped = true))
    assert.equal((await waiting).result, 'failed')
    const refused = await control.reload()
    assert.deepEqual([refused.result, refused.why], ['failed', 'The engine is stopping.'])
    assert.equal(isStopped, false)
    release()
    await stopped
    assert.equal((await first).result, 'applied')
  })

  test('that never ends does not delay a stop for long', async () => {
    const clock = new FakeClock()
    await using setting = await Supervised.start(servingAt('/a'), { watch: false, clock })
    const { begun } = setting.engine.hold()
    await setting.files.write('live.yaml', servingAt('/b'))
    void setting.control.reload()
    await begun
    const stopped = setting.supervision[Symbol.asyncDispose]()
    clock.advance(5000)
    await stopped
  })

  test('for a plan reports what would change and which viewers it would affect, and does nothing', async () => {
    await using setting = await Supervised.start(servingAt('/a'), { watch: false })
    setting.engine.viewers = 3
    await setting.files.write('live.yaml', servingAt('/b'))
    const { result, plan, viewers } = await setting.control.plan()
    assert.equal(result, 'planned')
    assert.deepEqual(
      plan?.nodes.filter(({ verb }) => verb !== 'keep').map(({ id }) => id),
      ['one/ts'],
    )
    assert.deepEqual(viewers, { before: 3, kept: 3, lost: 0, perNode: [{ id: 'one/ts', kept: 3, lost: 0 }] })
    assert.equal(setting.engine.applied.length, 0)
    assert.equal(setting.control.status().last, undefined)
  })

  test('that needs a restart is refused, with the reason', async () => {
    await using setting = await Supervised.start(servingAt('/a'), { watch: false })
    await setting.files.write(
      'live.yaml',
      servingAt('/a').replace('version: 1', 'version: 1\nengine: { stateDir: other }'),
    )
    const { result, why } = await setting.control.reload()
    assert.equal(result, 'refused')
    assert.match(why, /stateDir/)
    assert.equal(setting.engine.applied.length, 0)
  })
})

test('after a node fails in probation, disk and engine differ again, and its configuration is never a good one', async () => {
  const clock = new FakeClock()
  await using setting = await Supervised.start(servingAt('/a'), { watch: false, clock })
  clock.advance(PROBATION_MS)
  const { graph } = setting.engine
  await setting.files.write('live.yaml', servingAt('/b'))
  await setting.control.reload()
  setting.engine.graph = graph
  setting.engine.onRolledBack?.({ node: 'one/ts', why: 'it threw' })
  const { inSync, reason, last } = setting.control.status()
  assert.deepEqual([inSync, reason, last?.result], [false, 'one/ts: it threw', 'rolled-back'])
  assert.deepEqual(setting.events(), ['reload.applied', 'reload.rolled_back'])
  clock.advance(2 * PROBATION_MS)
  await setting.supervision[Symbol.asyncDispose]()
  assert.match(await readFile(setting.files.path('last-good.yaml'), 'utf8'), /path: \/a/)
})

test('a node that fails during the reload is in its result', async () => {
  await using setting = await Supervised.start(servingAt('/a'), { watch: false })
  setting.engine.held = async () => setting.engine.onRolledBack?.({ node: 'one/ts', why: 'it threw' })
  await setting.files.write('live.yaml', servingAt('/b'))
  const { result, why }: ReloadReport = await setting.control.reload()
  assert.deepEqual([result, why], ['rolled-back', 'one/ts: it threw'])
})

test('the log reports every minute that disk and engine differ, and why', async () => {
  const clock = new FakeClock()
  await using setting = await Supervised.start(servingAt('/a'), { watch: false, clock })
  await setting.files.write('live.yaml', MISTAKE)
  await setting.control.reload()
  clock.advance(120_000)
  const warnings = setting.lines.filter(({ msg }) => msg === 'the configuration on disk differs from the running one')
  assert.equal(warnings.length, 2)
  assert.match(String(warnings[0]?.['reason']), /mian/)
})

test('metrics agree with status', async () => {
  await using setting = await Supervised.start(servingAt('/a'), { watch: false, clock: createClock() })
  const value = async (name: string, label = ''): Promise<number | undefined> =>
    [...parseExposition(await setting.engine.metrics.render()).values()]
      .flatMap(({ samples }) => samples)
      .filter((sample) => sample.name === `millrace_${name}`)
      .find(({ labels }) => label === '' || Object.values(labels).includes(label))?.value
  assert.equal(await value('config_in_sync'), 1)
  assert.equal(await value('config_info', setting.control.status().runningId), 1)
  assert.equal(await value('reloads_total', 'invalid'), 0)
  await setting.files.write('live.yaml', MISTAKE)
  await setting.control.reload()
  assert.equal(await value('config_in_sync'), 0)
  assert.equal(await value('reloads_total', 'invalid'), 1)
  assert.equal(await value('reload_viewers_lost_total'), 0)
  assert.ok(((await value('reload_duration_seconds_sum')) ?? 0) > 0)
})

/** Of `/b`, in progress until `release`; with `fails`, it fails then. */
async function heldReload(setting: Supervised, { fails = false } = {}) {
  const { begun, release } = setting.engine.hold()
  if (fails) failFirst(setting.engine)
  await setting.files.write('live.yaml', servingAt('/b'))
  const first = setting.control.reload()
  await begun
  return { first, release }
}
