// Keeps a running engine in line with its configuration: watches the files, reloads when they change or on request, and
// knows at any time whether both agree. Attached after startup, disposed before the engine stops.
import type {
  CheckRequest,
  ConfigReport,
  ConfigSource,
  EditReport,
  EditRequest,
  ReloadControl,
  ReloadReport,
} from '../observe/reload-report.js'
import type { SecretMask } from '../graph/secret-mask.js'
import { createClock } from '../observe/clock.js'
import type { HistoryEntry } from '../observe/history-report.js'
import type { EventLog } from '../observe/events.js'
import type { MetricsRegistry } from '../observe/metrics-registry.js'
import type { Logger } from '../plugin/contract.js'
import type { Clock } from '../plugin/tokens.js'
import { checkConfig } from './check-config.js'
import { configReportOf } from './config-report.js'
import { NodeEditing } from './node-editing.js'
import type { ConfigReader, ConfigReading } from './config-reader.js'
import { ConfigHistory } from './config-history.js'
import { ConfigProbation } from './config-probation.js'
import { addReloadMetrics } from './reload-metrics.js'
import { failureOf, firstReason, reportDiagnostics } from './reload-diagnostics.js'
import type { ReloadTarget } from './reload-target.js'
import { ConfigSyncState } from './config-sync-state.js'
import { Rollback } from './rollback.js'
import { Reloader } from './reloader.js'
import { type FileWatch, watchFiles } from './watch-files.js'

/** How long a stop waits for a reload in progress. */
const STOP_WAIT_MS = 5000

/** What supervision needs from a running engine. */
export interface SupervisedEngine extends ReloadTarget {
  readonly events: Pick<EventLog, 'emit'>
  readonly metrics: Pick<MetricsRegistry, 'add' | 'addHistogram'>
  /** Answers status and API requests about the configuration; undefined while the engine is not supervised. */
  reloads: ReloadControl | undefined
}

export interface SuperviseSettings {
  readonly engine: SupervisedEngine
  /** Has read once: the running configuration, or the one with mistakes. */
  readonly reader: ConfigReader
  readonly reading: ConfigReading
  /** The last good configuration, if the engine was started with it instead of what was read. */
  readonly lastGood?: StartedLastGood | undefined
  readonly log: Logger
  /** The mask of the log. */
  readonly mask: SecretMask
  /** Where the last good configuration is kept. */
  readonly stateDir: string
  /** False: a change of the files is recorded but not applied. By default true. */
  readonly watch?: boolean | undefined
  /** By default the clock of the machine. */
  readonly clock?: Clock & Disposable
}

export interface StartedLastGood {
  readonly texts: ReadonlyMap<string, string>
  /** Why it was started, for status and log. By default, the files have mistakes. */
  readonly reason?: string
  /** Id of the configuration on disk, if that can be read. */
  readonly diskId?: string
}

export interface Supervision extends AsyncDisposable {
  readonly reloader: Pick<Reloader, 'reload'>
  /** The process is about to end with a bug. Its work is complete when it returns. */
  noteBug(why: string): void
}

export function superviseConfig(settings: SuperviseSettings): Supervision {
  return new Supervisor(settings)
}

class Supervisor implements Supervision, ReloadControl {
  readonly reloader: Reloader
  readonly #settings: SuperviseSettings
  readonly #syncState: ConfigSyncState
  readonly #clock: Clock
  readonly #fileWatch: FileWatch
  /** Disposed after the last reload. */
  readonly #parts: readonly Disposable[]
  readonly #probation: ConfigProbation
  readonly #history: ConfigHistory
  /** Of the running configuration. */
  #texts: ReadonlyMap<string, string>
  #planning: Promise<ReloadReport> | undefined
  #reading: Promise<ConfigReport> | undefined
  #disposed: Promise<void> | undefined

