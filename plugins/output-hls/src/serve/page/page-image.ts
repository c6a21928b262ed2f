// Reads an image of the page, a logo or a poster.
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { pageError } from './page-errors.js'

const MAX_BYTES = 2 * 1024 * 1024

/** Throws HLS_PAGE_IMAGE. */
export async function readPageImage(path: string): Promise<Buffer> {
  try {
    return await readRegularFile(path)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw pageError('HLS_PAGE_IMAGE', `the image ${path} cannot be used: ${why}`, { cause })
  }
}

async function readRegularFile(path: string): Promise<Buffer> {
  // Without O_NONBLOCK, opening a FIFO would wait for its writer.
  await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const stats = await file.stat()
  if (!stats.isFile()) throw new Error('it is not a regular file')
  if (stats.size > MAX_BYTES) throw new Error(`it has more than ${MAX_BYTES} bytes`)
  return file.readFile()
}
