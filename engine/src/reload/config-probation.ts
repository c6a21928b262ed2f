// The configuration that runs, from when it is first tried to the end of its probation: then it is kept as the last good
// one. If the process ends itself with a bug before that, a mark tells the next start.
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
  /** As they were named. */
  readonly files: readonly string[]
}

interface Trial {
  readonly id: string
  texts: Texts
  /** A node of it has been rolled back: it is not good, whatever comes. */
  isRejected: boolean
}

export class ConfigProbation implements AsyncDisposable {
  readonly #settings: ConfigProbationSettings
  /** Being applied. */
  #attempt: Trial | undefined
  /** Applied, and not proven yet. */
  #trial: Trial | undefined
  #timer: Disposable | undefined
  /** Texts of what has passed its probation last. */
  proven: Texts | undefined
  #writing: Promise<void> = Promise.resolve()

  constructor(settings: ConfigProbationSettings) {
    this.#settings = settings
  }

  /** It is about to be applied; `apply`, `giveUp` or `reject` follows. */
  try(id: string, texts: Texts): void {
    this.#attempt = { id, texts, isRejected: false }
  }

  /** What was tried runs from now on. */
  apply(): void {
    if (this.#attempt === undefined) return
    this.#trial = this.#attempt
    this.#attempt = undefined
    this.#timer?.[Symbol.dispose]()
    this.#timer = this.#settings.clock.after(PROBATION_MS, () => this.#end())
  }

  /** What was tried could not be applied: nothing has changed. */
  giveUp(): void {
    this.#attempt = undefined
  }

  /** A node of what was tried, or of what runs, has been rolled back. */
  reject(): void {
    this.apply()
    if (this.#trial !== undefined) this.#trial.isRejected = true
  }

  /** Other texts that mean what runs. Resolves when they are kept, if what runs is proven. */
  async restate(texts: Texts): Promise<void> {
    if (this.#trial === undefined) await this.#keep(texts)
    else this.#trial.texts = texts
  }

  /** The process is about to end with a bug. Done when it returns. */
  noteBug(why: string): void {
    const configs = [this.#attempt, this.#trial].flatMap((trial) => trial?.id ?? [])
    if (configs.length === 0) return
    const { stateDir, clock } = this.#settings
    writeCrashMark(stateDir, { configs, why, at: new Date(clock.wallMs(clock.nowMs())).toISOString() })
  }

  /** Resolves when nothing is being written any more. What is still on probation is not kept. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#timer?.[Symbol.dispose]()
    await this.#writing
  }

  #end(): void {
    const trial = this.#trial
    this.#trial = undefined
    if (trial !== undefined && !trial.isRejected) void this.#keep(trial.texts)
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
      log.warn({ err }, 'the last good configuration could not be kept: a start with --last-good has an older one')
    }
  }
}
