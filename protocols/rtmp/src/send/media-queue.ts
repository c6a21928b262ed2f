// The media that wait for one connection, bounded by bytes and by time. The messages are shared; the queue holds
// references.
import { DropPolicy } from './drop-policy.js'
import type { DropLimits } from './drop-policy.js'
import type { MediaMessage } from './media-message.js'

export interface QueueStats {
  readonly queuedBytes: number
  readonly queuedMs: number
  readonly droppedMessages: number
  readonly droppedBytes: number
}

/** What is to be sent next. */
export interface Queued {
  readonly messageStreamId: number
  /** Media, or chunks of something else that must not overtake them. */
  readonly message: MediaMessage | Uint8Array
}

interface Entry extends Queued {
  readonly queuedAtMs: number
  readonly isBacklog: boolean
}

/** Headers have no place in the policy: more than this many bytes of them, and the queue overflows. */
const OVERFLOW_FACTOR = 2
const COMPACT_AT = 64
/** Of the past: more than a stream keeps for receivers that join. */
const MAX_BACKLOG_BYTES = 32 * 1024 * 1024

export class MediaQueue {
  readonly #limits: DropLimits
  readonly #policies = new Map<number, DropPolicy>()
  #entries: Entry[] = []
  #first = 0
  #bytes = 0
  /** Of the past, which says nothing about how fast the receiver is. */
  #backlog = { messages: 0, bytes: 0 }
  #backlogUntilMs = -Infinity
  #droppedMessages = 0
  #droppedBytes = 0

  constructor(limits: DropLimits) {
    this.#limits = limits
  }

  get isEmpty(): boolean {
    return this.#first === this.#entries.length
  }

  /** Full of what may not be dropped. */
  get hasOverflowed(): boolean {
    return this.#bytes - this.#backlog.bytes > OVERFLOW_FACTOR * this.#limits.maxBytes
  }

  /** Video of the message stream begins, or goes on, with a random access point. */
  requireKey(messageStreamId: number): void {
    this.#policyOf(messageStreamId).requireKey()
  }

  /** False if the message was dropped. `isBacklog`: it is of the past, for a receiver that joins. */
  push(message: MediaMessage, messageStreamId: number, nowMs: number, isBacklog = false): boolean {
    const bytes = message.body.length
    if (!this.#admits(message, this.#policyOf(messageStreamId), nowMs, isBacklog)) {
      this.#droppedMessages++
      this.#droppedBytes += bytes
      return false
    }
    this.#add({ message, messageStreamId, queuedAtMs: nowMs, isBacklog })
    return true
  }

  /** Chunks that follow the media; they are never dropped. */
  pushChunks(chunks: Uint8Array, messageStreamId: number, nowMs: number): void {
    this.#add({ message: chunks, messageStreamId, queuedAtMs: nowMs, isBacklog: false })
  }

  shift(): Queued | undefined {
    const entry = this.#entries[this.#first]
    if (entry === undefined) return undefined
    this.#first++
    this.#count(entry, -1)
    if (this.isEmpty || this.#first >= COMPACT_AT) {
      this.#entries = this.#entries.slice(this.#first)
      this.#first = 0
    }
    return entry
  }

  /** What waits for a message stream is not sent any more. */
  forget(messageStreamId: number): void {
    this.#policies.delete(messageStreamId)
    const kept = this.#entries.slice(this.#first).filter((entry) => entry.messageStreamId !== messageStreamId)
    this.#entries = []
    this.#first = 0
    this.#bytes = 0
    this.#backlog = { messages: 0, bytes: 0 }
    for (const entry of kept) this.#add(entry)
  }

  stats(nowMs: number): QueueStats {
    return {
      queuedBytes: this.#bytes,
      queuedMs: this.#waitMs(nowMs),
      droppedMessages: this.#droppedMessages,
      droppedBytes: this.#droppedBytes,
    }
  }

  #admits({ class: value, body }: MediaMessage, policy: DropPolicy, nowMs: number, isBacklog: boolean): boolean {
    const { messages, bytes } = this.#backlog
    if (isBacklog) return bytes + body.length <= MAX_BACKLOG_BYTES && policy.admitsBacklog(value)
    // What follows waits for the backlog, and not for the receiver.
    if (messages > 0) this.#backlogUntilMs = nowMs
    const waitMs = Math.min(this.#waitMs(nowMs), nowMs - this.#backlogUntilMs)
    return policy.admits(value, body.length, this.#bytes - bytes, waitMs)
  }

  #add(entry: Entry): void {
    this.#entries.push(entry)
    this.#count(entry, 1)
  }

  #count(entry: Entry, sign: 1 | -1): void {
    const bytes = sizeOf(entry)
    this.#bytes += sign * bytes
    if (!entry.isBacklog) return
    this.#backlog.messages += sign
    this.#backlog.bytes += sign * bytes
  }

  #policyOf(messageStreamId: number): DropPolicy {
    let policy = this.#policies.get(messageStreamId)
    if (policy === undefined) this.#policies.set(messageStreamId, (policy = new DropPolicy(this.#limits)))
    return policy
  }

  /** How long the oldest message has waited. */
  #waitMs(nowMs: number): number {
    const oldest = this.#entries[this.#first]
    return oldest === undefined ? 0 : nowMs - oldest.queuedAtMs
  }
}

function sizeOf({ message }: Queued): number {
  return message instanceof Uint8Array ? message.length : message.body.length
}
