// The life of `engine run`: reads the configuration, starts the engine, prints what is running, applies changes of the
// files, and stops on a signal or when all inputs have ended.
import process from 'node:process'
import type { Logger } from 'pino'
import type { EngineStatus } from '../observe/status.js'
import { ProgramInspector } from '../processes/program-inspector.js'
import type { LoadOptions } from '../config/load-config.js'
import type { Graph } from '../graph/graph.js'
import type { RunningEngine } from '../run/running-engine.js'
import { createLog } from '../observe/log.js'
import { ConfigReader } from '../reload/config-reader.js'
import type { ConfigReading, LoadFiles } from '../reload/config-reader.js'
import { configId } from '../reload/config-id.js'
import { readCrashMark, writeCrashMark } from '../reload/crash-mark.js'
import { loadLastGood, possibleStateDirs } from '../reload/last-good.js'
import { superviseConfig } from '../reload/supervise-config.js'
import type { StartedLastGood, SupervisedEngine, Supervision } from '../reload/supervise-config.js'
import type { BugReport } from './bug-exit.js'
import type { CliStreams } from './cli-streams.js'
import { summariseDiagnostics } from './diagnostics-summary.js'
import { EXIT, exitCodeOf } from './exit-codes.js'
import type { LabelledUrl } from './render-startup.js'
import { logConsole } from './process-warnings.js'
import { RunReport } from './run-report.js'
import { serviceManager } from './service-manager.js'
import { type SignalTarget, watchSignals } from './signals.js'
import { defaultFormat, type LogFormat } from './stderr-format.js'
import { isColoured } from './terminal-style.js'
import { causeOf, messageOf, reactionOf } from '../errors.js'

/** Added to the drain, for work without a bound of its own; an engine that has not stopped by then has a bug. */
const STOP_MARGIN_MS = 5000
const MISTAKES = 'the files have mistakes'

/** The part of a running engine that is used here. */
export interface EngineHandle {
  /** Resolves when all inputs have ended and the outputs have delivered everything. */
  readonly ended: Promise<void>
  /** Clean, within the drain. */
  stop(reason: string): Promise<void>
  status(): EngineStatus
  urls(): readonly LabelledUrl[]
  /** Without it, the configuration is not reread. */
  readonly supervised?: SupervisedEngine | undefined
}

export interface RunOptions extends Omit<LoadOptions, 'env' | 'contents'> {
  /** False: changes of the files are noted but not applied. By default true. */
  readonly watch?: boolean | undefined
  /** If the files have mistakes, start the last good configuration. */
  readonly lastGood?: boolean | undefined
  /** Of the log, and of what is said beside it. By default text if stderr is a terminal. */
  readonly logFormat?: LogFormat | undefined
}

/** The part of an engine that contains plugin errors, from before its start. */
type Container = Pick<RunningEngine, 'contain'>

export interface RunDependencies {
  readonly loadConfig: LoadFiles
  startEngine(graph: Graph, more: { log: Logger; onBuilt(engine: Container): void }): Promise<EngineHandle>
  readonly signals: SignalTarget
  readonly bugs: BugReport
  /** By default the engine's log on stderr. */
  createLog?(graph: Graph): Logger
  /** Called when the startup text has been written. */
  onRunning?(engine: EngineHandle): void
}

