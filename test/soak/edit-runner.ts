// Runs one edit of a soak: writes it, waits until it is applied or refused, and checks all viewers.
import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import type { ReloadStatus } from '@millrace/engine/api'
import { until } from '../e2e/kit/until.js'
import type { ConfigModel } from './config-model.js'
import { outputsOf, textOf } from './config-model.js'
import type { SoakViewers } from './soak-viewers.js'
import type { SeededRandom } from './seeded-random.js'
import type { BrokenEdit } from './edits/broken-edits.js'
import type { Edit, EditContext } from './edits/edit.js'
import type { GuestAction } from './edits/guest-actions.js'
import type { ReloadAnswer } from './engine-client.js'
import type { Figures } from './figures.js'
import { readPlannedLosses } from './planned-losses.js'
import { renderConfig } from './render-config.js'
import { SAVE_METHODS } from './save-files.js'
import type { SavedFiles, Texts, SaveMethod } from './save-files.js'
import type { SoakEnvironment } from './soak-environment.js'

/** Longer than a commit that waits for a key frame, and than a drain. */
const APPLY_MS = 60_000
/** Two GOPs or 5 s, whichever is longer, plus what a busy machine adds. */
const CUT_MS = 6000
/** The engine maps its monotonic clock to the time of day once. */
const CLOCK_MS = 20
/** Of one request, while newer ones of the watcher take its place. */
const MAX_ATTEMPTS = 10
const TRIGGERS = ['file', 'file', 'api', 'api', 'SIGHUP', 'three at once'] as const
type Trigger = (typeof TRIGGERS)[number]

/** Verbs after which the stream is not the same as before. */
const MAY_MARK: ReadonlySet<string> = new Set(['source', 'handoff'])

export interface RunnerSettings {
  readonly environment: SoakEnvironment
  readonly viewers: SoakViewers
  readonly random: SeededRandom
  readonly files: SavedFiles
  readonly figures: Figures
}

export class EditRunner {
  /** The configuration that runs. */
  model: ConfigModel
  /** The edit in progress, for the report of a failure. */
  current = { number: 0, kind: '', how: '', before: new Map() as Texts, after: new Map() as Texts }
  readonly #of: RunnerSettings

  constructor(settings: RunnerSettings) {
    this.#of = settings
    this.model = settings.environment.first
  }

