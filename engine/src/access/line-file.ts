// Where lines are written: a file that can be moved away at any time (logrotate), or stdout. Anything that could block
// is opened non-blocking: otherwise a pipe that is not read would hold one of the few threads for file I/O forever.
import { constants, fstatSync, write } from 'node:fs'
import { open, stat, type FileHandle } from 'node:fs/promises'
import process from 'node:process'

const STDOUT = 1
const MODE = 0o640

export interface LineFile extends AsyncDisposable {
  /** Resolves with the number of bytes that were written; rejects with EAGAIN if none can be written now. */
  write(bytes: Uint8Array): Promise<number>
  /** False if its path now belongs to another file, or to none. */
  isCurrent(): Promise<boolean>
}

/** Opens for appending; creates the file if it does not exist. */
export async function openLineFile(path: string): Promise<LineFile> {
  const { O_WRONLY, O_APPEND, O_CREAT, O_NONBLOCK } = constants
  const file = await open(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK, MODE)
  try {
    const { ino, dev } = await file.stat()
    return new NamedFile(file, path, ino, dev)
  } catch (error) {
    await file.close()
    throw error
  }
}

/**
 * Node writes to pipes and sockets without blocking. It would block on files and terminals, so those are written on a
 * thread.
 */
export function openStdout(): LineFile {
  return isWritableAtOnce(STDOUT) ? new Descriptor(STDOUT) : new StdoutStream()
}

class NamedFile implements LineFile {
  readonly #file: FileHandle
  readonly #path: string
  readonly #ino: number
  readonly #dev: number

  constructor(file: FileHandle, path: string, ino: number, dev: number) {
    this.#file = file
    this.#path = path
    this.#ino = ino
    this.#dev = dev
  }

  async write(bytes: Uint8Array): Promise<number> {
    return (await this.#file.write(bytes)).bytesWritten
  }

  async isCurrent(): Promise<boolean> {
    const now = await stat(this.#path).catch(() => undefined)
    return now?.ino === this.#ino && now.dev === this.#dev
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close()
  }
}

class Descriptor implements LineFile {
  readonly #fd: number

  constructor(fd: number) {
    this.#fd = fd
  }

  write(bytes: Uint8Array): Promise<number> {
    return new Promise((resolve, reject) => {
      write(this.#fd, bytes, (error, written) => (error === null ? resolve(written) : reject(error)))
    })
  }

  async isCurrent(): Promise<boolean> {
    return true
  }

  /** The descriptor is not ours to close. */
  async [Symbol.asyncDispose](): Promise<void> {}
}

class StdoutStream implements LineFile {
  /** Resolves when the reader has taken the bytes: there is one batch in memory at most. */
  write(bytes: Uint8Array): Promise<number> {
    return new Promise((resolve, reject) => {
      process.stdout.write(bytes, (error) => (error ? reject(error) : resolve(bytes.length)))
    })
  }

  async isCurrent(): Promise<boolean> {
    return true
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

function isWritableAtOnce(fd: number): boolean {
  try {
    const stats = fstatSync(fd)
    return stats.isFile() || stats.isCharacterDevice()
  } catch {
    return true
  }
}
