import assert from 'node:assert/strict'
import { access, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { describe, test } from 'node:test'
import { examplePlugins } from '../config/example-config.test.js'
import { loadConfig } from '../config/load-config.js'
import { isEngineError } from '../errors.js'
import { createLog } from '../observe/log.js'
import { FakeClock } from '../testing/fake-clock.js'
import { ConfigHistory } from './config-history.js'
import { configId } from './config-id.js'
import type { NewEntry } from './config-history.js'
import { MISTAKE, servingAt, Supervised, TempFiles } from './supervised.test.kit.js'

function historyIn(files: TempFiles, lines: string[] = []): ConfigHistory {
  const log = createLog({ level: 'warn', stream: { write: (line) => void lines.push(line) } })
  return new ConfigHistory({ stateDir: files.folder, files: ['/live.yaml'], clock: new FakeClock(), log })
}

function entry(text: string, more: Partial<NewEntry> = {}): NewEntry {
  return { by: 'file', texts: new Map([['/live.yaml', text]]), configId: text, changes: [], ...more }
}

describe('the history', () => {
  test('keeps what has run across starts, in files that only its user can read', async () => {
    await using files = await TempFiles.make()
    {
      await using history = historyIn(files)
      history.add(entry('one', { by: 'start' }))
      history.add(entry('two', { changes: ['swap one/ts'] }))
    }
    assert.equal((await stat(files.path('history/2.json'))).mode & 0o777, 0o600)
    assert.equal((await stat(files.path('history'))).mode & 0o777, 0o700)
    await using again = historyIn(files)
    again.add(entry('two', { by: 'start' }))
    const list = await again.list()
    assert.deepEqual(
      list.map(({ id, by, state, changes }) => [id, by, state, changes]),
      [
        [2, 'file', 'running', ['swap one/ts']],
        [1, 'start', 'ran', []],
      ],
    )
    assert.deepEqual([...(await again.find('previous')).texts.values()], ['one'])
    assert.deepEqual([...(await again.find('running')).texts.values()], ['two'])
    await assert.rejects(again.find(9), (error) => isEngineError(error) && error.code === 'HISTORY_UNKNOWN')
  })

  test('is bounded in number and bytes, and keeps the running one', async () => {
    await using files = await TempFiles.make()
    await using history = historyIn(files)
    for (let count = 1; count <= 55; count++) history.add(entry(`text ${count}`))
    assert.equal((await history.list()).length, 50)
    assert.equal((await readdir(files.path('history'))).length, 50)
    for (let count = 1; count <= 20; count++)
      history.add(entry(`${count} ${'x'.repeat(1_500_000)}`, { configId: `${count}` }))
    const list = await history.list()
    assert.ok(list.length <= 11 && list[0]?.state === 'running', String(list.length))
    assert.equal((await readdir(files.path('history'))).length, list.length)
  })

  test('has no part of a configuration, none that is too large, and says so once', async () => {
    await using files = await TempFiles.make()
    const lines: string[] = []
    await using history = historyIn(files, lines)
    history.add(entry('x', { texts: new Map([['/other.yaml', 'x']]) }))
    history.add(entry('x'.repeat(3_000_000), { configId: 'large' }))
    assert.deepEqual(await history.list(), [])
    assert.equal(lines.length, 1)
  })

  test('keeps few of other configurations', async () => {
    await using files = await TempFiles.make()
    await mkdir(files.path('history'))
    for (let id = 1; id <= 60; id++) await files.write(`history/${id}.json`, '{}')
    await using history = historyIn(files)
    await history.list()
    const left = (await readdir(files.path('history'))).map((name) => Number.parseInt(name, 10))
    assert.deepEqual([left.length, Math.min(...left)], [50, 11])
  })

  test('keeps none that it could not read again: the limit is one of bytes', async () => {
    await using files = await TempFiles.make()
    const lines: string[] = []
    await using history = historyIn(files, lines)
    history.add(entry('\u20ac'.repeat(1_000_000)))
    assert.deepEqual([await history.list(), lines.length], [[], 1])
  })

  test('ignores files that it did not write, and those of other configurations', async () => {
    await using files = await TempFiles.make()
    await mkdir(files.path('history'))
    for (const [name, text] of [
      ['1.json', '{'],
      ['2.json', '{"version":1}'],
      ['3.json', '[]'],
      ['x.json', '{}'],
    ] as const) {
      await writeFile(files.path(`history/${name}`), text)
    }
    const other = new ConfigHistory({
      stateDir: files.folder,
      files: ['/else.yaml'],
      clock: new FakeClock(),
      log: createLog({ level: 'error' }),
    })
    other.add(entry('x', { texts: new Map([['/else.yaml', 'x']]) }))
    await other.list()
    await using history = historyIn(files)
    assert.deepEqual(await history.list(), [])
    history.add(entry('mine'))
    assert.deepEqual(
      (await history.list()).map(({ id }) => id),
      [5],
    )
  })

  test('that cannot be written is said, and costs nothing else', async () => {
    await using files = await TempFiles.make()
    await files.write('history', 'in the way')
    const lines: string[] = []
    await using history = historyIn(files, lines)
    history.add(entry('one'))
    assert.deepEqual([await history.list(), lines.length], [[], 1])
  })
})

describe('a rollback', () => {
  const live = (setting: Supervised): Promise<string> => readFile(setting.files.path('live.yaml'), 'utf8')

  test('brings back the text before, and the one before that, and forward again', async () => {
    await using setting = await Supervised.start(servingAt('/a'), { watch: false })
    for (const path of ['/b', '/c']) {
      await setting.files.write('live.yaml', `# ${path}\n${servingAt(path)}`)
      await setting.control.reload()
    }
    const plan = await setting.control.rollback(undefined, true)
    assert.deepEqual([plan.result, plan.files.length, await live(setting)], ['planned', 1, `# /c\n${servingAt('/c')}`])
    assert.equal((await setting.control.rollback(undefined, false)).result, 'applied')
    assert.equal(await live(setting), `# /b\n${servingAt('/b')}`)
    assert.equal((await setting.control.rollback(1, false)).result, 'applied')
    assert.equal(await live(setting), servingAt('/a'))
    assert.equal((await setting.control.rollback(3, false)).result, 'applied')
    assert.equal(await live(setting), `# /c\n${servingAt('/c')}`)
    const entries = await setting.control.history()
    assert.deepEqual(
      entries.map(({ id, by, state }) => `${id} ${by} ${state}`),
      ['6 rollback running', '5 rollback ran', '4 rollback ran', '3 api ran', '2 api ran', '1 start ran'],
    )
    assert.match(entries[0]?.changes[0] ?? '', /^swap one\/ts: path: "?\/a"? -> /)
    assert.deepEqual([setting.control.status().last?.by, setting.control.status().inSync], ['rollback', true])
  })

  test('of files with mistakes goes back to what runs, and keeps them', async () => {
    await using setting = await Supervised.start(servingAt('/a'), { watch: false })
    await setting.files.write('live.yaml', MISTAKE)
    assert.equal((await setting.control.reload()).result, 'invalid')
    const { result } = await setting.control.rollback(undefined, false)
    assert.deepEqual(
      [result, await live(setting), setting.control.status().inSync],
      ['unchanged', servingAt('/a'), true],
    )
    const [kept] = await setting.control.history()
    assert.deepEqual([kept?.state, kept?.configId], ['unapplied', undefined])
    const back = await setting.control.rollback(kept?.id, false)
    assert.deepEqual(
      [back.result, back.diagnostics.length > 0, await live(setting)],
      ['invalid', true, servingAt('/a')],
    )
  })

  test('brings back all files, also one that is gone, each whole', async () => {
    const main = servingAt('/a').replace('version: 1', 'version: 1\ninclude: [more.yaml]')
    const more = 'listeners: { late: { address: "127.0.0.1:0" } }\n'
    await using setting = await Supervised.start(main, {
      watch: false,
      prepare: (files) => files.write('more.yaml', more),
    })
    await setting.files.write('live.yaml', servingAt('/b'))
    await rm(setting.files.path('more.yaml'))
    assert.equal((await setting.control.reload()).result, 'applied')
    const { result, files } = await setting.control.rollback(undefined, false)
    assert.deepEqual([result, files.length], ['applied', 2])
    assert.deepEqual([await live(setting), await readFile(setting.files.path('more.yaml'), 'utf8')], [main, more])
  })

  const including = (path: string): string => servingAt(path).replace('version: 1', 'version: 1\ninclude: [more.yaml]')
  const listener = (name: string): string => `listeners: { ${name}: { address: "127.0.0.1:0" } }\n`

  for (const [name, broken] of [
    ['has a syntax error', `${including('/b')}}`],
    ['no longer includes it', servingAt('/b')],
  ] as const) {
    test(`brings back an included file of a file that ${name}, and keeps what it had`, async () => {
      await using setting = await Supervised.start(including('/a'), {
        watch: false,
        prepare: (files) => files.write('more.yaml', listener('late')),
      })
      await setting.files.write('live.yaml', broken)
      await setting.files.write('more.yaml', '# by hand\n')
      const { files } = await setting.control.rollback(1, false)
      const more = (): Promise<string> => readFile(setting.files.path('more.yaml'), 'utf8')
      assert.deepEqual([files.length, await live(setting), await more()], [2, including('/a'), listener('late')])
      const [kept] = (await setting.control.history()).filter(({ state }) => state === 'unapplied')
      assert.deepEqual(kept?.files, [setting.files.path('live.yaml'), setting.files.path('more.yaml')])
      if (broken !== servingAt('/b')) return
      assert.equal((await setting.control.rollback(kept.id, false)).result, 'applied')
      assert.deepEqual([await live(setting), await more()], [broken, '# by hand\n'])
    })
  }

  test('needs no included file that is as it was', async () => {
    await using setting = await Supervised.start(including('/a'), {
      watch: false,
      prepare: (files) => files.write('more.yaml', listener('late')),
    })
    await setting.files.write('live.yaml', `${including('/b')}}`)
    const { result, files } = await setting.control.rollback(undefined, false)
    assert.deepEqual([result, files.length, await live(setting)], ['unchanged', 1, including('/a')])
  })

  test('that cannot be applied leaves no file that it has created', async () => {
    await using setting = await Supervised.start(including('/a'), {
      watch: false,
      prepare: (files) => files.write('more.yaml', listener('late')),
    })
    await setting.files.write('live.yaml', servingAt('/b'))
    await rm(setting.files.path('more.yaml'))
    await setting.control.reload()
    setting.engine.held = () => Promise.reject(new Error('the port is taken'))
    assert.equal((await setting.control.rollback(undefined, false)).result, 'failed')
    await assert.rejects(access(setting.files.path('more.yaml')), /ENOENT/)
    assert.deepEqual([await live(setting), setting.control.status().inSync], [servingAt('/b'), true])
  })

  test('is refused if another configuration would be the result than the one that was planned', async () => {
    await using setting = await Supervised.start(servingAt('/a'), { watch: false })
    for (const path of ['/b', '/c']) {
      await setting.files.write('live.yaml', servingAt(path))
      await setting.control.reload()
    }
    const plan = await setting.control.rollback(undefined, true)
    await setting.files.write('live.yaml', servingAt('/d'))
    await setting.control.reload()
    await assert.rejects(
      setting.control.rollback(undefined, false, plan.id),
      (error) => isEngineError(error) && error.code === 'EDIT_STALE',
    )
    assert.equal(await live(setting), servingAt('/d'))
    assert.equal((await setting.control.rollback(2, false, plan.id)).result, 'applied')
  })

  test('is refused where another file would be read now', async () => {
    const text = servingAt('/a').replace('version: 1', 'version: 1\ninclude: ["more-*.yaml"]')
    await using setting = await Supervised.start(text, { watch: false })
    await setting.files.write('live.yaml', text.replace('/a', '/b'))
    await setting.files.write('more-1.yaml', 'listeners: { late: { address: "127.0.0.1:0" } }\n')
    await setting.control.reload()
    await assert.rejects(
      setting.control.rollback(undefined, false),
      (error) => isEngineError(error) && error.code === 'HISTORY_FILES' && error.message.includes('more-1.yaml'),
    )
    assert.equal(await live(setting), text.replace('/a', '/b'))
  })

  test('that cannot be applied leaves all files as they were', async () => {
    await using setting = await Supervised.start(servingAt('/a'), { watch: false })
    await setting.files.write('live.yaml', servingAt('/b'))
    await setting.control.reload()
    setting.engine.held = () => Promise.reject(new Error('the port is taken'))
    assert.equal((await setting.control.rollback(undefined, false)).result, 'failed')
    assert.deepEqual([await live(setting), setting.control.status().inSync], [servingAt('/b'), true])
  })

  test('writes nothing if what is on disk cannot be kept first', async () => {
    await using setting = await Supervised.start(servingAt('/a'), { watch: false })
    await setting.control.history()
    await setting.files.write('live.yaml', servingAt('/b'))
    await setting.control.reload()
    await setting.control.history()
    await setting.files.write('live.yaml', `${servingAt('/b')}# by hand\n`)
    await rm(setting.files.path('history'), { recursive: true })
    await setting.files.write('history', 'in the way')
    await assert.rejects(setting.control.rollback(undefined, false))
    assert.equal(await live(setting), `${servingAt('/b')}# by hand\n`)
  })
})

test('a node that is rolled back marks its configuration, and the one before runs', async () => {
  await using setting = await Supervised.start(servingAt('/a'), { watch: false })
  await setting.files.write('live.yaml', servingAt('/b'))
  await setting.control.reload()
  setting.engine.onRolledBack?.({ node: 'one/ts', why: 'it broke' })
  const entries = await setting.control.history()
  assert.deepEqual(
    entries.map(({ state, why }) => [state, why]),
    [
      ['rolled-back', 'one/ts: it broke'],
      ['running', undefined],
    ],
  )
})

test('after a start in place of a configuration that crashed, that one is marked and the started one runs', async () => {
  await using setting = await Supervised.start(servingAt('/crash'), {
    watch: false,
    lastGood: servingAt('/good'),
    prepare: async (files) => {
      const path = files.path('live.yaml')
      const log = createLog({ level: 'error' })
      await using history = new ConfigHistory({ stateDir: files.folder, files: [path], clock: new FakeClock(), log })
      for (const [by, at] of [
        ['start', '/good'],
        ['file', '/crash'],
      ] as const) {
        const texts = new Map([[path, servingAt(at)]])
        const { graph } = await loadConfig([path], { env: {}, plugins: examplePlugins, contents: texts })
        assert.ok(graph)
        history.add({ by, texts, configId: configId(graph), changes: [] })
      }
    },
  })
  assert.deepEqual(
    (await setting.control.history()).map(({ id, by, state, why }) => [id, by, state, why]),
    [
      [3, 'start', 'running', undefined],
      [2, 'file', 'rolled-back', 'it crashed'],
      [1, 'start', 'ran', undefined],
    ],
  )
  assert.equal((await setting.control.rollback(undefined, false)).result, 'unchanged')
  assert.equal(await readFile(setting.files.path('live.yaml'), 'utf8'), servingAt('/good'))
})
