// What a plugin implements. Behaviour is a plain class; RxJS is the wiring at its edges. Only the engine retries,
// queues, drops, stops and restarts.
import type { Chunk, GopChunk, TsChunk } from '@millrace/media/mpegts'
import type { Logger as PinoLogger } from 'pino'
import type { Observable, Subscription } from 'rxjs'
import type { z } from 'zod'
import type { ListenerTransport, OpenListener, Transports } from './listener.js'
import type { OffersStreams } from './offered-stream.js'
import type { ProgramNeed } from './program-need.js'
import type { Publisher } from './publisher.js'
import type { WarningContext } from './warning-context.js'
import type { Resource } from './resource.js'
import type { Received, Source } from './source.js'
import type { Token } from './tokens.js'
import type { UsualMemory } from './usual-window-bytes.js'

export type { NodeKind } from './node-kinds.js'
export type { ReloadClass } from './reload-class.js'
export type { ArrivedBytes, Boundary, PacketTimeout, Received, Source } from './source.js'

export type ChunkKind = 'ts' | 'gop'

/** Where a stream leaves a node. */
export interface Port {
  /** `[a-z0-9][a-z0-9-]*`, unique in its node: `enc.720p` is port `720p` of node `enc`. */
  readonly name: string
  /** `bytes`: the node emits a transport stream of any alignment, and the engine frames it. */
  readonly kind: 'ts' | 'gop' | 'bytes'
}

/**
 * The ports of a node, at least one and at most 64; or a function that returns them for its options. It is pure, and is called
 * whenever a configuration is checked, but not while options are invalid or not known. It reads no option of class `live`
 * or `rebind`: ports don't change while a node runs. A reload that changes them replaces the node, and readers of the
 * ports that stay are cut over.
 */
export type Ports<O> = readonly Port[] | { ports(options: O): readonly Port[] }['ports']
export type AnyChunk = TsChunk | GopChunk
export type Logger = Pick<PinoLogger, 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'isLevelEnabled'>

/**
 * The options of a node: `value` is the current one; subscribers receive it and each later one, whenever a reload
 * changes `live` or `rebind` options. Never completes before the node ends.
 */
export interface Options<O> extends Observable<O> {
  readonly value: O
}

/**
 * Returns the rows of a metric: one number, or label values with their numbers. Called by the engine at each scrape,
 * never in the data path.
 */
export type MetricRead = () => number | Iterable<readonly [labels: Readonly<Record<string, string>>, value: number]>

export interface MetricDeclaration {
  /** Without the prefix `millrace_`. In base units; counters end in `_total`. */
  readonly name: string
  readonly kind: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  /** In addition to `pipeline`, `node` and `type`, which the engine adds. By default none; a histogram has none. */
  readonly labels?: readonly string[]
  /** Only and always for a histogram: upper bounds of its buckets, inclusive, increasing, without Infinity. */
  readonly buckets?: readonly number[]
}

/** A histogram that the engine owns. The data path may call it: an observation allocates nothing. */
export interface MetricHistogram {
  /** NaN is ignored. */
  observe(value: number): void
}

