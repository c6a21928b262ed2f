// Checks that nothing has grown: when the first configuration runs again, descriptors, listeners, timers and handles
// must be exactly what they were before the first edit; memory may differ by what the configurations in between hold.
import assert from 'node:assert/strict'
import { until } from '../e2e/kit/until.js'
import type { EngineClient } from './engine-client.js'
import type { Growth } from './figures.js'

/** A changed node may be rolled back for 30 s and holds what that takes; then the garbage is collected. */
const SETTLE_MS = 60_000
const MIB = 1024 * 1024
/**
 * Output windows hold 10 s of the stream, up to 20 s after an edit, of up to seven pipelines of 1 Mb/s: at most 17 MiB
 * of buffers. Beyond that, a leak shows if an edit leaves more than 16 KiB: its log line, events and configuration text
 * take about as much.
 */
const BUFFER_NOISE = 20 * MIB
const HEAP_NOISE = 6 * MIB
/** Noise of the allocator, compiled code, and pages kept for reuse. */
const RESIDENT_NOISE = 48 * MIB
const PER_EDIT = 16 * 1024

export interface HeldResources {
  readonly descriptors: number
  readonly listeners: number
  readonly resources: Readonly<Record<string, number>>
}

export interface MemorySample {
  readonly edit: number
  readonly heapBytes: number
  readonly bufferBytes: number
  readonly residentBytes: number
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

export async function sampleMemory(engine: EngineClient, edit: number): Promise<MemorySample> {
  const { heapBytes, bufferBytes, residentBytes } = await engine.probe('collect')
  return { edit, heapBytes, bufferBytes, residentBytes }
}

/** Medians of the first and the last quarter. */
export function memoryGrowth(samples: readonly MemorySample[]): Growth[] {
  const quarter = Math.max(1, Math.floor(samples.length / 4))
  const [early, late] = [samples.slice(0, quarter), samples.slice(-quarter)]
  const edits = (late.at(-1)?.edit ?? 0) - (early.at(-1)?.edit ?? 0)
  const row = (name: string, read: (sample: MemorySample) => number, noise: number): Growth => ({
    name: `${name}, MiB`,
    before: inMib(median(early.map(read))),
    after: inMib(median(late.map(read))),
    bound: inMib(noise + edits * PER_EDIT),
  })
  return [
    row('heap after a collection', ({ heapBytes }) => heapBytes, HEAP_NOISE),
    row('buffers after a collection', ({ bufferBytes }) => bufferBytes, BUFFER_NOISE),
    row('resident memory', ({ residentBytes }) => residentBytes, RESIDENT_NOISE),
  ]
}

export function assertBounded(growth: readonly Growth[]): void {
  for (const { name, before, after, bound } of growth) {
    assert.ok(after - before <= bound, `${name} has grown from ${before} to ${after}, by more than ${bound}`)
  }
}

function totalOf({ descriptors, listeners, resources }: HeldResources): number {
  return descriptors + listeners + Object.values(resources).reduce((sum, count) => sum + count, 0)
}

function inMib(bytes: number): number {
  return Math.round((bytes / MIB) * 10) / 10
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}
