// The product, a bare Node sender and a C sender in turns: CPU per gigabit, and the medians of their ratios by round.
import { setTimeout as pause } from 'node:timers/promises'
import type { Tools } from '../measure/bench-machine.js'
import { median } from '../measure/median.js'
import { cpuSeconds } from '../measure/process-usage.js'
import { type CpuWindow, measureCpu } from './measure-cpu.js'
import { startBareSender, startCSender, startProduct, type Subject } from './subject.js'

export interface ComparisonSettings {
  readonly path: string
  readonly bitsPerSecond: number
  readonly clients: number
  readonly rounds: number
  /** Every so many rounds the product with batches of 20 ms has a turn. */
  readonly shortBatchEvery: number
}

export type SubjectName = 'product' | 'product20' | 'bare' | 'c'

export interface Comparison {
  readonly windows: Readonly<Record<SubjectName, readonly (CpuWindow | undefined)[]>>
  /** Seconds of CPU in a second that the product takes without any client. */
  readonly idleShare: number
}

const WINDOW = { joinsPerSecond: 1000, settleMs: 300, windowMs: 2000 } as const
const SHORT_BATCH: SubjectName = 'product20'
/** Rounds that only warm up. */
const WARM_UP_ROUNDS = 2
const IDLE_MS = 3000

/** `onRound` is called after each round with how many are done. */
export async function compareCpu(
  settings: ComparisonSettings,
  tools: Tools,
  onRound: (done: number) => void,
): Promise<Comparison> {
  const windows: Record<SubjectName, (CpuWindow | undefined)[]> = { product: [], product20: [], bare: [], c: [] }
  const subjects = await startAll(settings, tools)
  try {
    for (let round = -WARM_UP_ROUNDS; round < settings.rounds; round++) {
      const measured = await measureRound(inTurn(subjects, round + WARM_UP_ROUNDS), round, settings)
      if (round < 0) continue
      for (const [name, window] of measured) windows[name].push(window)
      onRound(round + 1)
    }
    return { windows, idleShare: await idleShareOf(subjects[0]) }
  } finally {
    for (const subject of subjects) await subject[Symbol.asyncDispose]()
  }
}

/** Each subject once, one after the other. */
async function measureRound(
  subjects: readonly Subject[],
  round: number,
  settings: ComparisonSettings,
): Promise<readonly (readonly [SubjectName, CpuWindow | undefined])[]> {
  const measured: [SubjectName, CpuWindow | undefined][] = []
  for (const subject of subjects) {
    measured.push([subject.name as SubjectName, await measureTurn(subject, round, settings)])
  }
  return measured
}

async function measureTurn(
  subject: Subject,
  round: number,
  { bitsPerSecond, clients, shortBatchEvery }: ComparisonSettings,
): Promise<CpuWindow | undefined> {
  if (subject.name === SHORT_BATCH && round % shortBatchEvery !== 0) return undefined
  return await measureCpu(subject, bitsPerSecond, { ...WINDOW, clients })
}

/** Of one subject's figure to another's, by rounds in which both had a turn. */
export function ratioOf({ windows }: Comparison, name: SubjectName, to: SubjectName): number {
  const ratios = windows[name].flatMap((window, round) => {
    const other = windows[to][round]
    return window === undefined || other === undefined ? [] : [window.cpuPerGbit / other.cpuPerGbit]
  })
  return median(ratios)
}

async function startAll(settings: ComparisonSettings, tools: Tools): Promise<readonly Subject[]> {
  const { path, bitsPerSecond } = settings
  const file = `type: file, path: ${path}, loop: true`
  const args = [path, String(bitsPerSecond), '50']
  const subjects = [
    await startProduct('product', { input: `${file}, batch: 50ms` }, tools),
    await startProduct(SHORT_BATCH, { input: `${file}, batch: 20ms` }, tools),
    await startBareSender('bare', args, tools),
  ]
  const reference = await startCSender('c', args, tools)
  return reference === undefined ? subjects : [...subjects, reference]
}

/** Another one begins in each round. */
function inTurn<T>(items: readonly T[], round: number): readonly T[] {
  const first = round % items.length
  return [...items.slice(first), ...items.slice(0, first)]
}

async function idleShareOf(subject: Subject | undefined): Promise<number> {
  if (subject === undefined) return 0
  const before = cpuSeconds(subject.pid)
  const startMs = performance.now()
  await pause(IDLE_MS)
  return (cpuSeconds(subject.pid) - before) / ((performance.now() - startMs) / 1000)
}
