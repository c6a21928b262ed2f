// Reads and writes the files in the folders of nodes, and makes the folders that configurations name.
import { constants } from 'node:fs'
import { access, open, stat } from 'node:fs/promises'
import { isAbsolute, join, resolve } from 'node:path'
import { isEngineError, messageOf } from '../errors.js'
import type { MediaFolder } from '../plugin/media-folder.js'
import type { Store } from '../plugin/store.js'
import { createFolder } from './create-folder.js'
import type { Lineage, Lineages } from './lineages.js'
import type { MediaFiles } from './media-files.js'
import type { NodeFolders } from './node-folders.js'
import { LARGEST_BYTES, NodeWrites } from './node-writes.js'
import { storeError } from './store-errors.js'
import { writeAtomically } from './write-atomically.js'

const NAME = /^[A-Za-z0-9._-]{1,128}$/

/** A reload may rename it. */
export interface StoreUser {
  readonly id: string
}

interface NamedBytes {
  readonly name: string
  readonly bytes: Uint8Array
}

export class NodeFiles {
  readonly #folders: NodeFolders
  readonly #lineages: Lineages
  readonly #media: MediaFiles
  /** Shared by the nodes that replace each other. */
  readonly #writes = new WeakMap<Lineage, NodeWrites>()
  /** With writes that have not finished. */
  readonly #busy = new Set<NodeWrites>()

  constructor(folders: NodeFolders, lineages: Lineages, media: MediaFiles) {
    this.#folders = folders
    this.#lineages = lineages
    this.#media = media
  }

  storeOf(lineage: Lineage, owner: StoreUser): Store {
    return {
      folder: () => this.#folder(lineage, owner),
      at: (path) => makeFolder(path, owner),
      read: (name) => this.#read(name, lineage, owner),
      write: (name, bytes) => this.#write({ name, bytes }, lineage, owner),
      media: (use, path) => this.#mediaFolder({ use, path }, lineage, owner),
    }
  }

  /** Resolves when all renames and writes that have begun are done. Never rejects. */
  async settled(): Promise<void> {
    await Promise.all([...this.#busy].map((writes) => writes.settled()))
    await this.#folders.settled()
  }

  #folder(lineage: Lineage, { id }: StoreUser): Promise<string> {
    return attempt(`its folder in the state folder`, id, () => this.#folders.open(lineage))
  }

  async #mediaFolder(
    { use, path }: { readonly use: string; readonly path: string | undefined },
    lineage: Lineage,
    owner: StoreUser,
  ): Promise<MediaFolder> {
    checkName(use, owner)
    const own = await this.#folder(lineage, owner)
    const base = path === undefined ? own : this.#folders.below(resolve(this.#folders.stateDir, path), own)
    return this.#media.folder(await makeFolder(join(base, use), owner), owner)
  }

  async #read(name: string, lineage: Lineage, owner: StoreUser): Promise<Uint8Array | undefined> {
    checkName(name, owner)
    return this.#writesOf(lineage).inTurn(async () => {
      const path = join(await this.#folder(lineage, owner), name)
      return attempt(path, owner.id, () => readWhole(path))
    })
  }

  async #write({ name, bytes }: NamedBytes, lineage: Lineage, owner: StoreUser): Promise<void> {
    checkName(name, owner)
    if (bytes.length > LARGEST_BYTES) {
      throw storeError('STORE_FAILED', `${name} is larger than ${LARGEST_BYTES} bytes`, { at: owner.id })
    }
    const writes = this.#writesOf(lineage)
    this.#busy.add(writes)
    // Nobody else may have the folder while something is written there.
    this.#lineages.hold(lineage, writes)
    try {
      await writes.write(name, bytes, owner)
    } finally {
      if (writes.isIdle) {
        this.#busy.delete(writes)
        this.#lineages.end(lineage, writes)
      }
    }
  }

  #writesOf(lineage: Lineage): NodeWrites {
    const known = this.#writes.get(lineage)
    if (known !== undefined) return known
    const writes = new NodeWrites(async (name, bytes, owner) => {
      const path = join(await this.#folder(lineage, owner), name)
      await attempt(path, owner.id, () => writeAtomically(path, bytes))
    })
    this.#writes.set(lineage, writes)
    return writes
  }
}

function checkName(name: string, { id }: StoreUser): void {
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

async function makeFolder(path: string, { id }: StoreUser): Promise<string> {
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