/** What can be written as JSON. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

/** What the engine passes to a node at `open`. The node may call its methods at any time until it is disposed. */
export interface NodeContext {
  /** `pipeline/node`, `services/name`, or `listeners/name`. */
  readonly id: string
  /** Aborted by the engine, with the reason, when the node has to stop. */
  readonly signal: AbortSignal
  readonly log: Logger
  /** Connects a declared counter or gauge to the number that it shows. Throws for one that is not declared. */
  readMetric(name: string, read: MetricRead): void
  /** The declared histogram, always the same one, for the node to observe into. Throws if it is not declared. */
  histogram(name: string): MetricHistogram
  /**
   * Reports that the node holds its resources: bound, opened, started; never "data seen". Also ends the states `idle` and
   * `degraded`. The engine calls it for transforms, outputs and services when `open` resolves, unless they have reported
   * something else; an input calls it once per subscription. An input is shown as `waiting` until packets come, and
   * whenever none have come for 5 s.
   */
  ready(): void
  /**
   * Reports that the node holds its resources and, by design, nobody uses it now: nobody publishes to a listening input,
   * nobody watches an output that works on demand. It counts as ready, and status and events show the reason. Ended by
   * `ready()`, and for an input by the next packets.
   */
  idle(why: string): void
  /**
   * Of an input: reports that it holds its resources, and that nobody sends to it yet, or any more, though somebody should:
   * a pipe without a writer. It counts as neither ready nor connected, and status and events show the reason. Ended by
   * `ready()` and by the next packets. Throws a TypeError for other kinds of nodes.
   */
  waiting(why: string): void
  /**
   * Reports that the node works, but not as it should; shown in status and /readyz until the next `ready()`. What a
   * transform says is also told to viewers that cannot be served meanwhile: nothing that they may not know.
   */
  degraded(why: string): void
  /** Reports something that an operator may want to know, to the log and the event stream. */
  event(name: string, data?: Readonly<Record<string, string | number | boolean>>): void
  /**
   * Counts bytes that an output has sent, for `sentBytes` in status and metrics. What it sends to viewers through
   * `DELIVERY` is counted already. Throws a RangeError unless the number is finite and not negative, and a
   * TypeError for other kinds of nodes: the engine counts what leaves their ports.
   */
  sent(bytes: number): void
  /**
   * The metric `output_latency_seconds` of an output that holds media before it passes it on, such as a segmenter: it
   * observes the time from arrival to when viewers can have it. Without this call, what the output takes from its inlets
   * counts as passed on. Throws a TypeError for other kinds of nodes.
   */
  latency(): MetricHistogram
  /** Why no viewer can start in what it reads (`no PAT`), in words that viewers may read; empty if one can, or if it is unknown. */
  whyNoStart(): string
  /**
   * Sets the function whose result the status shows as `details` of the node: the current file, the destination. Called
   * by the engine whenever the status is read, so it must only return values at hand. A later call replaces the function. By default
   * there are no details. A result of more than 16 KiB as JSON
   * is not shown, and an error that it throws is shown in its place.
   */
  details(read: () => Json): void
  /**
   * Wraps a callback that something other than the engine calls: a socket, a stream, an emitter, a timer of Node. If
   * it throws, or the promise that it returns rejects, only this node fails, as the row of the error says, and the
   * callback returns undefined. An emitter also needs a listener for `error`. Before Node 24, an error outside any
   * guard can fail every node of the plugin, or end the process.
   */
  guard<A extends readonly unknown[], R>(run: (...args: A) => R): (...args: A) => R | undefined
}

/** The reading end of an edge, passed to a transform or an output. */
export interface Inlet<P extends Chunk = AnyChunk> {
  /** The `node.port` that it reads. */
  readonly id: string
  /** Completes when all sources behind it have ended. Never errors: a failed node upstream is silence. */
  readonly chunks: Observable<P>
  /** True if every source behind it can wait: a hold then pauses the sources, and nothing is dropped. */
  readonly pausable: boolean
  /**
   * When the sources behind it were last lost, by CLOCK: a viewer that joins now starts with nothing received before.
   * -Infinity or undefined if they never were.
   */
  readonly lostAtMs?: number
  /**
   * Stops delivery until the hold is disposed: the edge queues up to its bound, then drops at random access points. The
   * node can call it at any time, inside `next` too.
   */
  hold(): Disposable
}

/** Optional for inputs, transforms, outputs and services, in addition to their own interface. */
export interface SnapshotsState<H> {
  /**
   * Called by the engine at a reload, right before it opens the node that replaces this one; `open` of that node
   * receives the result as `previous.state`. If the new node can open only when this one has stopped (`exclusive`), it
   * is called right before this one stops. A transform returns a copy, since both nodes run side by side until the
   * readers are cut over. An output may share its state: it receives nothing more once the new one does. By default,
   * and if the call throws, the new node starts without state.
   */
  snapshotState(): H
}

/** What a node learns about the node that it replaces, which has the same kind and type. */
export interface Previous {
  /** What its `snapshotState()` returned; undefined if it has none, if it threw, and if the node had failed. */
  readonly state: unknown
  readonly inlets: InletChanges
}

/**
 * The inlets of a node compared with those of the node that it replaces, as ids like `Inlet.id`. State about a stream
 * is valid only if its inlet is `kept`.
 */
export interface InletChanges {
  /**
   * They read the stream that an inlet of the old node reads, whatever its id was. A transform receives on them every
   * chunk that the old node receives after its `snapshotState()`.
   */
  readonly kept: readonly string[]
  /** They read a stream that no inlet of the old node reads, possibly under an id that the old node had too. */
  readonly added: readonly string[]
  /** Ids in the old node, whose streams the new node does not read. */
  readonly removed: readonly string[]
  /** Ids that kept inlets had in the old node, with the new ids; only those that differ. */
  readonly renamed: ReadonlyMap<string, string>
}

/** What `open` of a transform returns. `B`: chunks, and `Received` on ports of kind `bytes`. */
export interface Transform<A extends Chunk = AnyChunk, B = AnyChunk | Received> extends AsyncDisposable {
  /**
   * Called once by the engine, after `open`. Returns one observable per declared port, hot or cold; the engine
   * subscribes once to each. The ports of kind `bytes` have one timeline: a boundary on one of them, and a restart of the
   * node, begins a new generation on all of them, and the clocks of all are shifted by the same offset, so that pictures
   * that belong together keep equal times.
   */
  apply(inlets: readonly Inlet<A>[]): Readonly<Record<string, Observable<B>>>
}

