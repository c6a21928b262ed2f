// Where chunks leave a node: hands each one to every edge that reads it. Readers never throw.
import type { AnyChunk } from '../../plugin/contract.js'

/** What is connected to a port: an edge, or what stands in front of one while it is handed over to another port. */
export interface PortReader {
  push(chunk: AnyChunk): void
  /** Nothing more will come, ever. */
  complete(): void
}

/** An input, as those see it who make it wait. */
export interface Pausable {
  /** It can wait, and nothing it emits is dropped. */
  readonly isPausable: boolean
  /** Some reader makes it wait. */
  readonly isPressed: boolean
  /** Some reader downstream begins (true) or ceases (false) to hold. */
  press(isHeld: boolean): void
}

export class Port {
  sentBytes = 0
  /** What numbers the chunks (`origin`): two ports with the same root carry the same stream, chunk for chunk. */
  root: object = this
  /** What left it while nobody read it yet said `marked`: whoever begins to read it has to hear of that. */
  isMarked = false
  /** The inputs behind it. */
  sources: readonly Pausable[] = []
  readonly #readers = new Set<PortReader>()
  #isComplete = false

  connect(reader: PortReader): void {
    this.#readers.add(reader)
    if (this.#isComplete) reader.complete()
  }

  disconnect(reader: PortReader): void {
    this.#readers.delete(reader)
  }

  push(chunk: AnyChunk): void {
    this.sentBytes += chunk.bytes.length
    for (const reader of this.#readers) reader.push(chunk)
  }

  complete(): void {
    this.#isComplete = true
    for (const reader of this.#readers) reader.complete()
  }
}
