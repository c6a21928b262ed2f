import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { mock, test } from 'node:test'
import { engineStatus } from '../api/status-fixture.test.kit.js'
import type { Diagnostic } from '../config/diagnostic.js'
import { SecretMask } from '../config/secret-mask.js'
import type { Graph } from '../graph/graph.js'
import { createLog } from '../observe/log.js'
import { type KeptStreams, keepStreams } from './cli-streams.test.kit.js'
import { type EngineHandle, type LoadedConfig, runFiles } from './run.js'

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

interface Setting {
  readonly streams: KeptStreams
  readonly signals: Signals
  readonly engine: FakeEngine
  readonly logged: string[]
  readonly code: Promise<number>
}

const never = Symbol('a start that does not end')

function start(
  config: LoadedConfig = { graph, diagnostics: [] },
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

/** Until the start-up text is there. */
async function started({ streams }: Setting): Promise<void> {
  while (!streams.errText().includes('Millrace')) await new Promise((resolve) => setImmediate(resolve))
}

test('a run says what runs, and ends with 0 when all inputs have ended', async () => {
  const setting = start()
  await started(setting)
  setting.engine.endInputs()
  assert.equal(await setting.code, 0)
  assert.deepEqual(setting.engine.stops, ['all inputs have ended'])
  assert.match(setting.streams.errText(), /runs live\.yaml\n.*http:\/\/127\.0\.0\.1:8000\/live\.ts/)
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

test('a signal during the start stops the engine once it has started', async () => {
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

test('a stop during a start that does not end is over after the drain, with 1', async () => {
  const setting = start({ graph: { ...graph, engine: { ...graph.engine, drainMs: 1 } }, diagnostics: [] }, never)
  setting.signals.emit('SIGTERM')
  assert.equal(await setting.code, 1)
  assert.match(setting.logged.at(-1) ?? '', /stopped while it was starting/)
})

test('SIGHUP does not end the engine and says that nothing is read again; SIGUSR2 logs diagnostics', async () => {
  const setting = start()
  await started(setting)
  setting.signals.emit('SIGHUP')
  setting.signals.emit('SIGUSR2')
  assert.match(setting.logged[0] ?? '', /SIGHUP: this version reads its configuration at the start only/)
  const diagnostics = JSON.parse(setting.logged[1] ?? '') as Record<string, unknown>
  assert.equal(diagnostics['viewers'], 12)
  assert.deepEqual(diagnostics['nodes'], { ready: 1, degraded: 1 })
  assert.ok('memory' in diagnostics && 'handles' in diagnostics)
  setting.engine.endInputs()
  await setting.code
})

test('an engine that fails while it runs is stopped, exit 1', async () => {
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

test('a port in use at the start is exit 1 with the reason', async () => {
  const error = Object.assign(new Error('listen EADDRINUSE: address already in use 0.0.0.0:8000'), {
    syscall: 'listen',
  })
  const setting = start(undefined, error)
  assert.equal(await setting.code, 1)
  assert.match(setting.streams.errText(), /^error: listen EADDRINUSE: address already in use 0\.0\.0\.0:8000\n$/)
})

test('a start that fails does not show a secret', async () => {
  const secrets = new SecretMask()
  secrets.add('hunter2')
  const error = Object.assign(new Error('cannot reach http://anna:hunter2@a.example'), { syscall: 'connect' })
  const setting = start({ graph: { ...graph, secrets }, diagnostics: [] }, error)
  await setting.code
  assert.equal(setting.streams.errText(), 'error: cannot reach http://anna:***@a.example\n')
})
