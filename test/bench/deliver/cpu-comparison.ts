// The product, a bare Node sender and a C sender in turns: CPU per gigabit, and the medians of their ratios by round.
import type { Tools } from '../measure/bench-machine.js'
import { median } from '../measure/median.js'
import { coreShare } from '../measure/process-usage.js'
import { type CpuWindow, measureCpu } from './measure-cpu.js'
import { SCRAPE_EVERY_MS } from './scraper.js'
import { startBareSender, startCSender, startProduct, type Subject } from './subject.js'

export type Sender = 'product' | 'bare' | 'c'

export interface ComparisonSettings {
  readonly path: string
  readonly bitsPerSecond: number
  readonly clients: number
  readonly rounds: number
  /** Who takes turns: a sender, and its batch in milliseconds. */
  readonly subjects: readonly (readonly [sender: Sender, batchMs: number])[]
}

export interface Comparison {
  /** By `nameOf` a sender and its batch; what could not be started is not there. */
  readonly windows: ReadonlyMap<string, readonly CpuWindow[]>
  /** Seconds of CPU in a second that the first subject takes without any client. */
  readonly idleShare: number
}

/** In each window of the product there is one scrape. */
const WINDOW = { joinsPerSecond: 1000, settleMs: 300, windowMs: SCRAPE_EVERY_MS } as const
/**
 * Rounds that only warm up. What runs twenty times a second is compiled within some minutes, in threads whose work counts
 * too, and a channel runs for days.
 */
const WARM_UP_ROUNDS = 15
const IDLE_MS = 2 * SCRAPE_EVERY_MS

export function nameOf(sender: Sender, batchMs: number): string {
  return `${sender} ${batchMs} ms`
}

/** `onRound` is called after each round with how many are done. */
export async function compareCpu(
  settings: ComparisonSettings,
  tools: Tools,
  onRound: (done: number) => void,
): Promise<Comparison> {
  const subjects = await startAll(settings, tools)
  const windows = new Map<string, CpuWindow[]>(subjects.map(({ name }) => [name, []]))
  try {
    for (let round = -WARM_UP_ROUNDS; round < settings.rounds; round++) {
      const measured = await measureRound(inTurn(subjects, round + WARM_UP_ROUNDS), settings)
      if (round < 0) continue
      for (const [name, window] of measured) windows.get(name)?.push(window)
      onRound(round + 1)
    }
    const [first] = subjects
    return { windows, idleShare: first === undefined ? 0 : await coreShare(first.pid, IDLE_MS) }
  } finally {
    for (const subject of subjects) await subject[Symbol.asyncDispose]()
  }
}

/** Each subject once, one after the other. */
async function measureRound(
  subjects: readonly Subject[],
  { bitsPerSecond, clients }: ComparisonSettings,
): Promise<readonly (readonly [name: string, window: CpuWindow])[]> {
  const measured: [string, CpuWindow][] = []
  for (const subject of subjects) {
    measured.push([subject.name, await measureCpu(subject, bitsPerSecond, { ...WINDOW, clients })])
  }
  return measured
}

/** Of one subject's figure to another's, in the middle of the rounds; undefined where one of them was not there. */
export function ratioOf({ windows }: Comparison, name: string, to: string): number | undefined {
  const [own, others] = [windows.get(name), windows.get(to)]
  if (own === undefined || others === undefined) return undefined
  return median(own.map((window, round) => window.cpuPerGbit / (others[round]?.cpuPerGbit ?? Number.NaN)))
}

async function startAll(settings: ComparisonSettings, tools: Tools): Promise<readonly Subject[]> {
  const started: Subject[] = []
  for (const [sender, batchMs] of settings.subjects) {
    const subject = await start(sender, batchMs, settings, tools)
    if (subject !== undefined) started.push(subject)
  }
  return started
}

async function start(
  sender: Sender,
  batchMs: number,
  { path, bitsPerSecond }: ComparisonSettings,
  tools: Tools,
): Promise<Subject | undefined> {
  const name = nameOf(sender, batchMs)
  const args = [path, String(bitsPerSecond), String(batchMs)]
  if (sender === 'bare') return await startBareSender(name, args, tools)
  if (sender === 'c') return await startCSender(name, args, tools)
  return await startProduct(name, { input: `type: file, path: ${path}, loop: true, batch: ${batchMs}ms` }, tools)
}

/** Another one begins in each round. */
function inTurn<T>(items: readonly T[], round: number): readonly T[] {
  const first = round % items.length
  return [...items.slice(first), ...items.slice(0, first)]
}
