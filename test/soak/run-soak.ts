// The soak: edits of every kind under viewers that are all looked at after each of them, from a seed that tells all.
import assert from 'node:assert/strict'
import { until } from '../e2e/kit/until.js'
import { readWithFfmpeg } from '../oracle/ffmpeg-reader.js'
import type { FfmpegReport } from '../oracle/ffmpeg-reader.js'
import { outputsOf } from './config-model.js'
import { Crowd, urlOf } from './crowd.js'
import { Dice } from './dice.js'
import { EditRounds } from './edit-round.js'
import { BROKEN_EDITS } from './edits/broken-edits.js'
import type { BrokenEdit } from './edits/broken-edits.js'
import type { Edit } from './edits/edit.js'
import { LIVE_EDITS } from './edits/live-edits.js'
import { SHAPE_EDITS } from './edits/shape-edits.js'
import { STREAM_EDITS } from './edits/stream-edits.js'
import { Figures } from './figures.js'
import { backToFirst } from './first-config.js'
import { assertBounded, lookAtHeld, memoryGrowth, sampleMemory, settle } from './growth.js'
import type { MemorySample } from './growth.js'
import { diffLines } from './line-diff.js'
import { renderConfig } from './render-config.js'
import { SavedFiles } from './save-files.js'
import { SoakGround } from './soak-ground.js'

const PORTS = 60
/** Pipelines that a real ffmpeg reads from the first edit to the last. */
const FFMPEG_PIPELINES = ['card', 'fast']
const SAMPLE_EVERY = 8
/** What the engine logs of what nobody handled, and of what should not be possible. */
const BUG_LINES = /"level":60|a bug:|"level":"fatal"|FATAL/

export interface SoakOptions {
  readonly seed: number
  /** It ends when both are reached. */
  readonly edits: number
  readonly minutes: number
  readonly viewers: number
  /** Only edits of these kinds; by default of all. */
  readonly only?: readonly string[]
  /** Called before each edit. */
  readonly onEdit?: (number: number, kind: string) => void
}

/** Resolves with what is to be printed; rejects at the first thing that is wrong, with all that is needed to see it again. */
export async function runSoak(options: SoakOptions): Promise<string> {
  const startMs = performance.now()
  const figures = new Figures()
  figures.viewers = options.viewers
  const dice = new Dice(options.seed)
  await using ground = await SoakGround.make(PORTS)
  await using crowd = new Crowd(options.viewers, dice)
  const files = new SavedFiles(ground.folder.path, renderConfig(ground.first))
  const rounds = new EditRounds({ ground, crowd, dice, files, figures })
  const ffmpegs = new AbortController()
  try {
    await ground.engine.process.ready()
    const reading = FFMPEG_PIPELINES.map((name) => watchWithFfmpeg(name, ground, ffmpegs.signal))
    await crowd.fill(ground.first)
    await crowdIsKnown(ground, crowd)
    await ffmpegsAreKnown(ground)
    const held = await lookAtHeld(ground.engine)
    const samples = await makeEdits(options, rounds, ground, dice)
    await goBack(rounds, ground)
    figures.comparedPackets = [...crowd.viewers].reduce((sum, { compared }) => sum + compared, 0)
    await settle(ground.engine, held)
    figures.growth.push(...memoryGrowth(samples))
    assertBounded(figures.growth)
    ffmpegs.abort()
    for (const watched of await Promise.all(reading)) assertQuiet(watched)
    await ground.engine.process.stop()
    assert.doesNotMatch(ground.engine.process.child.stderr, BUG_LINES)
    return figures.render((performance.now() - startMs) / 1000)
  } catch (error) {
    throw explain(error, options, rounds, ground)
  } finally {
    ffmpegs.abort()
  }
}

async function makeEdits(
  { edits, minutes, only, onEdit }: SoakOptions,
  rounds: EditRounds,
  ground: SoakGround,
  dice: Dice,
): Promise<MemorySample[]> {
  const endMs = performance.now() + minutes * 60_000
  const samples: MemorySample[] = []
  const deck = new Deck(dice, only)
  let number = 0
  while (number < edits || performance.now() < endMs) {
    const turn = deck.next()
    number++
    onEdit?.(number, turn.kind)
    const isDone = await turn.play(rounds, number)
    if (!isDone) {
      number--
      continue
    }
    if (number % SAMPLE_EVERY === 0) samples.push(await sampleMemory(ground.engine, number))
  }
  return samples
}

