// When a node begins to run a presentation that another node has run: with the first chunk that it receives, or when the
// other one has stopped. Until then the reload may be given up, and the other one goes on as if nothing had been.
import type { AnyChunk } from '@millrace/engine/plugin'
import type { Presentation } from '../presentation.js'
import type { PresentationHost } from './presentation-host.js'

/** The node, and what its inlets are. */
export interface NextNode {
  readonly host: PresentationHost
  /** Of its renditions, in the order of its inlets. */
  readonly names: readonly string[]
  /** It reads another stream than the rendition of this name has read. */
  isNew(name: string): boolean
}

export class TakeOver {
  readonly #presentation: Presentation
  readonly #next: NextNode
  #hasRun = false

  constructor(presentation: Presentation, next: NextNode) {
    this.#presentation = presentation
    this.#next = next
    this.check()
  }

  /** Call it a few times a second. A node that could not take over after all leaves the presentation to the one before. */
  check(): void {
    if (this.#presentation.isFree) this.#begin()
  }

  /** `inlet`: its index. */
  push(inlet: number, chunk: AnyChunk): void {
    if (!this.#hasRun || this.#presentation.isFree) this.#begin()
    const { renditions } = this.#presentation
    const name = this.#next.names[inlet]
    // While readers are cut over one by one, chunks of the node before may come for renditions in another order.
    const isHere = renditions[inlet]?.name === name
    this.#presentation.push(isHere ? inlet : renditions.findIndex((each) => each.name === name), chunk)
  }

  /** All its streams have ended. */
  finish(): void {
    if (this.#presentation.isRunBy(this.#next.host)) this.#presentation.finish()
  }

  #begin(): void {
    const { host, names } = this.#next
    this.#presentation.attach(host, names, (name) => !this.#hasRun && this.#next.isNew(name))
    this.#hasRun = true
  }
}
