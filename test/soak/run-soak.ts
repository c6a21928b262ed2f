// The soak: edits of every kind while viewers are connected, all of whom are checked after each edit; reproducible from
// a seed.
import assert from 'node:assert/strict'
import { until } from '../e2e/kit/until.js'
import { readWithFfmpeg } from '../oracle/ffmpeg-reader.js'
import type { FfmpegReport } from '../oracle/ffmpeg-reader.js'
import { placesOf } from './config-model.js'
import { SoakViewers, urlOf } from './soak-viewers.js'
import { SeededRandom } from './seeded-random.js'
import { EditRunner } from './edit-runner.js'
import { BROKEN_EDITS } from './edits/broken-edits.js'
import type { BrokenEdit } from './edits/broken-edits.js'
import type { Edit } from './edits/edit.js'
import { GUEST_ACTIONS } from './edits/guest-actions.js'
import type { GuestAction } from './edits/guest-actions.js'
import { GUEST_EDITS } from './edits/guest-edits.js'
import { LIVE_EDITS } from './edits/live-edits.js'
import { STRUCTURE_EDITS } from './edits/structure-edits.js'
import { STREAM_EDITS } from './edits/stream-edits.js'
import { Figures } from './figures.js'
import { backToFirst } from './first-config.js'
import { assertBounded, readHeld, memoryGrowth, mostOfWindows, sampleMemory, settle } from './growth.js'
import type { MemorySample } from './growth.js'
import { diffLines } from './line-diff.js'
import { renderConfig } from './render-config.js'
import { SavedFiles } from './save-files.js'
import { SoakEnvironment } from './soak-environment.js'
import { readWindows } from './window-memory.js'

const PORTS = 90
/** Pipelines that a real ffmpeg reads from the first edit to the last. */
const FFMPEG_PIPELINES = ['card', 'fast']
const SAMPLE_EVERY = 8
const PROGRESS_EVERY = 50
/** Log lines of unhandled errors and of bugs. */
const BUG_LINES = /"level":60|a bug:|"level":"fatal"|FATAL|cannot follow the reload/

export interface SoakOptions {
  readonly seed: number
  /** The soak ends when both are reached. */
  readonly edits: number
  readonly minutes: number
  readonly viewers: number
  /** Only edits of these kinds; by default all kinds. */
  readonly only?: readonly string[]
  /** Edits that are left out. */
  readonly except?: readonly string[]
  /** Called before each edit. */
  readonly onEdit?: (number: number, kind: string) => void
}

/** Resolves with the text to print; rejects at the first fault, with everything needed to reproduce it. */
export async function runSoak(options: SoakOptions): Promise<string> {
  const startMs = performance.now()
  const figures = new Figures()
  figures.viewers = options.viewers
  const random = new SeededRandom(options.seed)
  await using environment = await SoakEnvironment.make(PORTS)
  await using viewers = new SoakViewers(options.viewers, random)
  const files = new SavedFiles(environment.folder.path, renderConfig(environment.first))
  const runner = new EditRunner({ environment, viewers, random, files, figures })
  const ffmpegs = new AbortController()
  try {
    await environment.engine.process.ready()
    const reading = FFMPEG_PIPELINES.map((name) => watchWithFfmpeg(name, environment, ffmpegs.signal))
    await viewers.placeReferences(environment.first)
    environment.guests.expectReferences(viewers)
    await viewers.fill(environment.first)
    await viewersAreKnown(environment, viewers)
    await ffmpegsAreKnown(environment)
    const held = await readHeld(environment.engine)
    const samples = await makeEdits(options, runner, environment, random)
    await goBack(runner, environment)
    await Promise.all(environment.guests.ending)
    await runner.checkProgress()
    figures.comparedPackets = [...viewers.connected].reduce((sum, { compared }) => sum + compared, 0)
    figures.guestPackets = environment.guests.compared
    await settle(environment.engine, held)
    figures.growth.push(...memoryGrowth(samples))
    figures.windowsPercent = mostOfWindows(samples)
    assertBounded(figures.growth)
    ffmpegs.abort()
    for (const watched of await Promise.all(reading)) assertQuiet(watched)
    await environment.engine.process.stop()
    assert.doesNotMatch(environment.engine.process.child.stderr, BUG_LINES)
    return figures.render((performance.now() - startMs) / 1000)
  } catch (error) {
    throw explain(error, options, runner, environment)
  } finally {
    ffmpegs.abort()
  }
}

async function makeEdits(
  { edits, minutes, only, except = [], onEdit }: SoakOptions,
  runner: EditRunner,
  environment: SoakEnvironment,
  random: SeededRandom,
): Promise<MemorySample[]> {
  const endMs = performance.now() + minutes * 60_000
  const samples: MemorySample[] = []
  const schedule = new EditSchedule(random, (kind) => (only?.includes(kind) ?? true) && !except.includes(kind))
  let number = 0
  while (number < edits || performance.now() < endMs) {
    const edit = schedule.next()
    number++
    onEdit?.(number, edit.kind)
    const isDone = await edit.run(runner, number)
    if (!isDone) {
      number--
      continue
    }
    if (number % PROGRESS_EVERY === 0) await runner.checkProgress()
    if (number % SAMPLE_EVERY !== 0) continue
    const windows = await readWindows(environment.engine, runner.model, environment.clipRates)
    samples.push(await sampleMemory(environment.engine, runner.model, number, windows))
  }
  return samples
}

interface ScheduledEdit {
  readonly kind: string
  run(runner: EditRunner, number: number): Promise<boolean>
}

/** Every kind once in random order, then all over again. */
class EditSchedule {
  readonly #random: SeededRandom
  readonly #edits: readonly ScheduledEdit[]
  #left: ScheduledEdit[] = []

