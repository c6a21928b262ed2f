// What an engine could leave behind in this process.
import { readdirSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { until } from '../e2e/kit/until.js'

export interface ProcessResources {
  /** Sockets, timers and watchers that keep the process alive: how many, by name. */
  readonly active: Readonly<Record<string, number>>
  /** Open file descriptors; -1 if the system does not show them. */
  readonly descriptors: number
}

export function processResources(): ProcessResources {
  const active: Record<string, number> = {}
  for (const name of process.getActiveResourcesInfo()) {
    if (/^(TCP|Timeout|FSEvent|StatWatcher)/.test(name)) active[name] = (active[name] ?? 0) + 1
  }
  return { active, descriptors: countDescriptors() }
}

/** Resolves when the process holds what it held before, and nothing else. */
export async function untilReleased(before: ProcessResources): Promise<void> {
  await until(
    () => isDeepStrictEqual(processResources(), before),
    () => `resources are left: ${JSON.stringify(before)} became ${JSON.stringify(processResources())}`,
  )
}

function countDescriptors(): number {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    return -1
  }
}
