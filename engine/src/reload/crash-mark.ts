// `stateDir/crashed.json`: the configuration that was on probation when the process exited because of a bug. The next
// start with the same configuration runs the last good one instead. Nothing else writes it: a process that is killed, or
// runs out of memory or power, says nothing about its configuration.
import { closeSync, constants, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { z } from 'zod'

const CRASH_FILE = 'crashed.json'
const MOST_BYTES = 64 * 1024
const LONGEST_WHY = 500

const crashMarkSchema = z.object({
  version: z.literal(1),
  /** Configuration ids. */
  configs: z.array(z.string()),
  /** Message of the error, without secrets. */
  why: z.string(),
  /** RFC 3339. */
  at: z.string(),
})

export type CrashMark = Omit<z.output<typeof crashMarkSchema>, 'version'>

/** The file is on disk when it returns, mode 0600. Throws if it cannot be written. */
export function writeCrashMark(stateDir: string, mark: CrashMark): void {
  const path = join(stateDir, CRASH_FILE)
  const aside = `${path}.new`
  rmSync(aside, { force: true })
  const file = openSync(aside, 'wx', 0o600)
  try {
    writeSync(file, `${JSON.stringify({ version: 1, ...mark, why: mark.why.slice(0, LONGEST_WHY) })}\n`)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(aside, path)
}

/** Undefined if there is none that this user has written. */
export async function readCrashMark(stateDir: string): Promise<CrashMark | undefined> {
  try {
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
    await using file = await open(join(stateDir, CRASH_FILE), flags)
    const status = await file.stat()
    const isForeign = process.getuid !== undefined && status.uid !== process.getuid()
    if (!status.isFile() || isForeign || status.size > MOST_BYTES) return undefined
    return crashMarkSchema.safeParse(JSON.parse(await file.readFile('utf8'))).data
  } catch {
    return undefined
  }
}

export async function removeCrashMark(stateDir: string): Promise<void> {
  await rm(join(stateDir, CRASH_FILE), { force: true })
}
