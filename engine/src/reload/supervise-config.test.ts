import assert from 'node:assert/strict'
import { mkdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises'
import { describe, test } from 'node:test'
import { parseExposition } from '../observe/exposition.test.kit.js'
import type { ReloadReport } from '../observe/reload-report.js'
import { pipelineWith } from '../config/example-config.test.js'
import { configError } from '../config/report/config-errors.js'
import type { LoadOptions } from '../config/load-config.js'
import { SecretMask } from '../graph/secret-mask.js'
import { createClock } from '../observe/clock.js'
import { FakeClock } from '../testing/fake-clock.js'
import { PROBATION_MS } from './config-sync-state.js'
import { readCrashMark } from './crash-mark.js'
import { MISTAKE, servingAt, Supervised, until } from './supervised.test.kit.js'

/** A promise that a test settles. */
function boundSocket(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open: () => open() }
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
    const { opened, open } = boundSocket()
    const begun = boundSocket()
    setting.engine.held = () => {
      begun.open()
      return opened
    }
    await setting.files.write('live.yaml', servingAt('/b'))
    const first = setting.control.reload()
    await begun.opened
    const second = setting.control.reload()
    const third = setting.control.reload()
    assert.equal((await second).result, 'superseded')
    open()
    assert.deepEqual([(await first).result, (await third).result], ['applied', 'unchanged'])
    assert.equal(setting.engine.applied.length, 1)
    assert.ok(setting.events().includes('reload.superseded'))
  })

  test('that a change of the files supersedes is still carried out', async () => {
    await using setting = await Supervised.start(servingAt('/a'), { watch: false })
    const { opened, open } = boundSocket()
    const begun = boundSocket()
    setting.engine.held = async () => {
      begun.open()
      await opened
      if (setting.engine.applied.length === 0 && !failed) {
        failed = true
        throw new Error('not yet')
      }
    }
    let failed = false
    await setting.files.write('live.yaml', servingAt('/b'))
    const first = setting.control.reload()
    await begun.opened
    const second = setting.control.reload()
    const third = setting.supervision.reloader.reload('file')
    open()
    const results = (await Promise.all([first, second, third])).map(({ result }) => result)
    assert.deepEqual(results, ['failed', 'superseded', 'applied'])
  })

  test('of changed files is the one that already waits for the reload in progress', async () => {
    await using setting = await Supervised.start(servingAt('/a'), { watch: false })
    const { opened, open } = boundSocket()
    const begun = boundSocket()
    setting.engine.held = () => {
      begun.open()
      return opened
    }
    await setting.files.write('live.yaml', servingAt('/b'))
    const first = setting.control.reload()
    await begun.opened
    const second = setting.supervision.reloader.reload('file')
    await setting.files.write('live.yaml', servingAt('/c'))
    const third = setting.supervision.reloader.reload('file')
    open()
    const results = (await Promise.all([first, second, third])).map(({ result }) => result)
    // With `watch: false`, the change is only noted.
    assert.deepEqual(results, ['applied', 'planned', 'planned'])
    assert.ok(!setting.events().includes('reload.superseded'))
  })

  test('during a stop is refused, and the stop waits for the reload in progress', async () => {
    await using setting = await Supervised.start(servingAt('/a'), { watch: false })
    const { opened, open } = boundSocket()
    const begun = boundSocket()
    setting.engine.held = () => {
      begun.open()
      return opened
    }
    await setting.files.write('live.yaml', servingAt('/b'))
    const { control } = setting
    const first = control.reload()
    await begun.opened
    const waiting = control.reload()
    let isStopped = false
    const stopped = setting.supervision[Symbol.asyncDispose]().then(() => (isStopped = true))
    assert.equal((await waiting).result, 'failed')
    const refused = await control.reload()
    assert.deepEqual([refused.result, refused.why], ['failed', 'The engine is stopping.'])
    assert.equal(isStopped, false)
    open()
    await stopped
    assert.equal((await first).result, 'applied')
  })

  test('that never ends does not delay a stop for long', async () => {
    const clock = new FakeClock()
    await using setting = await Supervised.start(servingAt('/a'), { watch: false, clock })
    const begun = boundSocket()
    setting.engine.held = () => {
      begun.open()
      return new Promise(() => undefined)
    }
    await setting.files.write('live.yaml', servingAt('/b'))
    void setting.control.reload()
    await begun.opened
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

test('the last good configuration is saved once it has passed its probation, readable only for this user', async () => {
  const clock = new FakeClock()
  await using setting = await Supervised.start(servingAt('/a'), { watch: false, clock })
  const path = setting.files.path('last-good.yaml')
  const kept = async (): Promise<string> => readFile(path, 'utf8').catch(() => '')
  const keeps = async (text: string): Promise<void> => {
    while (!(await kept()).includes(text)) await new Promise((resolve) => setImmediate(resolve))
  }
  assert.equal(await kept(), '')
  clock.advance(PROBATION_MS)
  await keeps('path: /a')
  assert.equal((await stat(path)).mode & 0o777, 0o600)
  await setting.files.write('live.yaml', servingAt('/b'))
  await setting.control.reload()
  clock.advance(PROBATION_MS - 1)
  await setting.files.write('live.yaml', MISTAKE)
  await setting.control.reload()
  assert.match(await kept(), /path: \/a/)
  clock.advance(1)
  await keeps('path: /b')
  // Only a comment: the running configuration is proven.
  await setting.files.write('live.yaml', `# with a comment\n${servingAt('/b')}`)
  await setting.control.reload()
  assert.match(await kept(), /with a comment/)
})

test('a bug that ends the process marks the configuration on probation, and the one being applied', async () => {
  const clock = new FakeClock()
  await using setting = await Supervised.start(servingAt('/a'), { watch: false, clock })
  const { folder } = setting.files
  const { runningId } = setting.control.status()
  const configs = async () => (await readCrashMark(folder))?.configs
  setting.supervision.noteBug('broken')
  assert.deepEqual(await configs(), [runningId])
  clock.advance(PROBATION_MS)
  while ((await configs()) !== undefined) await new Promise((resolve) => setImmediate(resolve))
  setting.supervision.noteBug('broken')
  assert.equal(await configs(), undefined)
  const begun = boundSocket()
  const { opened, open } = boundSocket()
  setting.engine.held = () => {
    begun.open()
    return opened
  }
  await setting.files.write('live.yaml', servingAt('/b'))
  const reloading = setting.control.reload()
  await begun.opened
  setting.supervision.noteBug('broken')
  open()
  const { id } = await reloading
  assert.deepEqual(await configs(), [id])
})

test('a configuration that could not be applied is not marked', async () => {
  await using setting = await Supervised.start(servingAt('/a'), { watch: false })
  const { runningId } = setting.control.status()
  setting.engine.held = () => Promise.reject(new Error('not now'))
  await setting.files.write('live.yaml', servingAt('/b'))
  await setting.control.reload()
  setting.supervision.noteBug('broken')
  assert.deepEqual((await readCrashMark(setting.files.folder))?.configs, [runningId])
})

describe('the configuration', () => {
  const SECRET = pipelineWith({
    top: 'secrets: { anna: { env: ANNA } }',
    outputs: 'ts: { type: http-ts, from: gops, path: "/${secret:anna}" }',
    transforms: 'gops: { type: gop, from: main }',
  })
  const options = (): Partial<LoadOptions> => ({ env: { ANNA: 'hunter2hunter2', OTHER: 'not your business' } })

  test('on disk and in the engine can be read, without secrets', async () => {
    await using setting = await Supervised.start(SECRET, { watch: false, options })
    await setting.files.write('live.yaml', SECRET.replace('a.ts', 'b.ts'))
    const [running, disk] = [await setting.control.config('running'), await setting.control.config('disk')]
    assert.ok('yaml' in running && 'yaml' in disk)
    assert.match(running.yaml, /a\.ts[^]*\*\*\*/)
    assert.match(disk.yaml, /b\.ts[^]*\*\*\*/)
    assert.doesNotMatch(running.yaml + disk.yaml, /hunter2/)
    await setting.files.write('live.yaml', MISTAKE)
    const broken = await setting.control.config('disk')
    assert.ok('failure' in broken)
    assert.deepEqual([broken.failure.error.code, broken.failure.reload.diagnostics.length], ['RELOAD_INVALID', 1])
  })

  test('from a client is checked against the running one, as if it were next to it', async () => {
    await using setting = await Supervised.start(SECRET, { watch: false, options })
    setting.engine.viewers = 2
    const send = (text: string): ReturnType<typeof setting.control.check> =>
      setting.control.check({ files: [{ path: '/ci/pipelines/live.yaml', text }], against: true })
    const same = await send(SECRET)
    assert.deepEqual([same.ok, same.plan?.isEmpty, same.diagnostics], [true, true, []])
    const other = await send(SECRET.replace('path: "/', 'path: "/x-'))
    assert.deepEqual(other.viewers, { before: 2, kept: 2, lost: 0, perNode: [{ id: 'one/ts', kept: 2, lost: 0 }] })
    assert.doesNotMatch(JSON.stringify(other), /hunter2/)
    const wrong = await send(SECRET.replace('from: gops', 'from: gop'))
    assert.deepEqual([wrong.ok, wrong.plan, wrong.diagnostics[0]?.file], [false, undefined, '/ci/pipelines/live.yaml'])
    const refused = await send(SECRET.replace('version: 1', 'version: 1\nengine: { stateDir: other }'))
    assert.deepEqual([refused.ok, refused.plan?.refusals.length], [false, 1])
  })

  test('from a client reveals nothing about other files and variables', async () => {
    await using setting = await Supervised.start(SECRET, { watch: false, options })
    await setting.files.write('private.yaml', 'version: 1\nthe: private text\n')
    const includes = `include: [ private.yaml, /etc/passwd ]\n${SECRET}`.replace('a.ts', '"${OTHER}"')
    const report = await setting.control.check({ files: [{ path: 'live.yaml', text: includes }], against: true })
    const text = JSON.stringify(report)
    assert.doesNotMatch(text, /private text|root:|not your business/)
    assert.match(text, /it is not among the files that were sent/)
    assert.match(text, /CONFIG_UNSET_VARIABLE/)
  })
})

test('a secret that only the new configuration has is masked in messages about it', async () => {
  const secret = pipelineWith({
    top: 'secrets: { anna: { env: ANNA } }',
    outputs: 'ts: { type: http-ts, from: main, path: "/${secret:anna}" }',
  }).replace('type: http-ts, from: main', 'type: hls, from: main')
  const mask = new SecretMask()
  assert.equal(mask.isIn('hunter2hunter2'), false)
  await using setting = await Supervised.start(servingAt('/a'), {
    watch: false,
    options: () => ({ env: { ANNA: 'hunter2hunter2' } }),
  })
  setting.engine.held = () => Promise.reject(new Error('cannot serve /hunter2hunter2'))
  await setting.files.write('live.yaml', secret)
  const report = await setting.control.reload()
  assert.doesNotMatch(JSON.stringify(report), /hunter2/)
})
