// What a peer may send that has asked for nothing so far, and one that waits for the decision about what it publishes.
import type { ChunkReaderOptions } from '../chunk/chunk-reader.js'
import { MAX_COMMAND_BYTES } from './command.js'

type Limits = Pick<ChunkReaderOptions, 'maxMessage' | 'maxUnfinished'>

/** Of a message of media before the decision, and of all that are unfinished. */
const WAITING_BYTES = 2 * 1024 * 1024
/** Chunks at once, and one more in so many milliseconds: each costs time, however small it is. */
const MOST_CHUNKS = 2000
const MS_A_CHUNK = 2

export class StrangerBudget {
  #chunks = MOST_CHUNKS
  #takenMs: number

  constructor(nowMs: number) {
    this.#takenMs = nowMs
  }

  /** False if these are too many. */
  takes(chunks: number, nowMs: number): boolean {
    this.#chunks = Math.min(MOST_CHUNKS, this.#chunks + (nowMs - this.#takenMs) / MS_A_CHUNK) - chunks
    this.#takenMs = nowMs
    return this.#chunks >= 0
  }
}

/** Commands alone. */
export function strangerLimits(options: Limits): Limits {
  return atMost(options, MAX_COMMAND_BYTES)
}

export function waitingLimits(options: Limits): Limits {
  return atMost(options, WAITING_BYTES)
}

function atMost({ maxMessage, maxUnfinished }: Limits, bytes: number): Limits {
  return { maxMessage: Math.min(maxMessage, bytes), maxUnfinished: Math.min(maxUnfinished, bytes) }
}
