// Reads a configuration file as text, at most 1 MiB, whatever kind of file it is.
import { open, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { DiagnosticCode, Place, Problems, SourceText } from '../report/diagnostic.js'
import { messageOf } from '../../errors.js'

const LARGEST_BYTES = 1024 * 1024

/** The content of files that are not read from disk, by the name that they are given. */
export type Contents = ReadonlyMap<string, string | Uint8Array>

/**
 * The text of a file; undefined if it cannot be read, which is reported at `at`, the place where a file names it. Such
 * a file must be a regular one: a FIFO without a writer must not block the process.
 */
export async function readSource(
  name: string,
  problems: Problems,
  contents?: Contents,
  at?: Place,
): Promise<Pick<SourceText, 'name' | 'path' | 'text'> | undefined> {
  const refuse = (code: DiagnosticCode, why: string): undefined => {
    if (at === undefined) problems.reportFile(code, name, `the file ${why}`)
    else problems.report(code, at, `the file ${name} ${why}`)
  }
  try {
    if (at !== undefined && contents?.has(name) !== true && !(await stat(resolve(name))).isFile()) {
      return refuse('CONFIG_UNREADABLE', 'cannot be read: it is not a regular file')
    }
    const content = contents?.get(name) ?? (await readAtMost(resolve(name), LARGEST_BYTES + 1))
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content
    if (bytes.length > LARGEST_BYTES) {
      return refuse('CONFIG_TOO_LARGE', `is larger than ${LARGEST_BYTES} bytes`)
    }
    // Removes a byte order mark, and throws if the bytes are not UTF-8.
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return { name, path: resolve(name), text }
  } catch (error) {
    return refuse('CONFIG_UNREADABLE', `cannot be read: ${reasonOf(error)}`)
  }
}

async function readAtMost(path: string, most: number): Promise<Uint8Array> {
  const handle = await open(path, 'r')
  try {
    const bytes = new Uint8Array(most)
    let length = 0
    while (length < most) {
      const { bytesRead } = await handle.read(bytes, length, most - length)
      if (bytesRead === 0) break
      length += bytesRead
    }
    return bytes.subarray(0, length)
  } finally {
    await handle.close()
  }
}

/** Why a file cannot be read, in plain words. */
export function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  switch (code) {
    case 'ENOENT':
      return 'it does not exist'
    case 'EISDIR':
      return 'it is a folder'
    case 'EACCES':
      return 'permission denied'
    case 'ERR_ENCODING_INVALID_ENCODED_DATA':
      return 'it is not UTF-8 text'
    default:
      return messageOf(error)
  }
}
