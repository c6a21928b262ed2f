// What the engine gives to a node, for the contract kit: each token has a fake that knows what the node has not given back.
import type { Injections } from '../plugin/contract.js'
import {
  AUDIENCE,
  AUTH,
  CLOCK,
  DELIVERY,
  EVENTS,
  LISTENERS,
  METRICS,
  PIPELINE,
  PROCESSES,
  SECRETS,
  SOCKETS,
  STORE,
} from '../plugin/tokens.js'
import type { Auth } from '../plugin/auth.js'
import type { EventNotice, MetricsSource } from '../plugin/tokens.js'
import { FakeClock } from './fake-clock.js'
import { FakeContext } from './fake-context.js'
import { FakeSecrets } from './fake-secrets.js'
import { FakeStore } from './fake-store.js'
import { PlacedClock } from './placed-clock.js'
import { TestAudiences } from './test-audiences.js'
import { TestDelivery } from './test-delivery.js'
import { TestEvents } from './test-events.js'
import { TestListeners } from './test-listeners.js'
import { TestProcesses } from './test-processes.js'
import { TestSockets } from './test-sockets.js'

const ID = 'test/node'
const PAST: EventNotice = { atMs: 0, kind: 'node.ready', node: 'one/main', nodeKind: 'input', data: {} }
const metrics: MetricsSource = { contentType: 'text/plain', render: () => Promise.resolve('') }
const auth: Auth = { check: () => ({ allowed: true, user: undefined }) }

export class ContractFakes implements AsyncDisposable {
  readonly clock = new FakeClock()
  readonly context = new FakeContext(ID)
  readonly audiences: TestAudiences
  readonly delivery: TestDelivery
  readonly events = new TestEvents([PAST])
  readonly listeners: TestListeners
  readonly processes = new TestProcesses(ID)
  readonly secrets = new FakeSecrets()
  readonly sockets: TestSockets
  readonly store = new FakeStore(ID)
  readonly #placed: PlacedClock

  /** `run` runs code of the node. */
  constructor(run: <T>(run: () => T) => T) {
    this.#placed = new PlacedClock(this.clock, run)
    this.audiences = new TestAudiences(ID, this.clock)
    this.delivery = new TestDelivery(this.clock)
    this.listeners = new TestListeners(run)
    this.sockets = new TestSockets(this.#placed)
  }

  /** By the names of `inject`. */
  of(inject: Injections): Readonly<Record<string, unknown>> {
    const fakes = new Map<symbol, unknown>([
      [AUDIENCE, this.audiences],
      [AUTH, auth],
      [CLOCK, this.#placed],
      [DELIVERY, this.delivery],
      [EVENTS, this.events],
      [LISTENERS, this.listeners],
      [METRICS, metrics],
      [PIPELINE, 'test'],
      [PROCESSES, this.processes],
      [SECRETS, this.secrets],
      [SOCKETS, this.sockets],
      [STORE, this.store],
    ])
    return Object.fromEntries(Object.entries(inject).map(([name, token]) => [name, fakes.get(token)]))
  }

  /** Errors of callbacks that the engine calls for the node. */
  get failures(): readonly unknown[] {
    return [...this.processes.failures, ...this.sockets.failures, ...this.listeners.failures]
  }

  /** What the node has not given back. */
  get left(): readonly string[] {
    const { processes, sockets, events, listeners, delivery } = this
    return [
      ...this.#placed.left,
      ...counted(processes.count, 'process of PROCESSES'),
      ...counted(sockets.size, 'socket of SOCKETS'),
      ...counted(events.size, 'subscription to EVENTS'),
      ...listeners.paths.map((path) => `the path ${path} on a listener`),
      ...[...delivery.routes].map(({ options }) => `the path ${options.path} of DELIVERY`),
    ]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.sockets[Symbol.dispose]()
    await this.processes[Symbol.asyncDispose]()
    await this.store[Symbol.asyncDispose]()
    await this.listeners[Symbol.asyncDispose]()
    this.clock[Symbol.dispose]()
  }
}

function counted(count: number, what: string): readonly string[] {
  return count === 0 ? [] : [`${count} x a ${what}`]
}
