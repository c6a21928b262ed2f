// File descriptors of this process, and their limit: each viewer takes one.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import process from 'node:process'

const DESCRIPTORS = '/proc/self/fd'
/** The least that a file system allocates. */
const BLOCK_BYTES = 512
const MAX_OPEN_FILES = /^Max open files\s+(\d+)/m

/** The soft limit (Node has raised it to the hard one); Infinity if there is none or it is unknown. */
export function readDescriptorLimit(): number {
  if (process.platform !== 'linux') return Infinity
  const limit = MAX_OPEN_FILES.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
  return limit === undefined ? Infinity : Number(limit)
}

/**
 * How many are open; 0 if it is unknown. Since Linux 6.2 the size of the folder is the number of descriptors. On older
 * kernels it is 0, and where something else than the kernel makes /proc, it can be that of any folder, in blocks: then the
 * folder is read, which takes time with thousands of viewers and opens a descriptor that is not counted.
 */
export function countDescriptors(sizeOf = (folder: string): number => statSync(folder).size): number {
  if (process.platform !== 'linux') return 0
  const size = sizeOf(DESCRIPTORS)
  return size % BLOCK_BYTES === 0 ? readdirSync(DESCRIPTORS).length - 1 : size
}
