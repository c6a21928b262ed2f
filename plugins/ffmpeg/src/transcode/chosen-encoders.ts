// The encoders in use: chosen before the first run, tried again while hardware that is wanted does not work, and told once.
import type { Clock, Json, NodeContext } from '@millrace/engine/plugin'
import { EncoderChoice } from './encoder-choice.js'
import type { Probe } from './encoder-choice.js'
import type { SourcePicture } from './encoder-source.js'
import type { FeedPlan } from './feed-plan.js'
import { carries } from './rendition.js'
import type { Rendition } from './rendition.js'
import { isOtherPicture } from './source-picture.js'
import { transcodeError } from './transcode-errors.js'
import type { TranscodeOptions } from './transcode-options.js'

/** Hardware without which a rendition is left out is tried again this often. */
const RETRY_MS = 5 * 60_000
/** Where software does it meanwhile, the time doubles up to this: each try costs some starts of ffmpeg. */
const MOST_RETRY_MS = 60 * 60_000

export interface ChosenEncodersParts {
  readonly options: TranscodeOptions
  readonly context: Pick<NodeContext, 'log' | 'guard'>
  readonly clock: Pick<Clock, 'after'>
  /** See `Probe`; given up when `signal` aborts. */
  probe(encoder: Parameters<Probe>[0], signal: AbortSignal): ReturnType<Probe>
  /** All renditions have an encoder, or none. Called in the scope of the node. */
  onChosen(): void
}

export class ChosenEncoders implements AsyncDisposable {
  readonly #parts: ChosenEncodersParts
  readonly #choice: EncoderChoice
  /** Reasons that have been told, by rendition. */
  readonly #told = new Map<string, string>()
  /** Of the run. */
  #encoded: readonly Rendition[] = []
  #picture: SourcePicture | undefined
  /** A rendition that was left out can be encoded. */
  #hasFound = false
  /** The run before still has its sessions of the driver. */
  #isBeside = false
  #isOver = false
  #retry: Disposable | undefined
  #retryMs = RETRY_MS
  readonly #ending = new AbortController()
  #choosing: Promise<void> | undefined
  #isChoosing = false

  constructor(parts: ChosenEncodersParts) {
    this.#parts = parts
    this.#choice = new EncoderChoice(parts.options, (encoder) => parts.probe(encoder, this.#ending.signal))
  }

  /** Nothing can be encoded before `onChosen`. */
  get isOpen(): boolean {
    return this.#choice.isOpen
  }

  /** Hardware is being tried. */
  get isChoosing(): boolean {
    return this.#isChoosing
  }

  /** Tries the hardware that is wanted. */
  choose(): void {
    // A second conversion would be refused; what is missed then is tried again.
    if (this.#isChoosing) return
    const { context, onChosen } = this.#parts
    this.#isChoosing = true
    const noteChosen = context.guard((hasFound: boolean) => {
      this.#isChoosing = false
      if (this.#ending.signal.aborted) return
      this.#hasFound = hasFound
      this.#noteMissed()
      onChosen()
    })
    this.#choosing = this.#choice.decide().then(noteChosen)
  }

  /** A rendition has something of these tracks. */
  canCarry(plan: FeedPlan): boolean {
    const { renditions } = this.#choice
    return renditions.length === 0 || renditions.some((rendition) => carries(rendition, plan))
  }

  /**
   * What the next run encodes, which `canCarry`. `isBeside`: the one before has not ended. Throws TRANSCODE_HARDWARE if that
   * is nothing.
   */
  start(plan: FeedPlan, picture: SourcePicture, isBeside: boolean): readonly Rendition[] {
    for (const name of this.#choice.takeBetter()) this.#noteBetter(name)
    const { renditions } = this.#choice
    if (renditions.length === 0) {
      const reasons = this.#choice.missed.map(({ name, reason }) => `${name}: ${reason}`)
      throw transcodeError('TRANSCODE_HARDWARE', reasons.join('; '))
    }
    this.#hasFound = false
    this.#isBeside = isBeside
    this.#picture = picture
    this.#encoded = renditions.filter((rendition) => carries(rendition, plan))
    return this.#encoded
  }

  /**
   * Why the run cannot go on with this picture, or need not go on as it is. An encoder in hardware keeps the memory of the
   * pictures with which it has started.
   */
  reasonToRestart(picture: () => SourcePicture): 'hardware' | 'picture' | undefined {
    if (this.#hasFound) return 'hardware'
    if (this.#encoded.every(({ hardware }) => hardware === 'none')) return undefined
    return isOtherPicture(picture(), this.#picture) ? 'picture' : undefined
  }

  /** The run has ended with these lines. What was refused beside the run before can work in the next one. */
  noteFailure(lines: readonly string[]): void {
    if (!this.#isBeside && this.#choice.noteFailure(lines, this.#encoded)) this.#noteMissed()
  }

  /** The source has ended: nothing is tried any more. */
  end(): void {
    this.#isOver = true
    this.#retry?.[Symbol.dispose]()
  }

  /** For the status. */
  describe(): Json {
    return this.#choice.describe()
  }

  /** No program that it has started runs when this resolves. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort()
    this.end()
    await this.#choosing
  }

  #noteBetter(name: string): void {
    this.#told.delete(name)
    this.#retryMs = RETRY_MS
    this.#parts.context.log.info({ rendition: name }, 'a rendition is encoded in hardware: it works again')
  }

  /** What is left out is tried again, and what is encoded in software instead. */
  #noteMissed(): void {
    this.#tell()
    const { missed } = this.#choice
    if (missed.length === 0 || this.#isOver || this.#retry !== undefined) return
    const isComplete = missed.every(({ isInSoftware }) => isInSoftware)
    const waitMs = isComplete ? this.#retryMs : RETRY_MS
    this.#retryMs = isComplete ? Math.min(MOST_RETRY_MS, waitMs * 2) : RETRY_MS
    this.#retry = this.#parts.clock.after(waitMs, () => {
      this.#retry = undefined
      this.choose()
    })
  }

  /** Once for each encoder that is not what was wanted. */
  #tell(): void {
    for (const { name, reason, isInSoftware } of this.#choice.missed) {
      if (this.#told.get(name) === reason) continue
      this.#told.set(name, reason)
      const how = isInSoftware ? 'is encoded in software' : 'is left out'
      this.#parts.context.log.warn({ rendition: name, reason }, `a rendition ${how}: the hardware does not work`)
    }
  }
}
