// Writes recordings to disk, one after the other for the whole engine: a slow disk holds up nothing but the next
// recording. A file appears when it is complete, and then the oldest ones of its folder go.
import { open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createFolder } from '../../state/create-folder.js'
import type { HeldStream } from './chunk-ring.js'

/** Recordings that wait, each with memory of its own. */
const MOST_WAITING = 16
const FOLDER_MODE = 0o750
const FILE_MODE = 0o640
const ASIDE = '~new'
/** Names that the recorder gives, which end with any key; nothing else in a folder is touched. */
const NAME = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z-[^/]+\.ts(~new)?$/

export interface Recording {
  /** Absolute. */
  readonly file: string
  /** Disposed when it is written, or has failed. */
  readonly stream: HeldStream
  /** Of the folder, with this file. */
  readonly maxFiles: number
  readonly maxFileBytes: number
}

export class RecordingWriter {
  #waiting = 0
  #turn: Promise<void> = Promise.resolve()

  /** Rejects if the disk refuses it, or if too many wait. */
  write(recording: Recording): Promise<void> {
    if (this.#waiting >= MOST_WAITING) {
      recording.stream[Symbol.dispose]()
      return Promise.reject(new Error(`${MOST_WAITING} recordings are waiting for the disk`))
    }
    this.#waiting++
    const done = this.#turn.then(() => writeRecording(recording))
    this.#turn = done.then(
      () => void this.#waiting--,
      () => void this.#waiting--,
    )
    return done
  }

  /** Resolves when everything that was begun is written. Never rejects. */
  settled(): Promise<void> {
    return this.#turn
  }
}

async function writeRecording({ file, stream, maxFiles, maxFileBytes }: Recording): Promise<void> {
  using _held = stream
  const aside = `${file}${ASIDE}`
  try {
    await createFolder(dirname(file), FOLDER_MODE)
    await fill(aside, [stream.preamble, ...stream.pieces])
    await rename(aside, file)
  } catch (error) {
    await rm(aside, { force: true }).catch(() => undefined)
    throw error
  }
  await prune(dirname(file), { maxFiles, maxFileBytes })
}

async function fill(path: string, pieces: readonly Uint8Array[]): Promise<void> {
  await using file = await open(path, 'wx', FILE_MODE)
  for (const piece of pieces) {
    for (let at = 0; at < piece.length;) at += (await file.write(piece, at)).bytesWritten
  }
}

/** Never rejects: a file that cannot be removed is tried again with the next one. */
async function prune(
  folder: string,
  { maxFiles, maxFileBytes }: Pick<Recording, 'maxFiles' | 'maxFileBytes'>,
): Promise<void> {
  const names = (await readdir(folder).catch((): string[] => [])).filter((name) => NAME.test(name)).sort()
  const unfinished = names.filter((name) => name.endsWith(ASIDE))
  const files = names.filter((name) => !name.endsWith(ASIDE))
  const remove = (name: string): Promise<void> => rm(join(folder, name), { force: true }).catch(() => undefined)
  // Of an engine that was killed: this one writes one file at a time.
  for (const name of unfinished) await remove(name)
  let [count, bytes] = [0, 0]
  // The newest first: it stays in any case.
  for (const name of files.reverse()) {
    count++
    bytes += (await stat(join(folder, name)).catch(() => undefined))?.size ?? 0
    if (count > 1 && (count > maxFiles || bytes > maxFileBytes)) await remove(name)
  }
}
