// Before a reload of a pattern pipeline is committed, a copy opens the new nodes beside those that run: what no copy can
// follow is given up while nothing has changed. One copy that fails may be the odd one, so another is asked, too.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type EngineError, isEngineError, messageOf } from '../../errors.js'
import type { Graph } from '../../graph/graph.js'
import { copyName, nodeName } from '../../graph/node-id.js'
import type { NodeChange, PlanVerb } from '../../observe/reload-plan.js'
import type { Clock } from '../../plugin/tokens.js'
import { planReload } from '../../reload/plan-reload.js'
import { reloadError } from '../../reload/reload-errors.js'
import { waitAtMost } from '../node/time-limit.js'
import type { CopyFailure, Specification, StreamCopy } from './stream-copy.js'

/** Copies that must fail before the reload is given up, if there are as many. */
const TRIES = 2
/** A copy may still be busy with the reload before. */
const WITHIN_MS = 30_000
const OPENS: ReadonlySet<PlanVerb> = new Set(['add', 'swap', 'source'])

export class CopyTrial {
  readonly #copies: readonly StreamCopy[]
  readonly #next: Specification
  readonly #clock: Clock
  /** By the graph that the copy has now. */
  readonly #plans = new Map<Graph, readonly NodeChange[]>()
  readonly #abort = new AbortController()

  /** `copies`: oldest first. Those with a publisher are asked first. */
  constructor(copies: readonly StreamCopy[], next: Specification, clock: Clock) {
    this.#copies = copies.filter(canTry).sort((a, b) => rankOf(a) - rankOf(b))
    this.#next = next
    this.#clock = clock
  }

  /**
   * Resolves when a copy has prepared the change, or there is none that could tell. Rejects with RELOAD_COPIES_FAILED if
   * none that was asked can follow.
   */
  async run(): Promise<void> {
    try {
      await waitAtMost(this.#run(), WITHIN_MS, this.#clock)
    } finally {
      this.#abort.abort()
    }
  }

  /** The reload is not committed: the nodes that were opened for it stop. Never rejects. */
  async giveUp(): Promise<void> {
    this.#abort.abort()
    await Promise.all(this.#copies.map((copy) => copy.giveUp(this.#next.graph)))
  }

  async #run(): Promise<void> {
    const failures: CopyFailure[] = []
    for (const copy of this.#copies) {
      if (failures.length === TRIES) break
      const result = await this.#try(copy)
      if (result === 'prepared' || this.#abort.signal.aborted) return
      if (result !== 'none') failures.push(result)
      await nextTurn()
    }
    if (failures.length > 0) throw noneCanFollow(this.#next.pipeline.name, failures)
  }

  /** `none`: it cannot tell. */
  async #try(copy: StreamCopy): Promise<'prepared' | 'none' | CopyFailure> {
    let failure: CopyFailure | undefined
    let isTried = false
    await copy.inTurn(async () => {
      const { signal } = this.#abort
      if (signal.aborted || !canTry(copy)) return
      const changes = this.#changes(copy.specification)
      const input = this.#next.pipeline.pattern?.input
      isTried = changes.some(({ id, verb }) => OPENS.has(verb) && id !== input)
      if (isTried) failure = await copy.prepare(this.#next, changes, signal)
    })
    if (!isTried || copy.isOver) return 'none'
    return failure ?? 'prepared'
  }

  #changes(before: Specification): readonly NodeChange[] {
    const changes = this.#plans.get(before.graph) ?? planSpecification(before, this.#next)
    this.#plans.set(before.graph, changes)
    return changes
  }
}

function noneCanFollow(pipeline: string, failures: readonly CopyFailure[]): EngineError {
  const [{ node, error } = { node: undefined, error: undefined }] = failures
  const at = node === undefined ? pipeline : `${pipeline}/${nodeName(node)}`
  const copies = failures.map(({ key }) => copyName(pipeline, key)).join(', ')
  const where = failures.length === 1 ? 'the copy' : 'the copies'
  const why = isEngineError(error) ? `${error.code}: ${messageOf(error)}` : messageOf(error)
  return reloadError('RELOAD_COPIES_FAILED', `${at} in ${where} ${copies}: ${why}`, { cause: error, at })
}

/** The changes of the nodes alone, as if nothing else were in the graphs. */
export function planSpecification(before: Specification, next: Specification): readonly NodeChange[] {
  const alone = ({ graph, pipeline }: Specification): Graph => ({ ...graph, services: [], pipelines: [pipeline] })
  return planReload(alone(before), alone(next)).nodes
}

function canTry({ isOver, isStarting, runner }: StreamCopy): boolean {
  return !isOver && !isStarting && runner !== undefined
}

function rankOf({ isBusy, slot }: StreamCopy): number {
  return (isBusy ? 2 : 0) + (slot.isTaken ? 0 : 1)
}
