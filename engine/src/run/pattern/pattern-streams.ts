// The published streams of one pattern pipeline: a copy of it for each key. Copies start and stop outside of reloads, on
// the newest committed specification, and follow a reload after its commit, which one of them has tried.
import type { Logger } from 'pino'
import { Observable } from 'rxjs'
import { messageOf } from '../../errors.js'
import { copyPipeline } from '../../graph/copy-pipeline.js'
import type { Graph, NodeSettings, Pipeline, PublishSettings } from '../../graph/graph.js'
import type { EventLog } from '../../observe/events.js'
import { LogLimit } from '../../observe/log-limit.js'
import type { Publisher } from '../../plugin/publisher.js'
import type { PublisherStatuses } from '../../observe/publisher-status.js'
import type { Auth } from '../../plugin/auth.js'
import type { InputDefinition, Json, NodeContext } from '../../plugin/contract.js'
import type { Clock } from '../../plugin/tokens.js'
import type { Running } from '../change/reload-transaction.js'
import type { PipelineRunner } from '../pipeline/pipeline-runner.js'
import { waitAtMost } from '../node/time-limit.js'
import { Admission, takeoverRefusal } from '../publish/admission.js'
import { type HeldStream, STREAM_ENDED } from '../publish/held-stream.js'
import { type OpensInput, publishersOf } from '../publish/listening-source.js'
import type { PublishRefusal } from '../publish/publish-access.js'
import { RefusalReport } from '../publish/refusal-report.js'
import { NOBODY, type StreamSlot } from '../publish/stream-slot.js'
import { CopyTrial } from './copy-trial.js'
import { CopyWave } from './copy-wave.js'
import { type PatternListeners, PatternPaths } from './pattern-paths.js'
import { type Specification, StreamCopy } from './stream-copy.js'
import { StreamLines } from './stream-lines.js'

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
  /** This copy has other nodes, or a newer specification; `isToFollow`: not the newest. */
  onCopyChanged(runner: PipelineRunner, isToFollow: boolean): void
  /** No copy can follow the change of this node: it goes back. False if it cannot. Never rejects. */
  readonly rollBack: (specified: NodeSettings, why: string) => Promise<boolean>
}

/** Time limit for copies that start, or follow a reload, when the engine stops. */
const SETTLE_MS = 3000

export class PatternStreams {
  readonly name: string
  readonly #parts: PatternParts
  readonly #copies = new Map<string, StreamCopy>()
  readonly #refusals: RefusalReport
  readonly #lines: StreamLines
  readonly #failures: LogLimit
  readonly #admission: Admission
  readonly #paths: PatternPaths
  readonly #leaving = new Set<Promise<void>>()
  /** By key: a copy that has ended, and has its paths until this resolves. */
  readonly #releasing = new Map<string, Promise<void>>()
  /** Of the node that listens, while it can take publishers. */
  #listening: NodeContext | undefined
  #found: Specification | undefined
  #isStopping = false
  /** Of the reload that is about to be committed. */
  #trial: CopyTrial | undefined

