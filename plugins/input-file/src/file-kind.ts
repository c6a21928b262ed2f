// Decides how to read a path: as a file, which ends and can be read again, or as a pipe.
import { fstatSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { isatty } from 'node:tty'
import { fileError } from './file-errors.js'

/** The path that means stdin, and its descriptor. */
export const STDIN = '-'
export const STDIN_DESCRIPTOR = 0

export type FileKind = 'file' | 'pipe'

export interface FileOptions {
  readonly path: string
  readonly loop: boolean
  readonly pace?: 'pcr' | 'none' | undefined
}

/**
 * How to read the path now. A path that cannot be examined counts as a file: opening it will report why. Rejects with
 * FILE_STDIN, and with FILE_PIPE_OPTION if the options would pace or loop a pipe.
 */
export async function readFileKind({ path, loop, pace }: FileOptions): Promise<FileKind> {
  const kind = path === STDIN ? stdinKind() : await pathKind(path)
  if (kind === 'pipe' && (loop || pace === 'pcr')) {
    throw fileError('FILE_PIPE_OPTION', `${path} is a pipe, which does not allow ${loop ? 'loop: true' : 'pace: pcr'}`)
  }
  return kind
}

async function pathKind(path: string): Promise<FileKind> {
  try {
    return (await stat(path)).isFIFO() ? 'pipe' : 'file'
  } catch {
    return 'file'
  }
}

function stdinKind(): FileKind {
  const stats = fstatSync(STDIN_DESCRIPTOR)
  if (stats.isFile()) return 'file'
  if (stats.isFIFO() || stats.isSocket()) return 'pipe'
  throw fileError(
    'FILE_STDIN',
    isatty(STDIN_DESCRIPTOR) ? 'stdin is a terminal' : 'stdin is not a file, pipe or socket',
  )
}
