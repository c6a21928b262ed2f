// How much memory outside of V8's heap a run of code still holds: bytes of chunks, or copies of them.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import process from 'node:process'
import { setTimeout } from 'node:timers/promises'

/** Collects garbage now, without a flag of the command line. */
function collector(): () => void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  setFlagsFromString('--no-expose-gc')
  return collect
}

/** Rounds in a row that must free nothing, and the most rounds that are made. */
const QUIET_ROUNDS = 3
const MOST_ROUNDS = 50
/** What a round frees of the rest of the process does not count. */
const NOTHING_BYTES = 64 * 1024

export class ChunkMemory {
  readonly #collect = collector()
  #beforeBytes = 0

  /** From here on. */
  async start(): Promise<void> {
    this.#beforeBytes = await this.#used()
  }

  /** Bytes held now and not at the start. */
  async grown(): Promise<number> {
    return (await this.#used()) - this.#beforeBytes
  }

  /**
   * Buffers are freed in a later turn, by a thread of their own, and some only once a promise or a timer that refers to
   * them is done: on a busy machine a fixed number of rounds would count what an earlier run has left.
   */
  async #used(): Promise<number> {
    let leastBytes = Infinity
    let quiet = 0
    for (let round = 0; quiet < QUIET_ROUNDS && round < MOST_ROUNDS; round++) {
      this.#collect()
      await setTimeout(1)
      const usedBytes = process.memoryUsage().arrayBuffers
      quiet = usedBytes > leastBytes - NOTHING_BYTES ? quiet + 1 : 0
      leastBytes = Math.min(leastBytes, usedBytes)
    }
    return leastBytes
  }
}
