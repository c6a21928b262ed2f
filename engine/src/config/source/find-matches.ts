// Finds the files of one folder that match a pattern, in which each * stands for any characters of a name.
import { opendir } from 'node:fs/promises'
import { basename, dirname } from 'node:path'

/** Entries that are examined; a folder with more is not a configuration folder. */
const MOST_ENTRIES = 10_000

/**
 * Names of the matching files, sorted. A hidden file matches only a pattern that begins with a dot. Throws if the
 * folder cannot be read.
 */
export async function findMatches(
  folder: string,
  pattern: string,
  listFolder: (folder: string) => Promise<readonly string[]> = listOnDisk,
): Promise<readonly string[]> {
  const found = (await listFolder(folder)).filter((name) => matches(name, pattern))
  // By code units: the same everywhere, whatever the locale of the machine.
  return found.sort((a, b) => (a < b ? -1 : 1))
}

/** Lists files from these absolute paths instead of from disk. */
export function listAmong(paths: Iterable<string>): (folder: string) => Promise<readonly string[]> {
  const all = [...paths]
  return (folder) => Promise.resolve(all.filter((path) => dirname(path) === folder).map((path) => basename(path)))
}

async function listOnDisk(folder: string): Promise<readonly string[]> {
  const names: string[] = []
  let looked = 0
  for await (const entry of await opendir(folder)) {
    looked += 1
    if (looked > MOST_ENTRIES) break
    if (!entry.isDirectory()) names.push(entry.name)
  }
  return names
}

/** Whether a name matches; takes at most time proportional to the product of both lengths. */
export function matches(name: string, pattern: string): boolean {
  if (name.startsWith('.') && !pattern.startsWith('.')) return false
  const [first = '', ...rest] = pattern.split('*')
  const last = rest.pop()
  if (last === undefined) return name === pattern
  if (!name.startsWith(first)) return false
  let at = first.length
  for (const piece of rest) {
    const found = name.indexOf(piece, at)
    if (found === -1) return false
    at = found + piece.length
  }
  return name.endsWith(last) && name.length - last.length >= at
}
