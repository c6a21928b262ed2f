// The published streams of one pattern pipeline: a copy of it for each key. Copies start and stop outside of reloads, on
// the newest committed specification, and follow a reload after its commit.
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Logger } from 'pino'
import { Observable } from 'rxjs'
import { messageOf } from '../../errors.js'
import { copyPipeline } from '../../graph/copy-pipeline.js'
import type { Graph, Pipeline, PublishSettings } from '../../graph/graph.js'
import { KeyCheck } from '../../graph/stream-keys.js'
import type { EventLog } from '../../observe/events.js'
import type { PublisherStatuses } from '../../observe/publisher-status.js'
import type { NodeChange } from '../../observe/reload-plan.js'
import type { Auth } from '../../plugin/auth.js'
import type { InputDefinition, Json, NodeContext } from '../../plugin/contract.js'
import type { Clock } from '../../plugin/tokens.js'
import { planReload } from '../../reload/plan-reload.js'
import type { Running } from '../change/reload-transaction.js'
import type { PipelineRunner } from '../pipeline/pipeline-runner.js'
import { Admission, takeoverRefusal } from '../publish/admission.js'
import type { HeldStream } from '../publish/held-stream.js'
import { type OpensInput, publishersOf } from '../publish/listening-source.js'
import type { PublishRefusal } from '../publish/publish-access.js'
import { RefusalReport } from '../publish/refusal-report.js'
import { NOBODY, type StreamSlot } from '../publish/stream-slot.js'
import { type PatternListeners, PatternPaths } from './pattern-paths.js'
import { type Specification, StreamCopy } from './stream-copy.js'

/** Copies that follow a reload at the same time. */
const WAVE = 4

export interface PatternParts {
  readonly clock: Clock
  readonly log: Logger
  readonly events: Pick<EventLog, 'emit'>
  readonly auth: Pick<Auth, 'check'>
  readonly running: Running
  readonly listeners: PatternListeners
  readonly publishers: PublisherStatuses
  /** Its nodes have not been opened yet; the published input reads the slot. */
  createCopy(pipeline: Pipeline, slot: StreamSlot): PipelineRunner
  /** Copies have been added or removed, or have other nodes. */
  onNodesChanged(): void
}

export class PatternStreams {
  readonly name: string
  readonly #parts: PatternParts
  readonly #copies = new Map<string, StreamCopy>()
  readonly #refusals: RefusalReport
  readonly #admission: Admission
  readonly #paths: PatternPaths
  readonly #leaving = new Set<Promise<void>>()
  /** Of the node that listens, while it can take publishers. */
  #listening: NodeContext | undefined
  #found: Specification | undefined
  #isStopping = false

