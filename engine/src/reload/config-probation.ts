// Follows a configuration from its first attempt to the end of its probation, when it is saved as the last good one. If
// the process exits because of a bug before that, a mark is left for the next start.
import type { Logger } from '../plugin/contract.js'
import type { Clock } from '../plugin/tokens.js'
import { PROBATION_MS } from './config-sync-state.js'
import { removeCrashMark, writeCrashMark } from './crash-mark.js'
import { writeLastGood } from './last-good.js'

type Texts = ReadonlyMap<string, string>

export interface ConfigProbationSettings {
  readonly clock: Clock
  readonly log: Logger
  readonly stateDir: string
  /** As the caller named them. */
  readonly files: readonly string[]
}

interface Candidate {
  readonly id: string
  texts: Texts
  /** A node of it has been rolled back: it never counts as good. */
  isRejected: boolean
}

export class ConfigProbation implements AsyncDisposable {
  readonly #settings: ConfigProbationSettings
  /** The one being applied. */
  #attempt: Candidate | undefined
  /** The running one, while it is on probation. */
  #onProbation: Candidate | undefined
  #timer: Disposable | undefined
  /** Texts of the last configuration that has passed its probation. */
  proven: Texts | undefined
  #writing: Promise<void> = Promise.resolve()

  constructor(settings: ConfigProbationSettings) {
    this.#settings = settings
  }

  /** A configuration is about to be applied; `apply`, `giveUp` or `reject` follows. */
  try(id: string, texts: Texts): void {
    this.#attempt = { id, texts, isRejected: false }
  }

  /** The attempt has succeeded: that configuration is running. */
  apply(): void {
    if (this.#attempt === undefined) return
    this.#onProbation = this.#attempt
    this.#attempt = undefined
    this.#timer?.[Symbol.dispose]()
    this.#timer = this.#settings.clock.after(PROBATION_MS, () => this.#end())
  }

  /** The attempt has failed: nothing has changed. */
  giveUp(): void {
    this.#attempt = undefined
  }

  /** A node of the attempt, or of the running configuration, has been rolled back. */
  reject(): void {
    this.apply()
    if (this.#onProbation !== undefined) this.#onProbation.isRejected = true
  }

  /** The files are those of what runs since a node was rolled back, whose id this is: that begins its probation. */
  renew(id: string): void {
    if (this.#onProbation?.isRejected !== true) return
    this.try(id, this.#onProbation.texts)
    this.apply()
  }

  /** Other texts of the running configuration. Resolves when they are saved, if its probation has ended. */
  async restate(texts: Texts): Promise<void> {
    if (this.#onProbation === undefined) await this.#keep(texts)
    else this.#onProbation.texts = texts
  }

  /** The process is about to exit because of a bug. The mark is written when it returns. */
  noteBug(why: string): void {
    const configs = [this.#attempt, this.#onProbation].flatMap((candidate) => candidate?.id ?? [])
    if (configs.length === 0) return
    const { stateDir, clock } = this.#settings
    writeCrashMark(stateDir, { configs, why, at: new Date(clock.wallMs(clock.nowMs())).toISOString() })
  }

  /** Resolves when all writing is done. A configuration still on probation is not saved. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#timer?.[Symbol.dispose]()
    await this.#writing
  }

  #end(): void {
    const candidate = this.#onProbation
    this.#onProbation = undefined
    if (candidate !== undefined && !candidate.isRejected) void this.#keep(candidate.texts)
  }

  /** Never rejects. */
  #keep(texts: Texts): Promise<void> {
    this.proven = texts
    this.#writing = this.#writing.then(() => this.#write(texts))
    return this.#writing
  }

  async #write(texts: Texts): Promise<void> {
    const { stateDir, files, log } = this.#settings
    try {
      await writeLastGood(stateDir, files, { texts })
      await removeCrashMark(stateDir)
    } catch (err) {
      log.warn(
        { err },
        'the last good configuration could not be saved: a start with --last-good would use an older one',
      )
    }
  }
}