  constructor(random: SeededRandom, allows: (kind: string) => boolean) {
    this.#random = random
    const valid = [...LIVE_EDITS, ...STREAM_EDITS, ...STRUCTURE_EDITS, ...GUEST_EDITS]
    const broken = BROKEN_EDITS
    const several = [3, 4, 5].map((count) => combinedEdit(valid, count, random))
    const flips = [flipFlopEdit(valid, broken, random)]
    const acts = GUEST_ACTIONS.flatMap((action) => actsOf(action, valid, random))
    const all = [...valid.map(validEdit), ...broken.map(brokenEdit), ...several, ...flips, ...acts]
    this.#edits = all.filter(({ kind }) => allows(kind))
  }

  next(): ScheduledEdit {
    if (this.#left.length === 0) this.#left = this.#random.shuffle(this.#edits)
    return this.#left.pop() as ScheduledEdit
  }
}

function validEdit(edit: Edit): ScheduledEdit {
  return { kind: edit.kind, run: (runner, number) => runner.applyValid(edit, number) }
}

function brokenEdit(edit: BrokenEdit): ScheduledEdit {
  return {
    kind: edit.kind,
    run: async (runner, number) => {
      await runner.tryBroken(edit, number)
      return true
    },
  }
}

/** Several edits in one save. */
function combinedEdit(valid: readonly Edit[], count: number, random: SeededRandom): ScheduledEdit {
  const kind = `${count} edits at once`
  const all: Edit = {
    kind,
    verbs: [],
    change: (model, context) =>
      random
        .shuffle(valid)
        .slice(0, count)
        .map((edit) => edit.change(model, context))
        .includes(true),
  }
  return validEdit(all)
}

/** What a guest does alone, and during an edit. */
function actsOf(action: GuestAction, valid: readonly Edit[], random: SeededRandom): readonly ScheduledEdit[] {
  const { kind, isDuringEdits } = action
  const alone: ScheduledEdit = { kind, run: (runner, number) => runner.act(action, undefined, number) }
  if (!isDuringEdits) return [alone]
  const during: ScheduledEdit = {
    kind: `${kind} during an edit`,
    run: (runner, number) => runner.act(action, random.pick(valid), number),
  }
  return [alone, during, during]
}

function flipFlopEdit(valid: readonly Edit[], broken: readonly BrokenEdit[], random: SeededRandom): ScheduledEdit {
  const live = valid.filter(({ kind }) => kind.startsWith('http-ts window') || kind === 'pipeline description')
  return { kind: 'flip-flop', run: (runner, number) => runner.flipFlop(random.pick(live), random.pick(broken), number) }
}

/** Returns to the first configuration, so the resources held can be compared with those held at the start. */
async function goBack(runner: EditRunner, environment: SoakEnvironment): Promise<void> {
  const back: Edit = {
    kind: 'back to the first configuration',
    verbs: [],
    change(model) {
      Object.assign(model, backToFirst(environment.first, runner.model))
      return true
    },
  }
  await runner.applyValid(back, runner.current.number + 1, ['file'])
}

/** Records the sessions before the first edit. */
async function viewersAreKnown({ engine }: SoakEnvironment, viewers: SoakViewers): Promise<void> {
  const faults = viewers.checkSessions(await engine.clients())
  assert.deepEqual(faults, [])
}

/** Waits until both are connected, so their sockets count as held before the first edit. */
async function ffmpegsAreKnown({ engine }: SoakEnvironment): Promise<void> {
  const areKnown = async (): Promise<boolean> => {
    const clients = await engine.clients()
    return clients.filter(({ userAgent = '' }) => userAgent.startsWith('Lavf')).length === FFMPEG_PIPELINES.length
  }
  await until(areKnown, 'both ffmpegs are among the clients')
}

interface Watched {
  readonly report: FfmpegReport
  /** Less of the stream than has passed since the first report of its position. */
  readonly missingMs: number
}

async function watchWithFfmpeg(name: string, { first }: SoakEnvironment, signal: AbortSignal): Promise<Watched> {
  const output = placesOf(first).find(({ output: id }) => id === `${name}/ts`)
  assert.ok(output !== undefined)
  // Stream time minus wall time, from the first report on: the start-up of ffmpeg does not count.
  let aheadMs: number | undefined
  const onProgress = (outTimeMs: number): void => {
    aheadMs ??= outTimeMs - performance.now()
  }
  const report = await readWithFfmpeg(urlOf(output, first), { signal, onProgress })
  assert.ok(aheadMs !== undefined, 'ffmpeg has said how far it is')
  return { report, missingMs: aheadMs - (report.outTimeMs - performance.now()) }
}

function assertQuiet({ report, missingMs }: Watched): void {
  const { warnings, lines, outTimeMs } = report
  assert.deepEqual(warnings, {}, lines.join('\n'))
  assert.ok(missingMs < 15_000, `ffmpeg got ${outTimeMs} ms of the stream, ${missingMs} ms less than the elapsed time`)
}

function explain(error: unknown, { seed }: SoakOptions, runner: EditRunner, environment: SoakEnvironment): Error {
  const { number, kind, how, before, after } = runner.current
  const diffs = [...after].map(([name, text]) => `--- ${name}\n${diffLines(before.get(name) ?? '', text ?? '')}`)
  const seen = error instanceof Error ? error.message : String(error)
  const log = environment.engine.process.child.stderr.slice(-6000)
  const message = `seed ${seed}, edit ${number}, ${kind} (${how}):\n${seen}\n\n${diffs.join('\n')}\n\nlog of the engine:\n${log}`
  return new Error(message, { cause: error })
}
