// Watches folders, at most so many, for as long as each is the same folder. What the system does not let us watch is
// left out: whoever asks looks from time to time anyway.
import { watch, type FSWatcher } from 'node:fs'
import { stat } from 'node:fs/promises'

/** Each costs a descriptor or a kernel watch, of which a user has a few thousand. */
const MOST_FOLDERS = 128

interface Watch {
  readonly watcher: FSWatcher
  /** A folder that was removed and made again has another one, and its old watch sees nothing. */
  readonly inode: string
}

export class FolderWatches implements Disposable {
  readonly #onEvent: (folder: string, name: string | null) => void
  readonly #watches = new Map<string, Watch>()
  #isDisposed = false

  /** `onEvent`: something has happened to an entry of a folder; `name` is null where the system does not say which. */
  constructor(onEvent: (folder: string, name: string | null) => void) {
    this.#onEvent = onEvent
  }

  get size(): number {
    return this.#watches.size
  }

  /** Watches exactly these. Resolves with whether a watch was opened: what happened before it was not seen. */
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

/** Undefined for what is no folder now. */
async function inodeOf(path: string): Promise<string | undefined> {
  const status = await stat(path, { bigint: true }).catch(() => undefined)
  return status?.isDirectory() === true ? `${status.dev} ${status.ino}` : undefined
}
