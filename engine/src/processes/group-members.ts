// Whether a process group has a member that has not ended. A zombie is a member too, but there is nothing left of it to end.
import { readdir, readFile } from 'node:fs/promises'
import { parseStat } from './process-group.js'

/** Reads /proc, one process after another: many are there on a busy machine. True where there is no /proc. Never rejects. */
export async function hasLiveMember(group: number): Promise<boolean> {
  const names = await readdir('/proc').catch(() => [])
  const pids = names.filter((name) => /^[0-9]+$/.test(name))
  if (pids.length === 0) return true
  for (const pid of pids) {
    const text = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '')
    const stat = parseStat(text)
    if (stat?.group === group && stat.state !== 'Z' && stat.state !== 'X') return true
  }
  return false
}
