// Paths of unix sockets. The kernel takes 107 bytes; Node cuts a longer path without a word, and two processes would
// meet on the wrong name. On Linux a folder can be named by its descriptor.
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'

/** The smallest of the systems: macOS has 104 bytes with the final zero. */
const MAX_BYTES = process.platform === 'linux' ? 107 : 103

/** Calls `use` with a path of the socket `name` in `folder` that the kernel takes. */
export async function withSocketPath<T>(folder: string, name: string, use: (path: string) => Promise<T>): Promise<T> {
  const path = join(folder, name)
  if (Buffer.byteLength(path) <= MAX_BYTES) return use(path)
  if (process.platform !== 'linux') {
    throw new Error(`the path ${path} is too long for a socket: ${MAX_BYTES} bytes at most`)
  }
  const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    return await use(`/proc/self/fd/${handle.fd}/${name}`)
  } finally {
    await handle.close()
  }
}
