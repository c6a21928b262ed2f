// Reads the configuration again and applies it: one reload at a time, and at most one that waits; a newer request
// replaces the waiting one. Whatever goes wrong, the previous configuration keeps running, and the reason is reported
// once.
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { ReloadTrigger, ReloadReport, ViewersReport } from '../observe/reload-report.js'
import type { SecretMask } from '../graph/secret-mask.js'
import { isEngineError, messageOf } from '../errors.js'
import type { Graph } from '../graph/graph.js'
import type { EventLog } from '../observe/events.js'
import type { Logger } from '../plugin/contract.js'
import type { Clock } from '../plugin/tokens.js'
import { configId } from './config-id.js'
import type { ConfigReader, ConfigReading } from './config-reader.js'
import { planReload } from './plan-reload.js'
import { expectViewers } from './plan-viewers.js'
import { reloadError } from './reload-errors.js'
import type { ReloadPlan } from '../observe/reload-plan.js'
import { firstReason, reportDiagnostics } from './reload-diagnostics.js'
import type { AppliedReload, ReloadTarget, RolledBack } from './reload-target.js'
import type { ConfigProbation } from './config-probation.js'
import type { ConfigSyncState } from './config-sync-state.js'
import { logReload } from './log-reload.js'

export interface ReloaderSettings {
  readonly target: ReloadTarget
  readonly reader: ConfigReader
  readonly syncState: ConfigSyncState
  readonly clock: Clock
  readonly log: Logger
  /** The mask of the log: learns the secrets of each configuration before anything about it is logged. */
  readonly mask: SecretMask
  readonly events: Pick<EventLog, 'emit'>
  /** False: a change of the files is recorded, but applied only on request. By default true. */
  readonly applyChanges?: boolean
  readonly probation: Pick<ConfigProbation, 'try' | 'apply' | 'giveUp' | 'reject' | 'restate'>
  /** Called with the texts of the running configuration; undefined if the last proven one is running again. */
  onRunning(texts: ReadonlyMap<string, string> | undefined): void
}

interface Request {
  readonly by: ReloadTrigger
  /** Also if the files are the same as at the last attempt. */
  readonly always: boolean
  readonly answered: Promise<ReloadReport>
  answer(report: ReloadReport): void
}

type Attempt = Omit<ReloadReport, 'durationMs'>

/** A reload that can be applied. */
interface Compared {
  /** Of the configuration. */
  readonly id: string
  readonly planned: Attempt
  readonly plan: ReloadPlan
  readonly next: Graph
}

const NOT_APPLIED = 'the files have changed, but changes are not applied automatically: run `engine reload`'

export class Reloader {
  readonly #settings: ReloaderSettings
  #current: Promise<void> | undefined
  #next: Request | undefined
  #isStopped = false
  #isApplying = false
  #rolledBack: RolledBack | undefined
  /** The hash of the files whose failure was reported last. */
  #reportedHash = ''

  constructor(settings: ReloaderSettings) {
    this.#settings = settings
    settings.target.onRolledBack = (what) => this.#onRolledBack(what)
  }

