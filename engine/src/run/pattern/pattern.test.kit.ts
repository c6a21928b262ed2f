// For tests of published streams: an engine whose configuration is YAML, with an input that takes scripted publishers,
// and an output that records or serves each stream.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NEVER } from 'rxjs'
import { z } from 'zod'
import { buildEngine } from '../../compose/build-engine.js'
import { loadConfig } from '../../config/load-config.js'
import type { Graph } from '../../graph/graph.js'
import { RawClient, until } from '../../listen/loopback.test.kit.js'
import { createLog } from '../../observe/log.js'
import type { NodeStatus, PipelineStatus } from '../../observe/status.js'
import type { AnyChunk } from '../../plugin/contract.js'
import { defineInput, defineOutput } from '../../plugin/define.js'
import { registryOf } from '../../plugin/registry.js'
import { planReload } from '../../reload/plan-reload.js'
import type { AppliedReload, RolledBack } from '../../reload/reload-target.js'
import { type ScriptedPublisher, ScriptedPublishers, type ScriptedWho } from '../../testing/scripted-publishers.js'
import { buildTs } from '../../testing/ts-builder/build-ts.js'
import type { Engine } from '../engine.js'
import { common, input as scriptedInput, output, serving, type ServingSettings } from '../scripted-nodes.test.kit.js'
import { RecordingOutput, ScriptedSource } from '../run.test.kit.js'

/** Three seconds, a key frame a second, a PAT every 100 ms. */
export const STREAM: Uint8Array = buildTs({ durationS: 3 }).bytes
export const JUNK: Uint8Array = new Uint8Array(64 * 1024).fill(0x55)
export const NULLS: Uint8Array = new Uint8Array(64 * 1024)

export class PatternHarness implements AsyncDisposable {
  readonly publishers = new ScriptedPublishers()
  readonly rolledBack: RolledBack[] = []
  readonly log: string[] = []
  /** By the id of the node. */
  readonly outputs = new Map<string, RecordingOutput[]>()
  readonly serving: ServingSettings
  #engine: Engine | undefined
  #folder = ''
  readonly #registry

  constructor(more: ServingSettings = {}) {
    this.serving = more
    this.#registry = registryOf(this.#definitions())
  }

  get engine(): Engine {
    return this.#engine!
  }