/** Resolves with the exit code. */
export async function runFiles(
  files: readonly string[],
  streams: CliStreams,
  dependencies: RunDependencies,
  options: RunOptions = {},
): Promise<number> {
  const { watch, lastGood, logFormat, ...load } = options
  const format = logFormat ?? defaultFormat(streams.err)
  const report = new RunReport(streams, format)
  const run = new Run(report)
  using _watched = watchSignals(dependencies.signals, run)
  using manager = serviceManager({ env: streams.env, pid: process.pid, warn: (text) => run.warn(text) })
  void run.stopAsked.then(() => manager.stopping())
  const inspector = new ProgramInspector()
  const reader = new ConfigReader({
    files,
    options: { ...load, env: streams.env, inspector },
    load: dependencies.loadConfig,
  })
  const start = await readStart(reader, report, lastGood === true)
  if (start === undefined) return EXIT.config
  const { graph } = start
  const log = dependencies.createLog?.(graph) ?? openLog(graph, format, streams)
  run.log = log
  if (start.lastGood !== undefined) log.error(startsLastGood(start.lastGood))
  const { bugs } = dependencies
  bugs.log = log
  using _console = format === 'json' ? logConsole(console, log) : undefined
  // Until the configuration is supervised: a bug during startup counts against it too.
  if (start.lastGood === undefined) bugs.beforeExit = (error) => noteBugAtStart(graph, error)
  const onBuilt = (engine: Container): void => {
    bugs.contain = (error) => engine.contain(error, reader.code)
  }
  try {
    run.engine = await startInTime(
      dependencies.startEngine(graph, { log, onBuilt }),
      run.stopAsked,
      graph.engine.drainMs,
    )
  } catch (error) {
    report.failure(error, graph)
    return exitCodeOf(error)
  }
  if (run.engine === undefined) {
    log.fatal('stopped during startup, and startup did not end within the drain')
    return EXIT.failed
  }
  const supervision = superviseStarted(run.engine, start, reader, log, watch)
  run.supervise(supervision)
  bugs.beforeExit = (error) => supervision?.noteBug(messageOf(error))
  report.running(graph, run.engine.urls())
  dependencies.onRunning?.(run.engine)
  manager.ready()
  // Awaited here, because the signals are watched until this function returns.
  return await endRun(run.engine, run.stopAsked, graph.engine.drainMs, log, run.supervision)
}

function openLog({ engine, secrets }: Graph, format: LogFormat, { err, env }: CliStreams): Logger {
  return createLog({ level: engine.log.level, secrets, pretty: format === 'text', colour: isColoured(err, env) })
}

interface Start {
  readonly graph: Graph
  readonly reading: ConfigReading
  /** The last good configuration, if that is started in place of the files. */
  readonly lastGood?: StartedLastGood & { readonly path: string }
}

/** What to start; undefined if the files have mistakes and there is no replacement, which is then reported. */
async function readStart(reader: ConfigReader, report: RunReport, wantsLastGood: boolean): Promise<Start | undefined> {
  const reading = await reader.read(true)
  report.diagnostics(reading.diagnostics)
  if (reading.graph !== undefined)
    return (await startInsteadOfCrash(reader, reading, reading.graph, report)) ?? { graph: reading.graph, reading }
  if (!wantsLastGood) return undefined
  const dirs = possibleStateDirs(reader.files, reader.options, reading.texts)
  const kept = await loadLastGood(reader.files, reader.options, reader.load, dirs)
  if (kept === undefined) report.say('error', `no last good configuration for these files in ${dirs.join(' or ')}`)
  if (kept?.graph === undefined) {
    report.diagnostics(kept?.diagnostics ?? [])
    return undefined
  }
  return { graph: kept.graph, reading, lastGood: { path: kept.path, texts: kept.texts } }
}

/** The last good configuration, if the one on disk ended an earlier run with a bug during its probation. */
async function startInsteadOfCrash(
  reader: ConfigReader,
  reading: ConfigReading,
  onDisk: Graph,
  report: RunReport,
): Promise<Start | undefined> {
  const { stateDir } = onDisk.engine
  const mark = await readCrashMark(stateDir)
  if (mark === undefined) return undefined
  const diskId = configId(onDisk)
  if (!mark.configs.includes(diskId)) return undefined
  const kept = await loadLastGood(reader.files, reader.options, reader.load, [stateDir])
  const crashed = `the configuration on disk ended the process with a bug at ${mark.at}: ${mark.why}`
  if (kept?.graph === undefined || configId(kept.graph) === diskId) {
    report.say('warn', `${crashed}; there is no other configuration to start`)
    return undefined
  }
  const reason = `${crashed}; it is tried again when it changes, or on \`engine reload\``
  return { graph: kept.graph, reading, lastGood: { path: kept.path, texts: kept.texts, reason, diskId } }
}

function startsLastGood({ path, reason = MISTAKES }: Required<Start>['lastGood']): string {
  return `STARTING THE LAST GOOD CONFIGURATION, ${path}, because ${reason}`
}

