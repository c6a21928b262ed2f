// CPU-seconds that senders use per gigabit, measured one after another in each round, so all see the same machine
// state.
import { setTimeout as pause } from 'node:timers/promises'
import { cpuSeconds } from '../measure/process-usage.js'
import type { Subject } from './subject.js'

export interface CpuSettings {
  readonly clients: number
  readonly joinsPerSecond: number
  /** Settling time after all clients read. */
  readonly settleMs: number
  readonly windowMs: number
}

export interface CpuWindow {
  readonly cpuPerGbit: number
  /** Share of what the clients should have received at this rate. */
  readonly share: number
  readonly firstByteMs: { readonly p50: number; readonly p99: number }
  readonly worstGapMs: number
}

/** Measures one window of one sender: its clients connect, settle, are measured, and disconnect. */
export async function measureCpu(
  { pid, load }: Subject,
  bitsPerSecond: number,
  settings: CpuSettings,
): Promise<CpuWindow> {
  const { clients, joinsPerSecond, settleMs, windowMs } = settings
  load.tell(`open ${clients} ${joinsPerSecond}`)
  await pause((clients / joinsPerSecond) * 1000 + settleMs)
  const joined = await load.mark()
  if (joined.reading < clients) throw new Error(`${clients - joined.reading} of ${clients} clients were not served`)
  const before = cpuSeconds(pid)
  await pause(windowMs)
  const after = cpuSeconds(pid)
  const seen = await load.mark()
  load.tell('close')
  await load.mark()
  if (seen.lost > 0) throw new Error(`${seen.lost} clients were cut`)
  const bits = seen.bytes * 8
  const seconds = (seen.atMs - joined.atMs) / 1000
  return {
    cpuPerGbit: (after - before) / (bits / 1e9),
    share: bits / (seconds * clients * bitsPerSecond),
    firstByteMs: joined.firstByteMs,
    worstGapMs: seen.worstGapMs,
  }
}
