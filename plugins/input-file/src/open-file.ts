// Opens a regular file, by path or as stdin, for reading from its current position to its end.
import { constants, read } from 'node:fs'
import type { Stats } from 'node:fs'
import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { promisify } from 'node:util'
import { fileError, unreadable } from './file-errors.js'
import { STDIN, STDIN_DESCRIPTOR } from './file-kind.js'

export interface OpenFile {
  /** Stays the same until the file changes; empty for stdin. */
  readonly version: string
  /** Fills the block from its start; resolves with the number of bytes read, 0 at the end. */
  read(block: Uint8Array): Promise<number>
  close(): Promise<void>
}

const readDescriptor = promisify(read)

/** Rejects with FILE_UNREADABLE or FILE_NOT_REGULAR. */
export async function openFile(path: string): Promise<OpenFile> {
  if (path === STDIN) return { version: '', read: (block) => readStdin(block), close: () => Promise.resolve() }
  const { file, version } = await openRegular(path)
  return {
    version,
    async read(block) {
      try {
        return (await file.read(block, 0, block.length, null)).bytesRead
      } catch (error) {
        throw unreadable(path, error)
      }
    },
    close: () => file.close(),
  }
}

async function readStdin(block: Uint8Array): Promise<number> {
  try {
    return (await readDescriptor(STDIN_DESCRIPTOR, block, 0, block.length, null)).bytesRead
  } catch (error) {
    throw unreadable(STDIN, error)
  }
}

async function openRegular(path: string): Promise<{ readonly file: FileHandle; readonly version: string }> {
  let file: FileHandle
  try {
    // Non-blocking: opening a pipe would wait for its writer in a thread of the shared pool.
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    throw unreadable(path, error)
  }
  try {
    const { isFile, version } = describe(await file.stat())
    if (isFile) return { file, version }
  } catch (error) {
    await file.close()
    throw unreadable(path, error)
  }
  await file.close()
  throw fileError('FILE_NOT_REGULAR', `${path} is not a regular file`)
}

function describe(stats: Stats): { readonly isFile: boolean; readonly version: string } {
  const { dev, ino, size, mtimeMs } = stats
  return { isFile: stats.isFile(), version: `${dev}:${ino}:${size}:${mtimeMs}` }
}
