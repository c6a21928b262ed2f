// For tests of node runners: a fake clock, a recording log, numbered chunks, and definitions of scripted nodes.
import { pino } from 'pino'
import type { Logger } from 'pino'
import { NEVER, Observable, Subscription } from 'rxjs'
import { z } from 'zod'
import { InputRunner } from './node/input-runner.js'
import { EngineAudiences } from '../audience/engine-audiences.js'
import { nodeServices } from '../compose/node-container.js'
import { ServiceContainer } from '../compose/service-container.js'
import * as keys from '../compose/service-keys.js'
import type { Graph, ListenerSettings, NodeSettings } from '../graph/graph.js'
import { HiddenValues } from '../graph/hidden-values.js'
import { SecretMask } from '../graph/secret-mask.js'
import type { EngineClock } from '../observe/clock.js'
import { EventLog } from '../observe/events.js'
import { parseExposition } from '../observe/exposition.test.kit.js'
import { MetricsRegistry } from '../observe/metrics-registry.js'
import { Lineages } from '../state/lineages.js'
import { NodeFolders } from '../state/node-folders.js'
import type {
  AnyChunk,
  Definition,
  Inlet,
  NodeContext,
  Output,
  Received,
  Source,
  Transform,
} from '../plugin/contract.js'
import { defineInput, defineOutput, defineTransform } from '../plugin/define.js'
import { readPorts } from '../plugin/ports.js'
import { defineErrors } from '../errors.js'
import { FakeClock } from '../testing/fake-clock.js'
import { InputTurns } from './node/input-turns.js'
import { NodeScope } from './node/node-scope.js'
import type { NodeServices } from './node/node-services.js'
import type { PipelineServices } from './pipeline/pipeline-runner.js'
import { createNode } from './pipeline/wiring.js'

export const testError = defineErrors({
  TEST_RETRY: { sentence: 'A temporary failure.', hint: 'Wait.', reaction: 'retry' },
  TEST_END: { sentence: 'The stream has ended.', hint: 'None.', reaction: 'end' },
  TEST_CONFIG: { sentence: 'The options are wrong.', hint: 'None.', reaction: 'config' },
  TEST_BUG: { sentence: 'A bug.', hint: 'None.', reaction: 'bug' },
})

export interface LogLine {
  readonly level: number
  readonly msg: string
  readonly node?: string
  readonly [more: string]: unknown
}

/** The services of node runners; records log lines. */
export class RunnerFixture implements Disposable {
  readonly clock: FakeClock
  readonly lines: LogLine[] = []
  readonly metrics = new MetricsRegistry()
  readonly events: EventLog
  readonly scope = new NodeScope()
  readonly turns: InputTurns
  /** What nodes can inject is added here. */
  readonly container = new ServiceContainer()
  readonly services: NodeServices

  constructor(clock: EngineClock & FakeClock = new FakeClock()) {
    this.clock = clock
    this.turns = new InputTurns(clock)
    const log = recordingLog(this.lines)
    this.events = new EventLog(clock, log)
    const graph = graphWithoutNodes('/nowhere')
    graph.secrets.add('hunter22')
    const listeners = {
      http: (name: string) => {
        throw new Error(`no listener ${name}`)
      },
      of: (_: symbol, name: string) => {
        throw new Error(`no listener ${name}`)
      },
    }
    const audiences = new EngineAudiences({ clock, log, maxClients: 0 })
    const delivery = {
      lease: () => {
        throw new Error('no delivery')
      },
      memory: () => {
        throw new Error('no delivery')
      },
      window: () => {
        throw new Error('no delivery')
      },
    }
    this.container
      .value(keys.ENGINE_CLOCK, clock)
      .value(keys.LOG, log)
      .value(keys.REGISTRY, this.metrics)
      .value(keys.EVENT_LOG, this.events)
      .value(keys.SCOPE, this.scope)
      .value(keys.INPUT_TURNS, this.turns)
      .value(keys.RUNNING, { graph, services: [], pipelines: [] })
      .value(keys.HIDDEN, new HiddenValues())
      .value(keys.LINEAGES, new Lineages(new NodeFolders(graph.engine.stateDir, log)))
      .value(keys.AUDIENCES, audiences)
      .value(keys.SHARED, { audiences, listeners, delivery })
    this.services = nodeServices(this.container)
  }

  get pipelineServices(): PipelineServices {
    const { clock, services } = this
    const create: PipelineServices['createNode'] = (each, placement) => createNode(each, services, placement)
    return { clock, createNode: create, viewersOf: () => ({}), clientsOf: () => undefined, offeredUrls: () => [] }
  }

  [Symbol.dispose](): void {
    this.clock[Symbol.dispose]()
  }

  /** Names of the metrics that have rows for this node. */
  async metricsOf(node: string): Promise<string[]> {
    return [...parseExposition(await this.metrics.render())]
      .filter(([, { samples }]) => samples.some(({ labels }) => labels['node'] === node))
      .map(([name]) => name)
  }
}

export function recordingLog(lines: LogLine[]): Logger {
  return pino({ level: 'trace' }, { write: (line: string) => lines.push(JSON.parse(line) as LogLine) })
}

export function settings(id: string, definition: Definition, more: Partial<NodeSettings> = {}): NodeSettings {
  return {
    id,
    definition,
    options: {},
    ports: readPorts(definition, more.options ?? {}) ?? [],
    from: [],
    description: '',
    timeline: 'continuous',
    batchMs: 50,
    probeMs: 2000,
    at: { file: 'test.yaml', line: 1, column: 1 },
    ...more,
  }
}

