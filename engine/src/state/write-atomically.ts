// Writes a file so that it has either the old content or the new, also after a crash.
import { open, rename, rm } from 'node:fs/promises'

/** Mode 0600. Called by one writer of a path at a time. Rejects if the disk refuses it; then the old file is intact. */
export async function writeAtomically(path: string, content: string | Uint8Array): Promise<void> {
  const aside = `${path}~new`
  try {
    await rm(aside, { force: true })
    await writeNew(aside, content)
    await rename(aside, path)
  } catch (error) {
    await rm(aside, { force: true }).catch(() => undefined)
    throw error
  }
}

async function writeNew(path: string, content: string | Uint8Array): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
}
