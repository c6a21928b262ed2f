// What a plugin implements. Behaviour is a plain class; RxJS is the wiring at its edges. The engine alone retries,
// queues, drops, stops and restarts.
import type { Chunk, GopChunk, TsChunk } from '@millrace/media/mpegts'
import type { Logger as PinoLogger } from 'pino'
import type { Observable, Subscription } from 'rxjs'
import type { z } from 'zod'
import type { Token } from './tokens.js'

export type { NodeKind } from './node-kinds.js'

/** How an option reacts to a reload, declared with `.meta({ reload })`. By default `swap`. */
export type ReloadClass = 'live' | 'swap' | 'source' | 'rebind' | 'restart'

declare module 'zod' {
  interface GlobalMeta {
    reload?: ReloadClass
    /** Shown by inspect and in generated tables, where the option kind has one. */
    unit?: string
  }
}

export type ChunkKind = 'ts' | 'gop'
export type AnyChunk = TsChunk | GopChunk
export type Logger = Pick<PinoLogger, 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'isLevelEnabled'>

/** The options of a node: `value` now, and every later value when a reload changes a `live` option. Never completes before the node ends. */
export interface Options<O> extends Observable<O> {
  readonly value: O
}

/** Rows of a metric at scrape time: one number, or label values with their numbers. Called at each scrape, never in the data path. */
export type MetricRead = () => number | Iterable<readonly [labels: Readonly<Record<string, string>>, value: number]>

export interface MetricDeclaration {
  /** Without the prefix `millrace_`. Base units; counters end in `_total`. */
  readonly name: string
  readonly kind: 'counter' | 'gauge'
  readonly help: string
  /** Beside `pipeline`, `node` and `type`, which the engine adds. */
  readonly labels?: readonly string[]
}

/** What the engine hands to a node at `open`. */
export interface NodeContext {
  /** `pipeline/node`, or `services/name`. */
  readonly id: string
  /** Aborts, with the reason, when the node is to stop. */
  readonly signal: AbortSignal
  readonly log: Logger
  /** Ties a declared metric to the plain number that it shows. */
  readMetric(name: string, read: MetricRead): void
  /**
   * Resources are held: bound, opened, started; never "data seen". Also ends a `degraded`. The engine calls it for
   * transforms, outputs and services when `open` resolves; an input calls it for each subscription.
   */
  ready(): void
  /** Works, but not as it should; shown in status and /readyz until the next `ready()`. */
  degraded(why: string): void
  /** Something that an operator may want to know, for the log and the event stream. */
  event(name: string, data?: Readonly<Record<string, string | number | boolean>>): void
  /**
   * Wraps a callback that something other than the engine calls: a socket, a stream, an emitter, a timer of Node. What
   * it throws, or what the promise it returns rejects with, fails this node, as its row says, and nothing else; the
   * callback then returns undefined. An emitter also needs a listener for `error`. Before Node 24, an error outside of
   * any guard can fail every node of the plugin, or end the process.
   */
  guard<A extends readonly unknown[], R>(run: (...args: A) => R): (...args: A) => R | undefined
}

/**
 * In the byte stream of an input: what follows belongs to a new generation. `timeline` says what time passed between:
 * `elapsed` what the monotonic clock says (a publisher came back), `contiguous` none (a file starts over).
 */
export interface Boundary {
  readonly boundary: true
  readonly timeline: 'elapsed' | 'contiguous'
}

/** What an input of `produces: 'bytes'` emits. The array belongs to the engine until the next one is emitted. */
export type Received = Uint8Array | Boundary

/** One attempt per subscription; cold. An error says by its row whether the engine subscribes again. `complete` means ended for ever. */
export interface Source<P> extends AsyncDisposable {
  readonly chunks: Observable<P>
  /**
   * Present where the source can wait (a file, a pipe): it emits nothing from the call until the hold is disposed, and
   * nothing it emits is dropped. By default a source can't wait, and edges drop at their bound.
   */
  hold?(): Disposable
  /**
   * Called every `batch`, right before what has come is cut into a chunk: a source that makes its own time emits what is
   * due now, and needs no timer beside that one. By default nothing.
   */
  onBatch?(): void
}

/** The reader's end of an edge. */
export interface Inlet<P extends Chunk = AnyChunk> {
  /** `node.port` that it reads. */
  readonly id: string
  /** Completes when the sources behind it have ended. Never errors: a failed node upstream is silence. */
  readonly chunks: Observable<P>
  /** True where every source behind it can wait: a hold then pauses the source, and nothing is dropped. */
  readonly pausable: boolean
  /** Until disposed, the edge queues up to its bound, then drops at random access points. May be called inside `next`. */
  hold(): Disposable
}

