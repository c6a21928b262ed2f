// For tests of hot reload: an engine that runs scripted nodes, and a single pipeline of them on a fake clock.
import { buildEngine, type EngineParts } from '../../compose/build-engine.js'
import type { Graph, NodeSettings } from '../../graph/graph.js'
import { SecretMask } from '../../graph/secret-mask.js'
import { RawClient, until } from '../../listen/loopback.test.kit.js'
import { createLog } from '../../observe/log.js'
import { planReload } from '../../reload/plan-reload.js'
import type { NodeChange, PlanVerb, ReloadPlan } from '../../observe/reload-plan.js'
import type { AppliedReload, RolledBack } from '../../reload/reload-target.js'
import type { Engine } from '../engine.js'
import { PipelineTransaction } from './pipeline-transaction.js'
import { PipelineRunner } from '../pipeline/pipeline-runner.js'
import { graphWithoutNodes, RecordingOutput, ScriptedSource, RunnerFixture } from '../run.test.kit.js'
import { input, type Mode, node, numbered, output } from '../scripted-nodes.test.kit.js'

/** An engine whose pipelines are made of scripted nodes. */
export class ReloadHarness implements AsyncDisposable {
  /** The source of `one/main`, unless the test gives its own. */
  readonly source = new ScriptedSource()
  /** The output of `one/out`, unless the test gives its own. */
  readonly output = new RecordingOutput()
  readonly rolledBack: RolledBack[] = []
  /** The lines of the engine's log. */
  readonly log: string[] = []
  #plan: ReloadPlan | undefined
  #seq = 0
  /** The secrets of the graphs that it starts and reloads from now on. By default none. */
  secrets: Readonly<Record<string, string>> = {}
  readonly #stateDir: string
  readonly #graph: Graph
  #engine: Engine | undefined
  readonly #main = input((_mode, context) => {
    context.ready()
    return this.source
  })
  readonly #out = output(() => this.output)

  /** `stateDir`: by default a folder that does not exist. */
  constructor(stateDir = '/nowhere') {
    this.#stateDir = stateDir
    this.#graph = graphWithoutNodes(stateDir)
  }

  get engine(): Engine {
    return this.#engine!
  }

  /** Verbs of the newest reload, by id. */
  get verbs(): Record<string, PlanVerb> {
    return Object.fromEntries((this.#plan?.nodes ?? []).map(({ id, verb }) => [id, verb]))
  }

  get states(): Record<string, string> {
    const { services, pipelines } = this.engine.status()
    return Object.fromEntries([...services, ...pipelines.flatMap(({ nodes }) => nodes)].map((n) => [n.id, n.state]))
  }

  /** `swap` of a node in the running graph. */
  swapOf(id: string): string | undefined {
    const { services, pipelines } = this.engine.graph
    const found = [...services, ...pipelines.flatMap(({ nodes }) => nodes)].find((each) => each.id === id)
    return (found?.options as Mode | undefined)?.swap
  }

  /** Adds `one/main` and `one/out` unless they are given. */
  async start(...nodes: readonly NodeSettings[]): Promise<this> {
    const graph = this.#with(nodes)
    const engine = buildEngine(graph, engineParts(this.#stateDir, this.#logOf(graph)))
    engine.onRolledBack = (report) => this.rolledBack.push(report)
    this.#engine = engine
    try {
      await engine.start()
      return this
    } catch (error) {
      await engine.stop('the start failed')
      throw error
    }
  }

  planFor(...nodes: readonly NodeSettings[]): ReloadPlan {
    return planReload(this.engine.graph, this.#with(nodes))
  }

  /** Reloads from the running graph to these nodes. */
  async reload(...nodes: readonly NodeSettings[]): Promise<AppliedReload> {
    const next = this.#with(nodes)
    this.#plan = planReload(this.engine.graph, next)
    return this.engine.apply(this.#plan, next)
  }

  /** Resolves when every change queued before, including roll-backs, has finished. */
  async idle(): Promise<void> {
    const { graph } = this.engine
    await this.engine.apply(planReload(graph, graph), graph).catch(() => undefined)
  }

  /** Resolves when the new graph runs, whether or not its readers have been cut over. */
  async committed(before: Graph): Promise<void> {
    await until(() => this.engine.graph !== before, 'it is committed')
  }

  /** Sends `count` chunks from each source, with consecutive numbers. */
  send(count: number, ...sources: readonly ScriptedSource[]): void {
    for (let sent = 0; sent < count; sent++) {
      const next = numbered(this.#seq++, performance.now())
      for (const source of sources.length === 0 ? [this.source] : sources) source.next(next)
    }
  }

  /** Sends chunks until it is disposed. */
  flow(...sources: readonly ScriptedSource[]): Disposable {
    const sending = setInterval(() => this.send(1, ...sources), 2)
    return { [Symbol.dispose]: () => clearInterval(sending) }
  }

  viewer(path: string): RawClient {
    const web = this.engine.status().listeners.find(({ name }) => name === 'web')
    return new RawClient(web!.address).get(path)
  }

  /** The status a viewer of that path receives. */
  async statusOf(path: string): Promise<number> {
    const viewer = this.viewer(path)
    await until(() => viewer.status !== 0, `an answer for ${path}`)
    viewer.close()
    return viewer.status
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#engine?.stop('test')
  }

  #logOf({ secrets }: Graph): EngineParts['log'] {
    return createLog({ level: 'trace', secrets, stream: { write: (line) => void this.log.push(line) } })
  }

  #with(given: readonly NodeSettings[]): Graph {
    const secrets = new SecretMask()
    for (const [name, value] of Object.entries(this.secrets)) secrets.add(value, name)
    const services = given
      .filter(({ definition }) => definition.kind === 'service')
      .map((each) => ({ ...each, secrets }))
    const nodes = given.filter(({ definition }) => definition.kind !== 'service')
    const inputs = nodes.filter(({ id, definition }) => definition.kind === 'input' && id.startsWith('one/'))
    const first = inputs[0] ?? node('one/main', this.#main)
    const from = nodes.some(({ id }) => id === 'one/mid') ? 'one/mid' : first.id
    const isGiven = nodes.some(({ id }) => id === 'one/out')
    const all = [
      ...(inputs.length === 0 ? [first] : []),
      ...nodes,
      ...(isGiven ? [] : [node('one/out', this.#out, { from })]),
    ]
    const names = [...new Set(all.map(({ id }) => id.slice(0, id.indexOf('/'))))]
    const pipelines = names.map((name) => ({
      name,
      description: '',
      nodes: all.filter(({ id }) => id.startsWith(`${name}/`)).map((each) => ({ ...each, secrets })),
    }))
    return { ...this.#graph, services, pipelines, secrets }
  }
}

/** A pipeline on a fake clock, without an engine. */
export class PipelineHarness implements AsyncDisposable {
  readonly fixture = new RunnerFixture()
  readonly runner: PipelineRunner
  #seq = 0

  constructor(...nodes: readonly NodeSettings[]) {
    this.runner = new PipelineRunner({ name: 'one', description: '', nodes }, this.fixture.pipelineServices)
  }

  async start(): Promise<this> {
    await this.runner.start()
    return this
  }

  /** New nodes take over even if they are not ready. */
  isForced = false

  /** Prepares the change with the verbs, by id, and commits it; nodes without a verb are kept. */
  async change(
    verbs: Readonly<Record<string, PlanVerb>>,
    ...nodes: readonly NodeSettings[]
  ): Promise<PipelineTransaction> {
    const change = this.transaction(verbs, ...nodes)
    await change.prepare()
    change.commit()
    return change
  }

  /** As `change`, which has not begun. */
  transaction(verbs: Readonly<Record<string, PlanVerb>>, ...nodes: readonly NodeSettings[]): PipelineTransaction {
    const changes = nodes.map(({ id, was }): NodeChange => {
      const renamed = was === undefined ? {} : { was }
      return { id, ...renamed, verb: verbs[id] ?? 'keep', changes: [], why: '' }
    })
    const byId = new Map(changes.map((change) => [change.id, change]))
    const pipeline = { name: 'one', description: '', nodes }
    return new PipelineTransaction(this.runner, pipeline, byId, { isForced: this.isForced })
  }

  /** Sends one chunk every 100 ms from each source. */
  pass(forMs: number, ...sources: readonly ScriptedSource[]): void {
    for (let passedMs = 0; passedMs < forMs; passedMs += 100) {
      const next = numbered(this.#seq++, this.fixture.clock.nowMs())
      for (const source of sources) source.next(next)
      this.fixture.clock.advance(100)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.runner.stop('test', 1000)
    this.fixture[Symbol.dispose]()
  }
}

/** An unlocked state folder, and a control API that answers every request with 404. */
function engineParts(path: string, log: EngineParts['log']): EngineParts {
  return {
    log,
    stateDir: { path, token: 'token', [Symbol.asyncDispose]: () => Promise.resolve() },
    createApi: () => ({ guard: () => true, respond: (_request, response) => response.writeHead(404).end() }),
  }
}
