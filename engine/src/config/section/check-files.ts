// Files and folders that options name. A missing one is a mistake where the node cannot do without, else a warning; one of
// the wrong kind is always a mistake.
import { readdir, stat } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import type { NamedFile, Problems } from '../report/diagnostic.js'
import { nearestWord } from '../report/did-you-mean.js'

const MOST_SUGGESTED_FROM = 500
const AT_ONCE = 64

/** What is at a path; `unknown` if it may not be looked for. */
type Found = 'file' | 'folder' | 'nothing' | 'unknown'

/**
 * Reports those that do not exist, or are folders where files are meant. A file that may not be looked for is not
 * reported: the engine may run as another user.
 */
export async function checkFiles(problems: Problems): Promise<void> {
  const paths = [...new Set(problems.files.map(({ path }) => path))]
  const found = new Map<string, Found>()
  for (let at = 0; at < paths.length; at += AT_ONCE) {
    const some = paths.slice(at, at + AT_ONCE)
    const kinds = await Promise.all(some.map((path) => lookFor(path)))
    for (const [index, path] of some.entries()) found.set(path, kinds[index] ?? 'unknown')
  }
  const folders = new Map<string, readonly string[] | undefined>()
  for (const file of problems.files) {
    if (problems.isFull) return
    const kind = found.get(file.path)
    if (kind === 'file' || kind === 'folder') reportKind(file, kind, problems)
    if (kind !== 'nothing' || file.exists === undefined) continue
    const folder = dirname(file.path)
    if (!folders.has(folder)) folders.set(folder, await namesIn(folder))
    report(file, folders.get(folder), problems)
  }
}

function reportKind({ path, place, title, is }: NamedFile, found: 'file' | 'folder', problems: Problems): void {
  if (is === undefined || is === found) return
  const help = is === 'file' ? 'add the name of the file' : 'leave out the name of the file'
  problems.report('CONFIG_FILE_KIND', place, `${title} names the ${found} ${path}, but a ${is} is needed`, { help })
}

/** `names`: those in the folder of the file; undefined if it cannot be read. */
function report(file: NamedFile, names: readonly string[] | undefined, problems: Problems): void {
  const { path, place, title, exists } = file
  const message = `${title} names ${path}, which does not exist`
  const severity = exists === 'required' ? 'error' : 'warning'
  problems.report('CONFIG_MISSING_FILE', place, message, { severity, help: helpFor(file, names) })
}

function helpFor({ path, written }: NamedFile, names: readonly string[] | undefined): string | undefined {
  if (written.startsWith('~')) return 'a ~ does not stand for a home folder here: write the whole path'
  if (names === undefined) return `the folder ${dirname(path)} does not exist either, or can't be read`
  const near = nearestWord(basename(path), names)
  return near === undefined ? undefined : `did you mean "${near}"?`
}

async function namesIn(folder: string): Promise<readonly string[] | undefined> {
  try {
    return (await readdir(folder)).slice(0, MOST_SUGGESTED_FROM)
  } catch {
    return undefined
  }
}

async function lookFor(path: string): Promise<Found> {
  try {
    return (await stat(path)).isDirectory() ? 'folder' : 'file'
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')
    return isMissing ? 'nothing' : 'unknown'
  }
}
