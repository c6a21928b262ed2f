// A process group (setpgid(2)): a process with everything that it has started, unless that has left the group. The number
// of a group is not used again while it has a member.
import { readFileSync } from 'node:fs'
import process from 'node:process'

/** False if the group has no member left. Signal 0 only asks. */
export function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-group, signal)
    return true
  } catch (error) {
    // EPERM: it has members, all of another user.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

export interface ProcessStat {
  /** `Z`: it has ended, and its parent has not asked for its exit code. */
  readonly state: string
  readonly parent: number
  readonly group: number
  /**
   * In clock ticks since the boot, as text: tells processes apart that have the same number one after another.
   */
  readonly startTime: string
}

/** Undefined if the process is gone, and on systems without /proc. */
export function statOf(pid: number): ProcessStat | undefined {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch {
    return undefined
  }
}

/** Of /proc/PID/stat, proc_pid_stat(5). The second field is the name, in parentheses, and may contain any character. */
export function parseStat(text: string): ProcessStat | undefined {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const [state, parent, group] = fields
  const startTime = fields[19]
  if (state === undefined || startTime === undefined || !/^\d+$/.test(group ?? '')) return undefined
  return { state, parent: Number(parent), group: Number(group), startTime }
}

const PAGE_BYTES = 4096

/** Memory that a process occupies, proc_pid_statm(5); 0 if it is gone, and on systems without /proc. */
export function residentBytes(pid: number): number {
  try {
    const [, pages] = readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')
    return (Number(pages) || 0) * PAGE_BYTES
  } catch {
    return 0
  }
}
