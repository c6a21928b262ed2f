// Files of one folder by a pattern in which each * stands for any characters of a name.
import { opendir } from 'node:fs/promises'
import { basename, dirname } from 'node:path'

/** Entries that are looked at; a folder with more is not one of configuration. */
const MOST_ENTRIES = 10_000

/** Names of the files that match, sorted. Hidden ones do not. Throws if the folder cannot be read. */
export async function findMatches(
  folder: string,
  pattern: string,
  listFolder: (folder: string) => Promise<readonly string[]> = listOnDisk,
): Promise<readonly string[]> {
  const found = (await listFolder(folder)).filter((name) => matches(name, pattern))
  // By code units: the same everywhere, whatever the language of the machine.
  return found.sort((a, b) => (a < b ? -1 : 1))
}

/** Lists the files that are known by these absolute paths, whatever is on disk. */
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

/** Whether a name matches; in time that grows with the product of both lengths at most. */
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