/** What `open` of an output returns. */
export interface Output<P extends Chunk = AnyChunk> extends AsyncDisposable {
  /** Called once by the engine, after `open`. The engine unsubscribes before it disposes the node. */
  accept(inlets: readonly Inlet<P>[]): Subscription
  /**
   * Called by the engine after the inlets have completed. Resolves when everything accepted has been delivered. By
   * default that is at once.
   */
  drained?(): Promise<void>
}

/** What `open` of a service returns. */
export interface Service extends AsyncDisposable {
  /** Rejects when the service fails; the row of the error decides what the engine does. By default it never fails. */
  readonly done?: Promise<never>
}

/** What a definition asks for in `inject`: a token per name. */
export type Injections = Readonly<Record<string, Token<unknown>>>
/** The type of `deps` in `open`: what the tokens of `inject` stand for, by the same names. */
export type Injected<I extends Injections> = { readonly [K in keyof I]: I[K] extends Token<infer T> ? T : never }

/** Shown by `engine inspect` and on the generated pages. `yaml`: named nodes, as they stand in their section. */
export interface Example {
  readonly title: string
  readonly yaml: string
}

/**
 * Something that an operator can tell a running node to do: over the control API, with `engine command`, from the dashboard.
 * Declared with `defineCommand`.
 */
export interface Command<N extends AsyncDisposable = AsyncDisposable, I extends z.ZodType = z.ZodType> {
  /** One sentence, shown by `engine inspect`, on the generated pages and in the API. */
  readonly summary: string
  /** A `z.strictObject`, each value with `.meta({ description })`. On the command line, values are text or JSON. */
  readonly input: I
  /**
   * Called by the engine for each request, on the open node, with the checked input; one command of a node at a time. Returns
   * the answer, or a promise of it that resolves within 10 s; at most 64 KiB as JSON. What it throws is the answer to whoever
   * asked, and does not fail the node: throw an EngineError for what they can do something about.
   */
  run(node: N, input: z.output<I>): Json | void | Promise<Json | void>
}

/** By name, `[a-z][a-z0-9-]*`. */
export type Commands = Readonly<Record<string, Command>>

/** What the definitions of all kinds have. */
export interface DefinitionOf<O extends z.ZodType, I extends Injections, N> {
  /** The value of `type:` in the YAML; unique within its kind. `[a-z][a-z0-9-]*`. */
  readonly type: string
  /** One sentence, shown by `engine inspect` and on the generated pages. */
  readonly summary: string
  /** A `z.strictObject`; each option has `.meta({ description, reload })`. */
  readonly options: O
  /** Services of the engine that `open` receives as `deps`, by token. By default none. */
  readonly inject?: I
  /** Metrics that the node connects with `readMetric`. By default none. */
  readonly metrics?: readonly MetricDeclaration[]
  /**
   * The resources that no other node can hold at the same time. Called whenever a configuration is checked or a reload
   * is planned; pure. By default none.
   */
  exclusive?(options: z.output<O>): readonly Resource[]
  /**
   * What the options do that the user may not expect: sentences, shown as warnings by `engine check`. Called with checked
   * options whenever a configuration is checked; pure. By default none.
   */
  warnings?(options: z.output<O>, around: WarningContext): readonly string[]
  /** What an operator can tell the node to do. By default nothing. */
  readonly commands?: Commands
  /**
   * The programs that the node starts with PROCESSES: `engine doctor` says which are missing, and a configuration without
   * one that has `install` is refused. Called with checked options; pure. By default none.
   */
  programs?(options: z.output<O>): readonly ProgramNeed[]
  readonly examples: readonly Example[]
  /**
   * Called by the engine when the node starts, and again when it retries a failed node (of an input that has opened, it
   * subscribes to `chunks` again instead). Returns the node, or a promise of it that resolves within 10 s. An error
   * that it throws is the node's failure to open.
   *
   * `previous`: about the node that it replaces at a reload, if that has the same kind and type; undefined otherwise,
   * and at a retry. An output receives its first chunk after the old one has received its last.
   */
  open(options$: Options<z.output<O>>, context: NodeContext, deps: Injected<I>, previous?: Previous): N | Promise<N>
}

