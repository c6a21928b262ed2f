// The port of an input. When another source replaces the input, the port stays, and so do the readers that make it
// wait.
import type { AnyChunk } from '../../plugin/contract.js'
import { isRandomAccessPoint } from '../../plugin/random-access-point.js'
import { type Pausable, Port, type PortOwner } from './port.js'

/** The input that feeds the port. */
export interface Feeder extends PortOwner {
  readonly isPausable: boolean
  /** Called when a reader starts or stops holding. */
  applyBackpressure(): void
}

export class SourcePort extends Port implements Pausable {
  feeder: Feeder | undefined
  /** When the last chunk left, monotonic. */
  lastChunkMs = -Infinity
  /** Time between the last two random access points. */
  randomAccessIntervalMs = 0
  #lastRandomAccessMs = -1
  #lastGeneration = -1
  #firstChunkMs = -1
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

  override get whyNoStart(): string {
    return this.feeder?.whyNoStart ?? ''
  }

  override get lostAtMs(): number {
    return this.feeder?.lostAtMs ?? -Infinity
  }

  /** For how long no viewer could have started, as a sentence; empty before the first chunk, and for a second. */
  keyFrameLack(nowMs: number): string {
    const startableMs = Math.max(this.#lastRandomAccessMs, this.#firstChunkMs)
    const waitedS = startableMs < 0 ? 0 : Math.floor((nowMs - startableMs) / 1000)
    return waitedS > 0 ? `no key frame for ${waitedS} s` : ''
  }

  override push(chunk: AnyChunk): void {
    this.lastChunkMs = chunk.receivedAtMs
    if (this.#firstChunkMs < 0) this.#firstChunkMs = chunk.receivedAtMs
    if (isRandomAccessPoint(chunk)) {
      const { generation } = chunk.origin
      // An outage is no interval.
      if (generation === this.#lastGeneration)
        this.randomAccessIntervalMs = chunk.receivedAtMs - this.#lastRandomAccessMs
      this.#lastGeneration = generation
      this.#lastRandomAccessMs = chunk.receivedAtMs
    }
    super.push(chunk)
  }
}
