// One edit of a soak: written, applied or refused, and all viewers looked at.
import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import type { ReloadStatus } from '@millrace/engine/api'
import { until } from '../e2e/kit/until.js'
import type { ConfigModel } from './config-model.js'
import { outputsOf, textOf } from './config-model.js'
import type { Crowd } from './crowd.js'
import type { Dice } from './dice.js'
import type { BrokenEdit } from './edits/broken-edits.js'
import type { Edit, EditWorld } from './edits/edit.js'
import type { ReloadAnswer } from './engine-remote.js'
import type { Figures } from './figures.js'
import { renderConfig } from './render-config.js'
import { WAYS } from './save-files.js'
import type { SavedFiles, Texts, Way } from './save-files.js'
import type { SoakGround } from './soak-ground.js'

/** Longer than a commit that waits for a key frame, than a drain. */
const APPLY_MS = 60_000
/** Two GOPs or 5 s, whichever is longer, and a busy machine. */
const CUT_MS = 6000
/** The engine maps its monotonic clock to the time of day once. */
const CLOCK_MS = 20
/** Of one request, while newer ones of the watcher take its place. */
const MOST_ASKED = 10
const TRIGGERS = ['file', 'file', 'api', 'api', 'SIGHUP', 'three at once'] as const
type Trigger = (typeof TRIGGERS)[number]

/** Whose stream is not the same before and after. */
const MAY_MARK: ReadonlySet<string> = new Set(['source', 'handoff'])

export interface RoundSettings {
  readonly ground: SoakGround
  readonly crowd: Crowd
  readonly dice: Dice
  readonly files: SavedFiles
  readonly figures: Figures
}

export class EditRounds {
  /** What runs. */
  model: ConfigModel
  /** Of the edit that is under way, for who reports a failure. */
  underWay = { number: 0, kind: '', how: '', before: new Map() as Texts, after: new Map() as Texts }
  readonly #of: RoundSettings

  constructor(settings: RoundSettings) {
    this.#of = settings
    this.model = settings.ground.first
  }

