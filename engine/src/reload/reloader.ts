// Reads the configuration again and applies it: one reload at a time, and at most one that waits; a newer request of
// somebody replaces it. Whatever goes wrong, the previous configuration keeps running; the reason is reported once.
import type { ReloadTrigger, ReloadReport, ViewersReport } from '../observe/reload-report.js'
import type { SecretMask } from '../graph/secret-mask.js'
import { editError } from '../config/edit/edit-errors.js'
import { messageOf } from '../errors.js'
import type { EventLog } from '../observe/events.js'
import type { Logger } from '../plugin/contract.js'
import type { Clock } from '../plugin/tokens.js'
import { compareConfig, type Compared } from './compare-config.js'
import type { ConfigReader } from './config-reader.js'
import { changedNodes, EditTrail } from './edit-trail.js'
import { failedBy, stopping } from './failed-attempt.js'
import type { Attempt, FileChange, WaitingChange } from './file-change.js'
import { putBack } from './put-back.js'
import type { Replacement } from './replace-file.js'
import { outdated, reloadError } from './reload-errors.js'
import type { AppliedReload, ReloadTarget, RolledBack } from './reload-target.js'
import type { ConfigHistory } from './config-history.js'
import type { ConfigProbation } from './config-probation.js'
import type { ConfigSyncState } from './config-sync-state.js'
import { logReload } from './log-reload.js'
import { ReloadRetry } from './reload-retry.js'
import { summarizePlan } from './summarize-plan.js'

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
  readonly probation: Pick<ConfigProbation, 'try' | 'apply' | 'giveUp' | 'reject' | 'restate' | 'renew'>
  readonly history: Pick<ConfigHistory, 'add' | 'restate' | 'reject' | 'rejectNewest'>
  /** Called with the texts of the running configuration; undefined if the last proven one is running again. */
  onRunning(texts: ReadonlyMap<string, string> | undefined): void
}

interface Request {
  readonly by: ReloadTrigger
  /** Also if the files are the same as at the last attempt. */
  readonly always: boolean
  /** New nodes take over even if they are not ready. */
  readonly isForced: boolean
  readonly answered: Promise<ReloadReport>
  answer(report: ReloadReport): void
}

/** Changes that wait for their turn. */
const MOST_CHANGES = 8
const NOT_APPLIED = 'the files have changed, but changes are not applied automatically: run `engine reload`'

export class Reloader {
  readonly #settings: ReloaderSettings
  #current: Promise<void> | undefined
  #next: Request | undefined
  readonly #changes: WaitingChange[] = []
  readonly #trail = new EditTrail()
  /** Rolled back, and perhaps changed in the files by an edit. */
  readonly #fallen: RolledBack[] = []
  readonly #retry: ReloadRetry
  #inProgress: { readonly by: ReloadTrigger; readonly sinceMs: number } | undefined
  #isStopped = false
  /** Reported while something is being applied. */
  #reported: RolledBack[] | undefined
  /** The hash of the files whose failure was reported last. */
  #reportedHash = ''

  constructor(settings: ReloaderSettings) {
    this.#settings = settings
    this.#retry = new ReloadRetry(settings.clock, (isForced) => this.#tryAgain(isForced))
    settings.target.onRolledBack = (what) => this.#onRolledBack(what)
  }

