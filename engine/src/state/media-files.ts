// The folders of large files that nodes keep on disks: see plugin/media-folder.ts.
import { constants } from 'node:fs'
import {
  copyFile,
  link,
  lstat,
  open,
  readdir,
  rename,
  rm,
  rmdir,
  stat,
  unlink,
  type FileHandle,
} from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Writable } from 'node:stream'
import { messageOf } from '../errors.js'
import type { MediaFolder } from '../plugin/media-folder.js'
import type { KeptMedia } from '../plugin/media-memory.js'
import type { Clock } from '../plugin/tokens.js'
import { createFolder } from './create-folder.js'
import { DiskTurns } from './disk-turns.js'
import { OpenFiles } from './open-files.js'
import { ReadBuffers } from './read-buffers.js'
import { storeError } from './store-errors.js'
import { PieceWriter } from './piece-writer.js'
import { StoredMedia, type DiskReading } from './stored-media.js'
import { WriteBuffers } from './write-buffers.js'

const PART = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/
/** Of a file that is not complete. */
const ASIDE = '~new'
const LARGEST_READ = 1024 * 1024
const FOLDER_MODE = 0o755
const FILE_MODE = 0o640
/** Errors of a link for which a copy may work: other disks, disks without links, too many of them. */
const NO_LINK = new Set(['EXDEV', 'EPERM', 'EMLINK', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])

interface DiskAccess extends DiskReading {
  readonly writing: WriteBuffers
}

/** For all nodes. */
export class MediaFiles {
  readonly reading: DiskAccess

  constructor(clock: Pick<Clock, 'after' | 'nowMs'>) {
    const turns = new DiskTurns()
    this.reading = {
      writer: new PieceWriter(clock),
      turns,
      files: new OpenFiles(turns),
      writing: new WriteBuffers(),
      buffers: new ReadBuffers(clock),
    }
  }

  /** `owner`: the id of its node, which a reload can change. */
  folder(path: string, owner: { readonly id: string }): MediaFolder {
    return new DiskFolder(path, owner, this.reading)
  }
}

class DiskFolder implements MediaFolder {
  readonly path: string
  readonly #owner: { readonly id: string }
  readonly #reading: DiskAccess

  constructor(path: string, owner: { readonly id: string }, reading: DiskAccess) {
    this.path = path
    this.#owner = owner
    this.#reading = reading
  }

