// Where lines are written: a file that can be moved away at any time (logrotate), or stdout. Pipes are always written in
// non-blocking mode: otherwise one that is not read would hold one of the few threads for file I/O forever.
import { close, constants, fstat, open } from 'node:fs'
import { stat } from 'node:fs/promises'
import process from 'node:process'
import { promisify } from 'node:util'

const MODE = 0o640

export interface LineFile {
  /** Closed by the code that opened the file; stdout stays open. */
  readonly fd: number
  /** False if its path now belongs to another file, or to none. */
  isCurrent(): Promise<boolean>
}

/** Opens for appending; creates the file if it does not exist. */
export async function openLineFile(path: string): Promise<LineFile> {
  const { O_WRONLY, O_APPEND, O_CREAT, O_NONBLOCK } = constants
  const fd = await promisify(open)(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK, MODE)
  try {
    const { ino, dev } = await promisify(fstat)(fd)
    const isCurrent = async (): Promise<boolean> => {
      const now = await stat(path).catch(() => undefined)
      return now?.ino === ino && now.dev === dev
    }
    return { fd, isCurrent }
  } catch (error) {
    await promisify(close)(fd)
    throw error
  }
}

export function openStdout(): LineFile {
  // The first access to process.stdout makes a pipe or a socket non-blocking.
  return { fd: process.stdout.fd, isCurrent: async () => true }
}
