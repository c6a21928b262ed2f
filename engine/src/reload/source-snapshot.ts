// What the files of a configuration hold at one moment: their bytes, or why they have none, and one hash over all of
// them. A configuration is loaded from a snapshot, so that a file that is written meanwhile can't be half of each.
import { createHash } from 'node:crypto'
import { constants, type Stats } from 'node:fs'
import { open, readdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Contents } from '../config/source/read-source.js'

/** One more than a configuration file may have, so that the loader sees that there is more. */
const MOST_BYTES = 1024 * 1024 + 1
/** Of a configuration; further ones are read by the loader itself, and not watched. */
const MOST_SOURCES = 1000

interface Source {
  /** Tells contents apart; also says why there is none. */
  readonly digest: string
  readonly bytes?: Uint8Array
  /** What reading it ended with; undefined also for folders. */
  readonly error?: Error
}

export class SourceSnapshot {
  /** By absolute path. */
  readonly #sources: ReadonlyMap<string, Source>

  constructor(sources: ReadonlyMap<string, Source>) {
    this.#sources = sources
  }

  /** Reads files, and lists folders, by their absolute paths. Never fails for what the disk does. */
  static async take(paths: readonly string[]): Promise<SourceSnapshot> {
    const sources = new Map<string, Source>()
    // One after the other: a reload is not in a hurry, and libuv's pool is for everybody.
    for (const path of paths.slice(0, MOST_SOURCES)) sources.set(path, await readOne(path))
    return new SourceSnapshot(sources)
  }

  has(path: string): boolean {
    return this.#sources.has(path)
  }

  /** A short text that is the same where the same is in these files and folders. */
  hashOf(paths: readonly string[]): string {
    const hash = createHash('sha256')
    for (const path of [...paths].sort()) hash.update(`${path}\0${this.#sources.get(path)?.digest ?? ''}\0`)
    return hash.digest('hex').slice(0, 32)
  }

  /** The text of a file; undefined for what has none. */
  textOf(path: string): string | undefined {
    const bytes = this.#sources.get(path)?.bytes
    return bytes === undefined ? undefined : new TextDecoder().decode(bytes)
  }

  /**
   * For the loader. `asked` is called with the absolute path of each file that it takes. With `waits`, what is no
   * regular file (a pipe) is left to the loader: only the first reading may do that, since a pipe gives its text once.
   */
  contents(asked: (path: string) => void, waits: boolean): Contents {
    return new SnapshotContents(this.#sources, asked, waits)
  }
}

/** Looks names up by their absolute paths; a file that could not be read then is not read by the loader either. */
class SnapshotContents extends Map<string, Uint8Array> implements Contents {
  readonly #sources: ReadonlyMap<string, Source>
  readonly #asked: (path: string) => void
  readonly #waits: boolean

  constructor(sources: ReadonlyMap<string, Source>, asked: (path: string) => void, waits: boolean) {
    super()
    this.#sources = sources
    this.#asked = asked
    this.#waits = waits
    for (const [path, { bytes }] of sources) if (bytes !== undefined) super.set(path, bytes)
  }

  override has(name: string): boolean {
    return super.has(resolve(name))
  }

  override get(name: string): Uint8Array | undefined {
    const path = resolve(name)
    this.#asked(path)
    const source = this.#sources.get(path)
    if (source?.error !== undefined && !(this.#waits && source.error instanceof NotRegularError)) throw source.error
    return source?.bytes
  }
}

class NotRegularError extends Error {}

async function readOne(path: string): Promise<Source> {
  try {
    // A FIFO that nobody writes must not hold the process up.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    const status = await file.stat()
    if (status.isDirectory()) return await listFolder(path)
    if (!status.isFile()) return failed(new NotRegularError('it is no regular file, and can be read at the start only'))
    const bytes = new Uint8Array(Math.min(status.size + 1, MOST_BYTES))
    const read = await readInto(file, bytes)
    return { digest: `${read.length} ${sizeBeyond(status)} ${digestOf(read)}`, bytes: read }
  } catch (error) {
    return failed(error as Error)
  }
}

/** A file that grows while it is read is read up to where it ended at first: its next event has the rest. */
async function readInto(file: Awaited<ReturnType<typeof open>>, bytes: Uint8Array): Promise<Uint8Array> {
  let length = 0
  while (length < bytes.length) {
    const { bytesRead } = await file.read(bytes, length, bytes.length - length, length)
    if (bytesRead === 0) break
    length += bytesRead
  }
  return bytes.subarray(0, length)
}

/** What is not read of a file that is too large counts by its size. */
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