export function reads(...nodes: readonly string[]): { from: NodeSettings['from'] } {
  return {
    from: nodes.map((id) => {
      const [node = '', port = 'out'] = id.split('.')
      return { node, port }
    }),
  }
}

const options = z.strictObject({})
const common = { options, examples: [], summary: 'For tests.' } as const

type Open<N> = (context: NodeContext) => N | Promise<N>

export function inputOf(open: Open<Source<AnyChunk>>, metrics: readonly string[] = []): Definition {
  return defineInput({
    ...common,
    type: 'test-in',
    produces: 'ts',
    metrics: metrics.map((name) => ({ name, kind: 'gauge', help: 'For tests.' })),
    open: (_options, context) => open(context),
  })
}

export function bytesInputOf(open: Open<Source<Received>>): Definition {
  return defineInput({ ...common, type: 'test-bytes', produces: 'bytes', open: (_options, context) => open(context) })
}

export function transformOf(open: Open<Transform>, ports: readonly string[] = ['out']): Definition {
  return defineTransform({
    ...common,
    type: 'test-transform',
    consumes: ['ts'],
    inlets: 'one',
    ports: ports.map((name) => ({ name, kind: 'ts' })),
    open: (_options, context) => open(context),
  })
}

export function outputOf(open: Open<Output>): Definition {
  return defineOutput({
    ...common,
    type: 'test-out',
    consumes: ['ts'],
    inlets: 'one',
    open: (_options, context) => open(context),
  })
}

/** A source that emits what the test pushes; `attempts` counts its subscriptions. */
export class ScriptedSource<P = AnyChunk> implements Source<P> {
  attempts = 0
  disposals = 0
  holds = 0
  readonly chunks: Observable<P>
  readonly hold?: () => Disposable
  #emit: { next(value: P): void; error(error: unknown): void; complete(): void } | undefined

  constructor(more: { readonly context?: NodeContext; readonly canHold?: boolean } = {}) {
    this.chunks = new Observable((subscriber) => {
      this.attempts++
      this.#emit = subscriber
      more.context?.ready()
    })
    if (more.canHold === true) {
      this.hold = () => {
        this.holds++
        return { [Symbol.dispose]: () => void this.holds-- }
      }
    }
  }

  next(value: P): void {
    this.#emit?.next(value)
  }

  error(error: unknown): void {
    this.#emit?.error(error)
  }

  complete(): void {
    this.#emit?.complete()
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.disposals++
    return Promise.resolve()
  }
}

/** A transform that passes every chunk. */
export class PassingTransform implements Transform {
  disposals = 0
  applies = 0
  inlet: Inlet | undefined

  apply([inlet]: readonly Inlet[]): Record<string, Observable<AnyChunk>> {
    this.applies++
    this.inlet = inlet
    return { out: inlet?.chunks ?? NEVER }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.disposals++
    return Promise.resolve()
  }
}

/** An output that records its chunks. */
export class RecordingOutput implements Output {
  readonly chunks: AnyChunk[] = []
  isComplete = false
  disposals = 0
  inlet: Inlet | undefined
  /** Called for each chunk; by default nothing. */
  onChunk: (chunk: AnyChunk) => void = () => undefined

  get seqs(): number[] {
    return this.chunks.map(({ origin }) => origin.seq)
  }

  accept([inlet]: readonly Inlet[]): Subscription {
    this.inlet = inlet
    if (inlet === undefined) return Subscription.EMPTY
    return inlet.chunks.subscribe({
      next: (chunk) => {
        this.chunks.push(chunk)
        this.onChunk(chunk)
      },
      complete: () => {
        this.isComplete = true
      },
    })
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.disposals++
    return Promise.resolve()
  }
}

/** Chunk number `seq` of its source. */
export function chunk(seq: number, sizeBytes = 100, isRandomAccess = false): AnyChunk {
  return {
    kind: 'ts',
    bytes: new Uint8Array(sizeBytes),
    origin: { generation: 0, seq },
    receivedAtMs: seq,
    discontinuity: false,
    marks: new Int32Array(0),
    randomAccess: isRandomAccess,
  }
}

/** Waits until pending promises have settled and RxJS has reported errors from its timers. */
export async function flushPromises(turns = 3): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setTimeout(resolve))
}

/** An input of these scripted sources, with the services of the fixture. */
export function inputIn(
  fixture: RunnerFixture,
  source: (context: NodeContext) => ScriptedSource,
  metrics: readonly string[] = [],
): InputRunner {
  return new InputRunner(settings('one/main', inputOf(source, metrics)), fixture.services)
}

/** A promise that is never settled. */
export function never<T>(): Promise<T> {
  return new Promise<T>(() => undefined)
}

export function graphWithoutNodes(stateDir: string): Graph {
  return {
    files: ['test.yaml'],
    engine: {
      api: { address: '127.0.0.1:0', hosts: [] },
      log: { level: 'info' },
      stateDir,
      drainMs: 1000,
      maxClients: 5000,
    },
    listeners: [listener('api'), listener('web')],
    services: [],
    pipelines: [],
    secrets: new SecretMask(),
  }
}

function listener(name: string): ListenerSettings {
  return { name, protocol: 'http', address: '127.0.0.1:0', at: { file: 'test.yaml', line: 1, column: 1 } }
}
