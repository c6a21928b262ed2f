// The pattern pipelines of an engine, by name.
import type { Graph } from '../../graph/graph.js'
import { PatternStreams, type PatternParts } from './pattern-streams.js'

/** What shows the nodes costs as much as there are nodes, so it is done once for all copies that change in this time. */
const SHOW_AFTER_MS = 100

export class PatternPipelines {
  readonly #parts: PatternParts
  readonly #byName = new Map<string, PatternStreams>()
  #isShowing = false

  /** `onNodesChanged`: called for many changes at once, at most ten times a second. */
  constructor(parts: PatternParts) {
    this.#parts = { ...parts, onNodesChanged: () => this.#show(parts) }
  }

  /** Made when it is first asked for. It stays when its pipeline is removed: its copies may still drain. */
  of(name: string): PatternStreams {
    const known = this.#byName.get(name) ?? new PatternStreams(name, this.#parts)
    this.#byName.set(name, known)
    return known
  }

  /** A reload is about to be committed. Rejects with RELOAD_COPIES_FAILED if the copies of a pipeline cannot follow it. */
  async prepare(next: Graph): Promise<void> {
    await Promise.all(Array.from(this.#byName.values(), (each) => each.prepare(next)))
  }

  /** The reload is not committed. Never rejects. */
  async giveUp(): Promise<void> {
    await Promise.all(Array.from(this.#byName.values(), (each) => each.giveUp()))
  }

  /** A reload has been committed. */
  follow(): void {
    for (const each of this.#byName.values()) each.follow()
  }

  /** The engine is about to stop: ends all streams, and takes no more. */
  stop(): void {
    for (const each of this.#byName.values()) each.stop()
  }

  /** Resolves when all copies that have ended have released everything. Never rejects. */
  async drained(): Promise<void> {
    await Promise.all(Array.from(this.#byName.values(), (each) => each.drained()))
  }

  #show({ clock, onNodesChanged }: PatternParts): void {
    if (this.#isShowing) return
    this.#isShowing = true
    clock.after(SHOW_AFTER_MS, () => {
      this.#isShowing = false
      onNodesChanged()
    })
  }
}
