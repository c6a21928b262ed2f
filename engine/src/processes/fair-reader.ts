// Reads a stream in large pieces, and lets the event loop serve everything else in between: a process that writes as fast
// as it can would otherwise take all of its time. Holds stop the reading.
import type { Readable } from 'node:stream'

/** Read at most this much at a stretch: a millisecond or two of work for the engine. */
const STRETCH_BYTES = 512 * 1024
/** Reads that are further apart belong to different stretches. */
const STRETCH_MS = 4

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
  #stretchMs = -Infinity

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
    const nowMs = this.#settings.nowMs()
    if (nowMs - this.#stretchMs > STRETCH_MS) {
      this.#stretchMs = nowMs
      this.#stretchBytes = 0
    }
    this.#stretchBytes += bytes.length
    if (this.#stretchBytes >= STRETCH_BYTES) this.#rest()
    this.#settings.onBytes(bytes)
  }

  /** Until the event loop has looked at everything else once. */
  #rest(): void {
    if (this.#isResting) return
    this.#isResting = true
    this.#settings.stream.pause()
    setImmediate(() => {
      this.#isResting = false
      this.#stretchBytes = 0
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