  /** False where there is nothing that this kind could change. */
  async applyValid(edit: Edit, number: number, only: readonly Trigger[] = TRIGGERS): Promise<boolean> {
    const { dice, figures } = this.#of
    const next = this.#copy()
    if (!edit.change(next, this.#world(number))) return false
    const [way, trigger] = [dice.pick(WAYS), dice.pick(only)]
    await this.#apply(edit, next, number, way, trigger)
    figures.count(figures.editsByKind, edit.kind)
    return true
  }

  /** Nothing may come of it but that it is told. */
  async tryBroken(edit: BrokenEdit, number: number): Promise<void> {
    const { dice, files, figures, ground } = this.#of
    const texts = edit.write(this.#copy(), this.#world(number))
    const trigger = dice.pick(TRIGGERS)
    this.#note(number, edit.kind, trigger, texts)
    await ground.engine.probe('look')
    const savedAt = await files.save(texts, dice.pick(['in place', 'rename over']))
    const answers = await this.#trigger(trigger)
    for (const { status, report } of answers) {
      const isRight = report.result === edit.result || report.result === 'superseded'
      assert.ok(isRight && status >= 400, `asked for a reload, answered ${status} ${report.result}: ${report.why}`)
    }
    // A request from before may still come to its end.
    const { reason } = await this.#reloadStatus(
      (reload) => !reload.inSync && isSince(reload, savedAt) && reload.last?.result === edit.result,
      (reload) => `the status does not say that it was ${edit.result}: ${JSON.stringify(reload)}`,
    )
    assert.equal(await ground.engine.metric('millrace_config_in_sync', this.model), 0)
    assert.ok((reason ?? '').length > 0, 'no reason is said')
    await this.#look()
    figures.count(figures.broken, edit.kind)
  }

  /** A good and a broken text in turn, ten times a second; the good one stays. */
  async flipFlop(edit: Edit, broken: BrokenEdit, number: number): Promise<boolean> {
    const { files, figures } = this.#of
    const next = this.#copy()
    if (!edit.change(next, this.#world(number))) return false
    const bad = broken.write(this.#copy(), this.#world(number))
    const good = renderConfig(next)
    this.#note(number, 'flip-flop', 'ten times a second', good)
    await files.flipFlop(bad, good, 10)
    // What was read last may be what it said some turns ago: the same text is not read again.
    await until(() => this.#isSame(), 'what runs is not what the files say', APPLY_MS)
    this.#took(next)
    await this.#look()
    figures.count(figures.broken, 'flip-flop')
    return true
  }

  async #apply(edit: Edit, next: ConfigModel, number: number, way: Way, trigger: Trigger): Promise<void> {
    const { ground, crowd, files, figures } = this.#of
    const { engine } = ground
    const texts = renderConfig(next)
    this.#note(number, edit.kind, `${way}, ${trigger}`, texts)
    const gone = this.#goneOutputs(next)
    await this.#checkPlan(edit, texts, gone)
    const leaving = [...crowd.leave(gone), ...crowd.leaveWitnesses(next)]
    await engine.probe('look')
    const savedAt = await files.save(texts, way)
    const answering = this.#trigger(trigger)
    engine.api = `http://${textOf(next.engine, 'api.address')}`
    const answers = await answering
    this.#takeAnswers(answers, leaving.length)
    const reload = await this.#isApplied(next, savedAt)
    if (trigger === 'file' && (way === 'in place' || way === 'rename over') && isLive(edit)) {
      figures.liveLatenciesMs.push(Date.parse(reload.last?.at ?? '') - savedAt)
    }
    for (const viewer of leaving) {
      const { ended, bodyBytes } = await viewer.reader.done()
      assert.deepEqual([ended, bodyBytes % 188], ['end', 0], 'a viewer of a removed output comes to a clean end')
      await viewer[Symbol.asyncDispose]()
    }
    figures.lostAsPlanned += leaving.length
    this.#took(next)
    await this.#look()
    await crowd.fill(next)
  }

  /** What the engine says of it before it happens is what the model says. */
  async #checkPlan(edit: Edit, texts: ReadonlyMap<string, string>, gone: ReadonlySet<string>): Promise<void> {
    const { ok, plan, diagnostics } = await this.#of.ground.engine.check(texts)
    assert.ok(ok && plan !== undefined, `a valid edit was refused: ${JSON.stringify(diagnostics.slice(0, 3))}`)
    const verbs = new Set([...plan.nodes, ...plan.parts].map(({ verb }) => verb).filter((verb) => verb !== 'keep'))
    if (edit.verbs.length > 0 || edit.kind === 'comment') {
      for (const verb of verbs) assert.ok(edit.verbs.includes(verb), `the plan has a ${verb}`)
    }
    const outputs = new Set(outputsOf(this.model).map(({ id }) => id))
    const removed = plan.nodes.filter(({ id, verb }) => verb === 'remove' && outputs.has(id)).map(({ id }) => id)
    assert.deepEqual(removed.sort(), [...gone].sort(), 'outputs that go, by the plan')
  }

  #goneOutputs(next: ConfigModel): ReadonlySet<string> {
    const stay = new Set(outputsOf(next).map(({ was }) => was))
    const ids = new Set(outputsOf(next).map(({ id }) => id))
    return new Set(outputsOf(this.model).flatMap(({ id }) => (stay.has(id) || ids.has(id) ? [] : [id])))
  }

  async #trigger(trigger: Trigger): Promise<readonly ReloadAnswer[]> {
    const { engine } = this.#of.ground
    if (trigger === 'SIGHUP') engine.process.child.signal('SIGHUP')
    if (trigger === 'api') return [await this.#askAlone()]
    if (trigger === 'three at once') return Promise.all([engine.reload(), engine.reload(), engine.reload()])
    return []
  }

  /** Where the machine is slow, what the engine sees of the files comes behind the request and takes its place. */
  async #askAlone(): Promise<ReloadAnswer> {
    const { ground, figures } = this.#of
    for (let asked = 1; ; asked++) {
      const answer = await ground.engine.reload()
      if (answer.report.result !== 'superseded' || asked === MOST_ASKED) return answer
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
      assert.equal(status, 200, `asked for a reload, answered ${result}: ${why}`)
      if (result !== 'applied') continue
      assert.equal(viewers?.lost, leaving, 'viewers that are lost, by the answer')
      const sources = new Set(
        report.plan?.nodes.filter(({ verb }) => MAY_MARK.has(verb)).map(({ id }) => pipelineOf(id)),
      )
      for (const { how, waitedMs, node } of cuts) {
        figures.cutOversMs.push(waitedMs)
        assert.ok(waitedMs <= CUT_MS, `a cut-over took ${waitedMs} ms`)
        if (how === 'clean') continue
        figures.markedCuts++
        assert.ok(sources.has(pipelineOf(node)), `a marked cut that no plan has announced: ${JSON.stringify(cuts)}`)
      }
    }
  }

  async #isApplied(next: ConfigModel, savedAt: number): Promise<ReloadStatus> {
    const { engine } = this.#of.ground
    engine.api = `http://${textOf(next.engine, 'api.address')}`
    const reload = await this.#reloadStatus(
      (status) => status.inSync && isSince(status, savedAt),
      (status) => `it was not applied: ${JSON.stringify(status)}`,
    )
    assert.match(reload.last?.result ?? '', /^(applied|unchanged)$/, reload.last?.why)
    // A request from before may have come to its end meanwhile.
    await until(() => this.#isSame(), 'what runs is not what the files say', APPLY_MS)
    return reload
  }

  async #isSame(): Promise<boolean> {
    const { engine } = this.#of.ground
    const [running, disk] = await Promise.all([engine.config('running'), engine.config('disk')])
    return (await engine.status()).reload?.inSync === true && isDeepStrictEqual(running, disk)
  }

