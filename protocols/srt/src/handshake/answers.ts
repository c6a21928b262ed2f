// The answers to conclusions: callers repeat a conclusion until they are answered, so each gets the answer it got before, with
// the time at which it is sent: the caller's clock for what it receives begins with it. While the connection lives its answer
// is kept; others for as long as the cookie in the conclusion is valid.
import { writeTimestamp } from '../packet/header.js'
import { timestampOf } from '../packet/sequence.js'
import type { PeerAddress } from './cookie.js'

/** Two minutes: after that a replayed conclusion has no valid cookie. */
const KEPT_US = 125_000_000
const MAX_PAST = 4096

interface Answer {
  readonly datagram: Uint8Array
  /** Our time at its timestamp 0. */
  readonly startUs: number
}

interface PastAnswer extends Answer {
  readonly untilUs: number
}

export class Answers {
  /** Of live connections and pending requests, which have none yet. */
  readonly #live = new Map<string, Answer | undefined>()
  readonly #past = new Map<string, PastAnswer>()
  #pending = 0

  get pending(): number {
    return this.#pending
  }

  /** Whether the conclusion has come before. */
  has(key: string, nowUs: number): boolean {
    return this.#live.has(key) || this.#pastOf(key, nowUs) !== undefined
  }

  /** The answer as it is to be sent now, or undefined while it is pending. */
  find(key: string, nowUs: number): Uint8Array | undefined {
    const answer = this.#live.get(key) ?? this.#pastOf(key, nowUs)
    if (answer === undefined) return undefined
    const datagram = answer.datagram.slice()
    writeTimestamp(datagram, timestampOf(nowUs - answer.startUs))
    return datagram
  }

  begin(key: string): void {
    this.#live.set(key, undefined)
    this.#pending++
  }

  /** @param isLive the connection exists now: `end` follows */
  settle(key: string, answer: Answer, nowUs: number, isLive: boolean): void {
    if (this.#live.has(key) && this.#live.get(key) === undefined) this.#pending--
    this.#live.set(key, answer)
    if (!isLive) this.end(key, nowUs)
  }

  end(key: string, nowUs: number): void {
    const answer = this.#live.get(key)
    if (answer === undefined) return
    this.#live.delete(key)
    this.#past.set(key, { ...answer, untilUs: nowUs + KEPT_US })
    for (const [old, { untilUs }] of this.#past) {
      if (untilUs > nowUs && this.#past.size <= MAX_PAST) break
      this.#past.delete(old)
    }
  }

  #pastOf(key: string, nowUs: number): PastAnswer | undefined {
    const past = this.#past.get(key)
    return past !== undefined && past.untilUs > nowUs ? past : undefined
  }
}

export function conclusionKey({ address, port }: PeerAddress, socketId: number): string {
  return `${address}|${port}|${socketId}`
}
