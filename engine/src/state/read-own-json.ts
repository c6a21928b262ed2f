// Reads a JSON file that this engine has written, and nothing that somebody else has put there.
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import process from 'node:process'

/**
 * Undefined if there is no such file, or if it is a link, no regular file, another user's, larger than that, or not JSON.
 */
export async function readOwnJson(path: string, mostBytes: number): Promise<unknown> {
  try {
    // Does not wait for a FIFO.
    await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    const status = await file.stat()
    const isForeign = process.getuid !== undefined && status.uid !== process.getuid()
    if (!status.isFile() || isForeign || status.size > mostBytes) return undefined
    return JSON.parse(await file.readFile('utf8')) as unknown
  } catch {
    return undefined
  }
}
