// One node between fakes, for the contract kit: opened as by the engine, fed by hand.
import assert from 'node:assert/strict'
import { BehaviorSubject, NEVER, Subject } from 'rxjs'
import type { Subscription } from 'rxjs'
import type { AnyChunk, Definition, Inlet, Options, Output, Previous, Source, Transform } from '../plugin/contract.js'
import { AUDIENCE, CLOCK, SECRETS, STORE } from '../plugin/tokens.js'
import { FakeClock } from './fake-clock.js'
import { FakeContext } from './fake-context.js'
import { FakeSecrets } from './fake-secrets.js'
import { FakeStore } from './fake-store.js'
import { TestAudiences } from './test-audiences.js'
import { TestDatagramTransport, TestStreamTransport } from './test-transports.js'

/**
 * Returns what the node requests in `inject`, by the same names. What it leaves out is TestAudiences for AUDIENCE, a FakeClock for CLOCK, FakeSecrets
 * without secrets for SECRETS, a FakeStore for STORE.
 */
export type ContractDeps = () => Readonly<Record<string, unknown>>

type Node = AsyncDisposable & Partial<Pick<Transform, 'apply'> & Pick<Output, 'accept'>> & { snapshotState?(): unknown }

/** The engine allows 10 s; a node that needs half of that without load is too close to the limit. */
const OPENS_WITHIN_MS = 5000
const DISPOSES_WITHIN_MS = 1000

export class ContractBench implements AsyncDisposable {
  readonly clock = new FakeClock()
  readonly context = new FakeContext('test/node')
  readonly audiences = new TestAudiences('test/node', this.clock)
  readonly secrets = new FakeSecrets()
  readonly store = new FakeStore()
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
    await this.store[Symbol.asyncDispose]()
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
      [SECRETS, this.secrets],
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
    assert.deepEqual(Object.keys(outlets).sort(), [...this.#definition.ports].sort(), 'not the ports that it declares')
    const [first] = this.#definition.ports
    const error = (thrown: unknown): void => void this.errors.push(thrown)
    this.#subscriptions = Object.entries(outlets).map(([port, outlet]) =>
      outlet.subscribe({ next: (chunk) => port === first && this.got.push(chunk), error }),
    )
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
