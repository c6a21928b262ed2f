// Where lines are written: a file that may be moved away at any time (logrotate), or stdout. A pipe is never written in
// blocking mode: one that nobody reads would hold one of the few threads that files need, for ever.
import { close, constants, fstat, open } from 'node:fs'
import { stat } from 'node:fs/promises'
import process from 'node:process'
import { promisify } from 'node:util'

const MODE = 0o640

export interface LineFile {
  /** Of the one who opened it: to be closed by them, but not stdout. */
  readonly fd: number
  /** False when its name stands for another file, or for none. */
  isCurrent(): Promise<boolean>
}

/** Opens for appending; makes the file if it is not there. */
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
  // Node makes a pipe or a socket non-blocking when the stream is asked for.
  return { fd: process.stdout.fd, isCurrent: async () => true }
}
