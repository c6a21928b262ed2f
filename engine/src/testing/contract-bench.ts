// One node between fakes, for the contract kit: opened as by the engine, fed by hand.
import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { BehaviorSubject, NEVER, Subject } from 'rxjs'
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
import { AUDIENCE, CLOCK, PROCESSES, SECRETS, SOCKETS, STORE } from '../plugin/tokens.js'
import { FakeClock } from './fake-clock.js'
import { FakeContext } from './fake-context.js'
import { FakeSecrets } from './fake-secrets.js'
import { FakeStore } from './fake-store.js'
import { TestAudiences } from './test-audiences.js'
import { TestProcesses } from './test-processes.js'
import { TestSockets } from './test-sockets.js'
import { TestDatagramTransport, TestStreamTransport } from './test-transports.js'

/**
 * Returns what the node requests in `inject`, by the same names. What it leaves out is TestAudiences for AUDIENCE, a
 * FakeClock for CLOCK, TestProcesses for PROCESSES, FakeSecrets without secrets for SECRETS, TestSockets for SOCKETS, a
 * FakeStore for STORE.
 */
export type ContractDeps = () => Readonly<Record<string, unknown>>

type Node = AsyncDisposable & Partial<Pick<Transform, 'apply'> & Pick<Output, 'accept'>> & { snapshotState?(): unknown }

/** The engine allows 10 s; a node that needs half of that without load is too close to the limit. */
const OPENS_WITHIN_MS = 5000
/** Turns of the event loop within which an input becomes ready or ends. */
const INPUT_TURNS = 1000
const DISPOSES_WITHIN_MS = 1000

export class ContractBench implements AsyncDisposable {
  readonly clock = new FakeClock()
  readonly context = new FakeContext('test/node')
  readonly audiences = new TestAudiences('test/node', this.clock)
  readonly processes = new TestProcesses()
  readonly secrets = new FakeSecrets()
  readonly store = new FakeStore()
  readonly sockets = new TestSockets(this.clock)
  /** Of a listener. */
  readonly transport: TestStreamTransport | TestDatagramTransport
  readonly got: AnyChunk[] = []
  readonly options$: BehaviorSubject<unknown>
  /** Errors of its observables. */
  readonly errors: unknown[] = []
  /** The input has completed or failed. */
  isOver = false
  readonly #definition: Definition
  /** Of each inlet. */
  readonly #streams: readonly Subject<AnyChunk>[]
  #node: Node | undefined
  #subscriptions: Subscription[] = []

  private constructor(definition: Definition, options: unknown) {
    this.#definition = definition
    this.#streams = inletIds(definition).map(() => new Subject())
    const isUdp = definition.kind === 'listener' && definition.transport === 'udp'
    this.transport = isUdp ? new TestDatagramTransport() : new TestStreamTransport()
    this.options$ = new BehaviorSubject(options)
  }

  /** Opens a node and connects it. Rejects as `open` does, and if that takes too long. */
  static async open(
    definition: Definition,
    options: unknown,
    deps: ContractDeps,
    previous?: Previous,
  ): Promise<ContractBench> {
    const bench = new ContractBench(definition, options)
    const { context, options$ } = bench
    const [given$, given] = [options$ as Options<unknown>, bench.#deps(deps) as never]
    const opening =
      definition.kind === 'listener'
        ? definition.open(given$, context, given, bench.transport as never, previous)
        : definition.open(given$, context, given, previous)
    bench.#node = await within(Promise.resolve<Node>(opening), OPENS_WITHIN_MS, 'it did not open')
    bench.#connect()
    return bench
  }

  /** Into the inlet of that number, by default the first. */
  push(chunk: AnyChunk, inlet = 0): void {
    this.#streams[inlet]?.next(chunk)
  }

  complete(): void {
    for (const stream of this.#streams) stream.complete()
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
    const over = (): void => void (this.isOver = true)
    const subscription = chunks?.subscribe({ error: over, complete: over })
    if (subscription !== undefined) this.#subscriptions.push(subscription)
  }

  /** What the plugin has opened. */
  get node(): AsyncDisposable {
    assert.ok(this.#node !== undefined)
    return this.#node
  }

  /** Resolves when an input is ready or over; at once for other nodes. Gives up after a while. */
  async settled(): Promise<void> {
    const isIdle = (): boolean =>
      this.#definition.kind !== 'input' || this.isOver || this.context.reported.includes('ready')
    for (let turn = 0; turn < INPUT_TURNS && !isIdle(); turn++) await setImmediate()
  }

  /**
   * As the engine ends a node: aborted, unsubscribed (twice, which is harmless), then disposed, twice. Fails if
   * something is left.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    this.context.abort('the test is over')
    for (const subscription of [...this.#subscriptions, ...this.#subscriptions]) subscription.unsubscribe()
    for (let count = 0; count < 2; count++) {
      const disposing = Promise.resolve(this.#node?.[Symbol.asyncDispose]())
      await within(disposing, DISPOSES_WITHIN_MS, 'it was not disposed')
    }
    const { count, failures } = this.processes
    await this.processes[Symbol.asyncDispose]()
    await this.store[Symbol.asyncDispose]()
    assert.equal(count, 0, 'processes are left')
    assert.deepEqual(failures, [], 'callbacks of processes have failed')
    assert.equal(this.sockets.size, 0, 'sockets are left')
    assert.deepEqual(this.sockets.failures, [], 'callbacks of sockets have failed')
    assert.equal(this.clock.pending, 0, 'timers are left')
    assert.equal(this.options$.observed, false, 'its options are still observed')
    assert.ok(
      this.#streams.every(({ observed }) => !observed),
      'an inlet is still observed',
    )
    assert.deepEqual(this.errors, [])
    assert.deepEqual(this.context.failures, [], 'guarded callbacks have failed')
  }

  #deps(deps: ContractDeps): Readonly<Record<string, unknown>> {
    const fakes = new Map<symbol, unknown>([
      [AUDIENCE, this.audiences],
      [CLOCK, this.clock],
      [PROCESSES, this.processes],
      [SECRETS, this.secrets],
      [SOCKETS, this.sockets],
      [STORE, this.store],
    ])
    const wanted = Object.entries(this.#definition.inject ?? {})
    return { ...Object.fromEntries(wanted.map(([name, token]) => [name, fakes.get(token)])), ...deps() }
  }

  #connect(): void {
    const node = this.#node
    const { kind } = this.#definition
    const inlets = inletIds(this.#definition).map((id, index): Inlet => ({
      id,
      chunks: this.#streams[index] ?? NEVER,
      pausable: false,
      hold: () => ({ [Symbol.dispose]: () => undefined }),
    }))
    if (kind === 'output') this.#subscriptions = [node?.accept?.(inlets)].filter((each) => each !== undefined)
    if (kind !== 'transform') return
    const outlets = node?.apply?.(inlets) ?? {}
    const ports = readPorts(this.#definition, this.options$.value) ?? []
    const names = ports.map(({ name }) => name)
    assert.deepEqual(Object.keys(outlets).sort(), [...names].sort(), 'not the ports that it declares')
    const error = (thrown: unknown): void => void this.errors.push(thrown)
    this.#subscriptions = ports.flatMap((port) => {
      const next = (item: AnyChunk | Received): void => this.#note(port, item, port.name === names[0])
      return outlets[port.name]?.subscribe({ next, error }) ?? []
    })
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

/** Rejects after that time with what did not happen. */
async function within<T>(promise: Promise<T>, ms: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} within ${ms / 1000} s`)), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
