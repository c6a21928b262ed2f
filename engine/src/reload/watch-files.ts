// Reports when files may have changed, however they are written: in place, by renaming another file over them (as
// editors do), by swapping a symbolic link (as Kubernetes does with `..data`), by deleting and recreating them. The
// folders of each file and of its real path are watched; a slow poll finds changes that cause no events (network file
// systems, links higher up). Only changed contents count.
import { realpath, stat } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import type { Clock } from '../plugin/tokens.js'
import { FolderWatches } from './folder-watches.js'
import { SourceSnapshot } from './source-snapshot.js'

/** After the last event: one save causes several. */
const QUIET_MS = 100
/** After the first event, for files that are written constantly. */
const MOST_WAIT_MS = 1000
const POLL_EVERY_MS = 2000
/** Newer files may change without a change of their times, whose resolution can be seconds. */
const RECENT_MS = 3000
/** Prefix of the names that Kubernetes swaps: `..data`. */
const SWAPPED = '..'

export interface WatchFilesSettings {
  readonly clock: Clock
  /** Absolute paths of files and folders; a new array if they have changed. Called for each check. */
  paths(): readonly string[]
  /** The hash (`SourceSnapshot`) of the last reading of these paths; called for each check. */
  knownHash(): string
  /** Called after each check that found other contents. */
  onChange(): void
  /** False: only the slow poll. By default true. */
  readonly events?: boolean
}

export interface FileWatch extends Disposable {
  /** Checks now, and resolves when done. To be called after a reading of other paths. */
  check(): Promise<void>
  /** Number of folders that are watched now. */
  readonly folders: number
}

/** Watches until disposed, and checks at once. Never throws because of the disk. */
export function watchFiles(settings: WatchFilesSettings): FileWatch {
  return new FileWatcher(settings)
}

class FileWatcher implements FileWatch {
  readonly #settings: WatchFilesSettings
  readonly #folders: FolderWatches
  readonly #poll: Disposable
  /** The names that matter in each watched folder. */
  #names: ReadonlyMap<string, ReadonlySet<string>> = new Map()
  /** File times at the last check; empty if they prove nothing. */
  #times = ''
  #firstEventMs: number | undefined
  #timer: Disposable | undefined
  #current: Promise<void> | undefined
  #isRequested = false
  /** The next check follows a quiet period. */
  #isQuiet = false
  #isDisposed = false

  constructor(settings: WatchFilesSettings) {
    this.#settings = settings
    this.#folders = new FolderWatches((folder, name) => this.#onEvent(folder, name))
    this.#poll = settings.clock.every(POLL_EVERY_MS, () => void this.#checkIfTimesChanged())
    void this.check()
  }

  get folders(): number {
    return this.#folders.size
  }

  check(): Promise<void> {
    if (this.#isDisposed) return Promise.resolve()
    this.#isRequested = true
    this.#current ??= this.#checkWhileRequested()
    return this.#current
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true
    this.#poll[Symbol.dispose]()
    this.#timer?.[Symbol.dispose]()
    this.#folders[Symbol.dispose]()
  }

  #onEvent(folder: string, name: string | null): void {
    const matters = name === null || name.startsWith(SWAPPED) || this.#names.get(folder)?.has(name) !== false
    if (!matters || this.#isDisposed) return
    const { clock } = this.#settings
    const nowMs = clock.nowMs()
    this.#firstEventMs ??= nowMs
    this.#checkAfter(Math.min(QUIET_MS, Math.max(0, this.#firstEventMs + MOST_WAIT_MS - nowMs)))
  }

  #checkAfter(waitMs: number): void {
    this.#timer?.[Symbol.dispose]()
    this.#timer = this.#settings.clock.after(waitMs, () => {
      this.#timer = undefined
      this.#firstEventMs = undefined
      this.#isQuiet = true
      void this.check()
    })
  }

  /** Changes during a check are seen by the next one. */
  async #checkWhileRequested(): Promise<void> {
    while (this.#isRequested && !this.#isDisposed) {
      this.#isRequested = false
      const isQuiet = this.#isQuiet
      this.#isQuiet = false
      const paths = this.#settings.paths()
      if (await this.#watchFoldersOf(paths)) this.#isRequested = true
      const nowMs = Date.now()
      this.#times = await timesOf(paths, nowMs)
      const snapshot = await SourceSnapshot.take(paths)
      if (this.#isDisposed) break
      const { paths: pathsNow, knownHash, onChange } = this.#settings
      // The configuration was read again meanwhile: its new paths are checked next.
      if (pathsNow() !== paths) this.#isRequested = true
      else if (snapshot.hashOf(paths) === knownHash()) continue
      // A check without a quiet period before it may have hit the middle of a save.
      else if (isQuiet) onChange()
      else if (this.#timer === undefined) this.#checkAfter(QUIET_MS)
    }
    this.#current = undefined
  }

  async #checkIfTimesChanged(): Promise<void> {
    if (this.#current !== undefined) return this.#current
    const times = await timesOf(this.#settings.paths(), Date.now())
    if (times === '' || times !== this.#times) await this.check()
  }

  async #watchFoldersOf(paths: readonly string[]): Promise<boolean> {
    if (this.#settings.events === false) return false
    const names = new Map<string, Set<string>>()
    const folders = new Set<string>()
    const add = (path: string): void => {
      const folder = dirname(path)
      folders.add(folder)
      names.set(folder, (names.get(folder) ?? new Set()).add(basename(path)).add(basename(folder)))
    }
    for (const path of paths) {
      add(path)
      const real = await realpath(path).catch(() => path)
      if (real !== path) add(real)
      // A path that is a folder: each of its entries matters.
      const status = await stat(path).catch(() => undefined)
      if (status?.isDirectory() === true) folders.add(path)
    }
    for (const path of paths) names.delete(path)
    this.#names = names
    return this.#folders.set(folders)
  }
}

/** Equal while nothing has changed; empty if the times prove nothing. */
async function timesOf(paths: readonly string[], nowMs: number): Promise<string> {
  const times: string[] = []
  for (const path of paths) {
    const status = await stat(path, { bigint: true }).catch(() => undefined)
    if (status !== undefined && nowMs - Number(status.mtimeMs) < RECENT_MS) return ''
    const { dev, ino, size, mtimeNs, ctimeNs } = status ?? {}
    times.push([path, dev, ino, size, mtimeNs, ctimeNs].join(' '))
  }
  return times.join('\n')
}
