// The soak: edits of every kind while viewers are connected, all of whom are checked after each edit; reproducible from
// a seed.
import assert from 'node:assert/strict'
import { until } from '../e2e/kit/until.js'
import { readWithFfmpeg } from '../oracle/ffmpeg-reader.js'
import type { FfmpegReport } from '../oracle/ffmpeg-reader.js'
import { outputsOf } from './config-model.js'
import { SoakViewers, urlOf } from './soak-viewers.js'
import { SeededRandom } from './seeded-random.js'
import { EditRunner } from './edit-runner.js'
import { BROKEN_EDITS } from './edits/broken-edits.js'
import type { BrokenEdit } from './edits/broken-edits.js'
import type { Edit } from './edits/edit.js'
import { LIVE_EDITS } from './edits/live-edits.js'
import { STRUCTURE_EDITS } from './edits/structure-edits.js'
import { STREAM_EDITS } from './edits/stream-edits.js'
import { Figures } from './figures.js'
import { backToFirst } from './first-config.js'
import { assertBounded, readHeld, memoryGrowth, sampleMemory, settle } from './growth.js'
import type { MemorySample } from './growth.js'
import { diffLines } from './line-diff.js'
import { renderConfig } from './render-config.js'
import { SavedFiles } from './save-files.js'
import { SoakEnvironment } from './soak-environment.js'

const PORTS = 60
/** Pipelines that a real ffmpeg reads from the first edit to the last. */
const FFMPEG_PIPELINES = ['card', 'fast']
const SAMPLE_EVERY = 8
/** Log lines of unhandled errors and of bugs. */
const BUG_LINES = /"level":60|a bug:|"level":"fatal"|FATAL/

export interface SoakOptions {
  readonly seed: number
  /** The soak ends when both are reached. */
  readonly edits: number
  readonly minutes: number
  readonly viewers: number
  /** Only edits of these kinds; by default all kinds. */
  readonly only?: readonly string[]
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
    await viewers.fill(environment.first)
    await viewersAreKnown(environment, viewers)
    await ffmpegsAreKnown(environment)
    const held = await readHeld(environment.engine)
    const samples = await makeEdits(options, runner, environment, random)
    await goBack(runner, environment)
    figures.comparedPackets = [...viewers.connected].reduce((sum, { compared }) => sum + compared, 0)
    await settle(environment.engine, held)
    figures.growth.push(...memoryGrowth(samples))
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
  { edits, minutes, only, onEdit }: SoakOptions,
  runner: EditRunner,
  environment: SoakEnvironment,
  random: SeededRandom,
): Promise<MemorySample[]> {
  const endMs = performance.now() + minutes * 60_000
  const samples: MemorySample[] = []
  const schedule = new EditSchedule(random, only)
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
    if (number % SAMPLE_EVERY === 0) samples.push(await sampleMemory(environment.engine, number))
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

  constructor(random: SeededRandom, only: readonly string[] | undefined) {
    this.#random = random
    const valid = [...LIVE_EDITS, ...STREAM_EDITS, ...STRUCTURE_EDITS]
    const broken = BROKEN_EDITS
    const several = [3, 4, 5].map((count) => combinedEdit(valid, count, random))
    const flips = [flipFlopEdit(valid, broken, random)]
    const all = [...valid.map(validEdit), ...broken.map(brokenEdit), ...several, ...flips]
    this.#edits = all.filter(({ kind }) => only?.includes(kind) ?? true)
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
  const output = outputsOf(first).find(({ id }) => id === `${name}/ts`)
  assert.ok(output !== undefined)
  // Stream time minus wall time, from the first report on: the start-up of ffmpeg does not count.
  let aheadMs: number | undefined
  const onProgress = (outTimeMs: number): void => {
    aheadMs ??= outTimeMs - performance.now()
  }
  const report = await readWithFfmpeg(urlOf(output.node, first), { signal, onProgress })
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
