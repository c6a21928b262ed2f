// The limit of file descriptors for this process: each viewer takes one.
import { readFileSync } from 'node:fs'
import process from 'node:process'

const MAX_OPEN_FILES = /^Max open files\s+(\d+)/m

/** The soft limit (Node has raised it to the hard one); Infinity if there is none or it is unknown. */
export function readDescriptorLimit(): number {
  if (process.platform !== 'linux') return Infinity
  const limit = MAX_OPEN_FILES.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
  return limit === undefined ? Infinity : Number(limit)
}
