// The reaper, a process of its own: it does nothing until its stdin ends, which is when the engine is gone, in whatever
// way. Then it ends every process that the engine has started and that is still there: SIGTERM, and SIGKILL after the
// grace time. It finds them by their groups; by a variable in their environment, which also covers a process of which it
// has not been told yet, and those that have left their group; and by their parents, which covers those that have left
// their group without the variable, unless their parent ended before the engine. A group whose number now belongs to
// another process is left alone: the start time of its first process differs.
//
//   node reaper-script.js VARIABLE=VALUE
import { readdirSync, readFileSync, readSync } from 'node:fs'
import process from 'node:process'
import { signalGroup, statOf } from './process-group.js'
import type { ProcessStat } from './process-group.js'
import { ReaperOrders } from './reaper-orders.js'
import type { ReapedGroup } from './reaper-orders.js'

const STDIN = 0
const POLL_MS = 50
/** SIGKILL is sent again for this long, since a process may be starting another one meanwhile. */
const KILL_MS = 5000
const GRACE_MS = 5000

const [, , mark = ''] = process.argv

// Ctrl-C and service managers signal everything at once; the engine needs its reaper until the end.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'] as const) process.on(signal, () => undefined)

const { groups } = readOrders()
/**
 * Found before, by number, with their start times: their parents may have ended since, and with them all that shows whose
 * they are.
 */
const known = new Map<number, string>()
const startedMs = performance.now()
for (let found = find(); found.groups.length + found.pids.length > 0; found = find()) {
  const passedMs = performance.now() - startedMs
  const graceMs = Math.max(GRACE_MS, ...found.groups.map((each) => each.graceMs))
  if (passedMs > graceMs + KILL_MS) break
  end(found, passedMs)
  sleep(POLL_MS)
}

/** Blocks until the engine is gone: a process without an event loop needs the least memory. */
function readOrders(): ReaperOrders {
  const orders = new ReaperOrders()
  const buffer = new Uint8Array(4096)
  for (;;) {
    try {
      const length = readSync(STDIN, buffer)
      if (length === 0) return orders
      orders.push(Buffer.from(buffer.subarray(0, length)).toString('latin1'))
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code !== 'EAGAIN' && code !== 'EINTR') return orders
      sleep(POLL_MS)
    }
  }
}

interface Found {
  readonly groups: readonly ReapedGroup[]
  /** Processes that are in none of these groups. */
  readonly pids: readonly number[]
}

function end({ groups: ours, pids }: Found, passedMs: number): void {
  for (const { group, graceMs } of ours) {
    if (passedMs >= graceMs) signalGroup(group, 'SIGKILL')
    else if (passedMs < POLL_MS) signalGroup(group, 'SIGTERM')
  }
  for (const pid of pids) {
    if (passedMs >= GRACE_MS) signalProcess(pid, 'SIGKILL')
    else if (passedMs < POLL_MS) signalProcess(pid, 'SIGTERM')
  }
}

/** What is still there. Without /proc all that is known is whether a group has members. */
function find(): Found {
  const pids = listPids()
  if (pids === undefined) return { groups: [...groups.values()].filter(({ group }) => signalGroup(group, 0)), pids: [] }
  const stats = new Map<number, ProcessStat>()
  const inGroups = new Set<number>()
  const ours = new Set<number>()
  for (const pid of pids) {
    const stat = statOf(pid)
    if (stat === undefined || stat.state === 'Z' || stat.state === 'X') continue
    stats.set(pid, stat)
    if (isOurs(groups.get(stat.group))) inGroups.add(pid)
    else if (known.get(pid) === stat.startTime || isMarked(pid)) ours.add(pid)
  }
  addDescendants(ours, inGroups, stats)
  for (const pid of ours) known.set(pid, stats.get(pid)?.startTime ?? '')
  const alive = new Set([...inGroups].map((pid) => stats.get(pid)?.group))
  return { groups: [...groups.values()].filter(({ group }) => alive.has(group)), pids: [...ours] }
}

/** Adds to `ours` what the processes of both sets have started, and what those have. */
function addDescendants(
  ours: Set<number>,
  inGroups: ReadonlySet<number>,
  stats: ReadonlyMap<number, ProcessStat>,
): void {
  const isFound = (pid: number): boolean => ours.has(pid) || inGroups.has(pid)
  for (let before = -1; before !== ours.size;) {
    before = ours.size
    for (const [pid, { parent }] of stats) if (!isFound(pid) && isFound(parent)) ours.add(pid)
  }
}

/** Its number belongs to no other process. While the group has members without its first process, nobody gets the number. */
function isOurs(group: ReapedGroup | undefined): boolean {
  if (group === undefined) return false
  const first = statOf(group.group)
  return first === undefined || group.startTime === '' || first.startTime === group.startTime
}

function isMarked(pid: number): boolean {
  try {
    return mark !== '' && `\0${readFileSync(`/proc/${pid}/environ`, 'latin1')}`.includes(`\0${mark}\0`)
  } catch {
    // It is gone, or belongs to another user.
    return false
  }
}

function listPids(): readonly number[] | undefined {
  try {
    const names = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
    return names.length === 0 ? undefined : names.map(Number).filter((pid) => pid !== process.pid)
  } catch {
    return undefined
  }
}

function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It is gone.
  }
}

function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}
