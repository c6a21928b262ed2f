// The copies of a pattern pipeline follow a committed reload, some at a time. One that cannot is the odd one, and ends; but
// if the first ones all fail, the change itself is wrong: it goes back, and they stay.
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Logger } from 'pino'
import { messageOf } from '../../errors.js'
import type { Graph, NodeSettings } from '../../graph/graph.js'
import { nodeName } from '../../graph/node-id.js'
import type { EventLog } from '../../observe/events.js'
import type { NodeChange } from '../../observe/reload-plan.js'
import { planSpecification } from './copy-trial.js'
import type { CopyFailure, Specification, StreamCopy } from './stream-copy.js'

/** Copies that follow at the same time. */
const AT_ONCE = 4
/** The change goes back if as many fail and none has followed. */
const TRIES = 3

export interface WaveParts {
  readonly pipeline: string
  readonly log: Logger
  readonly events: Pick<EventLog, 'emit'>
  /** The newest committed one; undefined if there is none, or the engine is stopping. */
  specification(): Specification | undefined
  /** It has other nodes, or a newer specification. */
  onChanged(copy: StreamCopy, hasOtherNodes: boolean): void
  end(copy: StreamCopy, why: string): void
  /** The change of this node goes back. False if it cannot. By default it cannot. */
  readonly rollBack?: (specified: NodeSettings, why: string) => Promise<boolean>
}

interface Held {
  readonly copy: StreamCopy
  readonly failure: CopyFailure
  readonly next: Specification
}

export class CopyWave {
  readonly #parts: WaveParts
  /** From each graph of a copy to this one. */
  #plansTo: { readonly graph: Graph; readonly plans: Map<Graph, readonly NodeChange[]> } | undefined
  readonly #counts = { followed: 0, cut: 0 }
  /** They cannot follow, and none has followed yet. */
  #held: Held[] = []
  #canRollBack: boolean

  constructor(parts: WaveParts) {
    this.#parts = parts
    this.#canRollBack = parts.rollBack !== undefined
  }

  /** Logs how many have followed, and how many could not and were ended. Never rejects. */
  async run(copies: readonly StreamCopy[]): Promise<void> {
    const queue = [...copies]
    while (this.#canRollBack && this.#held.length < TRIES && queue.length > 0) {
      await this.#moveAll(queue.splice(0, TRIES - this.#held.length))
    }
    const [first] = this.#held
    if (first !== undefined && (await this.#rollBack(first))) return
    this.#canRollBack = false
    this.#cutHeld()
    await this.#moveAll(queue)
    const { pipeline, log, events } = this.#parts
    if (this.#counts.followed + this.#counts.cut === 0) return
    log[this.#counts.cut === 0 ? 'info' : 'warn']({ pipeline, ...this.#counts }, 'the copies have followed the reload')
    events.emit({ kind: 'streams.reloaded', data: { pipeline, ...this.#counts } })
  }

  async #moveAll(copies: readonly StreamCopy[]): Promise<void> {
    const queue = copies.values()
    const work = async (): Promise<void> => {
      for (const copy of queue) {
        await copy.inTurn(() => this.#move(copy))
        await nextTurn()
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work))
  }

  /** Never rejects. */
  async #move(copy: StreamCopy): Promise<void> {
    const { specification, onChanged } = this.#parts
    const next = specification()
    const before = copy.specification
    if (copy.isOver || next === undefined || copy.runner === undefined || before.graph === next.graph) return
    const changes = this.#changes(before, next)
    if (changes.every(({ verb }) => verb === 'keep')) {
      await copy.giveUp()
      copy.specification = next
      onChanged(copy, false)
      return
    }
    const following = copy.follow(next, changes, () => onChanged(copy, true))
    const failure = await following.catch((error: unknown) => ({ key: copy.key, node: undefined, error }))
    if (copy.isOver || specification() === undefined) return
    if (failure === undefined) {
      this.#counts.followed++
      this.#canRollBack = false
      this.#cutHeld()
    } else if (this.#canRollBack) {
      // Nodes that had given up a resource have been opened again.
      onChanged(copy, true)
      this.#held.push({ copy, failure, next })
    } else this.#cut(copy, failure)
  }

  /** Planned once for all copies that have the same graph. Another reload may be committed during the wave. */
  #changes(before: Specification, next: Specification): readonly NodeChange[] {
    if (this.#plansTo?.graph !== next.graph) this.#plansTo = { graph: next.graph, plans: new Map() }
    const { plans } = this.#plansTo
    const changes = plans.get(before.graph) ?? planSpecification(before, next)
    plans.set(before.graph, changes)
    return changes
  }

  async #rollBack({ failure: { node, error }, next: { pipeline } }: Held): Promise<boolean> {
    const specified = pipeline.nodes.find(({ id }) => node !== undefined && nodeName(id) === nodeName(node))
    if (specified === undefined) return false
    return (await this.#parts.rollBack?.(specified, messageOf(error))) ?? false
  }

  #cutHeld(): void {
    for (const { copy, failure } of this.#held.splice(0)) this.#cut(copy, failure)
  }

  /** Its publisher comes back to a new one. */
  #cut(copy: StreamCopy, { error }: CopyFailure): void {
    const { pipeline, log, end } = this.#parts
    this.#counts.cut++
    log.warn({ pipeline, stream: copy.key, err: error }, 'a copy cannot follow the reload, and ends')
    end(copy, `it cannot follow the reload: ${messageOf(error)}`)
  }
}