  list(folder?: string): Promise<readonly string[]> {
    return this.#run(folder ?? '', async (path) => {
      const names = await unlessMissing(this.#patientTurn(() => readdir(path)))
      return (names ?? []).filter((name) => PART.test(name))
    })
  }

  size(name: string): Promise<number | undefined> {
    return this.#run(name, async (path) => (await unlessMissing(this.#patientTurn(() => stat(path))))?.size)
  }

  write(name: string, media: KeptMedia): Promise<void> {
    return this.#run(name, async (path) => {
      const aside = `${path}${ASIDE}`
      try {
        await this.#inFolder(path, () => this.#fill(aside, media))
        await this.#turn(() => rename(aside, path))
        this.#reading.files.forget(path)
      } catch (error) {
        await this.#turn(() => rm(aside, { force: true })).catch(() => undefined)
        throw error
      }
    })
  }

  adopt(name: string, from: MediaFolder): Promise<void> {
    return this.#run(name, async (path) => {
      const source = join(from.path, name)
      await this.#turn(() => rm(path, { force: true }))
      try {
        await this.#inFolder(path, () => this.#turn(() => link(source, path)))
      } catch (error) {
        if (!NO_LINK.has((error as NodeJS.ErrnoException).code ?? '')) throw error
        await this.#turn(() => copyFile(source, `${path}${ASIDE}`, constants.COPYFILE_FICLONE))
        await this.#turn(() => rename(`${path}${ASIDE}`, path))
      }
    })
  }

  append(name: string, bytes: Uint8Array): Promise<void> {
    const content = new Uint8Array(bytes)
    return this.#run(name, (path) =>
      this.#inFolder(path, async () => {
        const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW
        await this.#turn(async () => {
          const file = await open(path, flags, FILE_MODE)
          try {
            await writeWhole(file, content)
          } finally {
            await file.close()
          }
        })
      }),
    )
  }

  read(name: string, from: number, length: number): Promise<Uint8Array> {
    return this.#run(name, async (path) => {
      const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
      const bytes = new Uint8Array(Math.min(Math.max(0, length), LARGEST_READ))
      const read = await unlessMissing(
        this.#patientTurn(async () => {
          const file = await open(path, flags)
          try {
            return (await file.read(bytes, 0, bytes.length, from)).bytesRead
          } finally {
            await file.close()
          }
        }),
      )
      return bytes.subarray(0, read ?? 0)
    })
  }

  media(name: string, length: number): KeptMedia {
    return new StoredMedia(this.#pathOf(name), length, this.#reading)
  }

  remove(name: string): Promise<void> {
    return this.#run(name, async (path) => {
      const status = await unlessMissing(this.#turn(() => lstat(path)))
      if (status === undefined) return
      if (!status.isDirectory()) {
        await unlessMissing(this.#turn(() => unlink(path)))
        return this.#reading.files.forget(path)
      }
      for (const each of (await unlessMissing(this.#turn(() => readdir(path)))) ?? []) {
        await unlessMissing(this.#turn(() => unlink(join(path, each))))
        this.#reading.files.forget(join(path, each))
      }
      await unlessMissing(this.#turn(() => rmdir(path)))
    })
  }

  /** Runs it again if the folder of the path was missing. */
  async #inFolder<T>(path: string, run: () => Promise<T>): Promise<T> {
    try {
      return await run()
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      await this.#turn(() => createFolder(dirname(path), FOLDER_MODE))
      return run()
    }
  }

  #fill(aside: string, media: KeptMedia): Promise<void> {
    return this.#reading.writing.run(async (buffer) => {
      const file = await this.#openNew(aside)
      try {
        await this.#copyInto(file, media, buffer)
      } finally {
        await file.close()
      }
    })
  }

  async #openNew(aside: string): Promise<FileHandle> {
    const openIt = (): Promise<FileHandle> => this.#turn(() => open(aside, 'wx', FILE_MODE))
    try {
      return await openIt()
    } catch (error) {
      // What an engine that was killed has left.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      await this.#turn(() => rm(aside, { force: true }))
      return openIt()
    }
  }

  async #copyInto(file: FileHandle, media: KeptMedia, buffer: Buffer): Promise<void> {
    let [used, problem]: [number, unknown] = [0, new Error('its memory is needed')]
    const flush = (): Promise<void> => {
      const content = buffer.subarray(0, used)
      used = 0
      return this.#turn(() => writeWhole(file, content))
    }
    const take = async (piece: Uint8Array): Promise<void> => {
      for (let at = 0; at < piece.length;) {
        const part = piece.subarray(at, at + buffer.length - used)
        buffer.set(part, used)
        used += part.length
        at += part.length
        if (used === buffer.length) await flush()
      }
    }
    const sink = new Writable({
      highWaterMark: 1,
      write: (piece: Uint8Array, _encoding, done) => {
        take(piece).then(
          () => done(),
          (error: unknown) => {
            problem = error
            done(error as Error)
          },
        )
      },
    })
    sink.on('error', () => undefined)
    try {
      if (!(await media.sendTo(sink))) throw problem
    } finally {
      sink.destroy()
    }
    if (used > 0) await flush()
  }

  /** Viewers, and what is being written, come first. */
  #patientTurn<T>(operation: () => Promise<T>): Promise<T> {
    return this.#reading.turns.run(operation, { canWait: true })
  }

  #turn<T>(operation: () => Promise<T>): Promise<T> {
    return this.#reading.turns.run(operation)
  }

  /** `name`: empty for the folder itself. */
  async #run<T>(name: string, run: (path: string) => Promise<T>): Promise<T> {
    const path = this.#pathOf(name)
    try {
      return await run(path)
    } catch (error) {
      throw storeError('STORE_FAILED', `${path}: ${messageOf(error)}`, { cause: error, at: this.#owner.id })
    }
  }

  #pathOf(name: string): string {
    if (name === '') return this.path
    const parts = name.split('/')
    if (parts.length <= 2 && parts.every((part) => PART.test(part) && !part.includes('..'))) {
      return join(this.path, ...parts)
    }
    throw storeError('STORE_NAME', `${JSON.stringify(name)} is not a name of a file`, { at: this.#owner.id })
  }
}

async function writeWhole(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += (await file.write(bytes, at)).bytesWritten
}

/** Undefined if there is no such file. */
async function unlessMissing<T>(operation: Promise<T>): Promise<T | undefined> {
  return operation.catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
}