/** What any node may have beside its own. */
export interface SnapshotsState<H> {
  /**
   * State for the node that will take its place at a reload, given to `open` as `previous`. A transform hands over a copy:
   * both go on side by side until the readers go over. An output may share: it gets nothing more once the new one does.
   */
  snapshotState(): H
}

export interface Transform<A extends Chunk = AnyChunk, B extends Chunk = AnyChunk> extends AsyncDisposable {
  /** Called once. One observable per declared port; hot or cold, the engine subscribes once to each. */
  apply(inlets: readonly Inlet<A>[]): Readonly<Record<string, Observable<B>>>
}

export interface Output<P extends Chunk = AnyChunk> extends AsyncDisposable {
  /** Called once. The engine unsubscribes before it disposes. */
  accept(inlets: readonly Inlet<P>[]): Subscription
  /** Resolves when what was accepted has been delivered, after the inlets have completed. By default at once. */
  drained?(): Promise<void>
}

export interface Service extends AsyncDisposable {
  readonly done?: Promise<never>
}

export type Injections = Readonly<Record<string, Token<unknown>>>
export type Injected<I extends Injections> = { readonly [K in keyof I]: I[K] extends Token<infer T> ? T : never }

export interface Example {
  readonly title: string
  readonly yaml: string
}

interface DefinitionOf<O extends z.ZodType, I extends Injections, N> {
  /** What the YAML says in `type:`; unique within its kind. `[a-z][a-z0-9-]*`. */
  readonly type: string
  readonly summary: string
  readonly options: O
  readonly inject?: I
  readonly metrics?: readonly MetricDeclaration[]
  /** Names of things that two nodes can't hold at once, as `http:web/live.ts` or `path:/rec/a.ts`. By default none. */
  exclusive?(options: z.output<O>): readonly string[]
  readonly examples: readonly Example[]
  /**
   * Called once per node; the node, or a promise of it within 10 s. What it throws is the node's failure to open.
   * `previous`: what `snapshotState()` of the node returned whose place this one takes, of the same kind and type; undefined
   * where there is none. A transform gets it only if it reads the stream that the old one reads, and then every chunk
   * that the old one gets from that call on; an output gets its first chunk when the old one has got its last.
   */
  open(options$: Options<z.output<O>>, context: NodeContext, deps: Injected<I>, previous?: unknown): N | Promise<N>
}

export interface InputDefinition<
  O extends z.ZodType = z.ZodType,
  I extends Injections = Injections,
> extends DefinitionOf<O, I, Source<Received> | Source<AnyChunk>> {
  readonly kind: 'input'
  /** `bytes`: the engine frames them and applies the timeline. */
  readonly produces: 'bytes' | ChunkKind
}

export interface TransformDefinition<
  O extends z.ZodType = z.ZodType,
  I extends Injections = Injections,
> extends DefinitionOf<O, I, Transform> {
  readonly kind: 'transform'
  readonly consumes: readonly ChunkKind[]
  readonly produces: ChunkKind
  readonly inlets: 'one' | 'many'
  readonly ports: readonly string[]
  /**
   * Makes a stream of its own (a transcoder): the origins of its chunks say nothing about what it read, and a swap cuts
   * over with a marked discontinuity. By default a transform with one inlet keeps the origin of each chunk, so that a
   * swap loses and repeats nothing.
   */
  readonly makesStream?: boolean
}

export interface OutputDefinition<
  O extends z.ZodType = z.ZodType,
  I extends Injections = Injections,
> extends DefinitionOf<O, I, Output> {
  readonly kind: 'output'
  readonly consumes: readonly ChunkKind[]
  readonly inlets: 'one' | 'many'
  /**
   * Bytes of memory that its viewers take at most, shared buffers included, for `engine check`. `maxClients`: viewers
   * that the engine lets in over all outputs, Infinity for no limit. Infinity if nothing limits it. By default nothing
   * is said.
   */
  memoryBound?(options: z.output<O>, maxClients: number): number
}

export interface ServiceDefinition<
  O extends z.ZodType = z.ZodType,
  I extends Injections = Injections,
> extends DefinitionOf<O, I, Service> {
  readonly kind: 'service'
}

export type Definition = InputDefinition | TransformDefinition | OutputDefinition | ServiceDefinition
