// The longest time for which a viewer receives no byte, and for which a small request is not answered. Time in which the
// process of the watcher itself did not run counts for nobody.
import { get, type IncomingMessage } from 'node:http'

const TICK_MS = 10
const ASK_EVERY_MS = 100

export interface Silence {
  /** Without a byte, at most. */
  readonly silentMs: number
  /** Of the longest answer. */
  readonly answerMs: number
  /** The connection was lost. */
  readonly isClosed: boolean
}

export class SilenceWatch implements Disposable {
  readonly #response: IncomingMessage
  readonly #timer: NodeJS.Timeout
  #isClosed = false
  /** Of the process: when its timer ran last. */
  #tickMs = performance.now()
  #silentMs = 0
  #longestMs = 0
  #askedMs = 0
  #isAsking = false
  #answerMs = 0

  private constructor(response: IncomingMessage, probeUrl: string) {
    this.#response = response
    response.on('data', () => this.#note()).on('close', () => (this.#isClosed = true))
    this.#timer = setInterval(() => this.#tick(probeUrl), TICK_MS)
  }

  static start(url: string, probeUrl: string): Promise<SilenceWatch> {
    return new Promise((resolve, reject) => {
      get(url, { agent: false }, (response) => resolve(new SilenceWatch(response, probeUrl))).on('error', reject)
    })
  }

  /** Since the last call. */
  take(): Silence {
    this.#note()
    const silence = { silentMs: this.#longestMs, answerMs: this.#answerMs, isClosed: this.#isClosed }
    this.#longestMs = 0
    this.#answerMs = 0
    return silence
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    this.#response.destroy()
  }

  #note(): void {
    this.#longestMs = Math.max(this.#longestMs, this.#silentMs)
    this.#silentMs = 0
  }

  #tick(probeUrl: string): void {
    const nowMs = performance.now()
    const passedMs = Math.min(nowMs - this.#tickMs, 2 * TICK_MS)
    this.#tickMs = nowMs
    this.#silentMs += passedMs
    if (this.#isAsking) this.#askedMs += passedMs
    else if ((this.#askedMs += passedMs) >= ASK_EVERY_MS) this.#ask(probeUrl)
  }

  #ask(url: string): void {
    this.#isAsking = true
    this.#askedMs = 0
    const done = (): void => {
      this.#answerMs = Math.max(this.#answerMs, this.#askedMs)
      this.#isAsking = false
      this.#askedMs = 0
    }
    get(url, (response) => response.resume().on('close', done)).on('error', done)
  }
}
