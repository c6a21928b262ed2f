// Which media a slow receiver does not get. As its queue grows, it loses disposable frames first, then all video up to the
// next random access point, then audio. Headers are never dropped: a queue that they fill is broken.
import type { MediaClass } from './media-message.js'

export interface DropLimits {
  /** Of the queue, in bytes. */
  readonly maxBytes: number
  /** Between the oldest and the newest message of the queue. */
  readonly maxMs: number
}

/** How full the queue may be for a message of the class to be taken. */
const FILL = { headers: Infinity, audio: 1, key: 0.75, inter: 0.5, disposable: 0.25 } as const satisfies Record<
  MediaClass,
  number
>

export class DropPolicy {
  readonly #limits: DropLimits
  #needsKey: boolean

  /** @param needsKey whether the receiver begins with a random access point */
  constructor(limits: DropLimits, needsKey = false) {
    this.#limits = limits
    this.#needsKey = needsKey
  }

  /** Frames are missing: nothing can be decoded before the next random access point. */
  get needsKey(): boolean {
    return this.#needsKey
  }

  requireKey(): void {
    this.#needsKey = true
  }

  /** To be asked once for each message, in order. */
  admits(mediaClass: MediaClass, bytes: number, queuedBytes: number, queuedMs: number): boolean {
    if (this.#needsKey && (mediaClass === 'inter' || mediaClass === 'disposable')) return false
    const fill = this.#fill(bytes, queuedBytes, queuedMs)
    const isAdmitted = fill <= FILL[mediaClass]
    if (mediaClass === 'key') this.#needsKey = !isAdmitted
    if (mediaClass === 'inter' && !isAdmitted) this.#needsKey = true
    return isAdmitted
  }

  /** Of the past, which a receiver gets as it joins: however fast it is, that comes at once. */
  admitsBacklog(mediaClass: MediaClass): boolean {
    if (mediaClass === 'key') this.#needsKey = false
    return !this.#needsKey || (mediaClass !== 'inter' && mediaClass !== 'disposable')
  }

  /** An empty queue takes a message of any size up to the bound. */
  #fill(bytes: number, queuedBytes: number, queuedMs: number): number {
    const { maxBytes, maxMs } = this.#limits
    if (queuedBytes === 0) return bytes <= maxBytes ? 0 : Infinity
    return Math.max((queuedBytes + bytes) / maxBytes, queuedMs / maxMs)
  }
}