export interface InputDefinition<O extends z.ZodType = z.ZodType, I extends Injections = Injections>
  extends DefinitionOf<O, I, Source<Received> | Source<AnyChunk>>, OffersStreams<z.output<O>> {
  readonly kind: 'input'
  /** What it emits. `bytes`: the engine frames them and applies the timeline. */
  readonly produces: 'bytes' | ChunkKind
  /**
   * Present if streams can be published to the input. With the key `streams` the engine calls it instead of `open`: once
   * for a pattern pipeline, and once for an input whose `streams` is one name. The stream is cold, each subscription is
   * one attempt, and when it fails the row of the error decides whether the engine subscribes again; unsubscribing
   * releases everything but the connections that were accepted. Each subscription calls
   * `context.ready()` once it can take publishers. By default the type has no key `streams`.
   */
  publishers?(options$: Options<z.output<O>>, context: NodeContext, deps: Injected<I>): Observable<Publisher>
  /**
   * For a type with `publishers`: whether an input with these options needs the key `streams` (true) or cannot have it
   * (false). Called whenever a configuration is checked. By default, and if it returns undefined, both are possible.
   */
  takesStreams?(options: z.output<O>): boolean | undefined
}

export interface TransformDefinition<
  O extends z.ZodType = z.ZodType,
  I extends Injections = Injections,
> extends DefinitionOf<O, I, Transform> {
  readonly kind: 'transform'
  /** Kinds of chunks that it can read; at least one. */
  readonly consumes: readonly ChunkKind[]
  /** How many nodes `from` can name. */
  readonly inlets: 'one' | 'many'
  /** `apply` returns an observable for each. */
  readonly ports: Ports<z.output<O>>
  /**
   * True if it makes a stream of its own (a transcoder, a multiplexer): the origins of its chunks say nothing about what
   * it has read, and a swap cuts over with a marked discontinuity. By default each chunk that it emits has the `origin`
   * object of the chunk that it has read, so that a swap loses and repeats nothing; with many inlets, as long as the
   * new node chooses the same chunks as the old one. What leaves a port of kind `bytes` is always a stream of its own.
   */
  readonly makesStream?: boolean
}

export interface OutputDefinition<O extends z.ZodType = z.ZodType, I extends Injections = Injections>
  extends DefinitionOf<O, I, Output>, OffersStreams<z.output<O>> {
  readonly kind: 'output'
  /** Kinds of chunks that it can read; at least one. */
  readonly consumes: readonly ChunkKind[]
  /** How many nodes `from` can name. */
  readonly inlets: 'one' | 'many'
  /**
   * The most memory that its viewers can take, in bytes, including shared buffers; Infinity if nothing limits it.
   * Called by `engine check`. `maxClients`: the engine's viewer limit over all outputs, Infinity for no limit.
   * `inlets`: how many nodes `from` names. By default no bound is reported.
   */
  memoryBound?(options: z.output<O>, maxClients: number, inlets: number): number
  /**
   * What it usually takes: with inlets of this bit rate each, while its viewers keep up. `engine check` shows it beside
   * the bound. By default only the bound is shown.
   */
  usualMemory?(options: z.output<O>, bitsPerSecond: number, inlets: number): UsualMemory
  /** The options that lower it, as paths: `engine check` names them. By default none. */
  memoryOptions?(options: z.output<O>): readonly string[]
}

export interface ServiceDefinition<
  O extends z.ZodType = z.ZodType,
  I extends Injections = Injections,
> extends DefinitionOf<O, I, Service> {
  readonly kind: 'service'
}

export interface ListenerDefinition<
  O extends z.ZodType = z.ZodType,
  I extends Injections = Injections,
  T = unknown,
  K extends ListenerTransport = ListenerTransport,
> extends Omit<DefinitionOf<O, I, OpenListener<T>>, 'open' | 'type'> {
  readonly kind: 'listener'
  /** The same as `protocol`. */
  readonly type: string
  /** The value of `protocol:` in the YAML; unique among listeners. `[a-z][a-z0-9-]*`, not `http`. */
  readonly protocol: string
  /** `tcp`: the engine accepts connections, and reads PROXY headers and TLS. `udp`: it binds a datagram socket. */
  readonly transport: K
  /** What `LISTENERS.of` finds it by. */
  readonly provides: Token<T>
  /** Reasons that the node passes to `refuse`, for the counters. By default none. */
  readonly refusals?: readonly string[]
  /**
   * Called by the engine when the address is bound, and again when it retries a failed listener. Returns the listener,
   * or a promise of it that resolves within 10 s. `previous`: as for other nodes; a replaced listener keeps the
   * connections that it has identified.
   */
  open(
    options$: Options<z.output<O>>,
    context: NodeContext,
    deps: Injected<I>,
    transport: Transports[K],
    previous?: Previous,
  ): OpenListener<T> | Promise<OpenListener<T>>
}

export type Definition =
  InputDefinition | TransformDefinition | OutputDefinition | ServiceDefinition | ListenerDefinition
