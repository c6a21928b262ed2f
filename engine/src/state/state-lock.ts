// Lets one process at a time use a state folder: a file names its holder. A process is identified by its PID and its
// start, since PIDs are reused: in a container every engine is process 1.
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { stateError } from './state-errors.js'

const LOCK_FILE = 'engine.lock'
/** Time between creating the file and writing to it; an older file without content was left behind by a crash. */
const CREATING_MS = 5000
const MAX_ATTEMPTS = 5

interface Holder {
  readonly pid: number
  /** Boot id and start time of the process; empty if the system does not provide them. */
  readonly start: string
}

/** Takes the lock; throws STATE_LOCKED while its holder is alive. Dispose releases it. */
export async function lockState(dir: string): Promise<AsyncDisposable> {
  const path = join(dir, LOCK_FILE)
  const own = JSON.stringify({ pid: process.pid, start: startOf(process.pid) } satisfies Holder)
  for (let attempt = 1; ; attempt++) {
    if (await createFile(path, own)) break
    const found = await readOrEmpty(path)
    const holder = parseHolder(found)
    const held = holder === undefined ? await isBeingCreated(path) : isAlive(holder)
    if (held || attempt === MAX_ATTEMPTS) {
      const who = holder === undefined ? 'a process that is just starting' : `process ${holder.pid}`
      throw stateError('STATE_LOCKED', `${who} holds ${path}`)
    }
    await removeStale(path, found)
  }
  let released = false
  return {
    async [Symbol.asyncDispose]() {
      if (released) return
      released = true
      if ((await readOrEmpty(path)) === own) await rm(path, { force: true })
    },
  }
}

async function createFile(path: string, content: string): Promise<boolean> {
  try {
    await writeFile(path, content, { flag: 'wx', mode: 0o600 })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

async function readOrEmpty(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '')
}

function parseHolder(text: string): Holder | undefined {
  try {
    const holder = JSON.parse(text) as Partial<Holder> | null
    if (typeof holder?.pid !== 'number' || !Number.isSafeInteger(holder.pid) || holder.pid <= 0) return undefined
    return { pid: holder.pid, start: typeof holder.start === 'string' ? holder.start : '' }
  } catch {
    return undefined
  }
}

async function isBeingCreated(path: string): Promise<boolean> {
  const made = await stat(path).catch(() => undefined)
  return made !== undefined && Date.now() - made.mtimeMs < CREATING_MS
}

function isAlive(holder: Holder): boolean {
  try {
    process.kill(holder.pid, 0)
  } catch (error) {
    // EPERM: it is alive, and belongs to another user.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  const start = startOf(holder.pid)
  return start === '' || holder.start === '' || start === holder.start
}

/** On Linux the boot id and field 22 of /proc/PID/stat, clock ticks since the boot; elsewhere the empty text. */
function startOf(pid: number): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    const line = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // Field 2 is a name in parentheses that can itself contain spaces and parentheses.
    const fields = line.slice(line.lastIndexOf(')') + 2).split(' ')
    const ticks = fields[22 - 3]
    return ticks === undefined ? '' : `${boot} ${ticks}`
  } catch {
    return ''
  }
}

/**
 * Moves the file away first: if another process took the lock in between, the moved file is its lock and is moved back.
 */
async function removeStale(path: string, expected: string): Promise<void> {
  const aside = `${path}.${randomUUID()}`
  try {
    await rename(path, aside)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  const moved = await readOrEmpty(aside)
  if (moved === expected) await rm(aside, { force: true })
  else await rename(aside, path)
}
