// Measures the product, a bare Node sender and a C sender in turn: CPU per gigabit, and the medians of their per-round
// ratios.
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
  /** What is compared: a sender, and its batch in milliseconds. */
  readonly subjects: readonly (readonly [sender: Sender, batchMs: number])[]
}

export interface Comparison {
  /** By `nameOf` of sender and batch; senders that could not be started are missing. */
  readonly windows: ReadonlyMap<string, readonly CpuWindow[]>
  /** CPU-seconds per second that the first subject uses without clients. */
  readonly idleShare: number
}

/** Each window of the product includes one scrape. */
const WINDOW = { joinsPerSecond: 1000, settleMs: 300, windowMs: SCRAPE_EVERY_MS } as const
/**
 * Warm-up rounds. Code that runs twenty times a second is compiled within a few minutes, in threads whose work is also
 * counted, and a channel runs for days.
 */
const WARM_UP_ROUNDS = 15
const IDLE_MS = 2 * SCRAPE_EVERY_MS

export function nameOf(sender: Sender, batchMs: number): string {
  return `${sender} ${batchMs} ms`
}

/** `onRound` is called after each round with the number of finished rounds. */
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

/** Measures each subject once, one after another. */
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

/** Median ratio of one subject's figure to another's; undefined if one of them is missing. */
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

/** Rotates the order, so a different one is first in each round. */
function inTurn<T>(items: readonly T[], round: number): readonly T[] {
  const first = round % items.length
  return [...items.slice(first), ...items.slice(0, first)]
}