interface Turn {
  readonly kind: string
  play(rounds: EditRounds, number: number): Promise<boolean>
}

/** Every kind once, in any order, then again. */
class Deck {
  readonly #dice: Dice
  readonly #turns: readonly Turn[]
  #left: Turn[] = []

  constructor(dice: Dice, only: readonly string[] | undefined) {
    this.#dice = dice
    const valid = [...LIVE_EDITS, ...STREAM_EDITS, ...SHAPE_EDITS]
    const broken = BROKEN_EDITS
    const several = [3, 4, 5].map((count) => severalTurn(valid, count, dice))
    const flips = [flipTurn(valid, broken, dice)]
    const all = [...valid.map(validTurn), ...broken.map(brokenTurn), ...several, ...flips]
    this.#turns = all.filter(({ kind }) => only?.includes(kind) ?? true)
  }

  next(): Turn {
    if (this.#left.length === 0) this.#left = this.#dice.shuffle(this.#turns)
    return this.#left.pop() as Turn
  }
}

function validTurn(edit: Edit): Turn {
  return { kind: edit.kind, play: (rounds, number) => rounds.applyValid(edit, number) }
}

function brokenTurn(edit: BrokenEdit): Turn {
  return {
    kind: edit.kind,
    play: async (rounds, number) => {
      await rounds.tryBroken(edit, number)
      return true
    },
  }
}

/** Some edits in one save. */
function severalTurn(valid: readonly Edit[], count: number, dice: Dice): Turn {
  const kind = `${count} edits at once`
  const all: Edit = {
    kind,
    verbs: [],
    change: (model, world) =>
      dice
        .shuffle(valid)
        .slice(0, count)
        .map((edit) => edit.change(model, world))
        .includes(true),
  }
  return validTurn(all)
}

function flipTurn(valid: readonly Edit[], broken: readonly BrokenEdit[], dice: Dice): Turn {
  const live = valid.filter(({ kind }) => kind.startsWith('http-ts window') || kind === 'pipeline description')
  return { kind: 'flip-flop', play: (rounds, number) => rounds.flipFlop(dice.pick(live), dice.pick(broken), number) }
}

/** To the first configuration, so that what is held can be compared with what was held then. */
async function goBack(rounds: EditRounds, ground: SoakGround): Promise<void> {
  const back: Edit = {
    kind: 'back to the first configuration',
    verbs: [],
    change(model) {
      Object.assign(model, backToFirst(ground.first, rounds.model))
      return true
    },
  }
  await rounds.applyValid(back, rounds.underWay.number + 1, ['file'])
}

/** The sessions are known before the first edit. */
async function crowdIsKnown({ engine }: SoakGround, crowd: Crowd): Promise<void> {
  const faults = crowd.checkSessions(await engine.clients())
  assert.deepEqual(faults, [])
}

/** They hold what they will hold: what is counted as held before the first edit has their sockets. */
async function ffmpegsAreKnown({ engine }: SoakGround): Promise<void> {
  const areKnown = async (): Promise<boolean> => {
    const clients = await engine.clients()
    return clients.filter(({ userAgent = '' }) => userAgent.startsWith('Lavf')).length === FFMPEG_PIPELINES.length
  }
  await until(areKnown, 'both ffmpegs among the clients')
}

interface Watched {
  readonly report: FfmpegReport
  /** Less of the stream than has passed since the first report of its position. */
  readonly missingMs: number
}

async function watchWithFfmpeg(name: string, { first }: SoakGround, signal: AbortSignal): Promise<Watched> {
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
  assert.ok(missingMs < 15_000, `ffmpeg got ${outTimeMs} ms of the stream, ${missingMs} ms less than have passed`)
}

function explain(error: unknown, { seed }: SoakOptions, rounds: EditRounds, ground: SoakGround): Error {
  const { number, kind, how, before, after } = rounds.underWay
  const diffs = [...after].map(([name, text]) => `--- ${name}\n${diffLines(before.get(name) ?? '', text ?? '')}`)
  const seen = error instanceof Error ? error.message : String(error)
  const log = ground.engine.process.child.stderr.slice(-6000)
  const message = `seed ${seed}, edit ${number}, ${kind} (${how}):\n${seen}\n\n${diffs.join('\n')}\n\nthe engine said:\n${log}`
  return new Error(message, { cause: error })
}
