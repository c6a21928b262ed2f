// Creates a folder and its missing parents, one by one: Node's recursive `mkdir` never ends where a folder cannot be
// created in an existing one (as in /proc).
import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Existing folders keep their mode. Rejects with the error of the system. */
export async function createFolder(dir: string, mode: number): Promise<void> {
  try {
    await mkdir(dir, { mode })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const above = dirname(dir)
    if (code === 'EEXIST') return
    if (code !== 'ENOENT' || above === dir || (await exists(above))) throw error
    await createFolder(above, mode)
    await mkdir(dir, { mode })
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
