// What an engine could leave behind in this process.
import { readdirSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { setTimeout as pause } from 'node:timers/promises'
import { until } from '../e2e/kit/until.js'

export interface ProcessResources {
  /** Sockets, timers and watchers that keep the process alive: how many, by name. */
  readonly active: Readonly<Record<string, number>>
  /** Open file descriptors; -1 if the system does not show them. */
  readonly descriptors: number
}

/** How many looks, at most, and how far apart, until two show the same. */
const SETTLE_LOOKS = 100
const SETTLE_STEP_MS = 100

/** What the process holds to begin with, when what earlier tests close has been closed. */
export async function settledResources(): Promise<ProcessResources> {
  let last = processResources()
  for (let look = 1; look < SETTLE_LOOKS; look++) {
    await pause(SETTLE_STEP_MS)
    const now = processResources()
    if (isDeepStrictEqual(now, last)) break
    last = now
  }
  return last
}

function processResources(): ProcessResources {
  const active: Record<string, number> = {}
  for (const name of process.getActiveResourcesInfo()) {
    if (/^(TCP|Timeout|FSEvent|StatWatcher)/.test(name)) active[name] = (active[name] ?? 0) + 1
  }
  return { active, descriptors: countDescriptors() }
}

/** Resolves when the process holds nothing that it did not hold before. */
export async function untilReleased(before: ProcessResources): Promise<void> {
  await until(
    () => isWithin(processResources(), before),
    () => `resources are left: ${JSON.stringify(before)} became ${JSON.stringify(processResources())}`,
  )
}

function isWithin({ active, descriptors }: ProcessResources, before: ProcessResources): boolean {
  const isMore = ([name, count]: readonly [string, number]): boolean => count > (before.active[name] ?? 0)
  return descriptors <= before.descriptors && !Object.entries(active).some(isMore)
}

/** Open file descriptors; -1 if the system does not show them. */
export function countDescriptors(): number {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    return -1
  }
}
