// One node between fakes, for the contract kit: opened as by the engine, fed by hand, and watched for what it leaves.
import assert from 'node:assert/strict'
import { setImmediate, setTimeout } from 'node:timers/promises'
import { NEVER, Subject } from 'rxjs'
import type { Subscription } from 'rxjs'
import type {
  AnyChunk,
  Definition,
  Inlet,
  Options,
  Output,
  Port,
  Previous,
  Received,
  Source,
  Transform,
} from '../plugin/contract.js'
import { readPorts } from '../plugin/ports.js'
import { ContractFakes } from './contract-fakes.js'
import { ReadOptions } from './read-options.js'
import type { ResourceWatch } from './resource-watch.js'
import { TestDatagramTransport, TestStreamTransport } from './test-transports.js'
import { whileClockRuns } from './while-clock-runs.js'

/**
 * Returns what the node requests in `inject`, by the same names. What it leaves out are the fakes of the bench: each token
 * of the engine has one.
 */
export type ContractDeps = () => Readonly<Record<string, unknown>>

export interface BenchSettings {
  readonly definition: Definition
  readonly options: unknown
  readonly deps?: ContractDeps
  readonly previous?: Previous | undefined
  /** Sees what the node opens. By default nothing does. */
  readonly watch?: ResourceWatch
  /** Those of a node that failed, which the engine opens again. By default new ones. */
  readonly fakes?: ContractFakes
}

type Node = AsyncDisposable &
  Partial<Pick<Transform, 'apply'> & Pick<Output, 'accept' | 'drained'> & Pick<Source<unknown>, 'hold' | 'onBatch'>> & {
    snapshotState?(): unknown
  }

/** The engine allows 10 s; a node that needs half of that without load is too close to the limit. */
const OPENS_WITHIN_MS = 5000
/** Turns of the event loop within which an input becomes ready or ends; then steps, for files and processes. */
const INPUT_TURNS = 1000
const INPUT_STEPS = 40
const INPUT_STEP_MS = 5
const CLOSES_WITHIN_MS = 1000
const DRAINS_WITHIN_MS = 10_000
/** A service may finish what it has begun. */
const SERVICE_CLOSES_WITHIN_MS = 3000

export class ContractBench implements AsyncDisposable {
  readonly fakes: ContractFakes
  /** Of a listener. */
  readonly transport: TestStreamTransport | TestDatagramTransport
  readonly got: AnyChunk[] = []
  readonly options$: ReadOptions
  /** Errors of its observables, and of timers on its clock. */
  readonly errors: unknown[] = []
  /** Bytes that an input has emitted. */
  receivedBytes = 0
  /** The input has completed or failed. */
  isOver = false
  /** How often the node holds its inlets at the moment. */
  holds = 0
  readonly #definition: Definition
  readonly #run: <T>(run: () => T) => T
  /** Of each inlet. */
  readonly #streams: readonly Subject<AnyChunk>[]
  #node: Node | undefined
  #opening: Promise<void> = Promise.resolve()
  #subscriptions: Subscription[] = []
  #closing: Promise<void> | undefined

