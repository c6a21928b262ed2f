// Watches a bounded number of folders, each for as long as it is the same folder. A folder that the system does not
// allow to be watched is left out: the caller polls anyway.
import { watch, type FSWatcher } from 'node:fs'
import { stat } from 'node:fs/promises'

/** Each costs a descriptor or a kernel watch; a user has a few thousand of them. */
const MOST_FOLDERS = 128

interface Watch {
  readonly watcher: FSWatcher
  /** A folder that was removed and created again has another inode, and its old watch sees nothing. */
  readonly inode: string
}

export class FolderWatches implements Disposable {
  readonly #onEvent: (folder: string, name: string | null) => void
  readonly #watches = new Map<string, Watch>()
  #isDisposed = false

  /** `onEvent`: called when an entry of a folder changes; `name` is null where the system does not report which. */
  constructor(onEvent: (folder: string, name: string | null) => void) {
    this.#onEvent = onEvent
  }

  get size(): number {
    return this.#watches.size
  }

  /** Watches exactly these folders. Resolves to whether a watch was opened: it has not seen earlier changes. */
  async set(folders: ReadonlySet<string>): Promise<boolean> {
    const wanted = [...folders].slice(0, MOST_FOLDERS)
    for (const folder of this.#watches.keys()) if (!wanted.includes(folder)) this.#close(folder)
    let hasOpened = false
    for (const folder of wanted) {
      const inode = await inodeOf(folder)
      if (this.#isDisposed) return false
      if (this.#watches.get(folder)?.inode === inode) continue
      this.#close(folder)
      if (inode !== undefined) hasOpened = this.#open(folder, inode) || hasOpened
    }
    return hasOpened
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true
    for (const folder of this.#watches.keys()) this.#close(folder)
  }

  #open(folder: string, inode: string): boolean {
    try {
      const watcher = watch(folder, { persistent: false }, (_event, name) => this.#onEvent(folder, name))
      watcher.on('error', () => {
        if (this.#watches.get(folder)?.watcher === watcher) this.#close(folder)
      })
      this.#watches.set(folder, { watcher, inode })
      return true
    } catch {
      return false
    }
  }

  #close(folder: string): void {
    const watched = this.#watches.get(folder)
    this.#watches.delete(folder)
    watched?.watcher.close()
  }
}

/** Undefined if the path is not a folder now. */
async function inodeOf(path: string): Promise<string | undefined> {
  const status = await stat(path, { bigint: true }).catch(() => undefined)
  return status?.isDirectory() === true ? `${status.dev} ${status.ino}` : undefined
}
