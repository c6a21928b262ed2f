// Where chunks leave a node: hands each one to every edge that reads it. Edges never throw.
import type { AnyChunk } from '../plugin/contract.js'
import type { Edge } from './edge.js'

export class Port {
  sentBytes = 0
  readonly #edges = new Set<Edge>()

  connect(edge: Edge): void {
    this.#edges.add(edge)
  }

  push(chunk: AnyChunk): void {
    this.sentBytes += chunk.bytes.length
    for (const edge of this.#edges) edge.push(chunk)
  }

  /** Nothing more will come, ever. */
  complete(): void {
    for (const edge of this.#edges) edge.complete()
  }
}
