// Whether the running configuration matches the files, and the results of past reloads: for status and metrics, and for
// a log line every minute while they differ.
import type { LastReload, ReloadTrigger, ReloadReport, ReloadResult, ReloadStatus } from '../observe/reload-report.js'
import { DELAY_BOUNDS_SECONDS, Histogram } from '../observe/histogram.js'
import type { Graph } from '../graph/graph.js'
import type { Logger } from '../plugin/contract.js'
import type { Clock } from '../plugin/tokens.js'
import { configId } from './config-id.js'
import type { ReloadTarget } from './reload-target.js'

/** How long after a reload a changed node can be rolled back. */
export const PROBATION_MS = 30_000
const LOG_EVERY_MS = 60_000

export interface ConfigSyncStateSettings {
  readonly target: Pick<ReloadTarget, 'graph'>
  readonly clock: Clock
  readonly log: Logger
}

interface Difference {
  readonly reason: string
  readonly diskId: string | undefined
  readonly sinceMs: number
}

export class ConfigSyncState implements Disposable {
  /** Number of reloads by result. */
  readonly counts = new Map<ReloadResult, number>()
  readonly durations = new Histogram(DELAY_BOUNDS_SECONDS)
  viewersLost = 0
  readonly #settings: ConfigSyncStateSettings
  readonly #logTimer: Disposable
  #running: { readonly graph: Graph; readonly id: string } | undefined
  #difference: Difference | undefined
  #last: LastReload | undefined
  #probationUntilMs = 0

  constructor(settings: ConfigSyncStateSettings) {
    this.#settings = settings
    this.#logTimer = settings.clock.every(LOG_EVERY_MS, () => this.#logDifference())
  }

  get inSync(): boolean {
    return this.#difference === undefined
  }

  get runningId(): string {
    const { graph } = this.#settings.target
    if (this.#running?.graph !== graph) this.#running = { graph, id: configId(graph) }
    return this.#running.id
  }

  /** Records a finished reload. */
  note(report: ReloadReport, by: ReloadTrigger): void {
    const { result, id, why, durationMs, viewers } = report
    if (result === 'planned') return
    // A rollback was counted when it happened.
    if (result !== 'rolled-back') this.#count(result)
    this.durations.observe(durationMs / 1000)
    const lost = result === 'applied' || result === 'rolled-back' ? (viewers?.lost ?? 0) : 0
    this.viewersLost += lost
    const at = this.#rfc3339(this.#settings.clock.nowMs())
    const shown = { by, at, result, why, durationMs: Math.round(durationMs), ...(id === undefined ? {} : { id }) }
    if (result !== 'superseded') this.#last = { ...shown, viewersBefore: viewers?.before ?? 0, viewersLost: lost }
    if (result === 'applied') this.#noteApplied(id)
    if (result === 'applied' || result === 'unchanged') this.#difference = undefined
    else if (result !== 'superseded') this.differ(why, id)
  }

  /** Records that an applied reload was rolled back, in part or completely. */
  noteRolledBack(why: string): void {
    this.#count('rolled-back')
    const diskId = this.#last?.id
    if (this.#last !== undefined) this.#last = { ...this.#last, result: 'rolled-back', why }
    this.differ(why, diskId)
  }

  /** Records whether the files of a change that was rolled back have been put back. */
  noteRestored(restored: boolean): void {
    if (this.#last?.result === 'rolled-back') this.#last = { ...this.#last, restored }
    const { reason, diskId } = this.#difference ?? {}
    if (!restored && reason !== undefined) this.differ(`${reason}; the files stay as they are: see the log`, diskId)
  }

  /** Records that the files differ from the running configuration, from now on or still. */
  differ(reason: string, diskId?: string): void {
    const sinceMs = this.#difference?.sinceMs ?? this.#settings.clock.nowMs()
    this.#difference = { reason, diskId, sinceMs }
  }

  /** Records that the files match the running configuration again. */
  agree(): void {
    this.#difference = undefined
  }

  status(): ReloadStatus {
    const { runningId } = this
    const difference = this.#difference
    const diskId = difference === undefined ? runningId : difference.diskId
    return {
      inSync: this.inSync,
      runningId,
      ...(diskId === undefined ? {} : { diskId }),
      ...(difference === undefined ? {} : { reason: difference.reason, since: this.#rfc3339(difference.sinceMs) }),
      ...(this.#last === undefined ? {} : { last: this.#last }),
      ...(this.#probationUntilMs <= this.#settings.clock.nowMs()
        ? {}
        : { probation: { until: this.#rfc3339(this.#probationUntilMs) } }),
    }
  }

  [Symbol.dispose](): void {
    this.#logTimer[Symbol.dispose]()
  }

  #noteApplied(id: string | undefined): void {
    const { target, clock } = this.#settings
    this.#probationUntilMs = clock.nowMs() + PROBATION_MS
    if (id !== undefined) this.#running = { graph: target.graph, id }
  }

  #count(result: ReloadResult): void {
    this.counts.set(result, (this.counts.get(result) ?? 0) + 1)
  }

  #logDifference(): void {
    if (this.#difference === undefined) return
    const { reason, diskId, sinceMs } = this.#difference
    const fields = { running: this.runningId, disk: diskId, since: this.#rfc3339(sinceMs), reason }
    this.#settings.log.warn(fields, 'the configuration on disk differs from the running one')
  }

  #rfc3339(monotonicMs: number): string {
    return new Date(this.#settings.clock.wallMs(monotonicMs)).toISOString()
  }
}