  async start(text: string): Promise<this> {
    this.#folder = await mkdtemp(join(tmpdir(), 'millrace-pattern-'))
    const graph = await this.load(text)
    this.#engine = buildEngine(graph, {
      log: createLog({
        level: 'debug',
        secrets: graph.secrets,
        stream: { write: (line) => void this.log.push(line) },
      }),
      stateDir: { path: this.#folder, token: 'token', [Symbol.asyncDispose]: () => Promise.resolve() },
      createApi: () => ({ guard: () => true, respond: (_request, response) => response.writeHead(404).end() }),
    })
    this.#engine.onRolledBack = (report) => this.rolledBack.push(report)
    await this.#engine.start()
    return this
  }

  async load(text: string): Promise<Graph> {
    const contents = new Map([['live.yaml', text]])
    const plugins = () => Promise.resolve({ registry: this.#registry, problems: [] })
    const { graph, diagnostics } = await loadConfig(['live.yaml'], { env: {}, contents, plugins })
    if (graph === undefined) throw new Error(diagnostics.map(({ message }) => message).join('\n'))
    return { ...graph, engine: { ...graph.engine, stateDir: this.#folder } }
  }

  async reload(text: string): Promise<AppliedReload> {
    const next = await this.load(text)
    return this.engine.apply(planReload(this.engine.graph, next), next)
  }

  /** Connects and sends the beginning of the stream. */
  publish(key: string, who?: ScriptedWho): ScriptedPublisher {
    const publisher = this.publishers.connect(key, who)
    publisher.send(STREAM.slice(0, 188 * 200))
    return publisher
  }

  /** Publishes, and waits until the copy runs. */
  async published(key: string, who?: ScriptedWho): Promise<ScriptedPublisher> {
    const publisher = this.publish(key, who)
    await until(() => this.#hasBeenReady(`live@${key}/in`), `${key} is ready`)
    return publisher
  }

  get pipelines(): readonly string[] {
    return this.engine.status().pipelines.map(({ name }) => name)
  }

  pipeline(name: string): PipelineStatus | undefined {
    return this.engine.status().pipelines.find((each) => each.name === name)
  }

  stateOf(id: string): string | undefined {
    return this.#nodeOf(id)?.state
  }

  detailsOf(id: string): unknown {
    return this.#nodeOf(id)?.details
  }

  /** The chunks that the newest output of that id has received. */
  chunksOf(id: string): readonly AnyChunk[] {
    return this.outputs.get(id)?.at(-1)?.chunks ?? []
  }

  viewer(path: string): RawClient {
    const web = this.engine.status().listeners.find(({ name }) => name === 'web')
    return new RawClient(web!.address).get(path)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#engine?.stop('test')
    await rm(this.#folder, { recursive: true, force: true })
  }

  #nodeOf(id: string): NodeStatus | undefined {
    return this.engine
      .status()
      .pipelines.flatMap(({ nodes }) => nodes)
      .find((node) => node.id === id)
  }

  /** On a busy machine the 5 s after which it waits for more may have passed already. */
  #hasBeenReady(id: string): boolean {
    const { state, why = '' } = this.#nodeOf(id) ?? {}
    return state === 'ready' || (state === 'waiting' && why.startsWith('connected, no packets for'))
  }

  #definitions() {
    const input = defineInput({
      ...common,
      type: 'pub',
      produces: 'bytes',
      open: () => ({ chunks: NEVER, [Symbol.asyncDispose]: () => Promise.resolve() }),
      publishers: (_options, context) => this.publishers.publishers(context),
    })
    const recording = defineOutput({
      ...common,
      type: 'record',
      consumes: ['ts'],
      inlets: 'one',
      options: z.strictObject({
        note: z.string().default('').meta({ description: 'For tests.', reload: 'live' }),
        swap: z.string().default('').meta({ description: 'For tests.', reload: 'swap' }),
      }),
      open: (_options, { id }) => {
        const output = new RecordingOutput()
        this.outputs.set(id, [...(this.outputs.get(id) ?? []), output])
        return output
      },
    })
    const exclusive = output(
      (mode) => {
        this.serving.onOpen?.(mode, () => undefined)
        return new RecordingOutput()
      },
      { exclusive: ({ path }) => [{ kind: 'file', path }] },
    )
    const silent = scriptedInput((_mode, context) => {
      context.ready()
      return new ScriptedSource()
    })
    return [input, silent, recording, serving(this.serving), exclusive]
  }
}

/** They send all the time, until it is disposed. */
export function flow(...publishers: readonly ScriptedPublisher[]): Disposable {
  let at = 0
  const timer = setInterval(() => {
    const bytes = STREAM.slice(at, at + 188 * 50)
    at = at + bytes.length >= STREAM.length ? 0 : at + bytes.length
    for (const publisher of publishers) publisher.send(bytes)
  }, 10)
  return { [Symbol.dispose]: () => clearInterval(timer) }
}

/** One pattern pipeline that records. `keys`: engine keys of the input. `output`: options of the output. */
export function recordingYaml(keys = 'linger: 300ms', output = 'note: "${stream}"'): string {
  return patternYaml(keys, `out: { type: record, from: in, ${output} }`)
}

export function servingYaml(keys = 'linger: 300ms', output = 'path: "/live/${stream}.ts"'): string {
  return patternYaml(keys, `out: { type: test-serving, from: in, ${output} }`)
}

/** Its output cannot open before the old one has released its path. */
export function exclusiveYaml(output: string): string {
  return patternYaml(
    'linger: 30s',
    `out: { type: test-out, from: in, path: "/\${stream}", live: "\${stream}", ${output} }`,
  )
}

function patternYaml(keys: string, output: string): string {
  return [
    'version: 1',
    'engine: { api: { address: "127.0.0.1:0" }, drain: 1s }',
    'listeners: { web: { address: "127.0.0.1:0" } }',
    'auth: { studio: { type: basic, actions: [publish], users: { anna: secret } } }',
    'pipelines:',
    '  live:',
    `    inputs: { in: { type: pub, streams: "*", ${keys} } }`,
    `    outputs: { ${output} }`,
    '',
  ].join('\n')
}