  constructor(name: string, parts: PatternParts) {
    this.name = name
    this.#parts = parts
    const { clock, log, auth, listeners } = parts
    this.#paths = new PatternPaths({
      ...{ listeners, clock, log: log.child({ pipeline: name }) },
      takesKey: (key) => this.#admission.refusalOfKey(key) === undefined,
    })
    this.#refusals = new RefusalReport(clock, (fields) =>
      log.warn({ pipeline: name, ...fields }, 'refused a publisher'),
    )
    this.#lines = new StreamLines(name, clock, log)
    this.#failures = new LogLimit(clock)
    this.#admission = new Admission({
      clock,
      auth,
      refusals: this.#refusals,
      settings: () => (this.#specification() === undefined ? undefined : this.#settings()),
      refusalOf: (publisher) => this.#refusalOf(publisher),
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

  /** A reload is about to be committed. Rejects if copies have tried it, and cannot follow; see CopyTrial. */
  async prepare(graph: Graph): Promise<void> {
    const pipeline = patternIn(graph, this.name)
    if (pipeline === undefined) return
    this.#trial = new CopyTrial([...this.#copies.values()], { graph, pipeline }, this.#parts.clock)
    await this.#trial.run()
  }

  /** The reload is not committed. Never rejects. */
  async giveUp(): Promise<void> {
    const trial = this.#trial
    this.#trial = undefined
    await trial?.giveUp()
  }

  /** A reload has been committed: copies follow it, in waves, or end if the pipeline is gone. */
  follow(): void {
    this.#trial = undefined
    const specification = this.#specification()
    this.#paths.update(specification?.pipeline)
    if (specification === undefined) {
      for (const copy of this.#copies.values()) this.#end(copy, 'its pattern pipeline has been removed')
      return
    }
    for (const copy of this.#copies.values()) {
      const refusal = this.#admission.refusalOfKey(copy.key)
      if (refusal !== undefined) this.#end(copy, refusal.why)
    }
    const copies = [...this.#copies.values()]
    const prepared = copies.filter(({ isPrepared }) => isPrepared)
    const others = copies.filter((copy) => !copy.isPrepared)
    void this.#wave(this.#parts.rollBack).run([...prepared, ...others])
  }

  /** Takes no more streams, and ends those that are published. */
  stop(): void {
    this.#isStopping = true
    this.#admission.close()
    this.#refusals[Symbol.dispose]()
    this.#paths.update(undefined)
    for (const copy of this.#copies.values()) {
      copy.linger?.[Symbol.dispose]()
      copy.slot.end('closing', 'the engine is stopping')
      copy.stop()
    }
  }

  /** After `stop`: resolves when copies have released everything that is not theirs any more. Never rejects. */
  async drained(): Promise<void> {
    const settled = Array.from(this.#copies.values(), (copy) => copy.settled())
    await Promise.all([...this.#leaving, waitAtMost(Promise.all(settled), SETTLE_MS, this.#parts.clock)])
    this.#lines[Symbol.dispose]()
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
    copy.slot.onLeft = (why) => this.#lingerOn(copy, why)
    copy.slot.put(stream)
    this.#report()
    void copy.inTurn(() => this.#start(copy)).catch((error: unknown) => this.#fail(copy, error))
  }

  async #start(copy: StreamCopy): Promise<void> {
    const { running, createCopy, onNodesChanged } = this.#parts
    await this.#releasing.get(copy.key)
    const pipeline = await copyPipeline(copy.specification.pipeline, copy.key)
    if (copy.isOver || this.#isStopping) return
    const runner = createCopy(pipeline, copy.slot)
    copy.runner = runner
    running.pipelines = [...running.pipelines, runner]
    this.#noteChange(copy)
    onNodesChanged()
    await runner.start()
    copy.isStarting = false
    this.#lines.published(copy.key, copy.slot.who)
    if (copy.isOver) return
    // A reload may have been committed meanwhile, and the publisher may have left.
    void this.#wave().run([copy])
    if (!copy.slot.isTaken) this.#lingerOn(copy)
  }

  #fail(copy: StreamCopy, error: unknown): void {
    const { log } = this.#parts
    this.#failures.log((more) =>
      log.error(
        { pipeline: this.name, stream: copy.key, err: error, ...more },
        'the copy for a stream could not start',
      ),
    )
    copy.slot.end('offline', messageOf(error))
    this.#end(copy, messageOf(error))
  }

  /** While its nodes open, the copy stays in any case: another publisher of the key could not have its paths. */
  #lingerOn(copy: StreamCopy, why = STREAM_ENDED): void {
    if (copy.isOver || copy.isStarting || this.#isStopping) return
    copy.linger?.[Symbol.dispose]()
    copy.linger = this.#parts.clock.after(this.#settings().lingerMs, () => {
      this.#end(copy, why === STREAM_ENDED ? 'its publisher has left' : `its publisher has left: ${why}`)
    })
  }

  #end(copy: StreamCopy, why: string): void {
    if (copy.isOver) return
    copy.isOver = true
    copy.linger?.[Symbol.dispose]()
    if (this.#copies.get(copy.key) === copy) this.#copies.delete(copy.key)
    copy.slot.end('closing', why)
    copy.stop()
    this.#report()
    const { log } = this.#parts
    const ending: Promise<void> = copy
      .inTurn(() => this.#retire(copy, why))
      .catch((err: unknown) => log.error({ pipeline: this.name, stream: copy.key, err }, 'a copy could not end'))
      .finally(() => this.#leaving.delete(ending))
    this.#leaving.add(ending)
    const released = Promise.race([copy.released, ending])
    this.#releasing.set(copy.key, released)
    void released.then(() => {
      if (this.#releasing.get(copy.key) === released) this.#releasing.delete(copy.key)
    })
  }

  async #retire(copy: StreamCopy, why: string): Promise<void> {
    const { running, onNodesChanged } = this.#parts
    const { runner } = copy
    if (runner === undefined) return copy.retire(0)
    const isShown = running.pipelines.includes(runner)
    running.pipelines = running.pipelines.filter((each) => each !== runner)
    const retiring = copy.retire(running.graph.engine.drainMs)
    if (isShown) onNodesChanged()
    this.#lines.ended(copy.key, why)
    await retiring
  }

  #wave(rollBack?: PatternParts['rollBack']): CopyWave {
    const { log, events, onNodesChanged } = this.#parts
    return new CopyWave({
      ...{ pipeline: this.name, log, events },
      specification: () => (this.#isStopping ? undefined : this.#specification()),
      onChanged: (copy, hasOtherNodes) => {
        this.#noteChange(copy)
        if (hasOtherNodes) onNodesChanged()
      },
      end: (copy, why) => this.#end(copy, why),
      ...(rollBack === undefined ? {} : { rollBack }),
    })
  }

  #noteChange({ runner, specification }: StreamCopy): void {
    const { running, onCopyChanged } = this.#parts
    if (runner !== undefined) onCopyChanged(runner, specification.graph !== running.graph)
  }

  #refusalOf(publisher: Publisher): PublishRefusal | undefined {
    if (this.#specification() === undefined) return { code: 'offline', why: 'the pipeline is not there' }
    const settings = this.#settings()
    const { maxStreams } = settings
    const copy = this.#copies.get(publisher.key)
    if (copy !== undefined) return takeoverRefusal(copy.slot, settings, publisher)
    if (this.#copies.size >= maxStreams) return { code: 'full', why: `${maxStreams} streams are published` }
    // Those that viewers still receive the rest of take memory too.
    return this.#leaving.size < maxStreams
      ? undefined
      : { code: 'full', why: `${this.#leaving.size} streams are ending` }
  }

  #settings(): PublishSettings {
    const { pipeline } = this.#specification() ?? {}
    return pipeline?.nodes.find(({ id }) => id === pipeline.pattern?.input)?.publish ?? TAKES_NOTHING
  }

  /** The newest committed one; undefined if the pipeline is not there, or is an ordinary one. */
  #specification(): Specification | undefined {
    const { graph } = this.#parts.running
    if (this.#found?.graph === graph) return this.#found
    const pipeline = patternIn(graph, this.name)
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
    const { waiting: admitting } = this.#admission
    return { streams: this.#copies.size, maxStreams, admitting, requestsWaiting: this.#paths.waiting, refused }
  }
}

const TAKES_NOTHING: PublishSettings = {
  streams: '',
  maxStreams: 0,
  lingerMs: 0,
  takeover: 'refuse',
  takeoverAfterMs: 0,
  auth: [],
}

function patternIn({ pipelines }: Graph, of: string): Pipeline | undefined {
  return pipelines.find(({ name, pattern }) => name === of && pattern !== undefined)
}
