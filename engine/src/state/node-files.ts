// Reads and writes the files in the folders of nodes, and makes the folders that configurations name.
import { constants } from 'node:fs'
import { access, open, stat } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { isEngineError, messageOf } from '../errors.js'
import type { Store } from '../plugin/store.js'
import { createFolder } from './create-folder.js'
import type { NodeFolders } from './node-folders.js'
import { storeError } from './store-errors.js'
import { writeAtomically } from './write-atomically.js'

const NAME = /^[A-Za-z0-9._-]{1,128}$/
const LARGEST_BYTES = 64 * 1024 * 1024

/** The node whose files they are. Both ids are read at each call: a reload may rename the node. */
export interface FilesOwner {
  readonly id: string
  /** Its former id, if the configuration names one. */
  readonly was: string | undefined
}

export class NodeFiles {
  readonly #folders: NodeFolders
  /** The last write of each path; two nodes write the same files while one replaces the other. */
  readonly #writes = new Map<string, Promise<void>>()

  /** Writes that have not finished, also those that wait for the folder. */
  readonly #running = new Set<Promise<void>>()

  constructor(folders: NodeFolders) {
    this.#folders = folders
  }

  storeOf(owner: FilesOwner): Store {
    return {
      folder: () => this.#folder(owner),
      at: (path) => makeFolder(path, owner),
      read: (name) => this.#read(name, owner),
      write: (name, bytes) => this.#track(this.#write(name, bytes, owner)),
    }
  }

  /** Resolves when all renames and writes that have begun are done. Never rejects. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#running)
    await this.#folders.settled()
  }

  #folder({ id, was }: FilesOwner): Promise<string> {
    return attempt(`its folder in the state folder`, id, () => this.#folders.open(id, was))
  }

  async #read(name: string, owner: FilesOwner): Promise<Uint8Array | undefined> {
    checkName(name, owner)
    const path = join(await this.#folder(owner), name)
    return attempt(path, owner.id, () => readWhole(path))
  }

  async #track(writing: Promise<void>): Promise<void> {
    this.#running.add(writing)
    try {
      await writing
    } finally {
      this.#running.delete(writing)
    }
  }

  async #write(name: string, bytes: Uint8Array, owner: FilesOwner): Promise<void> {
    checkName(name, owner)
    if (bytes.length > LARGEST_BYTES) {
      throw storeError('STORE_FAILED', `${name} is larger than ${LARGEST_BYTES} bytes`, { at: owner.id })
    }
    const content = new Uint8Array(bytes)
    // In the order of the calls: each asks for the folder before it waits for the write before it.
    const path = join(await this.#folder(owner), name)
    const before = this.#writes.get(path) ?? Promise.resolve()
    const writing = before.then(() => attempt(path, owner.id, () => writeAtomically(path, content)))
    const settled: Promise<void> = writing
      .catch(() => undefined)
      .then(() => {
        if (this.#writes.get(path) === settled) this.#writes.delete(path)
      })
    this.#writes.set(path, settled)
    return writing
  }
}

function checkName(name: string, { id }: FilesOwner): void {
  if (NAME.test(name) && name !== '.' && !name.includes('..')) return
  throw storeError('STORE_NAME', `${JSON.stringify(name)} is not a name of a file`, { at: id })
}

/** Undefined if there is no such file. Follows no symbolic link, and does not wait for a FIFO. */
async function readWhole(path: string): Promise<Uint8Array | undefined> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
  const file = await open(path, flags).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (file === undefined) return undefined
  try {
    const status = await file.stat()
    if (!status.isFile()) throw new Error('it is not a regular file')
    if (status.size > LARGEST_BYTES) throw new Error(`it is larger than ${LARGEST_BYTES} bytes`)
    return new Uint8Array(await file.readFile())
  } finally {
    await file.close()
  }
}

async function makeFolder(path: string, { id }: FilesOwner): Promise<string> {
  const refuse = (why: string, cause?: unknown): Error =>
    storeError('STORE_FOLDER', `${path} ${why}`, { at: id, ...(cause === undefined ? {} : { cause }) })
  if (!isAbsolute(path)) throw refuse('is not an absolute path')
  try {
    await createFolder(path, 0o755)
    if (!(await stat(path)).isDirectory()) throw refuse('is not a folder')
    await access(path, constants.R_OK | constants.W_OK | constants.X_OK)
    return path
  } catch (error) {
    throw isEngineError(error) ? error : refuse(`cannot be written: ${messageOf(error)}`, error)
  }
}

async function attempt<T>(what: string, id: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    throw storeError('STORE_FAILED', `${what}: ${messageOf(error)}`, { cause: error, at: id })
  }
}
