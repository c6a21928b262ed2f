import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { mkdir, readFile } from 'node:fs/promises'
import { describe, mock, test } from 'node:test'
import { engineStatus } from '../api/status-fixture.test.kit.js'
import type { Diagnostic } from '../config/report/diagnostic.js'
import { examplePlugins } from '../config/example-config.test.js'
import { loadConfig } from '../config/load-config.js'
import { SecretMask } from '../graph/secret-mask.js'
import type { Graph } from '../graph/graph.js'
import { createLog } from '../observe/log.js'
import type { LoadedSources } from '../reload/config-reader.js'
import { type KeptStreams, keepStreams } from './cli-streams.test.kit.js'
import { MISTAKE, RecordingTarget, servingAt, TempFiles, until } from '../reload/supervised.test.kit.js'
import type { BugReport } from './bug-exit.js'
import { readCrashMark } from '../reload/crash-mark.js'
import { writeLastGood } from '../reload/last-good.js'
import { type EngineHandle, runFiles, type RunOptions } from './run-files.js'

const graph = {
  files: ['live.yaml'],
  engine: { drainMs: 1000, log: { level: 'info' } },
  pipelines: [{ name: 'live', description: '', nodes: [] }],
  secrets: new SecretMask(),
} as unknown as Graph

class Signals extends EventEmitter {
  readonly exits: number[] = []
  exit(code: number): void {
    this.exits.push(code)
  }
}

class FakeEngine implements EngineHandle {
  readonly stops: string[] = []
  endInputs: () => void = () => undefined
  failInputs: (error: Error) => void = () => undefined
  readonly ended = new Promise<void>((resolve, reject) => {
    this.endInputs = resolve
    this.failInputs = reject
  })
  finishStop: () => void = () => undefined
  holdStop = false

  stop(reason: string): Promise<void> {
    this.stops.push(reason)
    return this.holdStop ? new Promise((resolve) => (this.finishStop = resolve)) : Promise.resolve()
  }

  status(): typeof engineStatus {
    return engineStatus
  }

  urls(): readonly { label: string; url: string }[] {
    return [{ label: 'viewers', url: 'http://127.0.0.1:8000/live.ts' }]
  }
}

class SupervisedFake extends FakeEngine {
  supervised: RecordingTarget | undefined
}

interface Setting {
  readonly streams: KeptStreams
  readonly signals: Signals
  readonly engine: FakeEngine
  readonly logged: string[]
  readonly code: Promise<number>
}

const never = Symbol('a startup that does not end')

function start(
  config: LoadedSources = { graph, diagnostics: [] },
  failure?: Error | typeof never,
  atStart?: () => void,
): Setting {
  const streams = keepStreams()
  const signals = new Signals()
  const engine = new FakeEngine()
  const logged: string[] = []
  const code = runFiles(['live.yaml'], streams, {
    loadConfig: async () => config,
    startEngine: async () => {
      atStart?.()
      if (failure === never) return new Promise<EngineHandle>(() => undefined)
      if (failure !== undefined) throw failure
      return engine
    },
    signals,
    bugs: { log: undefined },
    createLog: () => createLog({ level: 'info', stream: { write: (line) => void logged.push(line) } }),
  })
  return { streams, signals, engine, logged, code }
}

/** Waits for the startup text. */
async function started({ streams }: Setting): Promise<void> {
  while (!streams.errText().includes('Millrace')) await new Promise((resolve) => setImmediate(resolve))
}

