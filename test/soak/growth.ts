// Checks that nothing has grown: when the first configuration runs again, descriptors, listeners, timers and handles
// must be exactly what they were before the first edit. The windows of outputs hold what their configuration says; apart
// from them, memory may differ by little.
import assert from 'node:assert/strict'
import { until } from '../e2e/kit/until.js'
import type { ConfigModel } from './config-model.js'
import { nodesOf, takenKeys } from './config-model.js'
import type { EngineClient } from './engine-client.js'
import type { Growth } from './figures.js'
import type { WindowMemory } from './window-memory.js'

/** A changed node may be rolled back for 30 s and holds what that takes; then the garbage is collected. */
const SETTLE_MS = 60_000
const MIB = 1024 * 1024
/**
 * Buffers outside of windows: chunks on their way, queues, sockets, and the windows of removed outputs, which drain for
 * up to 8 s.
 */
const BUFFER_NOISE = 8 * MIB
/**
 * Rings that are filled, nodes that may still be rolled back, chunks that wait on a busy machine, and what V8 knows of
 * functions beside their code: 5 MiB have been seen without a leak. With it, a run of 200 edits fails if each edit leaves
 * 140 KiB, as much as one node; one of 400 edits, if it leaves 80 KiB; one of 2000, if it leaves 30 KiB.
 */
const HEAP_NOISE = 12 * MIB
/** What one more node takes, with its edges, metrics and the list of its window. */
const PER_NODE = 128 * 1024
/** Noise of the allocator, compiled code, and pages kept for reuse. */
const RESIDENT_NOISE = 48 * MIB
/** A leak shows if an edit leaves more: its log line, events and configuration text take about as much. */
const PER_EDIT = 16 * 1024

export interface HeldResources {
  readonly descriptors: number
  readonly listeners: number
  readonly resources: Readonly<Record<string, number>>
}

export interface MemorySample {
  readonly edit: number
  /** Without compiled code: there is more of it the longer the engine runs, until all functions are optimized. */
  readonly heapBytes: number
  /** That the configuration lets run, with those of all copies. */
  readonly nodes: number
  /** Buffers, without those of windows. */
  readonly bufferBytes: number
  /** Without windows. */
  readonly residentBytes: number
  readonly windows: WindowMemory
}

export async function readHeld(engine: EngineClient): Promise<HeldResources> {
  const { resources } = await engine.probe('sample')
  const { Immediate: _, FSReqPromise: __, ...lasting } = resources
  const { listeners } = await engine.status()
  return { descriptors: (await engine.process.descriptors()).length, listeners: listeners.length, resources: lasting }
}

/** Resolves when the resources held are those held at the start; rejects with the difference after a timeout. */
export async function settle(engine: EngineClient, start: HeldResources): Promise<void> {
  let last: HeldResources = start
  const isSame = async (): Promise<boolean> => {
    last = await readHeld(engine)
    return totalOf(last) <= totalOf(start)
  }
  const describeDifference = (): string =>
    `held at the start ${JSON.stringify(start)}, at the end ${JSON.stringify(last)}`
  await until(isSame, describeDifference, SETTLE_MS)
}

/** Rejects if the windows hold more than their configuration says. */
export async function sampleMemory(
  engine: EngineClient,
  model: ConfigModel,
  edit: number,
  windows: WindowMemory,
): Promise<MemorySample> {
  const { heapBytes, codeBytes, bufferBytes, residentBytes } = await engine.probe('collect')
  const { bytes, boundBytes } = windows
  assert.ok(bytes <= boundBytes, `windows hold ${inMib(bytes)} MiB, their configuration allows ${inMib(boundBytes)}`)
  return {
    edit,
    heapBytes: heapBytes - codeBytes,
    nodes: countNodes(model),
    bufferBytes: bufferBytes - bytes,
    residentBytes: residentBytes - bytes,
    windows,
  }
}

/** The largest share of their bound that windows held, in percent. */
export function mostOfWindows(samples: readonly MemorySample[]): number {
  return Math.round(100 * Math.max(...samples.map(({ windows }) => windows.bytes / windows.boundBytes)))
}

/**
 * Compares the least of the second quarter with the least of the last: in the first, windows and rings are filled, and
 * most functions run for the first time; what comes and goes is missing in at least one sample of a quarter, but a leak
 * is in all. Nothing for a run that is too short to have quarters.
 */
export function memoryGrowth(samples: readonly MemorySample[]): Growth[] {
  const quarter = Math.floor(samples.length / 4)
  if (quarter === 0) return []
  const quarters = [samples.slice(quarter, 2 * quarter), samples.slice(-quarter)] as const
  const allowed = (median(quarters[1].map(editOf)) - median(quarters[0].map(editOf))) * PER_EDIT
  const row = (name: string, read: (sample: MemorySample) => number, noise: number, perNode = 0): Growth => {
    const [early, late] = [leastOf(quarters[0], read), leastOf(quarters[1], read)]
    const moreNodes = Math.max(0, late.nodes - early.nodes)
    return {
      name: `${name}, MiB`,
      before: inMib(read(early)),
      after: inMib(read(late)),
      bound: inMib(noise + allowed + moreNodes * perNode),
    }
  }
  return [
    row('heap without code after a collection', ({ heapBytes }) => heapBytes, HEAP_NOISE, PER_NODE),
    row('buffers outside of windows', ({ bufferBytes }) => bufferBytes, BUFFER_NOISE),
    row('resident memory outside of windows', ({ residentBytes }) => residentBytes, RESIDENT_NOISE),
  ]
}

export function assertBounded(growth: readonly Growth[]): void {
  for (const { name, before, after, bound } of growth) {
    assert.ok(after - before <= bound, `${name} has grown from ${before} to ${after}, by more than ${bound}`)
  }
}

function countNodes({ pipelines }: ConfigModel): number {
  return pipelines.reduce((sum, pipeline) => sum + nodesOf(pipeline).length * takenKeys(pipeline).length, 0)
}

function totalOf({ descriptors, listeners, resources }: HeldResources): number {
  return descriptors + listeners + Object.values(resources).reduce((sum, count) => sum + count, 0)
}

function inMib(bytes: number): number {
  return Math.round((bytes / MIB) * 10) / 10
}

function editOf({ edit }: MemorySample): number {
  return edit
}

function leastOf(samples: readonly MemorySample[], read: (sample: MemorySample) => number): MemorySample {
  return samples.reduce((least, sample) => (read(sample) < read(least) ? sample : least))
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}
