// Other figures of the whole product, each with its own engine: latency, joins, memory, stalled readers.
import { setTimeout as pause } from 'node:timers/promises'
import type { LoadMark, Spread } from '../load/load-mark.js'
import type { Tools } from '../measure/bench-machine.js'
import { median } from '../measure/median.js'
import { coreShare, cpuSeconds, residentBytes } from '../measure/process-usage.js'
import { LiveFeed } from '../reference/live-feed.js'
import { startProduct, type Subject } from './subject.js'

const CHECKED = 10
const MIB = 1024 * 1024
/** Until a window of the default length is full, and constantly running code has been compiled. */
const FILL_MS = 11_000
/** Until the code that runs twenty times a second in each channel has been compiled. */
const COMPILE_MS = 45_000
const CHANNELS_MS = 15_000
/** Until the readers that joined last have received what is in the window. */
const SETTLE_MS = 2000

export interface Latency {
  readonly latencyMs: Spread
  readonly firstByteMs: Spread
  readonly worstGapMs: number
  readonly counterErrors: number
}

/** Latency from the feed through input `http` to readers that check every packet, among `clients` others. */
export async function measureLatency(
  stream: Uint8Array,
  bitsPerSecond: number,
  { batchMs, clients, windowMs }: { readonly batchMs: number; readonly clients: number; readonly windowMs: number },
  tools: Tools,
): Promise<Latency> {
  await using feed = new LiveFeed(stream, bitsPerSecond)
  const input = `type: http, url: "${await feed.open()}", batch: ${batchMs}ms`
  await using product = await startProduct(`latency at ${batchMs} ms`, { input }, tools)
  const { load } = product
  load.tell(`check ${CHECKED}`)
  await load.reading(CHECKED)
  load.tell(`open ${clients} 1000`)
  await pause(clients + 1500)
  const { firstByteMs } = await load.mark()
  await pause(windowMs)
  const { latencyMs, worstGapMs, counterErrors } = await load.mark()
  return { latencyMs, firstByteMs, worstGapMs, counterErrors }
}

export interface Joins {
  readonly firstByteMs: Spread
  /** Readers that were connected before, and stay. */
  readonly worstGapMs: number
  readonly joined: number
  readonly lost: number
  readonly refused: number
  readonly counterErrors: number
}

/** `perSecond` readers a second join for `seconds`, each leaves a second later; a few others stay connected. */
export async function measureJoins(
  path: string,
  { perSecond, seconds }: { readonly perSecond: number; readonly seconds: number },
  tools: Tools,
): Promise<Joins> {
  await using product = await startProduct('joins', { input: `type: file, path: ${path}, loop: true` }, tools)
  const { load } = product
  load.tell(`check ${CHECKED}`)
  await load.reading(CHECKED)
  await warmUp(product)
  await load.mark()
  load.tell(`churn ${perSecond} 1000 ${seconds}`)
  await pause((seconds + 1.5) * 1000)
  const { firstByteMs, worstGapMs, begun, lost, refused, counterErrors } = await load.mark()
  return { firstByteMs, worstGapMs, joined: begun, lost, refused, counterErrors }
}

export interface Channels {
  readonly channels: number
  /** Share of a core. */
  readonly coreShare: number
  readonly totalBytes: number
}

/** Measures many pipelines without viewers. */
export async function measureChannels(path: string, channels: number, tools: Tools): Promise<Channels> {
  const input = `type: file, path: ${path}, loop: true, batch: 50ms`
  await using product = await startProduct(`${channels} channels`, { input, channels }, tools)
  const { pid } = product
  await pause(COMPILE_MS)
  return { channels, coreShare: await coreShare(pid, CHANNELS_MS), totalBytes: residentBytes(pid) }
}

export interface Memory {
  readonly fewClients: number
  readonly manyClients: number
  readonly perClientBytes: number
  readonly marginalBytes: number
  readonly totalBytes: number
  /** While all clients read: shares of the rate and of a core. */
  readonly share: number
  readonly coreShare: number
  readonly worstGapMs: number
  readonly lost: number
}

