// stderr, for the log: in non-blocking mode if it is a pipe, a socket or a terminal, so that a reader that stalls blocks
// nothing. Files are written in the page cache, without a thread: the order of lines and their last one are certain.
import { constants, fstatSync, openSync, writeSync } from 'node:fs'
import process from 'node:process'
import { isatty } from 'node:tty'
import { LogOutput } from './log-output.js'

const STDERR = 2
/** Time for writing what waits when the process ends. */
const END_MS = 1000

/** `onRecovered`: called when lines have been dropped and lines can be written again. */
export function openStderr(onRecovered: (dropped: number) => void): LogOutput {
  const fd = openNonBlocking()
  const shared = fd === STDERR ? sharedHandle() : undefined
  const output = new LogOutput({
    write: (bytes) => {
      shared?.setBlocking?.(false)
      return writeSync(fd, bytes)
    },
    after: (delayMs, run) => setTimeout(run, delayMs).unref(),
    onRecovered,
  })
  process.on('exit', () => output.flush(END_MS))
  return output
}

/**
 * What Node has opened stderr as: a socket for which a child process may have changed the mode. Node documents no other
 * way to set it.
 */
function sharedHandle(): { setBlocking?(isBlocking: boolean): unknown } | undefined {
  const { _handle: handle } = process.stderr as { _handle?: { setBlocking?(isBlocking: boolean): unknown } }
  return isatty(STDERR) ? undefined : handle
}

/**
 * A description of its own for a pipe or a terminal: a child process that inherits stderr, or another process that has it,
 * can change the mode of the shared one at any time. A socket cannot be opened again; for it, and where the system
 * refuses, the shared one is used, and its mode set before each write.
 */
function openNonBlocking(): number {
  // The first access makes a pipe or a socket non-blocking.
  void process.stderr
  if (!isatty(STDERR) && !isPipe(STDERR)) return STDERR
  try {
    return openSync(`/proc/self/fd/${STDERR}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
  } catch {
    return STDERR
  }
}

function isPipe(fd: number): boolean {
  try {
    return fstatSync(fd).isFIFO()
  } catch {
    return false
  }
}
