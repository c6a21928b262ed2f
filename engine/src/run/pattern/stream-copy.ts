// One copy of a pattern pipeline: the nodes for one key, on one specification. Its steps (start, follow a reload, end) run
// one after another.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { copyPipeline } from '../../graph/copy-pipeline.js'
import type { Graph, Pipeline } from '../../graph/graph.js'
import { copyName } from '../../graph/node-id.js'
import type { NodeChange } from '../../observe/reload-plan.js'
import type { Clock } from '../../plugin/tokens.js'
import { moveEndpoints } from '../change/endpoint-moves.js'
import { STOP_WITHIN_MS } from '../change/exclusive-restart.js'
import { PipelineTransaction } from '../change/pipeline-transaction.js'
import { waitAtMost } from '../node/time-limit.js'
import type { PipelineRunner } from '../pipeline/pipeline-runner.js'
import { StreamSlot } from '../publish/stream-slot.js'

/** A specification: a pattern pipeline of a graph. */
export interface Specification {
  readonly graph: Graph
  readonly pipeline: Pipeline
}

export class StreamCopy {
  readonly key: string
  readonly slot: StreamSlot
  /** What it runs, or is about to. */
  specification: Specification
  /** Undefined until its specification has been read. */
  runner: PipelineRunner | undefined
  /** Ends it, unless a publisher comes first. */
  linger: Disposable | undefined
  /** It is ending: it takes no publisher, and follows no reload. */
  isOver = false
  #turn: Promise<unknown> = Promise.resolve()

  constructor(key: string, specification: Specification, clock: Clock) {
    this.key = key
    this.specification = specification
    this.slot = new StreamSlot(clock)
  }

  /** Runs the step after those before it. */
  inTurn(step: () => Promise<void>): Promise<void> {
    const turn = this.#turn.then(step)
    this.#turn = turn.catch(() => undefined)
    return turn
  }

  /**
   * Its nodes become those of `next`, as in an ordinary pipeline at a reload. Rejects if a node cannot; then nothing has
   * changed. `onCommit`: it has other nodes.
   */
  async follow(next: Specification, changes: readonly NodeChange[], onCommit: () => void): Promise<void> {
    const { runner } = this
    if (runner === undefined) return
    const pipeline = await copyPipeline(next.pipeline, this.key)
    await nextTurn()
    const own = ownChanges(changes, { from: next.pipeline, to: copyName(next.pipeline.name, this.key) })
    const change = new PipelineTransaction(runner, pipeline, own)
    try {
      await change.prepare()
      await nextTurn()
      moveEndpoints(change.steps, change.removed)
    } catch (error) {
      await change.abort()
      throw error
    }
    change.commit()
    this.specification = next
    onCommit()
    const { failed } = await change.finish()
    const leaving = change.drain(next.graph.engine.drainMs)
    const released = async (ids: readonly string[]): Promise<void> => {
      for (const id of ids) await leaving.get(id)
    }
    const restarted = await change.restartExclusive(released, new AbortController().signal)
    const [first] = [...failed, ...restarted]
    if (first !== undefined) throw first.error
  }

  /**
   * Gives up its paths at once, ends its inputs, and stops when viewers have received the rest, or after `drainMs`. Never
   * rejects.
   */
  async retire(drainMs: number): Promise<void> {
    const { runner } = this
    if (runner === undefined) return
    moveEndpoints([], runner.nodes)
    runner.finish()
    await waitAtMost(runner.drained(), drainMs, runner.services.clock)
    await runner.stop('its stream has ended', STOP_WITHIN_MS)
  }
}

/** The changes of the specification, for the nodes of one copy. The input that has the publisher always stays. */
function ownChanges(
  changes: readonly NodeChange[],
  { from, to }: { readonly from: Pipeline; readonly to: string },
): ReadonlyMap<string, NodeChange> {
  const own = (id: string): string => (id.startsWith(`${from.name}/`) ? to + id.slice(from.name.length) : id)
  const kept = changes.filter(({ verb }) => verb !== 'remove')
  return new Map(
    kept.map((change) => {
      const { id, was, holders } = change
      const stays = id === from.pattern?.input && change.verb !== 'keep' && change.verb !== 'add'
      const renamed: NodeChange = {
        ...change,
        id: own(id),
        ...(was === undefined ? {} : { was: own(was) }),
        ...(holders === undefined ? {} : { holders: holders.map(own) }),
        ...(stays ? { verb: 'live' } : {}),
      }
      return [renamed.id, renamed] as const
    }),
  )
}
