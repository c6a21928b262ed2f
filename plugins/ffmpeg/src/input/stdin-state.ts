// Whether the stdin of the engine can be read as a stream.
import { fstatSync } from 'node:fs'
import { isatty } from 'node:tty'
import { inputError } from './input-errors.js'

const STDIN_DESCRIPTOR = 0

/** Throws FFMPEG_INPUT_STDIN. */
export function checkStdin(): void {
  const stats = fstatSync(STDIN_DESCRIPTOR)
  if (stats.isFile() || stats.isFIFO() || stats.isSocket()) return
  const what = isatty(STDIN_DESCRIPTOR) ? 'stdin is a terminal' : 'stdin is not a file, pipe or socket'
  throw inputError('FFMPEG_INPUT_STDIN', what)
}
