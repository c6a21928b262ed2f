// Reads a stream in large pieces, and lets the event loop serve everything else in between: a process that writes as fast
// as it can would otherwise take all of its time. Holds stop the reading.
import type { Readable } from 'node:stream'

/** Read at most this much at a stretch, and work on it for this long. */
const STRETCH_BYTES = 512 * 1024
const STRETCH_MS = 4
/** Reads that are further apart belong to different stretches. */
const APART_MS = 4

export interface FairReaderSettings {
  readonly stream: Readable
  nowMs(): number
  onBytes(bytes: Uint8Array): void
  /** The stream has ended, failed or been closed; called once, after everything has been read. */
  onEnd(): void
}

export class FairReader {
  isEnded = false
  readonly #settings: FairReaderSettings
  #holds = 0
  #isResting = false
  #stretchBytes = 0
  #stretchMs = 0
  /** When the work on the last read was done. */
  #doneMs = -Infinity
  /** Something has been read since the last look. */
  #hasRead = true

  constructor(settings: FairReaderSettings) {
    this.#settings = settings
    const { stream } = settings
    stream.on('data', (bytes: Uint8Array) => this.#take(bytes))
    // Node resumes the pipes of a process that has ended, whoever has paused them.
    stream.on('resume', () => {
      if (this.#holds > 0 || this.#isResting) stream.pause()
    })
    stream.once('end', () => this.#end())
    stream.once('close', () => this.#end())
    // A read error of a pipe: nothing more follows, and `close` comes next.
    stream.on('error', () => undefined)
  }

  get isHeld(): boolean {
    return this.#holds > 0
  }

  /** Nothing has been read since the last call; never at the first one. */
  isQuiet(): boolean {
    const hasRead = this.#hasRead
    this.#hasRead = false
    return !hasRead
  }

  hold(): Disposable {
    let isHeld = true
    this.#holds++
    this.#settings.stream.pause()
    return {
      [Symbol.dispose]: () => {
        if (!isHeld) return
        isHeld = false
        this.#holds--
        this.#resume()
      },
    }
  }

  close(): void {
    this.#settings.stream.destroy()
  }

  #take(bytes: Uint8Array): void {
    const settings = this.#settings
    const startMs = settings.nowMs()
    if (startMs - this.#doneMs > APART_MS) {
      this.#stretchMs = startMs
      this.#stretchBytes = 0
    }
    this.#stretchBytes += bytes.length
    this.#hasRead = true
    settings.onBytes(bytes)
    this.#doneMs = settings.nowMs()
    if (this.#stretchBytes >= STRETCH_BYTES || this.#doneMs - this.#stretchMs >= STRETCH_MS) this.#rest()
  }

  /** Until the event loop has looked at everything else once. */
  #rest(): void {
    if (this.#isResting) return
    this.#isResting = true
    this.#settings.stream.pause()
    setImmediate(() => {
      this.#isResting = false
      this.#doneMs = -Infinity
      this.#resume()
    })
  }

  #resume(): void {
    if (this.#holds === 0 && !this.#isResting && !this.#settings.stream.destroyed) this.#settings.stream.resume()
  }

  #end(): void {
    if (this.isEnded) return
    this.isEnded = true
    this.#settings.onEnd()
  }
}
