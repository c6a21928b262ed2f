// Where the chunks of an input leave it. It outlives the input when another source takes its place, and so do the readers
// that make it wait.
import type { AnyChunk } from '../../plugin/contract.js'
import { isEntry } from './edge.js'
import { type Pausable, Port } from './port.js'

/** The input that feeds the port. */
export interface Feeder {
  readonly isPausable: boolean
  /** Somebody holds, or nobody does any more. */
  applyPressure(): void
}

export class SourcePort extends Port implements Pausable {
  feeder: Feeder | undefined
  /** When the last chunk left, monotonic. */
  lastChunkMs = -Infinity
  /** From the last random access point to the one before. */
  entryIntervalMs = 0
  #lastEntryMs = -1
  #holds = 0

  constructor() {
    super()
    this.sources = [this]
  }

  get isPausable(): boolean {
    return this.feeder?.isPausable ?? false
  }

  get isPressed(): boolean {
    return this.#holds > 0
  }

  press(isHeld: boolean): void {
    this.#holds += isHeld ? 1 : -1
    this.feeder?.applyPressure()
  }

  override push(chunk: AnyChunk): void {
    this.lastChunkMs = chunk.receivedAtMs
    if (isEntry(chunk)) {
      if (this.#lastEntryMs >= 0) this.entryIntervalMs = chunk.receivedAtMs - this.#lastEntryMs
      this.#lastEntryMs = chunk.receivedAtMs
    }
    super.push(chunk)
  }
}
