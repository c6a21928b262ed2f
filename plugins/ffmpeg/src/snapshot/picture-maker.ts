// Makes pictures of key frames, one after the other, by an FFmpeg of its own for each: the picture of one stream can never
// be that of another. Keeps the newest.
import { createHash } from 'node:crypto'
import type { Clock, Options, Processes } from '@millrace/engine/plugin'
import { findFfmpeg } from '../installation/ffmpeg-need.js'
import { withoutAddresses } from '../process/log-line.js'
import type { KeyFrame } from './key-frame-taker.js'
import { pictureArguments } from './picture-arguments.js'
import { snapshotError } from './snapshot-errors.js'
import type { SnapshotOptions } from './snapshot-options.js'

const MOST_BYTES = 8 * 1024 * 1024
/** From the start; a tenth of it is enough on a machine that has nothing else to do. */
const TIMEOUT_MS = 15_000
/** Viewers come first. */
const NICENESS = 10

export interface Picture {
  readonly bytes: Uint8Array
  /** With its quotes, RFC 9110 section 8.8.3. */
  readonly etag: string
  /** Unix time in milliseconds at which its key frame arrived. */
  readonly atMs: number
  readonly format: SnapshotOptions['format']
}

export interface PictureMakerParts {
  readonly options$: Options<SnapshotOptions>
  readonly clock: Pick<Clock, 'wallMs'>
  readonly processes: Pick<Processes, 'find' | 'convert'>
}

export class PictureMaker {
  /** The newest. */
  picture: Picture | undefined
  /** Why the last attempt has given none. */
  failure: string | undefined
  made = 0
  failed = 0
  readonly #parts: PictureMakerParts
  readonly #ending = new AbortController()
  #making: Promise<Picture> | undefined
  /** Of the key frame that was tried last. */
  #number = 0

  constructor(parts: PictureMakerParts) {
    this.#parts = parts
  }

  /** Whether a picture of the key frame has been tried. */
  knows({ number }: KeyFrame): boolean {
    return number <= this.#number
  }

  /** One that is being made is the answer for all who ask meanwhile. Rejects with SNAPSHOT_FAILED. */
  make(frame: KeyFrame): Promise<Picture> {
    this.#making ??= this.#make(frame).finally(() => (this.#making = undefined))
    return this.#making
  }

  /** The program has ended when this resolves. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort()
    await this.#making?.catch(() => undefined)
  }

  async #make(frame: KeyFrame): Promise<Picture> {
    const { options$, clock, processes } = this.#parts
    const { value } = options$
    this.#number = frame.number
    const command = [findFfmpeg(processes), ...pictureArguments(frame, value)]
    const limits = {
      mostOutputBytes: MOST_BYTES,
      timeoutMs: TIMEOUT_MS,
      niceness: NICENESS,
      signal: this.#ending.signal,
    }
    const { output, failure } = await processes.convert({ command, input: frame.bytes, ...limits })
    if (output === undefined || output.length === 0) {
      this.failed++
      this.failure = withoutAddresses(failure ?? 'ffmpeg has decoded nothing')
      throw snapshotError('SNAPSHOT_FAILED', this.failure)
    }
    this.made++
    this.failure = undefined
    const hash = createHash('sha256').update(output).digest('base64url').slice(0, 22)
    this.picture = { bytes: output, etag: `"${hash}"`, atMs: clock.wallMs(frame.receivedAtMs), format: value.format }
    return this.picture
  }
}
