// Says when files may have changed, whatever way they are written: in place, by renaming another file over them (as
// editors do), by swapping a symbolic link (as Kubernetes does with `..data`), by deleting and making them again. The
// folder of each file and of what it really is are watched; a slow look finds what gives no events (network file
// systems, links further away). Only a changed content counts.
import { realpath, stat } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import type { Clock } from '../plugin/tokens.js'
import { FolderWatches } from './folder-watches.js'
import { SourceSnapshot } from './source-snapshot.js'

/** After the last event: a save is several of them. */
const QUIET_MS = 100
/** After the first event, for files that are written all the time. */
const MOST_WAIT_MS = 1000
const LOOK_EVERY_MS = 2000
/** Newer files may change without a change of their times, whose resolution may be seconds. */
const RECENT_MS = 3000
/** How Kubernetes names what it swaps: `..data`. */
const SWAPPED = '..'

export interface WatchFilesSettings {
  readonly clock: Clock
  /** Absolute paths of files and folders; another array where they are others. Called for each look. */
  paths(): readonly string[]
  /** The hash (`SourceSnapshot`) of what was read from these paths last; called for each look. */
  knownHash(): string
  /** Called after each look that found something else. */
  onChange(): void
  /** False: nothing but the slow look. */
  readonly events?: boolean
}

export interface FileWatch extends Disposable {
  /** Looks now, and resolves when it has. For who has read other paths. */
  look(): Promise<void>
  /** Folders that are watched now. */
  readonly folders: number
}

/** Watches until disposed, and looks at once. Never throws for what the disk does. */
export function watchFiles(settings: WatchFilesSettings): FileWatch {
  return new Watching(settings)
}

class Watching implements FileWatch {
  readonly #settings: WatchFilesSettings
  readonly #folders: FolderWatches
  readonly #looking: Disposable
  /** Names in each watched folder that matter. */
  #names: ReadonlyMap<string, ReadonlySet<string>> = new Map()
  /** Of the last look, where times are told apart; else the empty text. */
  #times = ''
  #firstEventMs: number | undefined
  #timer: Disposable | undefined
  #current: Promise<void> | undefined
  #again = false
  /** The next look comes after nothing has happened for a while. */
  #isQuiet = false
  #isDisposed = false

  constructor(settings: WatchFilesSettings) {
    this.#settings = settings
    this.#folders = new FolderWatches((folder, name) => this.#onEvent(folder, name))
    this.#looking = settings.clock.every(LOOK_EVERY_MS, () => void this.#lookIfTimesChanged())
    void this.look()
  }

  get folders(): number {
    return this.#folders.size
  }

  look(): Promise<void> {
    if (this.#isDisposed) return Promise.resolve()
    this.#again = true
    this.#current ??= this.#lookWhileAsked()
    return this.#current
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true
    this.#looking[Symbol.dispose]()
    this.#timer?.[Symbol.dispose]()
    this.#folders[Symbol.dispose]()
  }

  #onEvent(folder: string, name: string | null): void {
    const matters = name === null || name.startsWith(SWAPPED) || this.#names.get(folder)?.has(name) !== false
    if (!matters || this.#isDisposed) return
    const { clock } = this.#settings
    const nowMs = clock.nowMs()
    this.#firstEventMs ??= nowMs
    this.#lookAfter(Math.min(QUIET_MS, Math.max(0, this.#firstEventMs + MOST_WAIT_MS - nowMs)))
  }

  #lookAfter(waitMs: number): void {
    this.#timer?.[Symbol.dispose]()
    this.#timer = this.#settings.clock.after(waitMs, () => {
      this.#timer = undefined
      this.#firstEventMs = undefined
      this.#isQuiet = true
      void this.look()
    })
  }

  /** What happens during a look is seen by the next one. */
  async #lookWhileAsked(): Promise<void> {
    while (this.#again && !this.#isDisposed) {
      this.#again = false
      const isQuiet = this.#isQuiet
      this.#isQuiet = false
      const paths = this.#settings.paths()
      if (await this.#watchFoldersOf(paths)) this.#again = true
      const nowMs = Date.now()
      this.#times = await timesOf(paths, nowMs)
      const snapshot = await SourceSnapshot.take(paths)
      if (this.#isDisposed) break
      const { paths: pathsNow, knownHash, onChange } = this.#settings
      // Another reading has come in between: its paths are looked at next.
      if (pathsNow() !== paths) this.#again = true
      else if (snapshot.hashOf(paths) === knownHash()) continue
      // A look that nothing has called for may have come in the middle of a save.
      else if (isQuiet) onChange()
      else if (this.#timer === undefined) this.#lookAfter(QUIET_MS)
    }
    this.#current = undefined
  }

  async #lookIfTimesChanged(): Promise<void> {
    if (this.#current !== undefined) return this.#current
    const times = await timesOf(this.#settings.paths(), Date.now())
    if (times === '' || times !== this.#times) await this.look()
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

/** The same while nothing has happened; the empty text where times can't tell. */
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