  constructor(settings: SuperviseSettings) {
    const { engine, reader, reading, lastGood, log, mask, watch = true } = settings
    const clock = settings.clock ?? createClock()
    this.#settings = settings
    this.#clock = clock
    this.#texts = lastGood?.texts ?? reading.texts
    const started = this.#texts
    this.#syncState = new ConfigSyncState({ target: engine, clock, log })
    const probation = new ConfigProbation({ clock, log, stateDir: settings.stateDir, files: reader.files })
    this.#probation = probation
    this.#history = new ConfigHistory({ stateDir: settings.stateDir, files: reader.files, clock, log })
    const shared = {
      target: engine,
      history: this.#history,
      reader,
      syncState: this.#syncState,
      clock,
      log,
      mask,
      events: engine.events,
    }
    const onRunning = (texts = probation.proven ?? started): void => void (this.#texts = texts)
    this.reloader = new Reloader({ ...shared, applyChanges: watch, probation, onRunning })
    if (lastGood === undefined) {
      probation.try(this.#syncState.runningId, reading.texts)
      probation.apply()
    } else {
      const { diskId, reason = firstReason(reportDiagnostics(reading.diagnostics)) } = lastGood
      this.#syncState.differ(reason, diskId)
      // It ran until it crashed.
      if (diskId !== undefined) this.#history.reject(reason, diskId)
    }
    this.#history.add({ by: 'start', texts: started, configId: this.#syncState.runningId, changes: [] })
    this.#fileWatch = watchFiles({
      clock,
      paths: () => reader.sources,
      knownHash: () => reader.hash,
      onChange: () => void this.#onChange(),
      events: watch,
    })
    this.#parts = [addReloadMetrics(engine.metrics, this.#syncState), this.#syncState, clock]
    engine.reloads = this
  }

  status(): ReturnType<ReloadControl['status']> {
    const { inProgress, retryAtMs } = this.reloader.activity
    const timeOf = (monotonicMs: number): string => new Date(this.#clock.wallMs(monotonicMs)).toISOString()
    return {
      ...this.#syncState.status(),
      ...(inProgress === undefined ? {} : { inProgress: { by: inProgress.by, since: timeOf(inProgress.sinceMs) } }),
      ...(retryAtMs === undefined ? {} : { retryAt: timeOf(retryAtMs) }),
    }
  }

  noteBug(why: string): void {
    this.#probation.noteBug(this.#settings.mask.mask(why))
  }

  reload(isForced = false): Promise<ReloadReport> {
    return this.reloader.reload('api', isForced)
  }

  /** Concurrent calls share one result; so do those of `config`. */
  plan(): Promise<ReloadReport> {
    this.#planning ??= this.reloader.plan().finally(() => {
      this.#planning = undefined
    })
    return this.#planning
  }

  async config(source: ConfigSource): Promise<ConfigReport> {
    if (source === 'running') return configReportOf(this.#settings.engine.graph)
    this.#reading ??= this.#readDisk().finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  async #readDisk(): Promise<ConfigReport> {
    const startMs = this.#clock.nowMs()
    const { graph, diagnostics } = await this.#settings.reader.fresh().read()
    if (graph !== undefined) {
      graph.secrets.include(this.#settings.mask)
      return configReportOf(graph)
    }
    const shown = reportDiagnostics(diagnostics)
    const durationMs = this.#clock.nowMs() - startMs
    const failure = failureOf({ result: 'invalid', why: firstReason(shown), diagnostics: shown, durationMs })
    if (failure === undefined) throw new Error('a configuration without a graph is invalid')
    return { failure }
  }

  async edit(request: EditRequest): Promise<EditReport> {
    const { engine, reader } = this.#settings
    const change = new NodeEditing(request, { target: engine, reader })
    return { ...(await this.reloader.change(change)), files: change.files }
  }

  history(): Promise<readonly HistoryEntry[]> {
    return this.#history.list()
  }

  async rollback(id: number | undefined, isPlan: boolean, expectedId?: string): Promise<EditReport> {
    const { reader, log } = this.#settings
    const change = new Rollback({ id, isPlan, expectedId }, { history: this.#history, reader, log })
    return { ...(await this.reloader.change(change)), files: change.files }
  }

  check(request: CheckRequest): ReturnType<ReloadControl['check']> {
    const { engine, reader } = this.#settings
    return checkConfig(request, { target: engine, reader, texts: () => this.#texts })
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposed ??= this.#dispose()
    return this.#disposed
  }

  async #dispose(): Promise<void> {
    this.#fileWatch[Symbol.dispose]()
    await this.reloader.stop(STOP_WAIT_MS)
    await this.#probation[Symbol.asyncDispose]()
    await this.#history[Symbol.asyncDispose]()
    for (const part of this.#parts) part[Symbol.dispose]()
  }

  /** The new reading may depend on other files. */
  async #onChange(): Promise<void> {
    await this.reloader.reload('file')
    await this.#fileWatch.check()
  }
}
