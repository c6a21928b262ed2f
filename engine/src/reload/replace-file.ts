// Replaces a configuration file by a new text, as an editor would that takes care: through symbolic links, with the same
// mode and owner, and so that it has either the old text or the new one, also after a crash.
import { randomUUID } from 'node:crypto'
import { constants, type Stats } from 'node:fs'
import { access, open, realpath, rename, rm, stat } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { editError } from '../config/edit/edit-errors.js'
import { messageOf } from '../errors.js'

/** The bytes of a byte order mark, which a text does not have. */
const MARK = new Uint8Array([0xef, 0xbb, 0xbf])
const MODE_BITS = 0o7777

export interface Replacement {
  /** Absolute. */
  readonly path: string
  /** What the file must have, so that nobody else's change is lost; undefined if it must not exist. */
  readonly before: string | undefined
  readonly after: string
}

/** Throws EDIT_NOT_WRITABLE or EDIT_CONFLICT; then the file is as it was. */
export async function replaceFile({ path, before, after }: Replacement): Promise<void> {
  let aside: string | undefined
  try {
    if (before === undefined) {
      await createNew(path, after)
      return await syncFolder(dirname(path))
    }
    const real = await realpath(path)
    await access(real, constants.W_OK)
    const { mark } = await readOld(real, before)
    // Not a name that `include: *.yaml` finds, and not that of another engine with the same file.
    const name = join(dirname(real), `.${basename(real)}~${randomUUID().slice(0, 8)}`)
    await createNew(name, mark ? `\ufeff${after}` : after, await stat(real))
    aside = name
    // As late as possible: between this look and the renaming nobody else can be noticed.
    await readOld(real, before)
    await rename(aside, real)
    aside = undefined
    await syncFolder(dirname(real))
  } catch (error) {
    if (aside !== undefined) await rm(aside, { force: true }).catch(() => undefined)
    if (error instanceof Error && 'row' in error) throw error
    throw editError('EDIT_NOT_WRITABLE', `${path} cannot be replaced: ${messageOf(error)}`, { cause: error, at: path })
  }
}

/** Removes a file that `replaceFile` has created. Throws EDIT_CONFLICT if it has another text by now. */
export async function removeCreated({ path, after }: Pick<Replacement, 'path' | 'after'>): Promise<void> {
  await readOld(path, after)
  await rm(path)
  await syncFolder(dirname(path))
}

/** Throws EDIT_NOT_WRITABLE if the file cannot be replaced, as far as can be known without doing it. */
export async function checkReplaceable(path: string): Promise<void> {
  try {
    const real = await realpath(path)
    await access(real, constants.W_OK)
    await access(dirname(real), constants.W_OK | constants.X_OK)
    if (!(await stat(real)).isFile()) throw new Error('it is not a regular file')
  } catch (error) {
    throw editError('EDIT_NOT_WRITABLE', `${path} cannot be replaced: ${messageOf(error)}`, { cause: error, at: path })
  }
}

/** Mode 0600, or mode and owner of `like`. Whole, or not there. */
async function createNew(path: string, content: string, like?: Stats): Promise<void> {
  await using file = await open(path, 'wx', 0o600)
  try {
    if (like !== undefined) {
      await keepOwner(file, like)
      await file.chmod(like.mode & MODE_BITS)
    }
    await file.writeFile(content)
    await file.sync()
  } catch (error) {
    await rm(path, { force: true }).catch(() => undefined)
    throw error
  }
}

async function readOld(real: string, before: string): Promise<{ readonly mark: boolean }> {
  // A FIFO without a writer must not block the process.
  await using file = await open(real, constants.O_RDONLY | constants.O_NONBLOCK)
  if (!(await file.stat()).isFile()) throw editError('EDIT_NOT_WRITABLE', `${real} is not a regular file`, { at: real })
  const bytes = await file.readFile()
  const mark = bytes.subarray(0, MARK.length).equals(MARK)
  const text = bytes.subarray(mark ? MARK.length : 0)
  if (!text.equals(Buffer.from(before))) {
    throw editError('EDIT_CONFLICT', `${real} was changed by somebody else meanwhile`, { at: real })
  }
  return { mark }
}

async function keepOwner(file: FileHandle, old: { readonly uid: number; readonly gid: number }): Promise<void> {
  const { uid, gid } = await file.stat()
  if (!isDeepStrictEqual([uid, gid], [old.uid, old.gid])) await file.chown(old.uid, old.gid)
}

/** The new name is kept after a crash too; some file systems cannot do that, and nothing is lost then. */
async function syncFolder(folder: string): Promise<void> {
  try {
    await using handle = await open(folder, 'r')
    await handle.sync()
  } catch {
    // The rename itself has succeeded.
  }
}
