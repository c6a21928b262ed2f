// The port of an input. When another source replaces the input, the port stays, and so do the readers that make it
// wait.
import type { AnyChunk } from '../../plugin/contract.js'
import { isEntry } from './edge.js'
import { type Pausable, Port } from './port.js'

/** The input that feeds the port. */
export interface Feeder {
  readonly isPausable: boolean
  /** Called when a reader starts or stops holding. */
  applyBackpressure(): void
}

export class SourcePort extends Port implements Pausable {
  feeder: Feeder | undefined
  /** When the last chunk left, monotonic. */
  lastChunkMs = -Infinity
  /** Time between the last two random access points. */
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

  get isUnderBackpressure(): boolean {
    return this.#holds > 0
  }

  noteBackpressure(isOn: boolean): void {
    this.#holds += isOn ? 1 : -1
    this.feeder?.applyBackpressure()
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
