// Files that are being sent: each is open once, however many viewers it has, and closed behind the last one. An open file
// can still be read when it has been removed.
import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import type { DiskTurns } from './disk-turns.js'

interface OpenFile {
  readonly handle: Promise<FileHandle>
  users: number
}

/** Follows no symbolic link, and does not wait for a FIFO. */
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

export class OpenFiles {
  readonly #turns: DiskTurns
  readonly #files = new Map<string, OpenFile>()

  constructor(turns: DiskTurns) {
    this.#turns = turns
  }

  get size(): number {
    return this.#files.size
  }

  /** Rejects with the error of the system, or if it is no file of this length. */
  async use<T>(path: string, length: number, run: (handle: FileHandle) => Promise<T>): Promise<T> {
    const file = this.#files.get(path) ?? this.#open(path)
    file.users++
    try {
      const handle = await file.handle
      const status = await this.#turns.run(() => handle.stat())
      if (!status.isFile() || status.size !== length) throw new Error(`it has ${status.size} bytes, not ${length}`)
      return await run(handle)
    } finally {
      if (--file.users === 0) {
        if (this.#files.get(path) === file) this.#files.delete(path)
        await file.handle.then((handle) => handle.close()).catch(() => undefined)
      }
    }
  }

  /** Who asks for it from now on opens what has that name then. */
  forget(path: string): void {
    this.#files.delete(path)
  }

  #open(path: string): OpenFile {
    const file = { handle: this.#turns.run(() => open(path, FLAGS)), users: 0 }
    this.#files.set(path, file)
    return file
  }
}