test('a run says what is running, and ends with 0 when all inputs have ended', async () => {
  const setting = start()
  await started(setting)
  setting.engine.endInputs()
  assert.equal(await setting.code, 0)
  assert.deepEqual(setting.engine.stops, ['all inputs have ended'])
  assert.match(setting.streams.errText(), /is running live\.yaml\n.*http:\/\/127\.0\.0\.1:8000\/live\.ts/)
  assert.equal(setting.streams.outText(), '')
})

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} stops cleanly with 0 and leaves no handler`, async () => {
    const setting = start()
    await started(setting)
    setting.signals.emit(signal)
    assert.equal(await setting.code, 0)
    assert.deepEqual(setting.engine.stops, [signal])
    assert.deepEqual(setting.signals.exits, [])
    assert.deepEqual(setting.signals.eventNames(), [])
  })
}

test('a second signal ends the process at once', async () => {
  const setting = start()
  setting.engine.holdStop = true
  await started(setting)
  setting.signals.emit('SIGTERM')
  while (setting.engine.stops.length === 0) await new Promise((resolve) => setImmediate(resolve))
  setting.signals.emit('SIGINT')
  assert.deepEqual(setting.signals.exits, [130])
  setting.engine.finishStop()
  await setting.code
})

test('a signal during startup stops the engine once it has started', async () => {
  const setting = start(undefined, undefined, () => setting.signals.emit('SIGTERM'))
  assert.equal(await setting.code, 0)
  assert.deepEqual(setting.engine.stops, ['SIGTERM'])
})

test('an engine that does not stop within its drain is a bug, exit 70', async () => {
  const setting = start()
  setting.engine.holdStop = true
  await started(setting)
  mock.timers.enable({ apis: ['setTimeout'] })
  try {
    setting.signals.emit('SIGTERM')
    while (setting.engine.stops.length === 0) await new Promise((resolve) => setImmediate(resolve))
    mock.timers.tick(6000)
    assert.equal(await setting.code, 70)
  } finally {
    mock.timers.reset()
  }
})

test('a stop during a startup that does not end is over after the drain, with 1', async () => {
  const setting = start({ graph: { ...graph, engine: { ...graph.engine, drainMs: 1 } }, diagnostics: [] }, never)
  setting.signals.emit('SIGTERM')
  assert.equal(await setting.code, 1)
  assert.match(setting.logged.at(-1) ?? '', /stopped during startup/)
})

test('SIGHUP does not end an engine whose files are not reread, and says so; SIGUSR2 logs diagnostics', async () => {
  const setting = start()
  await started(setting)
  setting.signals.emit('SIGHUP')
  setting.signals.emit('SIGUSR2')
  assert.match(setting.logged[0] ?? '', /SIGHUP: the files of this engine are not reread/)
  const diagnostics = JSON.parse(setting.logged[1] ?? '') as Record<string, unknown>
  assert.equal(diagnostics['viewers'], 12)
  assert.deepEqual(diagnostics['nodes'], { ready: 1, degraded: 1 })
  assert.ok('memory' in diagnostics && 'handles' in diagnostics)
  setting.engine.endInputs()
  await setting.code
})

describe('an engine whose files are reread', () => {
  /** As `run live.yaml` in a folder of its own, with an engine that only records. */
  async function startIn(
    files: TempFiles,
    { atStart, ...options }: RunOptions & { readonly atStart?: (bugs: BugReport) => void } = {},
  ): Promise<Setting & { engine: SupervisedFake; bugs: BugReport }> {
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
    assert.match(setting.streams.errText(), /CONFIG_UNKNOWN_NODE[^]*STARTING THE LAST GOOD CONFIGURATION/)
    assert.match(setting.logged.join(''), /"level":"error".*running the last good configuration/)
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

  async function ended({ engine, code }: Setting & { engine: SupervisedFake }): Promise<void> {
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
      assert.match(setting.streams.errText(), /STARTING THE LAST GOOD CONFIGURATION.*ended the process .*it broke/)
      assert.match(setting.logged.join(''), /"level":"error".*running the last good configuration.*it broke/)
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
      assert.equal(/warning: the configuration on disk ended/.test(setting.streams.errText()), round === 2)
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

test('an engine that fails while running is stopped, exit 1', async () => {
  const setting = start()
  await started(setting)
  setting.engine.failInputs(new Error('live/main has failed'))
  assert.equal(await setting.code, 1)
  assert.deepEqual(setting.engine.stops, ['the engine failed'])
  assert.match(setting.logged.join(''), /"level":"fatal".*live\/main has failed/)
})

test('mistakes in the configuration are shown on stderr, exit 78, and nothing starts', async () => {
  const mistake: Diagnostic = {
    severity: 'error',
    code: 'CONFIG_UNKNOWN_NODE',
    message: '"check" reads from "mian", which does not exist',
    file: 'live.yaml',
    line: 13,
    column: 15,
    endColumn: 19,
    help: 'did you mean "main"?',
    source: '        from: mian',
  }
  const setting = start({ diagnostics: [mistake] })
  assert.equal(await setting.code, 78)
  assert.match(setting.streams.errText(), /error\[CONFIG_UNKNOWN_NODE\][^]*1 error in live\.yaml/)
  assert.doesNotMatch(setting.streams.errText(), /Millrace/)
})

test('a port in use at startup is exit 1 with the reason', async () => {
  const error = Object.assign(new Error('listen EADDRINUSE: address already in use 0.0.0.0:8000'), {
    syscall: 'listen',
  })
  const setting = start(undefined, error)
  assert.equal(await setting.code, 1)
  assert.match(setting.streams.errText(), /^error: listen EADDRINUSE: address already in use 0\.0\.0\.0:8000\n$/)
})

test('a startup that fails does not show a secret', async () => {
  const secrets = new SecretMask()
  secrets.add('hunter2')
  const error = Object.assign(new Error('cannot reach http://anna:hunter2@a.example'), { syscall: 'connect' })
  const setting = start({ graph: { ...graph, secrets }, diagnostics: [] }, error)
  await setting.code
  assert.equal(setting.streams.errText(), 'error: cannot reach http://anna:***@a.example\n')
})