/**
 * Measures resident memory without clients, with few and with many; and whether the many receive all of the stream in
 * time.
 */
export async function measureMemory(
  path: string,
  { bitsPerSecond, few, many }: { readonly bitsPerSecond: number; readonly few: number; readonly many: number },
  tools: Tools,
): Promise<Memory> {
  await using product = await startProduct('memory', { input: `type: file, path: ${path}, loop: true` }, tools)
  const { load, pid } = product
  await pause(FILL_MS)
  const none = await settledMemory(pid)
  load.tell(`open ${few} 1000`)
  await load.reading(few)
  const withFew = await settledMemory(pid)
  load.tell(`open ${many - few} 1000`)
  await load.reading(many)
  await pause(SETTLE_MS)
  const before = await load.mark()
  const cpuBefore = cpuSeconds(pid)
  const withMany = await settledMemory(pid)
  const after = await load.mark()
  const seconds = (after.atMs - before.atMs) / 1000
  return {
    fewClients: few,
    manyClients: many,
    perClientBytes: (withFew - none) / few,
    marginalBytes: (withMany - withFew) / (many - few),
    totalBytes: withMany,
    share: (after.bytes * 8) / (seconds * many * bitsPerSecond),
    coreShare: (cpuSeconds(pid) - cpuBefore) / seconds,
    worstGapMs: after.worstGapMs,
    lost: after.lost,
  }
}

export interface Stalled {
  readonly readers: number
  readonly seconds: number
  /** The most by which memory grew from before the readers joined. */
  readonly grewBytes: number
  /** The window plus the catch-up limit of each reader. */
  readonly boundBytes: number
  readonly activeReaders: LoadMark
  /** Readers that were stalled only for part of the window, after they resumed. */
  readonly resumed: LoadMark
}

/**
 * Measures readers that stop reading while others continue; a few resume while the window still has what they missed.
 */
export async function measureStalled(
  path: string,
  { readers, seconds, windowMiB }: { readonly readers: number; readonly seconds: number; readonly windowMiB: number },
  tools: Tools,
): Promise<Stalled> {
  const output = `window: { duration: 60s, size: ${windowMiB}MiB }, catchUp: 256KiB`
  const input = `type: file, path: ${path}, loop: true`
  await using product = await startProduct('stalled', { input, output }, tools)
  const { load, pid } = product
  load.tell(`check ${CHECKED}`)
  await load.reading(CHECKED)
  await warmUp(product)
  // Small, so that the kernel buffers little of what they do not read, and the window has to.
  load.tell(`buffer ${64 * 1024}`)
  load.tell('stall')
  const none = residentBytes(pid)
  load.tell(`late ${CHECKED}`)
  await load.reading(2 * CHECKED)
  await pause(Math.min(8, seconds / 2) * 1000)
  load.tell('resume')
  await pause(2000)
  const resumed = await load.mark()
  load.tell('stall')
  load.tell(`open ${readers} 500`)
  await load.reading(2 * CHECKED + readers)
  await load.mark()
  let most = 0
  for (let second = 0; second < seconds; second += 0.5) {
    await pause(500)
    most = Math.max(most, residentBytes(pid))
  }
  const activeReaders = await load.mark()
  const boundBytes = windowMiB * MIB + (readers + CHECKED) * 256 * 1024
  return { readers, seconds, grewBytes: most - none, boundBytes, activeReaders, resumed }
}

/** Some readers join and leave, so that the code that serves them has run often. */
async function warmUp({ load }: Subject): Promise<void> {
  load.tell('churn 500 500 6')
  await pause(7000)
}

/** The median over two seconds, during which garbage collections happen. */
async function settledMemory(pid: number): Promise<number> {
  const values: number[] = []
  for (let sample = 0; sample < 20; sample++) {
    await pause(150)
    values.push(residentBytes(pid))
  }
  return median(values)
}