  constructor(name: string, parts: PatternParts) {
    this.name = name
    this.#parts = parts
    const { clock, log, auth, listeners } = parts
    this.#paths = new PatternPaths(
      listeners,
      clock,
      (key) => new KeyCheck(this.#settings()).problemOf(key) === undefined,
    )
    this.#refusals = new RefusalReport(clock, (fields) =>
      log.warn({ pipeline: name, ...fields }, 'refused a publisher'),
    )
    this.#admission = new Admission({
      clock,
      auth,
      refusals: this.#refusals,
      settings: () => (this.#specification() === undefined ? undefined : this.#settings()),
      refusalOf: (key) => this.#refusalOf(key),
      take: (key, stream) => this.#take(key, stream),
    })
  }

  /** Opens the input of the pattern pipeline itself, which listens and has no packets. */
  readonly listen = (definition: InputDefinition): OpensInput => {
    return (options$, context, deps) => {
      context.details(() => this.#details())
      const shown = this.#show(context)
      const subscribe = publishersOf(definition, [options$, context, deps], {
        admit: (publisher) => this.#admission.admit(publisher),
        report: (from) => {
          this.#listening = from
          this.#paths.update(this.#specification()?.pipeline)
          this.#report()
        },
      })
      return {
        chunks: new Observable((subscriber) => subscribe(subscriber)),
        [Symbol.asyncDispose]: () => {
          shown[Symbol.dispose]()
          return Promise.resolve()
        },
      }
    }
  }

  /** A reload has been committed: copies follow it, in waves, or end if the pipeline is gone. */
  follow(): void {
    const specification = this.#specification()
    this.#paths.update(specification?.pipeline)
    if (specification === undefined) {
      for (const copy of this.#copies.values()) this.#end(copy, 'its pattern pipeline has been removed')
      return
    }
    const check = new KeyCheck(this.#settings())
    for (const copy of this.#copies.values()) {
      const problem = check.problemOf(copy.key)
      if (problem !== undefined) this.#end(copy, problem)
    }
    void this.#moveAll([...this.#copies.values()])
  }

  /** Takes no more streams, and ends those that are published. */
  stop(): void {
    this.#isStopping = true
    this.#admission.close()
    this.#refusals[Symbol.dispose]()
    this.#paths.update(undefined)
    for (const { slot, linger } of this.#copies.values()) {
      linger?.[Symbol.dispose]()
      slot.end('closing', 'the engine is stopping')
    }
  }

  /** Resolves when the copies that have ended have released everything. Never rejects. */
  async drained(): Promise<void> {
    await Promise.all(this.#leaving)
  }

  #take(key: string, stream: HeldStream): void {
    const known = this.#copies.get(key)
    if (known !== undefined) {
      known.linger?.[Symbol.dispose]()
      known.slot.put(stream)
      return
    }
    const specification = this.#specification()
    if (specification === undefined) return stream.close('offline', 'the pipeline is not there')
    const copy = new StreamCopy(key, specification, this.#parts.clock)
    this.#copies.set(key, copy)
    copy.slot.onLeft = () => this.#lingerOn(copy)
    copy.slot.put(stream)
    this.#report()
    void copy.inTurn(() => this.#start(copy)).catch((error: unknown) => this.#fail(copy, error))
  }

  async #start(copy: StreamCopy): Promise<void> {
    const { running, createCopy, onNodesChanged, log } = this.#parts
    const pipeline = await copyPipeline(copy.specification.pipeline, copy.key)
    if (copy.isOver || this.#isStopping) return
    const runner = createCopy(pipeline, copy.slot)
    copy.runner = runner
    running.pipelines = [...running.pipelines, runner]
    onNodesChanged()
    await runner.start()
    log.info({ pipeline: this.name, stream: copy.key }, 'a stream is published')
    // A reload may have been committed meanwhile.
    if (!copy.isOver) void this.#moveAll([copy])
  }

  #fail(copy: StreamCopy, error: unknown): void {
    const { log } = this.#parts
    log.error({ pipeline: this.name, stream: copy.key, err: error }, 'the copy for a stream could not start')
    copy.slot.end('offline', messageOf(error))
    this.#end(copy, messageOf(error))
  }

  #lingerOn(copy: StreamCopy): void {
    if (copy.isOver || this.#isStopping) return
    copy.linger?.[Symbol.dispose]()
    copy.linger = this.#parts.clock.after(this.#settings().lingerMs, () => {
      this.#end(copy, 'its publisher has left')
    })
  }

  #end(copy: StreamCopy, why: string): void {
    if (copy.isOver) return
    copy.isOver = true
    copy.linger?.[Symbol.dispose]()
    if (this.#copies.get(copy.key) === copy) this.#copies.delete(copy.key)
    copy.slot.end('closing', why)
    this.#report()
    const { log } = this.#parts
    const ending: Promise<void> = copy
      .inTurn(() => this.#retire(copy, why))
      .catch((err: unknown) => log.error({ pipeline: this.name, stream: copy.key, err }, 'a copy could not end'))
      .finally(() => this.#leaving.delete(ending))
    this.#leaving.add(ending)
  }

  async #retire(copy: StreamCopy, why: string): Promise<void> {
    const { running, onNodesChanged, log } = this.#parts
    const { runner } = copy
    if (runner === undefined) return
    const isShown = running.pipelines.includes(runner)
    running.pipelines = running.pipelines.filter((each) => each !== runner)
    const retiring = copy.retire(running.graph.engine.drainMs)
    if (isShown) onNodesChanged()
    log.info({ pipeline: this.name, stream: copy.key, why }, 'a stream has ended')
    await retiring
  }

  /** Logs how many have followed, and how many could not and were ended. */
  async #moveAll(copies: readonly StreamCopy[]): Promise<void> {
    const plans = new Map<Graph, readonly NodeChange[]>()
    const counts = { followed: 0, cut: 0 }
    const queue = copies.values()
    const work = async (): Promise<void> => {
      for (const copy of queue) {
        await copy.inTurn(() => this.#move(copy, plans, counts))
        await nextTurn()
      }
    }
    await Promise.all(Array.from({ length: WAVE }, work))
    if (counts.followed + counts.cut === 0) return
    const { log, events } = this.#parts
    log[counts.cut === 0 ? 'info' : 'warn']({ pipeline: this.name, ...counts }, 'the copies have followed the reload')
    events.emit({ kind: 'streams.reloaded', data: { pipeline: this.name, ...counts } })
  }

  /** Never rejects: a copy that cannot follow ends, and its publisher comes back to a new one. */
  async #move(
    copy: StreamCopy,
    plans: Map<Graph, readonly NodeChange[]>,
    counts: { followed: number; cut: number },
  ): Promise<void> {
    const { log, onNodesChanged } = this.#parts
    const next = this.#specification()
    const before = copy.specification
    if (copy.isOver || next === undefined || copy.runner === undefined || before.graph === next.graph) return
    const changes = plans.get(before.graph) ?? planSpecification(before, next)
    plans.set(before.graph, changes)
    if (changes.every(({ verb }) => verb === 'keep')) {
      copy.specification = next
      return
    }
    try {
      await copy.follow(next, changes, onNodesChanged)
      counts.followed++
    } catch (error) {
      counts.cut++
      log.warn({ pipeline: this.name, stream: copy.key, err: error }, 'a copy cannot follow the reload, and ends')
      this.#end(copy, `it cannot follow the reload: ${messageOf(error)}`)
    }
  }

  #refusalOf(key: string): PublishRefusal | undefined {
    if (this.#specification() === undefined) return { code: 'offline', why: 'the pipeline is not there' }
    const { maxStreams, takeover } = this.#settings()
    const copy = this.#copies.get(key)
    if (copy !== undefined) return takeoverRefusal(copy.slot, takeover)
    return this.#copies.size < maxStreams ? undefined : { code: 'full', why: `${maxStreams} streams are published` }
  }

  #settings(): PublishSettings {
    const { pipeline } = this.#specification() ?? {}
    return pipeline?.nodes.find(({ id }) => id === pipeline.pattern?.input)?.publish ?? TAKES_NOTHING
  }

  /** The newest committed one; undefined if the pipeline is not there, or is an ordinary one. */
  #specification(): Specification | undefined {
    const { graph } = this.#parts.running
    if (this.#found?.graph === graph) return this.#found
    const pipeline = graph.pipelines.find(({ name, pattern }) => name === this.name && pattern !== undefined)
    this.#found = pipeline && { graph, pipeline }
    return this.#found
  }

  #report(): void {
    if (this.#copies.size === 0) this.#listening?.idle(NOBODY)
    else this.#listening?.ready()
  }

  #show(context: NodeContext): Disposable {
    const [copies, refused] = [this.#copies, this.#refusals.counts]
    return this.#parts.publishers.add({
      get id() {
        return context.id
      },
      get streams() {
        return copies.size
      },
      refused,
    })
  }

  #details(): Json {
    const { maxStreams } = this.#settings()
    const refused = Object.fromEntries(this.#refusals.counts)
    return { streams: this.#copies.size, maxStreams, admitting: this.#admission.waiting, refused }
  }
}

const TAKES_NOTHING: PublishSettings = {
  streams: '',
  maxStreams: 0,
  lingerMs: 0,
  takeover: 'refuse',
  auth: [],
}

/** The changes of the nodes alone, as if nothing else were in the graphs. */
function planSpecification(before: Specification, next: Specification): readonly NodeChange[] {
  const alone = ({ graph, pipeline }: Specification): Graph => ({ ...graph, services: [], pipelines: [pipeline] })
  return planReload(alone(before), alone(next)).nodes
}
