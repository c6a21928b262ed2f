// Where chunks leave a node: delivers each one to every edge that reads it. Readers never throw.
import type { RecorderStatus } from '../../observe/recorder-status.js'
import type { AnyChunk } from '../../plugin/contract.js'

/** What is connected to a port: an edge, or the cutover in front of it while its reader moves to another port. */
export interface PortReader {
  push(chunk: AnyChunk): void
  /** No more chunks will ever arrive. */
  complete(): void
}

/** An input, as seen by the edges that make it wait. */
export interface Pausable {
  /** It can wait; nothing it emits is dropped. */
  readonly isPausable: boolean
  /** At least one reader makes it wait. */
  readonly isUnderBackpressure: boolean
  /** An edge downstream starts (true) or stops (false) holding. */
  noteBackpressure(isOn: boolean): void
}

/** The node that a port belongs to. */
export interface PortOwner {
  /** Why no viewer can start in what leaves it, in words that viewers may read; empty if one can, or if it is unknown. */
  readonly whyNoStart: string
  /**
   * When the source of what leaves it was last lost, monotonic: who joins now starts with nothing that was received before.
   * -Infinity if it never was.
   */
  readonly lostAtMs: number
}

export class Port {
  owner: PortOwner | undefined
  sentBytes = 0
  /**
   * The nodes or ports that made the `origin` of the chunks that leave here. Several if a transform passes on chunks that
   * it chooses from many inlets.
   */
  roots: readonly object[] = [this]
  /** A chunk left it as `marked` before it had readers: the first chunk that a new reader receives has to say so. */
  isMarked = false
  /** The inputs behind it. */
  sources: readonly Pausable[] = []
  /** Keeps the last chunks; by default nothing does. */
  recorder: { status(): RecorderStatus } | undefined
  readonly #readers = new Set<PortReader>()
  #isComplete = false

  get whyNoStart(): string {
    return this.owner?.whyNoStart ?? ''
  }

  get lostAtMs(): number {
    return this.owner?.lostAtMs ?? -Infinity
  }

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

/**
 * `same`: two ports carry the same stream, chunk for chunk. `overlapping`: they choose from several sources, some of
 * them shared, and may carry the same chunks.
 */
export function compareRoots({ roots: a }: Port, { roots: b }: Port): 'same' | 'overlapping' | 'different' {
  if (!a.some((root) => b.includes(root))) return 'different'
  return a.length === 1 && b.length === 1 ? 'same' : 'overlapping'
}