  /**
   * Resolves when it is done, whatever the result. By `file`, it does nothing if the files are the same as last time.
   */
  reload(by: ReloadTrigger): Promise<ReloadReport> {
    if (this.#isStopped) return Promise.resolve({ ...stopping(), durationMs: 0 })
    const replaced = this.#next
    // The waiting one will read the changed files. Replaced, it would have them checked, and found changed, again.
    if (by === 'file' && replaced?.by === 'file') return replaced.answered
    let answer: Request['answer'] = () => undefined
    const answered = new Promise<ReloadReport>((resolve) => (answer = resolve))
    this.#next = { by, always: by !== 'file' || replaced?.always === true, answered, answer }
    if (replaced !== undefined) this.#supersede(replaced)
    this.#current ??= this.#work()
    return answered
  }

  /** What a reload would do now; nothing is changed or recorded. */
  async plan(): Promise<ReloadReport> {
    const startMs = this.#settings.clock.nowMs()
    // A separate reader: planning does not count as an attempt.
    const reading = await this.#settings.reader.fresh().read()
    const attempt = await this.#compare(reading)
    return { ...('next' in attempt ? attempt.planned : attempt), durationMs: this.#settings.clock.nowMs() - startMs }
  }

  /**
   * Waits for the current reload for at most that long; the waiting one and later ones fail, as the engine is stopping.
   */
  async stop(withinMs: number): Promise<void> {
    this.#isStopped = true
    const waiting = this.#next
    this.#next = undefined
    waiting?.answer({ ...stopping(), durationMs: 0 })
    if (this.#current === undefined) return
    let timer: Disposable | undefined
    const late = new Promise<void>((resolve) => {
      timer = this.#settings.clock.after(withinMs, resolve)
    })
    await Promise.race([this.#current, late])
    timer?.[Symbol.dispose]()
  }

  async #work(): Promise<void> {
    for (let request = this.#take(); request !== undefined; request = this.#take()) {
      const startMs = this.#settings.clock.nowMs()
      const known = this.#settings.reader.hash
      const attempt = await this.#try(request, known).catch((error: unknown) => this.#failed(error))
      const report = { ...attempt, durationMs: this.#settings.clock.nowMs() - startMs }
      // Nobody requested it, and nothing was tried.
      const isIdle = !request.always && known === this.#settings.reader.hash
      if (!isIdle) this.#publish(report, request)
      request.answer(report)
    }
    // In the same turn in which no request was waiting: a later one starts the work again.
    this.#current = undefined
  }

  #take(): Request | undefined {
    const request = this.#next
    this.#next = undefined
    return request
  }

  async #try(request: Request, known: string): Promise<Attempt> {
    const { reader, syncState, applyChanges = true, probation, onRunning } = this.#settings
    const reading = await reader.read()
    if (!request.always && reading.hash === known) return { result: 'unchanged', why: '', diagnostics: [] }
    const compared = await this.#compare(reading)
    if (!('next' in compared)) {
      if (compared.result === 'unchanged') {
        onRunning(reading.texts)
        await probation.restate(reading.texts)
      }
      return compared
    }
    if (this.#isStopped) return stopping()
    if (!applyChanges && !request.always) {
      syncState.differ(NOT_APPLIED, compared.planned.id)
      return { ...compared.planned, why: NOT_APPLIED }
    }
    const { id, plan, next, planned } = compared
    probation.try(id, reading.texts)
    const applied = await this.#apply(plan, next).catch((error: unknown) => this.#failed(error))
    if ('result' in applied) {
      probation.giveUp()
      return { ...planned, ...applied, diagnostics: planned.diagnostics }
    }
    const { viewersBefore, viewersLost, cuts } = applied
    const viewers: ViewersReport = { before: viewersBefore, kept: viewersBefore - viewersLost, lost: viewersLost }
    const rolledBack: RolledBack | undefined = this.#rolledBack
    if (rolledBack !== undefined) {
      probation.reject()
      return { ...planned, result: 'rolled-back', why: this.#reasonOf(rolledBack), viewers, cuts }
    }
    probation.apply()
    onRunning(reading.texts)
    return { ...planned, result: 'applied', viewers, cuts }
  }

  async #apply(plan: ReloadPlan, next: Graph): Promise<AppliedReload> {
    this.#rolledBack = undefined
    this.#isApplying = true
    try {
      return await this.#settings.target.apply(plan, next)
    } finally {
      this.#isApplying = false
    }
  }

  /** The final result, or what is to be applied. Yields to the data path between its steps. */
  async #compare(reading: ConfigReading): Promise<Attempt | Compared> {
    const { target, mask } = this.#settings
    const { graph: next } = reading
    const diagnostics = reportDiagnostics(reading.diagnostics)
    if (next === undefined) return { result: 'invalid', why: firstReason(diagnostics), diagnostics }
    // In this order: secrets of the running configuration are never forgotten.
    mask.include(target.graph.secrets)
    mask.include(next.secrets)
    next.secrets.include(mask)
    await nextTurn()
    const id = configId(next)
    await nextTurn()
    const plan = planReload(target.graph, next)
    const expected = expectViewers(plan, (node) => target.viewersOf(node))
    const viewers: ViewersReport = { before: expected.kept + expected.lost, ...expected }
    await nextTurn()
    const planned: Attempt = { result: 'planned', id, why: '', diagnostics, plan, viewers }
    if (plan.isEmpty) return { ...planned, result: 'unchanged' }
    const [refusal] = plan.refusals
    if (refusal !== undefined) return { ...planned, result: 'refused', why: refusal }
    return { id, planned, plan, next }
  }

  #failed(error: unknown): Attempt {
    const { log, mask } = this.#settings
    if (!isEngineError(error)) log.error({ err: error }, 'a bug: a reload ended with an unexpected error')
    const text = messageOf(error)
    const why = mask.mask(isEngineError(error) ? `${error.code}: ${text}` : text)
    return { result: 'failed', why, diagnostics: [] }
  }

  #supersede(request: Request): void {
    const why = reloadError.table.RELOAD_SUPERSEDED.sentence
    const report: ReloadReport = { result: 'superseded', why, diagnostics: [], durationMs: 0 }
    this.#publish(report, request)
    request.answer(report)
  }

  #onRolledBack(what: RolledBack): void {
    const { syncState, log, events } = this.#settings
    const why = this.#reasonOf(what)
    this.#rolledBack = what
    syncState.noteRolledBack(why)
    log.error({ node: what.node, why }, 'a changed or added node failed and was rolled back')
    events.emit({ kind: 'reload.rolled_back', node: what.node, data: { why } })
    // The reload in progress rejects its own configuration.
    if (this.#isApplying) return
    this.#settings.probation.reject()
    this.#settings.onRunning(undefined)
  }

  #reasonOf({ node, why }: RolledBack): string {
    return this.#settings.mask.mask(`${node}: ${why}`)
  }

  /**
   * To status, metrics, log and events; a repeated failure of the same files is logged once, unless it was requested.
   */
  #publish(report: ReloadReport, { by, always }: Request): void {
    const { syncState, log, events, reader } = this.#settings
    const { result } = report
    if (result === 'planned') return log.warn({ by, id: report.id }, report.why)
    syncState.note(report, by)
    // A rollback was logged when it happened.
    if (result === 'rolled-back') return
    const isFailure = result === 'invalid' || result === 'refused' || result === 'failed'
    const isReported = isFailure && !always && this.#reportedHash === reader.hash
    if (isFailure) this.#reportedHash = reader.hash
    if (!isReported) logReload({ ...report, result }, by, { log, events })
  }
}

function stopping(): Attempt {
  return { result: 'failed', why: reloadError.table.RELOAD_STOPPING.sentence, diagnostics: [] }
}
