// The contents of a configuration's files at one moment: their bytes, or why they have none, and one hash over all of
// them. A configuration is loaded from a snapshot, so that a file written meanwhile can't be read half old and half
// new.
import { createHash } from 'node:crypto'
import { constants, type Stats } from 'node:fs'
import { open, readdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Contents } from '../config/source/read-source.js'

/** One more than a configuration file may have, so that the loader sees that it is too large. */
const MOST_BYTES = 1024 * 1024 + 1
/** Per configuration; further sources are read by the loader itself, and not watched. */
const MOST_SOURCES = 1000
/** A file that changes during each of so many attempts is taken as unreadable: its next event has it read again. */
const MOST_ATTEMPTS = 10

interface Source {
  /** Differs for different contents, and for different reasons why there are none. */
  readonly digest: string
  readonly bytes?: Uint8Array
  /** Why it has no bytes; EISDIR for a folder. */
  readonly error?: Error
}

export class SourceSnapshot {
  /** By absolute path. */
  readonly #sources: ReadonlyMap<string, Source>

  constructor(sources: ReadonlyMap<string, Source>) {
    this.#sources = sources
  }

  /** Reads files and lists folders, by absolute path. Never fails because of the disk. */
  static async take(paths: readonly string[]): Promise<SourceSnapshot> {
    const sources = new Map<string, Source>()
    // One after the other: a reload is not urgent, and libuv's thread pool is shared.
    for (const path of paths.slice(0, MOST_SOURCES)) sources.set(path, await readOne(path))
    return new SourceSnapshot(sources)
  }

  has(path: string): boolean {
    return this.#sources.has(path)
  }

  /** A short text, equal if these files and folders have equal contents. */
  hashOf(paths: readonly string[]): string {
    const hash = createHash('sha256')
    for (const path of [...paths].sort()) hash.update(`${path}\0${this.#sources.get(path)?.digest ?? ''}\0`)
    return hash.digest('hex').slice(0, 32)
  }

  /** The text of a file; undefined if it has none. */
  textOf(path: string): string | undefined {
    const bytes = this.#sources.get(path)?.bytes
    return bytes === undefined ? undefined : new TextDecoder().decode(bytes)
  }

  /**
   * For the loader. `onRead` is called with the absolute path of each file that it requests. With `waits`, anything
   * that is not a regular file (a pipe) is left to the loader: only the first reading may do that, since a pipe yields
   * its text once.
   */
  contents(onRead: (path: string) => void, waits: boolean): Contents {
    return new SnapshotContents(this.#sources, onRead, waits)
  }
}

/** Looks names up by absolute path; a file that could not be read for the snapshot is not read by the loader either. */
class SnapshotContents extends Map<string, Uint8Array> implements Contents {
  readonly #sources: ReadonlyMap<string, Source>
  readonly #onRead: (path: string) => void
  readonly #waits: boolean

  constructor(sources: ReadonlyMap<string, Source>, onRead: (path: string) => void, waits: boolean) {
    super()
    this.#sources = sources
    this.#onRead = onRead
    this.#waits = waits
    for (const [path, { bytes }] of sources) if (bytes !== undefined) super.set(path, bytes)
  }

  override has(name: string): boolean {
    return super.has(resolve(name))
  }

  override get(name: string): Uint8Array | undefined {
    const path = resolve(name)
    this.#onRead(path)
    const source = this.#sources.get(path)
    if (source?.error !== undefined && !(this.#waits && source.error instanceof NotRegularError)) throw source.error
    return source?.bytes
  }
}

class NotRegularError extends Error {}

async function readOne(path: string): Promise<Source> {
  try {
    for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt++) {
      // A FIFO without a writer must not block the process.
      await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
      const status = await file.stat()
      if (status.isDirectory()) return await listFolder(path)
      if (!status.isFile())
        return failed(new NotRegularError('it is not a regular file, and can only be read at startup'))
      const bytes = await readUpTo(file, Math.min(status.size + 1, MOST_BYTES))
      // The beginning of a text can be a valid configuration without its last pipelines.
      if (isSame(status, await file.stat(), bytes.length))
        return { digest: `${bytes.length} ${sizeBeyond(status)} ${digestOf(bytes)}`, bytes }
    }
    return failed(Object.assign(new Error('it is being written'), { code: 'EAGAIN' }))
  } catch (error) {
    return failed(error as Error)
  }
}

/** Whether a file was not written while it was read. */
function isSame(before: Stats, after: Stats, length: number): boolean {
  const isWhole = length === Math.min(before.size, MOST_BYTES)
  return isWhole && before.size === after.size && before.mtimeMs === after.mtimeMs && before.ctimeMs === after.ctimeMs
}

async function readUpTo(file: Awaited<ReturnType<typeof open>>, most: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(most)
  let length = 0
  while (length < bytes.length) {
    const { bytesRead } = await file.read(bytes, length, bytes.length - length, length)
    if (bytesRead === 0) break
    length += bytesRead
  }
  return bytes.subarray(0, length)
}

/** The unread part of a file that is too large counts by its size. */
function sizeBeyond({ size }: Stats): number {
  return size < MOST_BYTES ? 0 : size
}

async function listFolder(path: string): Promise<Source> {
  const names = (await readdir(path)).sort()
  const error = Object.assign(new Error('it is a folder'), { code: 'EISDIR' })
  return { digest: `folder ${digestOf(new TextEncoder().encode(names.join('\0')))}`, error }
}

function failed(error: Error): Source {
  const code = 'code' in error ? String(error.code) : error.message
  return { digest: `none ${code}`, error }
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
