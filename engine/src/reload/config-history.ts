// `stateDir/history`: the texts of the configurations that have run, with when and by what, so that an older one can be
// brought back. Secrets and variables are not filled in. Bounded in number and bytes: the oldest are removed.
import { readdir, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { editError } from '../config/edit/edit-errors.js'
import { historyEntrySchema } from '../observe/history-report.js'
import type { HistoryEntry } from '../observe/history-report.js'
import type { Logger } from '../plugin/contract.js'
import type { Clock } from '../plugin/tokens.js'
import { createFolder } from '../state/create-folder.js'
import { readOwnJson } from '../state/read-own-json.js'
import { writeAtomically } from '../state/write-atomically.js'

const FOLDER = 'history'
const NAME = /^(\d{1,12})\.json$/
const MOST_ENTRIES = 50
/** Of one configuration; a larger one is not kept. */
const MOST_ENTRY_BYTES = 2 * 1024 * 1024
const MOST_BYTES = 16 * 1024 * 1024

type Texts = ReadonlyMap<string, string>

const keptSchema = z.object({
  version: z.literal(1),
  run: z.array(z.string()),
  entry: historyEntrySchema.omit({ files: true }),
  files: z.array(z.object({ path: z.string(), text: z.string() })),
})

type Kept = z.infer<typeof keptSchema>

interface Known {
  entry: HistoryEntry
  bytes: number
}

/** A configuration that runs from now on, or was on disk. */
export interface NewEntry {
  readonly by: HistoryEntry['by']
  readonly texts: Texts
  /** Undefined: it does not run. */
  readonly configId: string | undefined
  readonly changes: readonly string[]
}

export interface ConfigHistorySettings {
  readonly stateDir: string
  /** As the caller named them. */
  readonly files: readonly string[]
  readonly clock: Clock
  readonly log: Logger
}

/** Its calls work one after the other. None rejects because of the disk, unless it says so. */
export class ConfigHistory implements AsyncDisposable {
  readonly #settings: ConfigHistorySettings
  readonly #run: readonly string[]
  /** Oldest first. */
  readonly #known: Known[] = []
  #next = 1
  /** Of the texts of the newest entry. */
  #newestTexts = ''
  #turn: Promise<unknown>

  constructor(settings: ConfigHistorySettings) {
    this.#settings = settings
    this.#run = settings.files.map((name) => resolve(name))
    this.#turn = this.#load()
  }

  /** The texts were brought by a start, a reload or a rollback, and run now. */
  add(entry: NewEntry): void {
    void this.#inTurn(() => this.#add(entry))
  }

  /** Other texts of the running configuration: comments or layout have changed. */
  restate(texts: Texts): void {
    void this.#inTurn(() => this.#restate(texts))
  }

  /**
   * The running configuration was rolled back: the newest good one before it runs. With an id, only if that is running.
   */
  reject(why: string, configId?: string): void {
    void this.#inTurn(async () => {
      const last = this.#running()
      if (last === undefined || (configId !== undefined && last.entry.configId !== configId)) return
      await this.#change(last, { state: 'rolled-back', why })
      await this.#continueBefore()
    })
  }

  /** Of these configurations, those that have run since any other: a change in them does not run. */
  rejectNewest(ids: ReadonlySet<string>, why: string): void {
    void this.#inTurn(async () => {
      for (const known of this.#known.toReversed()) {
        const { state, configId } = known.entry
        if (state === 'rolled-back' || state === 'unapplied') continue
        if (configId === undefined || !ids.has(configId)) break
        await this.#change(known, { state: 'rolled-back', why })
      }
      if (this.#running() === undefined) await this.#continueBefore()
    })
  }

  /** Newest first. */
  list(): Promise<readonly HistoryEntry[]> {
    return this.#inTurn(() => Promise.resolve(this.#known.map(({ entry }) => entry).reverse()))
  }

  /** An entry with its texts; `previous` is the newest good one before the running one. Throws HISTORY_UNKNOWN. */
  find(which: number | 'previous' | 'running'): Promise<{ readonly entry: HistoryEntry; readonly texts: Texts }> {
    return this.#inTurn(async () => {
      const found = this.#choose(which)
      const kept = found === undefined ? undefined : await this.#read(found.entry.id)
      if (found !== undefined && kept !== undefined) return { entry: found.entry, texts: textsOf(kept) }
      const what = typeof which === 'number' ? `entry ${which}` : `${which} configuration`
      throw editError('HISTORY_UNKNOWN', `there is no ${what} in the history`)
    })
  }

  /** Keeps texts that a rollback is about to replace, unless they are those of the newest entry. Rejects if it cannot. */
  keep(texts: Texts): Promise<void> {
    return this.#inTurn(async () => {
      if (textKey(texts) === this.#newestTexts) return
      await this.#write({ by: 'file', texts, configId: undefined, changes: [] }, 'unapplied')
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#turn
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work)
    this.#turn = done.catch(() => undefined)
    return done
  }

  async #add(entry: NewEntry): Promise<void> {
    const running = this.#running()
    const isSame = running?.entry.configId === entry.configId && textKey(entry.texts) === this.#newestTexts
    if (isSame || this.#run.some((path) => !entry.texts.has(path))) return
    await this.#attempt(async () => {
      if (running !== undefined) await this.#change(running, { state: 'ran' })
      await this.#write(entry, 'running')
    })
  }

  async #restate(texts: Texts): Promise<void> {
    const running = this.#running()
    if (running === undefined || textKey(texts) === this.#newestTexts) return
    await this.#attempt(async () => {
      const { entry } = running
      running.bytes = await this.#store(entry, texts)
      running.entry = { ...entry, files: [...texts.keys()] }
      this.#newestTexts = textKey(texts)
    })
  }

  async #continueBefore(): Promise<void> {
    const before = this.#known.findLast(({ entry }) => entry.state === 'ran')
    if (before !== undefined) await this.#change(before, { state: 'running' })
  }

  async #change(known: Known, change: Partial<HistoryEntry>): Promise<void> {
    known.entry = { ...known.entry, ...change }
    const kept = await this.#read(known.entry.id)
    if (kept !== undefined) await this.#attempt(async () => void (await this.#store(known.entry, textsOf(kept))))
  }

  async #write({ by, texts, configId, changes }: NewEntry, state: HistoryEntry['state']): Promise<void> {
    const { clock } = this.#settings
    const id = this.#next
    const at = new Date(clock.wallMs(clock.nowMs())).toISOString()
    const entry: HistoryEntry = {
      id,
      at,
      by,
      ...(configId === undefined ? {} : { configId }),
      state,
      changes,
      files: [...texts.keys()],
    }
    const bytes = await this.#store(entry, texts)
    this.#next += 1
    this.#known.push({ entry, bytes })
    this.#newestTexts = textKey(texts)
    await this.#prune()
  }

  async #store({ files: _, ...entry }: HistoryEntry, texts: Texts): Promise<number> {
    const kept: Kept = {
      version: 1,
      run: [...this.#run],
      entry,
      files: [...texts].map(([path, text]) => ({ path, text })),
    }
    const content = `${JSON.stringify(kept, undefined, 1)}\n`
    const bytes = Buffer.byteLength(content)
    if (bytes > MOST_ENTRY_BYTES) throw new Error(`the configuration is larger than ${MOST_ENTRY_BYTES} bytes`)
    await createFolder(this.#folder, 0o700)
    await writeAtomically(this.#path(entry.id), content)
    return bytes
  }

  /** The running one stays. */
  async #prune(): Promise<void> {
    const total = (): number => this.#known.reduce((sum, { bytes }) => sum + bytes, 0)
    while (this.#known.length > 1 && (this.#known.length > MOST_ENTRIES || total() > MOST_BYTES)) {
      const index = this.#known.findIndex(({ entry }) => entry.state !== 'running')
      const [oldest] = this.#known.splice(index, 1)
      if (oldest !== undefined) await rm(this.#path(oldest.entry.id), { force: true })
    }
  }

  async #load(): Promise<void> {
    const names = await readdir(this.#folder).catch((): string[] => [])
    const ids = names.flatMap((name) => NAME.exec(name)?.[1] ?? []).map(Number)
    this.#next = Math.max(0, ...ids) + 1
    const foreign: number[] = []
    for (const id of ids.sort((a, b) => a - b)) {
      const kept = await this.#read(id)
      // Those of other files are not shown: another start with the same state folder has written them.
      if (kept === undefined || kept.run.join('\0') !== this.#run.join('\0')) {
        foreign.push(id)
        continue
      }
      const files = kept.files.map(({ path }) => path)
      // What ran when the engine ended is still said to run: the start continues it, or adds another.
      this.#known.push({ entry: { ...kept.entry, files }, bytes: Buffer.byteLength(JSON.stringify(kept)) })
      this.#newestTexts = textKey(textsOf(kept))
    }
    for (const id of foreign.slice(0, -MOST_ENTRIES)) await rm(this.#path(id), { force: true }).catch(() => undefined)
  }

  async #read(id: number): Promise<Kept | undefined> {
    const kept = keptSchema.safeParse(await readOwnJson(this.#path(id), MOST_ENTRY_BYTES))
    return kept.success && kept.data.entry.id === id ? kept.data : undefined
  }

  #choose(which: number | 'previous' | 'running'): Known | undefined {
    const running = this.#running()
    if (which === 'running') return running
    if (typeof which === 'number') return this.#known.find(({ entry }) => entry.id === which)
    return this.#known.findLast(({ entry }) => entry.state === 'ran' && entry.configId !== running?.entry.configId)
  }

  #running(): Known | undefined {
    return this.#known.findLast(({ entry }) => entry.state === 'running')
  }

  async #attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (err) {
      this.#settings.log.warn({ err }, 'the configuration could not be kept in the history')
    }
  }

  get #folder(): string {
    return join(this.#settings.stateDir, FOLDER)
  }

  #path(id: number): string {
    return join(this.#folder, `${id}.json`)
  }
}

function textsOf({ files }: Kept): Texts {
  return new Map(files.map(({ path, text }) => [path, text]))
}

function textKey(texts: Texts): string {
  return JSON.stringify([...texts].sort(([a], [b]) => (a < b ? -1 : 1)))
}