  /** A node that is opening: `opened` resolves when it has opened, and rejects as `open` does, or if it takes too long. */
  static begin(settings: BenchSettings): { readonly bench: ContractBench; readonly opened: Promise<ContractBench> } {
    const bench = new ContractBench(settings)
    bench.#opening = bench.#open(settings)
    const opened = bench.#opening.then(
      () => bench,
      async (error: unknown) => {
        await bench.fakes[Symbol.asyncDispose]()
        throw error
      },
    )
    return { bench, opened }
  }

  /** Opens a node and connects it. */
  static async open(settings: BenchSettings): Promise<ContractBench> {
    return ContractBench.begin(settings).opened
  }

  private constructor({ definition, options, watch, fakes }: BenchSettings) {
    this.#definition = definition
    this.#run = (run) => (watch === undefined ? run() : watch.run(run))
    this.fakes = fakes ?? new ContractFakes(this.#run)
    this.#streams = inletIds(definition).map(() => new Subject())
    const isUdp = definition.kind === 'listener' && definition.transport === 'udp'
    this.transport = isUdp ? new TestDatagramTransport(this.#run) : new TestStreamTransport(this.#run)
    this.options$ = new ReadOptions(options)
  }

  get clock(): ContractFakes['clock'] {
    return this.fakes.clock
  }

  get context(): ContractFakes['context'] {
    return this.fakes.context
  }

  /** Into the inlet of that number, by default the first. */
  push(chunk: AnyChunk, inlet = 0): void {
    this.#run(() => this.#streams[inlet]?.next(chunk))
  }

  complete(): void {
    this.#run(() => this.#streams.forEach((stream) => stream.complete()))
  }

  /** As a reload does that changes options of class `live`. */
  change(options: unknown): void {
    this.#run(() => this.options$.next(options))
  }

  /** Resolves when an output has delivered what it has accepted, after its inlets have completed. */
  async drained(): Promise<void> {
    const draining = this.#run(async () => this.#node?.drained?.())
    await whileClockRuns(this, draining, DRAINS_WITHIN_MS, 'drained() did not resolve')
  }

  /** Lets its timers run; what they throw is among `errors`. */
  advance(byMs: number): void {
    try {
      this.clock.advance(byMs)
    } catch (error) {
      this.errors.push(error)
    }
  }

  /** The `previous` of a node that replaces it. `isMoved`: the new node reads other streams under the same ids. */
  previous(isMoved = false): Previous {
    const [ids, none] = [inletIds(this.#definition), []]
    const inlets = isMoved ? { kept: none, added: ids, removed: ids } : { kept: ids, added: none, removed: none }
    return { state: this.#node?.snapshotState?.(), inlets: { ...inlets, renamed: new Map() } }
  }

  /** Subscribes to an input, as the engine does for each attempt. */
  subscribe(): void {
    const { chunks } = this.#node as Partial<Source<unknown>>
    this.isOver = false
    const subscription = this.#run(() =>
      chunks?.subscribe({
        next: (item) => this.#count(item as Received | AnyChunk),
        error: (error: unknown) => {
          this.isOver = true
          this.attemptErrors.push(error)
        },
        complete: () => void (this.isOver = true),
      }),
    )
    if (subscription !== undefined) this.#subscriptions.push(subscription)
  }

  /** How attempts of an input have failed. */
  readonly attemptErrors: unknown[] = []

  /** As the engine does for an input at every `batch`. */
  onBatch(): void {
    this.#run(() => this.#node?.onBatch?.())
  }

  /** Ends the attempt of an input. */
  unsubscribe(): void {
    for (const subscription of this.#subscriptions.splice(0)) subscription.unsubscribe()
  }

  /** What the plugin has opened. */
  get node(): Node {
    assert.ok(this.#node !== undefined, 'it is not open')
    return this.#node
  }

  /** All inlets are read, and none of its ports has failed or ended. */
  get isReading(): boolean {
    return this.#streams.every(({ observed }) => observed) && this.errors.length === 0
  }

  /** Resolves when an input is ready or over; at once for other nodes. Gives up after a while. */
  async settled(): Promise<void> {
    const isIdle = (): boolean => this.#definition.kind !== 'input' || this.isOver || this.hasReported
    for (let turn = 0; turn < INPUT_TURNS && !isIdle(); turn++) await setImmediate()
    // Turns are short while nothing happens: a thread that opens a file may not have run once on a busy machine.
    for (let step = 0; step < INPUT_STEPS && !isIdle(); step++) await setTimeout(INPUT_STEP_MS)
  }

  /** It has called `ready()`, or said in another way that it holds its resources. */
  get hasReported(): boolean {
    return this.context.reported.some((word) => /^(?:ready$|idle: |waiting: )/.test(word))
  }

  /**
   * As the engine ends a node: aborted, unsubscribed (twice, which is harmless), then disposed, twice. Rejects if that takes
   * too long, or fails.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** What it has not given back, when it is closed. */
  get left(): readonly string[] {
    const { observed } = this.options$
    const isRead = this.#streams.some((stream) => stream.observed)
    return [
      ...this.fakes.left,
      ...(observed ? ['a subscription to its options'] : []),
      ...(isRead ? ['a subscription to an inlet'] : []),
      ...(this.holds > 0 ? ['a hold of an inlet'] : []),
    ]
  }

  /** Closes it. Rejects if something has failed. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.close()
    } finally {
      await this.fakes[Symbol.asyncDispose]()
    }
    assert.deepEqual(this.errors, [], 'its streams or timers have failed')
    assert.deepEqual(this.context.failures, [], 'guarded callbacks have failed')
    assert.deepEqual(this.fakes.failures, [], 'callbacks of sockets, processes or requests have failed')
  }

  async #open({ definition, deps = () => ({}), previous }: BenchSettings): Promise<void> {
    const { context } = this.fakes
    const options$ = this.options$ as Options<unknown>
    const given = { ...this.fakes.of(definition.inject ?? {}), ...deps() } as never
    const { transport } = this
    const opening = this.#run(async () =>
      definition.kind === 'listener'
        ? definition.open(options$, context, given, transport as never, previous)
        : definition.open(options$, context, given, previous),
    )
    this.#node = await whileClockRuns(this, Promise.resolve<Node>(opening), OPENS_WITHIN_MS, 'it did not open')
    this.#connect()
  }

  async #close(): Promise<void> {
    this.context.abort('the test is over')
    for (const subscription of [...this.#subscriptions, ...this.#subscriptions]) subscription.unsubscribe()
    // One that has not opened yet is disposed as soon as it has.
    await this.#opening.catch(() => undefined)
    const withinMs = this.#definition.kind === 'service' ? SERVICE_CLOSES_WITHIN_MS : CLOSES_WITHIN_MS
    for (let count = 0; count < 2; count++) {
      const disposing = this.#run(async () => this.#node?.[Symbol.asyncDispose]())
      await whileClockRuns(this, disposing, withinMs, 'it was not disposed', withinMs / CLOSES_WITHIN_MS)
    }
  }

  #connect(): void {
    const node = this.#node
    const { kind } = this.#definition
    const inlets = inletIds(this.#definition).map((id, index): Inlet => ({
      id,
      chunks: this.#streams[index] ?? NEVER,
      pausable: false,
      hold: () => this.#hold(),
    }))
    if (kind === 'output') {
      const accepted = this.#run(() => node?.accept?.(inlets))
      this.#subscriptions = accepted === undefined ? [] : [accepted]
    }
    if (kind !== 'transform') return
    const outlets = this.#run(() => node?.apply?.(inlets)) ?? {}
    const ports = readPorts(this.#definition, this.options$.current) ?? []
    const names = ports.map(({ name }) => name)
    assert.deepEqual(Object.keys(outlets).sort(), [...names].sort(), 'not the ports that it declares')
    const error = (thrown: unknown): void => void this.errors.push(thrown)
    this.#subscriptions = ports.flatMap((port) => {
      const next = (item: AnyChunk | Received): void => this.#note(port, item, port.name === names[0])
      return this.#run(() => outlets[port.name]?.subscribe({ next, error })) ?? []
    })
  }

  #hold(): Disposable {
    let isHeld = true
    this.holds++
    return {
      [Symbol.dispose]: () => {
        if (isHeld) this.holds--
        isHeld = false
      },
    }
  }

  #count(item: Received | AnyChunk): void {
    if (item instanceof Uint8Array) this.receivedBytes += item.length
    else if ('bytes' in item) this.receivedBytes += item.bytes.length
  }

  /** Only chunks of the first port are kept. */
  #note({ name, kind }: Port, item: AnyChunk | Received, isFirst: boolean): void {
    const emitted = 'kind' in item ? item.kind : 'bytes'
    if (emitted !== kind) this.errors.push(new TypeError(`port ${name} of kind ${kind} has emitted ${emitted}`))
    else if (isFirst && 'kind' in item) this.got.push(item)
  }
}

/** A node with many inlets has two. */
export function inletIds(definition: Definition): readonly string[] {
  if (definition.kind !== 'transform' && definition.kind !== 'output') return []
  return definition.inlets === 'many' ? ['main.out', 'backup.out'] : ['main.out']
}
