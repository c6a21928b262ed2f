// The resource usage of a process, from /proc (proc(5)).
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'

/** USER_HZ, the same on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100

/**
 * CPU-seconds of all live threads, user and system: to the nanosecond if the kernel has schedstat, else in ticks of 10
 * ms.
 */
export function cpuSeconds(pid: number): number {
  try {
    const threads = readdirSync(`/proc/${pid}/task`)
    return threads.reduce((sum, thread) => sum + Number(firstWord(`/proc/${pid}/task/${thread}/schedstat`)), 0) / 1e9
  } catch {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ')
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
  }
}

/** CPU-seconds per second, measured over `ms`. */
export async function coreShare(pid: number, ms: number): Promise<number> {
  const before = cpuSeconds(pid)
  const startMs = performance.now()
  await pause(ms)
  return (cpuSeconds(pid) - before) / ((performance.now() - startMs) / 1000)
}

export function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024
}

function firstWord(path: string): string {
  return readFileSync(path, 'utf8').split(' ', 1)[0] ?? '0'
}
