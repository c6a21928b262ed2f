// Keeps a running engine to its configuration: watches the files, reloads when they change or somebody asks, and knows
// at any time whether both agree. Attached after the start, and let go of before the stop.
import type { CheckRequest, ConfigReport, ConfigSource, ReloadControl, ReloadReport } from '../observe/reload-report.js'
import { effectiveConfig, renderConfigYaml } from '../config/effective-config.js'
import type { SecretMask } from '../graph/secret-mask.js'
import type { Graph } from '../graph/graph.js'
import { createClock } from '../observe/clock.js'
import type { EventLog } from '../observe/events.js'
import type { MetricsRegistry } from '../observe/metrics-registry.js'
import type { Logger } from '../plugin/contract.js'
import type { Clock } from '../plugin/tokens.js'
import { checkConfig } from './check-config.js'
import type { ConfigReader, ConfigReading } from './config-reader.js'
import { ConfigProbation } from './config-probation.js'
import { addReloadMetrics } from './reload-metrics.js'
import { failureOf, firstReason, reportDiagnostics } from './reload-diagnostics.js'
import type { ReloadTarget } from './reload-target.js'
import { ConfigSyncState } from './config-sync-state.js'
import { Reloader } from './reloader.js'
import { type FileWatch, watchFiles } from './watch-files.js'

/** How long a stop waits for a reload that is under way. */
const STOP_WAIT_MS = 5000

/** What this needs of a running engine. */
export interface SupervisedEngine extends ReloadTarget {
  readonly events: Pick<EventLog, 'emit'>
  readonly metrics: Pick<MetricsRegistry, 'add' | 'addHistogram'>
  /** Who answers for the configuration from now on, to status and API; undefined while nobody does. */
  reloads: ReloadControl | undefined
}

export interface SuperviseSettings {
  readonly engine: SupervisedEngine
  /** Has read once: what the engine runs, or what is wrong with it. */
  readonly reader: ConfigReader
  readonly reading: ConfigReading
  /** What the engine was started with instead of what was read: the last good configuration. */
  readonly lastGood?: StartedLastGood | undefined
  readonly log: Logger
  /** The mask of the log. */
  readonly mask: SecretMask
  /** Where the last good configuration is kept. */
  readonly stateDir: string
  /** False: files are looked at, and a change of theirs is noted but not applied. By default true. */
  readonly watch?: boolean | undefined
  /** By default the time of the machine. */
  readonly clock?: Clock & Disposable
}

export interface StartedLastGood {
  readonly texts: ReadonlyMap<string, string>
  /** Why, for status and log. By default that the files have mistakes. */
  readonly reason?: string
  /** Id of what is on disk, where it can be read. */
  readonly diskId?: string
}

export interface Supervision extends AsyncDisposable {
  readonly reloader: Pick<Reloader, 'reload'>
  /** The process is about to end with a bug: done when it returns. */
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
  readonly #watching: FileWatch
  /** Let go of after the last reload. */
  readonly #parts: readonly Disposable[]
  readonly #probation: ConfigProbation
  /** Of what runs. */
  #texts: ReadonlyMap<string, string>
  #looking: Promise<ReloadReport> | undefined
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
    const shared = { target: engine, reader, syncState: this.#syncState, clock, log, mask, events: engine.events }
    const onRunning = (texts = probation.proven ?? started): void => void (this.#texts = texts)
    this.reloader = new Reloader({ ...shared, applyChanges: watch, probation, onRunning })
    if (lastGood === undefined) {
      probation.try(this.#syncState.runningId, reading.texts)
      probation.apply()
    } else
      this.#syncState.differ(lastGood.reason ?? firstReason(reportDiagnostics(reading.diagnostics)), lastGood.diskId)
    this.#watching = watchFiles({
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
    return this.#syncState.status()
  }

  noteBug(why: string): void {
    this.#probation.noteBug(this.#settings.mask.mask(why))
  }

  reload(): Promise<ReloadReport> {
    return this.reloader.reload('api')
  }

  /** Who asks while one looks gets what that one finds; so with `config`. */
  plan(): Promise<ReloadReport> {
    this.#looking ??= this.reloader.plan().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  async config(source: ConfigSource): Promise<ConfigReport> {
    if (source === 'running') return configOf(this.#settings.engine.graph)
    this.#reading ??= this.#readDisk().finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  async #readDisk(): Promise<ConfigReport> {
    const startMs = this.#clock.nowMs()
    const { graph, diagnostics } = await this.#settings.reader.again().read()
    if (graph !== undefined) {
      graph.secrets.include(this.#settings.mask)
      return configOf(graph)
    }
    const shown = reportDiagnostics(diagnostics)
    const durationMs = this.#clock.nowMs() - startMs
    const failure = failureOf({ result: 'invalid', why: firstReason(shown), diagnostics: shown, durationMs })
    if (failure === undefined) throw new Error('a configuration without a graph is invalid')
    return { failure }
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
    this.#watching[Symbol.dispose]()
    await this.reloader.stop(STOP_WAIT_MS)
    await this.#probation[Symbol.asyncDispose]()
    for (const part of this.#parts) part[Symbol.dispose]()
  }

  /** What has been read may depend on other files than before. */
  async #onChange(): Promise<void> {
    await this.reloader.reload('file')
    await this.#watching.look()
  }
}

function configOf(graph: Graph): ConfigReport {
  const config = effectiveConfig(graph)
  return { config, yaml: renderConfigYaml(config) }
}