  async #reloadStatus(
    holds: (reload: ReloadStatus) => boolean,
    what: (reload: ReloadStatus | undefined) => string,
  ): Promise<ReloadStatus> {
    const { engine } = this.#of.ground
    let last: ReloadStatus | undefined
    const look = async (): Promise<ReloadStatus | undefined> => {
      last = (await engine.status()).reload
      return last !== undefined && holds(last) ? last : undefined
    }
    return until(look, () => what(last), APPLY_MS)
  }

  /** The model is what runs; viewers of what was renamed are at its new name. */
  #took(next: ConfigModel): void {
    for (const { id, was } of outputsOf(next)) {
      if (id === was) continue
      for (const viewer of this.#of.crowd.viewers) if (viewer.node === was) viewer.node = id
    }
    this.model = next
  }

  async #look(): Promise<void> {
    const { ground, crowd, figures } = this.#of
    const { engine } = ground
    const { blocksMs } = await engine.probe('look')
    figures.noteBlock(this.underWay.kind, blocksMs[0] ?? 0)
    assert.equal(engine.process.child.exit, undefined, 'the engine has ended')
    const faults = [...crowd.checkStreams(), ...crowd.checkSessions(await engine.clients())]
    assert.equal(faults.length, 0, faults.slice(0, 10).join('\n'))
  }

  #note(number: number, kind: string, how: string, after: Texts): void {
    this.underWay = { number, kind, how, before: renderConfig(this.model), after }
  }

  #copy(): ConfigModel {
    const copy = structuredClone(this.model)
    // It means nothing once it has been applied, and some leave it where it is.
    if (this.#of.dice.chance(0.7)) {
      for (const { inputs, transforms, outputs } of copy.pipelines) {
        for (const node of [...inputs, ...transforms, ...outputs]) node.was = undefined
      }
    }
    return copy
  }

  #world(number: number): EditWorld {
    const { dice, ground } = this.#of
    return { dice, number, busyPort: ground.busyPort, freePort: () => ground.freePort() }
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