  /** False if there is nothing that this kind of edit could change. */
  async applyValid(edit: Edit, number: number, only: readonly Trigger[] = TRIGGERS): Promise<boolean> {
    const { random, figures } = this.#of
    const next = this.#copy()
    if (!edit.change(next, this.#context(number))) return false
    const [method, trigger] = [random.pick(SAVE_METHODS), random.pick(only)]
    await this.#apply(edit, next, number, method, trigger)
    figures.count(figures.editsByKind, edit.kind)
    return true
  }

  /** A guest acts; `meanwhile` an edit is applied. False if there is nothing to act on, or to edit. */
  async act(action: GuestAction, meanwhile: Edit | undefined, number: number): Promise<boolean> {
    const { random, figures, environment, viewers } = this.#of
    this.#note(number, action.kind, 'no edit', new Map())
    const end = await action.begin({ environment, viewers, random, number, model: () => this.model })
    if (end === undefined) return false
    const interrupted = [...environment.guests.interrupted]
    if (meanwhile !== undefined) await this.applyValid(meanwhile, number)
    await end()
    for (const name of interrupted) environment.guests.interrupted.add(name)
    await this.checkViewers()
    figures.count(figures.acts, meanwhile === undefined ? action.kind : `${action.kind} during an edit`)
    return true
  }

  /** The edit must be reported, and change nothing. */
  async tryBroken(edit: BrokenEdit, number: number): Promise<void> {
    const { random, files, figures, environment } = this.#of
    const texts = edit.write(this.#copy(), this.#context(number))
    const trigger = random.pick(TRIGGERS)
    this.#note(number, edit.kind, trigger, texts)
    await environment.engine.probe('sample')
    const savedAt = await files.save(texts, random.pick(['in place', 'rename over']))
    const answers = await this.#trigger(trigger)
    for (const { status, report } of answers) {
      const isRight = report.result === edit.result || report.result === 'superseded'
      assert.ok(isRight && status >= 400, `the reload returned ${status} ${report.result}: ${report.why}`)
    }
    // An earlier request may still finish.
    const { reason } = await this.#reloadStatus(
      (reload) => !reload.inSync && isSince(reload, savedAt) && reload.last?.result === edit.result,
      (reload) => `the status does not report ${edit.result}: ${JSON.stringify(reload)}`,
    )
    // Scrapes share a reading for a quarter of a second.
    const isReported = async (): Promise<boolean> =>
      (await environment.engine.metrics(this.model)).value('millrace_config_in_sync') === 0
    await until(isReported, 'the metric reports it')
    assert.ok((reason ?? '').length > 0, 'no reason is given')
    await this.checkViewers()
    figures.count(figures.broken, edit.kind)
  }

  /** A good and a broken text alternate ten times a second; the good one is last. */
  async flipFlop(edit: Edit, broken: BrokenEdit, number: number): Promise<boolean> {
    const { files, figures } = this.#of
    const next = this.#copy()
    if (!edit.change(next, this.#context(number))) return false
    const bad = broken.write(this.#copy(), this.#context(number))
    const good = renderConfig(next)
    this.#note(number, 'flip-flop', 'ten times a second', good)
    await files.flipFlop(bad, good, 10)
    // The last text read may be the same as some writes ago: an identical text is not read again.
    await until(() => this.#isSame(), 'the running configuration differs from the files', APPLY_MS)
    this.#adopt(next)
    await this.#of.environment.guests.adopt(next)
    await this.checkViewers()
    figures.count(figures.broken, 'flip-flop')
    return true
  }

  /** Resolves when every viewer, UDP output and program has received more of its stream. */
  async checkProgress(): Promise<void> {
    const { viewers, environment } = this.#of
    const all = [...viewers.connected, ...environment.guests.udpReceivers, environment.guests.sink]
    const before = new Map(all.map((each) => [each, each.compared]))
    const isStuck = (): readonly object[] => all.filter((each) => each.compared <= (before.get(each) ?? 0))
    let fault: Error | undefined
    const advance = async (): Promise<boolean> => {
      try {
        await this.checkViewers()
      } catch (error) {
        // `until` would try again.
        fault = error instanceof Error ? error : new Error(String(error))
      }
      return fault !== undefined || isStuck().length === 0
    }
    await advance()
    await until(advance, () => `${isStuck().length} of ${all.length} receive nothing`, APPLY_MS)
    if (fault !== undefined) throw fault
  }

  async #apply(edit: Edit, next: ConfigModel, number: number, method: SaveMethod, trigger: Trigger): Promise<void> {
    const { environment, viewers, files, figures } = this.#of
    const { engine, guests } = environment
    const texts = renderConfig(next)
    this.#note(number, edit.kind, `${method}, ${trigger}`, texts)
    const { gone, gapsBehind } = readPlannedLosses(edit, this.model, next, await engine.check(texts))
    const leaving = viewers.leave(gone, next)
    viewers.allowGaps(gapsBehind, this.model)
    guests.allowGaps(gapsBehind)
    await guests.prepare(next)
    await engine.probe('sample')
    const savedAt = await files.save(texts, method)
    const answering = this.#trigger(trigger)
    engine.api = `http://${textOf(next.engine, 'api.address')}`
    const answers = await answering
    this.#takeAnswers(answers, leaving.length)
    const reload = await this.#isApplied(next, savedAt)
    if (trigger === 'file' && (method === 'in place' || method === 'rename over') && isLive(edit)) {
      figures.liveLatenciesMs.push(Date.parse(reload.last?.at ?? '') - savedAt)
    }
    for (const viewer of leaving) {
      const { ended, bodyBytes } = await viewer.reader.done()
      assert.deepEqual([ended, bodyBytes % 188], ['end', 0], 'the viewer of a removed output gets a clean end')
      await viewer[Symbol.asyncDispose]()
    }
    figures.lostAsPlanned += leaving.length
    this.#adopt(next)
    await guests.adopt(next)
    await viewers.placeReferences(next)
    guests.expectReferences(viewers)
    await this.checkViewers()
    await viewers.fill(next)
  }

  async #trigger(trigger: Trigger): Promise<readonly ReloadAnswer[]> {
    const { engine } = this.#of.environment
    if (trigger === 'SIGHUP') engine.process.child.signal('SIGHUP')
    if (trigger === 'api') return [await this.#reloadUntilApplied()]
    if (trigger === 'three at once') return Promise.all([engine.reload(), engine.reload(), engine.reload()])
    return []
  }

  /** On a slow machine the engine notices the files after the request, and its own reload supersedes that one. */
  async #reloadUntilApplied(): Promise<ReloadAnswer> {
    const { environment, figures } = this.#of
    for (let attempt = 1; ; attempt++) {
      const answer = await environment.engine.reload()
      if (answer.report.result !== 'superseded' || attempt === MAX_ATTEMPTS) return answer
      figures.superseded++
    }
  }

  #takeAnswers(answers: readonly ReloadAnswer[], leaving: number): void {
    const { figures } = this.#of
    for (const { status, report } of answers) {
      const { result, why, cuts = [], viewers } = report
      if (result === 'superseded' && answers.length > 1) {
        figures.superseded++
        continue
      }
      assert.equal(status, 200, `the reload returned ${result}: ${why}`)
      if (result !== 'applied') continue
      assert.equal(viewers?.lost, leaving, 'lost viewers, by the response')
      const sources = new Set(
        report.plan?.nodes.filter(({ verb }) => MAY_MARK.has(verb)).map(({ id }) => pipelineOf(id)),
      )
      for (const name of this.#of.environment.guests.interrupted) sources.add(name)
      for (const { how, waitedMs, node } of cuts) {
        figures.cutoversMs.push(waitedMs)
        assert.ok(waitedMs <= CUT_MS, `a cutover took ${waitedMs} ms`)
        if (how === 'clean') continue
        figures.markedCuts++
        assert.ok(sources.has(pipelineOf(node)), `a marked cut that the plan did not announce: ${JSON.stringify(cuts)}`)
      }
    }
  }

  async #isApplied(next: ConfigModel, savedAt: number): Promise<ReloadStatus> {
    const { engine } = this.#of.environment
    engine.api = `http://${textOf(next.engine, 'api.address')}`
    const reload = await this.#reloadStatus(
      (status) => status.inSync && isSince(status, savedAt),
      (status) => `it was not applied: ${JSON.stringify(status)}`,
    )
    assert.match(reload.last?.result ?? '', /^(applied|unchanged)$/, reload.last?.why)
    // An earlier request may have finished meanwhile.
    await until(() => this.#isSame(), 'the running configuration differs from the files', APPLY_MS)
    return reload
  }

  async #isSame(): Promise<boolean> {
    const { engine } = this.#of.environment
    const [running, disk] = await Promise.all([engine.config('running'), engine.config('disk')])
    return (await engine.status()).reload?.inSync === true && isDeepStrictEqual(running, disk)
  }

  async #reloadStatus(
    holds: (reload: ReloadStatus) => boolean,
    what: (reload: ReloadStatus | undefined) => string,
  ): Promise<ReloadStatus> {
    const { engine } = this.#of.environment
    let last: ReloadStatus | undefined
    const look = async (): Promise<ReloadStatus | undefined> => {
      last = (await engine.status()).reload
      return last !== undefined && holds(last) ? last : undefined
    }
    return until(look, () => what(last), APPLY_MS)
  }

  /** The new model is what runs; viewers of renamed outputs are at the new name. */
  #adopt(next: ConfigModel): void {
    for (const { id, was } of outputsOf(next)) {
      if (id === was) continue
      for (const viewer of this.#of.viewers.connected) if (viewer.output === was) viewer.output = id
    }
    this.model = next
  }

  async checkViewers(): Promise<void> {
    const { environment, viewers, figures } = this.#of
    const { engine, guests } = environment
    const { blocksMs } = await engine.probe('sample')
    figures.noteBlock(this.current.kind, blocksMs[0] ?? 0)
    assert.equal(engine.process.child.exit, undefined, 'the engine has ended')
    // The copies of a pattern pipeline follow after the commit.
    let wrong: readonly string[] = []
    const areKnown = async (): Promise<boolean> => {
      wrong = viewers.checkSessions(await engine.clients())
      return wrong.length === 0
    }
    await until(areKnown, () => wrong.slice(0, 10).join('\n'), APPLY_MS)
    viewers.allowGaps(guests.interrupted, this.model)
    guests.allowGaps(guests.interrupted)
    const faults = [...viewers.checkStreams(), ...guests.faults()]
    guests.interrupted.clear()
    assert.equal(faults.length, 0, faults.slice(0, 10).join('\n'))
  }

  #note(number: number, kind: string, how: string, after: Texts): void {
    this.current = { number, kind, how, before: renderConfig(this.model), after }
  }

  #copy(): ConfigModel {
    const copy = structuredClone(this.model)
    // `was` has no effect once applied, and some users leave it in place.
    if (this.#of.random.chance(0.7)) {
      for (const { inputs, transforms, outputs } of copy.pipelines) {
        for (const node of [...inputs, ...transforms, ...outputs]) node.was = undefined
      }
    }
    return copy
  }

  #context(number: number): EditContext {
    const { random, environment } = this.#of
    return {
      random,
      number,
      busyPort: environment.busyPort,
      busyUdpPort: environment.guests.busyPort,
      freePort: () => environment.freePort(),
    }
  }
}

function pipelineOf(id: string): string {
  return id.split('/')[0] ?? ''
}

function isLive({ verbs }: Edit): boolean {
  return verbs.length === 1 && verbs[0] === 'live'
}

function isSince({ last }: ReloadStatus, savedAt: number): boolean {
  return Date.parse(last?.at ?? '') >= savedAt - CLOCK_MS
}