/** Marks the configuration, so that the next start uses another one if it can. */
function noteBugAtStart(graph: Graph, error: unknown): void {
  const why = graph.secrets.mask(messageOf(error))
  writeCrashMark(graph.engine.stateDir, { configs: [configId(graph)], why, at: new Date().toISOString() })
}

function superviseStarted(
  { supervised: engine }: EngineHandle,
  { graph, reading, lastGood }: Start,
  reader: ConfigReader,
  log: Logger,
  watch: boolean | undefined,
): Supervision | undefined {
  if (engine === undefined) return undefined
  const { stateDir } = graph.engine
  return superviseConfig({ engine, reader, reading, lastGood, log, mask: graph.secrets, stateDir, watch })
}

/** Handles signals, before there is an engine and while it runs. */
class Run {
  log: Logger | undefined
  engine: EngineHandle | undefined
  supervision: Supervision | undefined
  readonly stopAsked: Promise<string>
  readonly #report: RunReport
  #isReloadAsked = false
  #askToStop: (reason: string) => void = () => undefined

  constructor(report: RunReport) {
    this.#report = report
    this.stopAsked = new Promise((resolve) => {
      this.#askToStop = resolve
    })
  }

  stop(signal: NodeJS.Signals): void {
    this.#askToStop(signal)
  }

  /** Before there is something to reload, the request is remembered. */
  reload(): void {
    this.#isReloadAsked = true
    if (this.engine === undefined) return this.#say('SIGHUP: the files will be reread after startup')
    if (this.supervision === undefined) return this.#say('SIGHUP: the files of this engine are not reread')
    void this.supervision.reloader.reload('SIGHUP')
  }

  supervise(supervision: Supervision | undefined): void {
    this.supervision = supervision
    if (this.#isReloadAsked) this.reload()
  }

  diagnose(): void {
    const summary = summariseDiagnostics(this.engine?.status())
    if (this.log === undefined) this.#report.say('info', `diagnostics: ${JSON.stringify(summary)}`)
    else this.log.info(summary, 'diagnostics')
  }

  warn(text: string): void {
    if (this.log === undefined) this.#report.say('warn', text)
    else this.log.warn(text)
  }

  #say(text: string): void {
    if (this.log === undefined) this.#report.say('info', text)
    else this.log.info(text)
  }
}

/** The engine, or undefined if a stop was requested meanwhile and startup then took longer than the drain. */
async function startInTime(
  starting: Promise<EngineHandle>,
  stopAsked: Promise<string>,
  drainMs: number,
): Promise<EngineHandle | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = stopAsked.then(
    () =>
      new Promise<undefined>((resolve) => {
        timer = setTimeout(() => resolve(undefined), drainMs)
      }),
  )
  try {
    return await Promise.race([starting, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Waits for a reason to stop, and stops. An engine that fails is stopped too: 78 if options of its last input are wrong, else 1. */
async function endRun(
  engine: EngineHandle,
  stopAsked: Promise<string>,
  drainMs: number,
  log: Logger,
  supervision: Supervision | undefined,
): Promise<number> {
  let code: number = EXIT.ok
  const reason = await Promise.race([stopAsked, engine.ended.then(() => 'all inputs have ended')]).catch(
    (error: unknown) => {
      log.fatal({ err: error }, 'the engine failed')
      code = reactionOf(causeOf(error)) === 'config' ? EXIT.config : EXIT.failed
      return 'the engine failed'
    },
  )
  // First, so that nothing starts only to be stopped. The stop ends a reload in progress.
  const unsupervised = supervision?.[Symbol.asyncDispose]()
  const stopped = await stopInTime(engine, reason, drainMs, log)
  await unsupervised
  return stopped === EXIT.ok ? code : stopped
}

/** A stop that fails is a bug: the rejection is reported as one. */
async function stopInTime(engine: EngineHandle, reason: string, drainMs: number, log: Logger): Promise<number> {
  let timer: NodeJS.Timeout | undefined
  const overdue = new Promise<number>((resolve) => {
    timer = setTimeout(() => {
      log.fatal('bug: the engine did not stop within its drain')
      resolve(EXIT.bug)
    }, drainMs + STOP_MARGIN_MS)
  })
  try {
    return await Promise.race([overdue, engine.stop(reason).then(() => EXIT.ok)])
  } finally {
    clearTimeout(timer)
  }
}
