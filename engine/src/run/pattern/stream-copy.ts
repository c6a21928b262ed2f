// One copy of a pattern pipeline: the nodes for one key, on one specification. Its steps (start, follow a reload, end) run
// one after another.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { isEngineError } from '../../errors.js'
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

/** Why a copy cannot follow a reload. */
export interface CopyFailure {
  readonly key: string
  /** Id of the new node that could not open, if it is known. */
  readonly node: string | undefined
  readonly error: unknown
}

/** New nodes, open beside those that run. */
interface PreparedChange {
  readonly graph: Graph
  readonly change: PipelineTransaction
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
  /** Its nodes have not been opened yet. */
  isStarting = true
  /** Resolves when it has given up its paths: a copy of the same key can have them. Never rejects. */
  readonly released: Promise<void>
  #release: () => void = () => undefined
  #turn: Promise<unknown> = Promise.resolve()
  #turns = 0
  #prepared: PreparedChange | undefined
  /** Readers are being moved to its nodes. */
  #committed: PipelineTransaction | undefined
  /** Old nodes, until they have released everything. */
  readonly #leaving = new Set<Promise<unknown>>()
  readonly #stopping = new AbortController()

  constructor(key: string, specification: Specification, clock: Clock) {
    this.key = key
    this.specification = specification
    this.slot = new StreamSlot(clock)
    this.released = new Promise((resolve) => (this.#release = resolve))
  }

  /** Runs the step after those before it. */
  inTurn(step: () => Promise<void>): Promise<void> {
    this.#turns++
    const turn = this.#turn.then(step).finally(() => this.#turns--)
    this.#turn = turn.catch(() => undefined)
    return turn
  }

  /** A step is running or waits. */
  get isBusy(): boolean {
    return this.#turns > 0
  }

  /** It, or the engine, is ending: opens no node any more, gives up what is prepared, and cuts readers over now. */
  stop(): void {
    this.#stopping.abort('the copy is ending')
    void this.giveUp()
    this.#committed?.force()
  }

  /** Resolves when its steps are done, and old nodes have released everything. Never rejects. */
  async settled(): Promise<void> {
    await this.#turn
    await Promise.all(this.#leaving)
  }

  /** It has opened the new nodes of a change that has not been committed. */
  get isPrepared(): boolean {
    return this.#prepared !== undefined
  }

  /**
   * Opens the new nodes of `next` beside those that run, for `follow`. If a node cannot open, nothing has changed. Opens
   * none once `signal` has aborted, or after `stop`. In its turn.
   */
  async prepare(
    next: Specification,
    changes: readonly NodeChange[],
    signal?: AbortSignal,
  ): Promise<CopyFailure | undefined> {
    await this.giveUp()
    const { runner } = this
    if (runner === undefined || this.#stopping.signal.aborted) return undefined
    let change: PipelineTransaction | undefined
    try {
      const pipeline = await copyPipeline(next.pipeline, this.key)
      await nextTurn()
      if (this.#stopping.signal.aborted || signal?.aborted === true) return undefined
      const own = ownChanges(changes, { from: next.pipeline, to: copyName(next.pipeline.name, this.key) })
      // A silent input must not end it, and a forced change and a roll-back reach every copy.
      change = new PipelineTransaction(runner, pipeline, own, { isBack: true })
      this.#prepared = { graph: next.graph, change }
      await change.prepare()
      return undefined
    } catch (error) {
      const late = isEngineError(error) ? error.at : undefined
      const failed = change?.steps.find(({ node }) => node.failure === error || node.id === late)
      await this.giveUp()
      return { key: this.key, node: failed?.settings.id, error }
    }
  }

  /** Stops the nodes that `prepare` has opened, or opens; with `graph`, only those for that graph. Never rejects. */
  async giveUp(graph?: Graph): Promise<void> {
    const prepared = this.#prepared
    if (prepared === undefined || (graph !== undefined && prepared.graph !== graph)) return
    this.#prepared = undefined
    await prepared.change.abort()
  }

  /**
   * Its nodes become those of `next`, like those of every pipeline at a reload. If a node cannot, the old one still runs.
   * `onCommit`: it has other nodes.
   */
  async follow(
    next: Specification,
    changes: readonly NodeChange[],
    onCommit: () => void,
  ): Promise<CopyFailure | undefined> {
    const failure = this.#isReadyFor(next) ? undefined : await this.prepare(next, changes)
    if (failure !== undefined) return failure
    await nextTurn()
    const change = this.#prepared?.change
    this.#prepared = undefined
    // It has been given up meanwhile.
    if (change === undefined) return undefined
    try {
      moveEndpoints(change.steps, change.removed)
    } catch (error) {
      await change.abort()
      return { key: this.key, node: undefined, error }
    }
    change.commit()
    this.#committed = change
    this.specification = next
    onCommit()
    const { failed } = await change.finish()
    this.#committed = undefined
    const leaving = change.drain(next.graph.engine.drainMs)
    for (const each of leaving.values()) this.#noteLeaving(each)
    const released = async (ids: readonly string[]): Promise<void> => {
      for (const id of ids) await leaving.get(id)
    }
    const restarted = await change.restartExclusive(released, this.#stopping.signal)
    const [first] = [...failed, ...restarted]
    return first && { key: this.key, node: first.settings.id, error: first.error }
  }

  /**
   * Gives up its paths at once, ends its inputs, and stops when viewers have received the rest, or after `drainMs`. Never
   * rejects.
   */
  async retire(drainMs: number): Promise<void> {
    const { runner } = this
    if (runner === undefined) return this.#release()
    moveEndpoints([], runner.nodes)
    this.#release()
    runner.finish()
    await waitAtMost(runner.drained(), drainMs, runner.services.clock)
    await runner.stop('its stream has ended', STOP_WITHIN_MS)
  }

  #noteLeaving(node: Promise<void>): void {
    // Whoever waits for the node itself learns of its failure.
    const leaving: Promise<unknown> = node.catch(() => undefined).finally(() => this.#leaving.delete(leaving))
    this.#leaving.add(leaving)
  }

  #isReadyFor({ graph }: Specification): boolean {
    if (this.#prepared?.graph !== graph) return false
    return !this.#prepared.change.hasFailed
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
