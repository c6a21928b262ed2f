import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import type { Diagnostic } from '../config/report/diagnostic.js'
import { EngineError } from '../errors.js'
import type { Graph } from '../graph/graph.js'
import { SecretMask } from '../graph/secret-mask.js'
import { createLog } from '../observe/log.js'
import type { LoadedSources } from '../reload/config-reader.js'
import { keepStreams } from './cli-streams.test.kit.js'
import { type EngineHandle, type RunDependencies, runFiles } from './run-files.js'
import { FakeEngine, type Running, Signals, started } from './run-files.test.kit.js'

const graph = {
  files: ['live.yaml'],
  engine: { drainMs: 1000, log: { level: 'info' } },
  pipelines: [{ name: 'live', description: '', nodes: [] }],
  secrets: new SecretMask(),
} as unknown as Graph

const never = Symbol('a startup that does not end')

function start(
  config: LoadedSources = { graph, diagnostics: [] },
  failure?: Error | typeof never,
  atStart?: () => void,
  logFormat: 'text' | 'json' = 'text',
): Running {
  const streams = keepStreams()
  const signals = new Signals()
  const engine = new FakeEngine()
  const logged: string[] = []
  const dependencies: RunDependencies = {
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
  }
  const code = runFiles(['live.yaml'], streams, dependencies, { logFormat })
  return { streams, signals, engine, logged, code }
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

test('an engine that fails while running is stopped, exit 1', async () => {
  const setting = start()
  await started(setting)
  setting.engine.failInputs(new Error('live/main has failed'))
  assert.equal(await setting.code, 1)
  assert.deepEqual(setting.engine.stops, ['the engine failed'])
  assert.match(setting.logged.join(''), /"level":"fatal".*live\/main has failed/)
})

test('an engine whose last input fails because its options are wrong ends with 78, so that it is not started again', async () => {
  const setting = start()
  await started(setting)
  const cause = new EngineError('X_WRONG', { sentence: '', hint: '', reaction: 'config' }, 'wrong')
  setting.engine.failInputs(new Error('live/main has failed: wrong', { cause }))
  assert.equal(await setting.code, 78)
})

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

function linesOf({ streams }: Running): readonly Readonly<Record<string, unknown>>[] {
  const lines = streams.errText().split('\n').slice(0, -1)
  return lines.map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
}

test('in JSON each mistake, what is running, and why it does not start is one line with the keys of the log', async () => {
  const wrong = start({ diagnostics: [mistake, { ...mistake, severity: 'warning' }] }, undefined, undefined, 'json')
  assert.equal(await wrong.code, 78)
  assert.deepEqual(
    linesOf(wrong).map(({ level, code, line, msg }) => ({ level, code, line, msg })),
    ['error', 'warning'].map((severity) => ({
      level: severity === 'error' ? 'error' : 'warn',
      code: 'CONFIG_UNKNOWN_NODE',
      line: 13,
      msg: `${severity}[CONFIG_UNKNOWN_NODE]: live.yaml:13:15: "check" reads from "mian", which does not exist`,
    })),
  )
  const good = start(undefined, undefined, undefined, 'json')
  await started(good)
  good.engine.endInputs()
  await good.code
  const [banner] = linesOf(good)
  assert.match(String(banner?.['msg']), /is running live\.yaml$/)
  assert.deepEqual(banner?.['urls'], [{ label: 'viewers', url: 'http://127.0.0.1:8000/live.ts' }])
  const secrets = new SecretMask()
  secrets.add('hunter2')
  const refused = Object.assign(new Error('cannot reach http://anna:hunter2@a.example'), { syscall: 'connect' })
  const failed = start({ graph: { ...graph, secrets }, diagnostics: [] }, refused, undefined, 'json')
  assert.equal(await failed.code, 1)
  assert.deepEqual(
    linesOf(failed).map(({ level, msg }) => [level, msg]),
    [['fatal', 'error: cannot reach http://anna:***@a.example']],
  )
})

test('mistakes in the configuration are shown on stderr, exit 78, and nothing starts', async () => {
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
