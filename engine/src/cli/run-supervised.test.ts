import assert from 'node:assert/strict'
import { mkdir, readFile } from 'node:fs/promises'
import { describe, test } from 'node:test'
import { examplePlugins } from '../config/example-config.test.js'
import { loadConfig } from '../config/load-config.js'
import type { Graph } from '../graph/graph.js'
import { createLog } from '../observe/log.js'
import { readCrashMark } from '../reload/crash-mark.js'
import { writeLastGood } from '../reload/last-good.js'
import { MISTAKE, RecordingTarget, servingAt, TempFiles, until } from '../reload/supervised.test.kit.js'
import type { BugReport } from './bug-exit.js'
import { keepStreams } from './cli-streams.test.kit.js'
import { runFiles, type RunOptions } from './run-files.js'
import { FakeEngine, type Running, Signals, started } from './run-files.test.kit.js'

class SupervisedFake extends FakeEngine {
  supervised: RecordingTarget | undefined
}

describe('an engine whose files are reread', () => {
  /** As `run live.yaml` in a folder of its own, with an engine that only records. */
  async function startIn(
    files: TempFiles,
    { atStart, ...options }: RunOptions & { readonly atStart?: (bugs: BugReport) => void } = {},
  ): Promise<Running & { engine: SupervisedFake; bugs: BugReport }> {
    const bugs: BugReport = { log: undefined }
    const streams = keepStreams()
    const signals = new Signals()
    const logged: string[] = []
    const log = createLog({ level: 'info', stream: { write: (line) => void logged.push(line) } })
    const engine = new SupervisedFake()
    const dependencies = {
      loadConfig,
      startEngine: async (graph: Graph) => {
        atStart?.(bugs)
        engine.supervised = new RecordingTarget(graph, log)
        return engine
      },
      signals,
      bugs,
      createLog: () => log,
    }
    const code = runFiles([files.path('live.yaml')], streams, dependencies, { plugins: examplePlugins, ...options })
    return { streams, signals, engine, bugs, logged, code }
  }

  /** What ran for long enough. */
  async function keepLastGood(files: TempFiles, text: string): Promise<void> {
    const path = files.path('live.yaml')
    await writeLastGood(files.path('.millrace'), [path], { texts: new Map([[path, text]]) })
  }

  function hasApplied({ engine }: { engine: SupervisedFake }): () => boolean {
    return () => engine.supervised?.applied.length === 1
  }

  test('applies a change by itself, and none after its stop', async () => {
    await using files = await TempFiles.make()
    await files.write('live.yaml', servingAt('/a'))
    await mkdir(files.path('.millrace'))
    const setting = await startIn(files)
    await started(setting)
    await files.write('live.yaml', servingAt('/b'))
    await until(hasApplied(setting))
    setting.signals.emit('SIGTERM')
    assert.equal(await setting.code, 0)
    assert.deepEqual(setting.engine.stops, ['SIGTERM'])
    assert.equal((await setting.engine.supervised?.reloads?.reload())?.why, 'The engine is stopping.')
    // Neither has passed its probation.
    await assert.rejects(readFile(files.path('.millrace/last-good.yaml')))
    setting.engine.supervised?.clock[Symbol.dispose]()
  })

  test('reloads on SIGHUP, including one during startup', async () => {
    await using files = await TempFiles.make()
    await files.write('live.yaml', servingAt('/a'))
    const setting = await startIn(files, { watch: false })
    setting.signals.emit('SIGHUP')
    await started(setting)
    await until(() => setting.logged.join('').includes('"by":"SIGHUP"'))
    await files.write('live.yaml', servingAt('/b'))
    setting.signals.emit('SIGHUP')
    await until(hasApplied(setting))
    setting.engine.endInputs()
    assert.equal(await setting.code, 0)
    setting.engine.supervised?.clock[Symbol.dispose]()
  })

  test('with --last-good starts the last good configuration if the files have mistakes, and applies their correction', async () => {
    await using files = await TempFiles.make()
    await mkdir(files.path('.millrace'))
    await keepLastGood(files, servingAt('/a'))
    await files.write('live.yaml', MISTAKE)
    assert.equal(await (await startIn(files)).code, 78)
    const setting = await startIn(files, { lastGood: true })
    await started(setting)
    assert.match(setting.streams.errText(), /CONFIG_UNKNOWN_NODE/)
    assert.match(setting.logged.join(''), /"level":"error".*STARTING THE LAST GOOD CONFIGURATION/)
    const status = setting.engine.supervised?.reloads?.status()
    assert.equal(status?.inSync, false)
    assert.match(status?.reason ?? '', /mian/)
    await files.write('live.yaml', servingAt('/b'))
    await until(hasApplied(setting))
    setting.engine.endInputs()
    await setting.code
    setting.engine.supervised?.clock[Symbol.dispose]()
  })

  /** Runs `/b`, which ends with a bug; `/a` is the last good configuration. */
  async function crash(files: TempFiles): Promise<void> {
    await mkdir(files.path('.millrace'))
    await keepLastGood(files, servingAt('/a'))
    await files.write('live.yaml', servingAt('/b'))
    const setting = await startIn(files)
    await started(setting)
    setting.bugs.beforeExit?.(new Error('it broke'))
    await ended(setting)
  }

  async function ended({ engine, code }: Running & { engine: SupervisedFake }): Promise<void> {
    engine.endInputs()
    await code
    engine.supervised?.clock[Symbol.dispose]()
  }

  function pathsOf({ engine }: { engine: SupervisedFake }): string {
    return JSON.stringify(engine.supervised?.graph.pipelines)
  }

  for (const options of [{}, { lastGood: true }]) {
    test(`starts with the last good configuration after a bug of the one on disk, ${JSON.stringify(options)}`, async () => {
      await using files = await TempFiles.make()
      await crash(files)
      const setting = await startIn(files, options)
      await started(setting)
      const line = /"level":"error".*STARTING THE LAST GOOD CONFIGURATION.*ended the process .*it broke/
      assert.match(setting.logged.join(''), line)
      assert.doesNotMatch(setting.streams.errText(), /LAST GOOD/)
      assert.match(pathsOf(setting), /"\/a"/)
      const control = setting.engine.supervised?.reloads
      const status = control?.status()
      assert.deepEqual([status?.inSync, status?.diskId === status?.runningId], [false, false])
      assert.match(status?.reason ?? '', /it broke/)
      assert.equal((await control?.reload())?.result, 'applied')
      assert.match(pathsOf(setting), /"\/b"/)
      await ended(setting)
    })
  }

  test('starts the files once they have changed since their bug; a bug of the last good configuration changes nothing', async () => {
    await using files = await TempFiles.make()
    await crash(files)
    const again = await startIn(files)
    await started(again)
    again.bugs.beforeExit?.(new Error('of the last good one'))
    await ended(again)
    const still = await startIn(files)
    await started(still)
    assert.match(pathsOf(still), /"\/a"/)
    await ended(still)
    await files.write('live.yaml', servingAt('/c'))
    const edited = await startIn(files)
    await started(edited)
    assert.match(pathsOf(edited), /"\/c"/)
    await ended(edited)
  })

  test('starts the files in spite of their bug if there is no last good configuration', async () => {
    await using files = await TempFiles.make()
    await mkdir(files.path('.millrace'))
    await files.write('live.yaml', servingAt('/a'))
    for (const round of [1, 2]) {
      const setting = await startIn(files)
      await started(setting)
      assert.equal(/the configuration on disk ended the process/.test(setting.streams.errText()), round === 2)
      setting.bugs.beforeExit?.(new Error('it broke'))
      setting.engine.endInputs()
      await setting.code
      setting.engine.supervised?.clock[Symbol.dispose]()
    }
  })

  test('marks a configuration that ends the process while it starts', async () => {
    await using files = await TempFiles.make()
    await mkdir(files.path('.millrace'))
    await files.write('live.yaml', servingAt('/a'))
    const setting = await startIn(files, { atStart: (bugs) => bugs.beforeExit?.(new Error('it broke')) })
    await started(setting)
    assert.equal((await readCrashMark(files.path('.millrace')))?.why, 'it broke')
    setting.engine.endInputs()
    await setting.code
    setting.engine.supervised?.clock[Symbol.dispose]()
  })

  test('does not start if nothing has ever run', async () => {
    await using files = await TempFiles.make()
    await files.write('live.yaml', MISTAKE)
    const setting = await startIn(files, { lastGood: true })
    assert.equal(await setting.code, 78)
    assert.match(setting.streams.errText(), /no last good configuration for these files in .*\.millrace/)
  })
})