  /**
   * Resolves when it is done, whatever the result. By `file`, it joins a request that waits, and does nothing if the files
   * are the same as last time.
   */
  reload(by: ReloadTrigger, isForced = false): Promise<ReloadReport> {
    if (this.#isStopped) return Promise.resolve({ ...stopping(), durationMs: 0 })
    // By the file, the files may be those that failed: then nothing is tried, and the next try stays due.
    if (by !== 'file') this.#retry.cancel()
    const replaced = this.#next
    // The waiting one will read the changed files. Replaced, what somebody has asked for would not be done as asked.
    if (by === 'file' && replaced !== undefined) return replaced.answered
    let answer: Request['answer'] = () => undefined
    const answered = new Promise<ReloadReport>((resolve) => (answer = resolve))
    this.#next = { by, always: by !== 'file', isForced, answered, answer }
    if (replaced !== undefined) this.#supersede(replaced)
    this.#current ??= this.#work()
    return answered
  }

  /**
   * Carries out a change of the files and applies it, when the reload in progress has ended. Nothing takes its place, and
   * it takes the place of nothing. Rejects with the error of a change that refuses.
   */
  change(change: FileChange): Promise<ReloadReport> {
    if (this.#isStopped) return Promise.resolve({ ...stopping(), durationMs: 0 })
    if (this.#changes.length >= MOST_CHANGES) {
      return Promise.reject(editError('EDIT_BUSY', `${MOST_CHANGES} edits are waiting already`))
    }
    return new Promise((answer, fail) => {
      this.#changes.push({ change, answer, fail })
      this.#current ??= this.#work()
    })
  }

  /** What is being done now, and what will be by itself; times are monotonic. */
  get activity(): {
    readonly inProgress?: { readonly by: ReloadTrigger; readonly sinceMs: number }
    readonly retryAtMs?: number
  } {
    const { atMs } = this.#retry
    return {
      ...(this.#inProgress === undefined ? {} : { inProgress: this.#inProgress }),
      ...(atMs === undefined || this.#inProgress !== undefined ? {} : { retryAtMs: atMs }),
    }
  }

  /** What a reload would do now; nothing is changed or recorded. */
  async plan(): Promise<ReloadReport> {
    const startMs = this.#settings.clock.nowMs()
    // A separate reader: planning does not count as an attempt.
    const reading = await this.#settings.reader.fresh().read()
    const attempt = await compareConfig(reading, this.#settings)
    return { ...('next' in attempt ? attempt.planned : attempt), durationMs: this.#settings.clock.nowMs() - startMs }
  }

  /**
   * Waits for the current reload for at most that long; the waiting one and later ones fail, as the engine is stopping.
   */
  async stop(withinMs: number): Promise<void> {
    this.#isStopped = true
    this.#retry.cancel()
    const waiting = this.#next
    this.#next = undefined
    waiting?.answer({ ...stopping(), durationMs: 0 })
    for (const change of this.#changes.splice(0)) change.answer({ ...stopping(), durationMs: 0 })
    if (this.#current === undefined) return
    let timer: Disposable | undefined
    const late = new Promise<void>((resolve) => {
      timer = this.#settings.clock.after(withinMs, resolve)
    })
    await Promise.race([this.#current, late])
    timer?.[Symbol.dispose]()
  }

  async #work(): Promise<void> {
    for (;;) {
      const fallen = this.#fallen.shift()
      if (fallen !== undefined) {
        await this.#takeBack(fallen)
        continue
      }
      const change = this.#changes.shift()
      if (change !== undefined) {
        await this.#carryOut(change)
        continue
      }
      const request = this.#take()
      if (request === undefined) break
      const startMs = this.#settings.clock.nowMs()
      const known = this.#settings.reader.hash
      this.#inProgress = { by: request.by, sinceMs: startMs }
      const { isTemporary, ...attempt } = await this.#try(request, known).catch((error: unknown) =>
        failedBy(error, this.#settings),
      )
      this.#inProgress = undefined
      // Nobody requested it, and nothing was tried.
      const isIdle = !request.always && known === this.#settings.reader.hash
      const retryIn = isIdle ? {} : this.#planRetry(isTemporary === true, this.#isForced(request, known))
      const report = { ...attempt, ...retryIn, durationMs: this.#settings.clock.nowMs() - startMs }
      if (report.result === 'applied' || report.result === 'rolled-back') this.#trail.clear()
      if (!isIdle) this.#publish(report, request)
      request.answer(report)
    }
    // In the same turn in which no request was waiting: a later one starts the work again.
    this.#current = undefined
  }

  /** `--no-watch` leaves it to the operator when something is applied. */
  #planRetry(isTemporary: boolean, isForced = false): Pick<ReloadReport, 'retryInMs'> {
    if (isTemporary && !this.#isStopped && this.#settings.applyChanges !== false) {
      return { retryInMs: this.#retry.schedule(isForced) }
    }
    this.#retry.cancel()
    return {}
  }

  #tryAgain(isForced: boolean): void {
    if (this.#isStopped) return
    if (this.#current !== undefined) {
      // What is in progress, or waits, may find the files that have failed: then nothing is tried by it. Else it decides.
      this.#retry.postpone(isForced)
      return
    }
    let answer: Request['answer'] = () => undefined
    const answered = new Promise<ReloadReport>((resolve) => (answer = resolve))
    this.#next = { by: 'retry', always: true, isForced, answered, answer }
    this.#current = this.#work()
  }

  async #carryOut({ change, answer, fail }: WaitingChange): Promise<void> {
    const startMs = this.#settings.clock.nowMs()
    const finished = (attempt: Attempt): ReloadReport => ({
      ...attempt,
      durationMs: this.#settings.clock.nowMs() - startMs,
    })
    try {
      const early = await change.prepare(async (reading) => {
        const compared = await compareConfig(reading, this.#settings)
        return 'next' in compared ? compared.planned : compared
      })
      if (early !== undefined) return answer(finished(early))
    } catch (error) {
      return fail(error)
    }
    this.#retry.cancel()
    this.#inProgress = { by: change.by, sinceMs: startMs }
    const request = { by: change.by, always: true, isForced: false }
    const { isTemporary: _, ...attempt } = await this.#try(request, '').catch((error: unknown) =>
      failedBy(error, this.#settings),
    )
    this.#inProgress = undefined
    const report = finished(attempt)
    this.#publish(report, request)
    if (attempt.result === 'applied') this.#trail.note(change, attempt, this.#settings.clock.nowMs())
    if (attempt.result === 'applied' || attempt.result === 'unchanged') return answer(report)
    const restored = await this.#undo(change.written)
    this.#settings.syncState.noteRestored(restored)
    answer({ ...report, restored })
  }

  /** A node has failed on probation: if an edit has brought it, the edit is taken back in the files too. */
  async #takeBack({ node, why }: RolledBack): Promise<void> {
    const { log, reader, target, history, events, syncState } = this.#settings
    let isRestored = false
    try {
      const taken = await this.#trail.takeBack(node, target.graph, reader)
      if (taken === undefined) return
      history.rejectNewest(taken.ids, this.#reasonOf({ node, why }))
      if (taken.texts !== undefined) {
        const changes = [`${node} is as before its last edit`]
        history.add({ by: 'rollback', texts: taken.texts, configId: syncState.runningId, changes })
      }
      isRestored = await this.#undo(taken.written)
    } catch (error) {
      log.error(
        { node, why: messageOf(error) },
        'the edit of a node that was rolled back cannot be taken out of the files',
      )
    }
    syncState.noteRestored(isRestored)
    events.emit({ kind: isRestored ? 'reload.restored' : 'reload.not_restored', node })
  }

  /**
   * The files are those of the running configuration again, unless somebody else has changed them: that is a change, and
   * the result is false.
   */
  async #undo(written: readonly Replacement[]): Promise<boolean> {
    const isRestored = written.length > 0 && (await putBack(written, this.#settings.log))
    // What is below has the edits of nodes that have fallen meanwhile: they would be applied again.
    for (let next = this.#fallen.shift(); next !== undefined; next = this.#fallen.shift()) await this.#takeBack(next)
    const startMs = this.#settings.clock.nowMs()
    // What the engine has put back itself is applied even if changes by hand are not.
    const request = { by: 'file', always: isRestored, isForced: false } as const
    const { isTemporary, ...attempt } = await this.#try(request, '').catch((error: unknown) =>
      failedBy(error, this.#settings),
    )
    if (attempt.result === 'unchanged') {
      this.#settings.syncState.agree()
      this.#settings.probation.renew(this.#settings.syncState.runningId)
      return isRestored
    }
    const retryIn = this.#planRetry(isTemporary === true)
    this.#publish({ ...attempt, ...retryIn, durationMs: this.#settings.clock.nowMs() - startMs }, request)
    return isRestored
  }

  #take(): Request | undefined {
    const request = this.#next
    this.#next = undefined
    return request
  }

  async #try(request: Pick<Request, 'by' | 'always' | 'isForced'>, known: string): Promise<Attempt> {
    const { reader, syncState, applyChanges = true, probation, history, onRunning } = this.#settings
    const reading = await reader.read()
    if (!request.always && reading.hash === known) return { result: 'unchanged', why: '', diagnostics: [] }
    const compared = await compareConfig(reading, this.#settings)
    if (!('next' in compared)) {
      if (compared.result === 'unchanged') {
        onRunning(reading.texts)
        history.restate(reading.texts)
        await probation.restate(reading.texts)
      }
      return compared
    }
    if (this.#isStopped) return stopping()
    if (!applyChanges && !request.always) {
      syncState.differ(NOT_APPLIED, compared.planned.id)
      return { ...compared.planned, why: NOT_APPLIED }
    }
    const { id, plan, planned } = compared
    probation.try(id, reading.texts)
    const reported: RolledBack[] = []
    this.#reported = reported
    const applied = await this.#apply(compared, this.#isForced(request, known)).catch((error: unknown) =>
      failedBy(error, this.#settings),
    )
    this.#reported = undefined
    if ('result' in applied) {
      probation.giveUp()
      // Of changes before this one.
      for (const what of reported) this.#fall(what)
      return { ...planned, ...applied, diagnostics: planned.diagnostics }
    }
    const { viewersBefore, viewersLost, cuts } = applied
    const viewers: ViewersReport = { before: viewersBefore, kept: viewersBefore - viewersLost, lost: viewersLost }
    const changed = changedNodes(plan)
    const rolledBack = reported.findLast(({ node }) => changed.has(node))
    if (rolledBack === undefined) {
      probation.apply()
      onRunning(reading.texts)
      history.add({ by: request.by, texts: reading.texts, configId: id, changes: summarizePlan(plan) })
    } else probation.reject()
    for (const what of reported) if (!changed.has(what.node)) this.#fall(what)
    if (rolledBack === undefined) return { ...planned, result: 'applied', viewers, cuts }
    return { ...planned, result: 'rolled-back', why: this.#reasonOf(rolledBack), viewers, cuts }
  }

  /** What was saved since a forced try failed, with files of that hash, has been forced by nobody. */
  #isForced({ by, isForced }: Pick<Request, 'by' | 'isForced'>, failedHash: string): boolean {
    return isForced && (by !== 'retry' || this.#settings.reader.hash === failedHash)
  }

  async #apply({ plan, before, next }: Compared, isForced: boolean): Promise<AppliedReload> {
    const { target } = this.#settings
    // Edits of nodes that have fallen are in the files still.
    if (target.graph !== before || this.#fallen.length > 0) throw outdated()
    return await target.apply(plan, next, isForced)
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
    syncState.noteRolledBack(why)
    log.error({ node: what.node, why }, 'a changed or added node failed and was rolled back')
    events.emit({ kind: 'reload.rolled_back', node: what.node, data: { why } })
    // Of what is being applied, or of a change before it: that is known when it is done.
    if (this.#reported === undefined) this.#fall(what)
    else this.#reported.push(what)
  }

  /** A node of what runs has been rolled back. */
  #fall(what: RolledBack): void {
    const { probation, history, onRunning } = this.#settings
    probation.reject()
    history.reject(this.#reasonOf(what))
    onRunning(undefined)
    if (this.#trail.isEmpty || this.#isStopped) return
    this.#fallen.push(what)
    this.#current ??= this.#work()
  }

  #reasonOf({ node, why }: RolledBack): string {
    return this.#settings.mask.mask(`${node}: ${why}`)
  }

  /**
   * To status, metrics, log and events; a repeated failure of the same files is logged once, unless it was requested.
   */
  #publish(report: ReloadReport, { by, always }: Pick<Request, 'by' | 'always'>): void {
    const { syncState, log, events, reader } = this.#settings
    const { result } = report
    if (result === 'planned') return log.warn({ by, id: report.id }, report.why)
    syncState.note(report, by)
    // A rollback was logged when it happened.
    if (result === 'rolled-back') return
    const isFailure = result === 'invalid' || result === 'refused' || result === 'failed'
    const isAsked = always && by !== 'retry'
    const isReported = isFailure && !isAsked && this.#reportedHash === reader.hash
    if (isFailure) this.#reportedHash = reader.hash
    if (!isReported) logReload({ ...report, result }, by, { log, events })
  }
}
