// What waits for an encoder that takes no more for now. Bounded in time and bytes: then everything is dropped up to the newest
// key frame, so that the encoder goes on with whole GOPs.
import type { FeedPlan } from './feed-plan.js'
import type { Entry } from './inlet-stream.js'

const MAX_BYTES = 8 * 1024 * 1024

export interface QueuedEntry extends Entry {
  /** The tracks, and their PIDs, when it came. */
  readonly plan: FeedPlan
  /** An encoder that starts is given what came long before. */
  readonly queuedMs: number
}

export class EntranceQueue {
  /** How often, and how much, was dropped. */
  drops = 0
  droppedBytes = 0
  readonly #entries: QueuedEntry[] = []
  readonly #maxDelayMs: () => number
  #bytes = 0
  /** Nothing is taken before the next key frame. */
  #isSkipping = false
  #isAfterDrop = false

  constructor(maxDelayMs: () => number) {
    this.#maxDelayMs = maxDelayMs
  }

  get isEmpty(): boolean {
    return this.#entries.length === 0
  }

  get bytes(): number {
    return this.#bytes
  }

  push(entry: Entry, plan: FeedPlan, nowMs: number): void {
    if (this.#isSkipping && entry.start === undefined) {
      this.droppedBytes += entry.bytes.length
      return
    }
    this.#isSkipping = false
    this.#entries.push({ ...entry, plan, queuedMs: nowMs, isBreak: entry.isBreak || this.#isAfterDrop })
    this.#isAfterDrop = false
    this.#bytes += entry.bytes.length
    const oldestMs = this.#entries[0]?.queuedMs ?? nowMs
    if (nowMs - oldestMs > this.#maxDelayMs() || this.#bytes > MAX_BYTES) this.#drop()
  }

  take(): QueuedEntry | undefined {
    const entry = this.#entries.shift()
    if (entry !== undefined) this.#bytes -= entry.bytes.length
    return entry
  }

  #drop(): void {
    this.drops++
    const newest = this.#entries.findLastIndex(({ start }, index) => index > 0 && start !== undefined)
    const dropped = this.#entries.splice(0, newest < 0 ? this.#entries.length : newest)
    for (const { bytes } of dropped) {
      this.#bytes -= bytes.length
      this.droppedBytes += bytes.length
    }
    const [first] = this.#entries
    if (first === undefined) {
      this.#isSkipping = true
      this.#isAfterDrop = true
    } else {
      this.#entries[0] = { ...first, isBreak: true }
    }
  }
}
