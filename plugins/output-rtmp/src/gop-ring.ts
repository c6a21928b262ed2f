// The stream since its last key frame, for receivers that join: headers first. Bounded: a longer group of pictures is not
// kept, and receivers begin with sound alone, or wait for the next key frame.
import { MediaMessage, MESSAGE } from '@millrace/rtmp'
import type { MediaType } from '@millrace/rtmp'

const MAX_BYTES = 16 * 1024 * 1024
const MAX_MESSAGES = 16_384
/** Whoever joins begins so far behind at most. */
const MAX_MS = 20_000

/** Metadata or a sequence header. */
export interface Header {
  readonly type: MediaType
  readonly body: Uint8Array
}

export class GopRing {
  #headers: readonly Header[] = []
  #startMs = 0
  #sinceMs = -Infinity
  #messages: MediaMessage[] = []
  #bytes = 0
  #isOutgrown = false
  /** Sequence headers with the time of the key frame: some players begin their clock with the first message. */
  #stamped: readonly MediaMessage[] | undefined

  get bytes(): number {
    return this.#bytes
  }

  /** The group of pictures that goes on now is too long to be kept. */
  get isOutgrown(): boolean {
    return this.#isOutgrown
  }

  get isEmpty(): boolean {
    return this.#messages.length === 0
  }

  /** When its key frame came. */
  get sinceMs(): number {
    return this.#sinceMs
  }

  /** @param headers in force at the key frame */
  start(key: MediaMessage, headers: readonly Header[], nowMs: number): void {
    this.#sinceMs = nowMs
    this.#headers = headers
    this.#startMs = key.timestampMs
    this.#isOutgrown = false
    this.#stamped = undefined
    this.#messages = [key]
    this.#bytes = key.body.length
  }

  add(message: MediaMessage): void {
    if (this.isEmpty) return
    this.#messages.push(message)
    this.#bytes += message.body.length
    const ms = (message.timestampMs - this.#startMs) | 0
    if (this.#bytes <= MAX_BYTES && this.#messages.length <= MAX_MESSAGES && ms <= MAX_MS) return
    this.clear()
    this.#isOutgrown = true
  }

  clear(): void {
    if (this.isEmpty) return
    this.#messages = []
    this.#stamped = undefined
    this.#bytes = 0
  }

  /** What a receiver that joins gets: the same objects for all. */
  send(to: (message: MediaMessage) => void): void {
    this.#stamped ??= stampedHeaders(this.#headers, this.#startMs)
    for (const message of this.#stamped) to(message)
    for (const message of this.#messages) to(message)
  }
}

export function stampedHeaders(headers: readonly Header[], timestampMs: number): readonly MediaMessage[] {
  return headers.map(({ type, body }) =>
    type === MESSAGE.data ? metadataMessage(body) : new MediaMessage(type, 'headers', timestampMs, body),
  )
}

/** At the time 0: ffmpeg takes later metadata for a track of text. */
export function metadataMessage(body: Uint8Array): MediaMessage {
  return new MediaMessage(MESSAGE.data, 'headers', 0, body)
}
