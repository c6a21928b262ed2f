// For tests of the assembled engine: a configuration in its own folder, run with the real plugins.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { loadConfig } from '../config/load-config.js'
import { renderText } from '../config/report/render-diagnostics.js'
import type { Graph } from '../graph/graph.js'
import { discoverPlugins } from '../plugin/discover.js'
import { RawClient } from '../listen/loopback.test.kit.js'
import { startEngine } from '../compose.js'
import type { RunningEngine } from './engine.js'
import { recordingLog } from './run.test.kit.js'
import type { LogLine } from './run.test.kit.js'

/** The package that has all built-in plugins. */
const ROOT = join(import.meta.dirname, '../../..')

export class TestEngine implements AsyncDisposable {
  readonly folder: string
  readonly lines: LogLine[] = []
  readonly #clients: RawClient[] = []
  #engine: RunningEngine | undefined

  private constructor(folder: string) {
    this.folder = folder
  }

  static async create(): Promise<TestEngine> {
    return new TestEngine(await mkdtemp(join(tmpdir(), 'millrace-run-')))
  }

  get engine(): RunningEngine {
    if (this.#engine === undefined) throw new Error('not started')
    return this.#engine
  }

  write(name: string, bytes: Uint8Array): Promise<void> {
    return writeFile(join(this.folder, name), bytes)
  }

  async load(yaml: string): Promise<Graph> {
    const file = join(this.folder, 'test.yaml')
    await writeFile(file, yaml)
    const { graph, diagnostics } = await loadConfig([file], {
      env: {},
      plugins: (request) => discoverPlugins({ ...request, starterPackage: ROOT }),
    })
    if (graph === undefined) throw new Error(renderText(diagnostics))
    return graph
  }

  async start(yaml: string): Promise<RunningEngine> {
    const graph = await this.load(yaml)
    this.#engine = await startEngine(graph, { log: recordingLog(this.lines) })
    return this.#engine
  }

  /** `host:port` of a listener. */
  address(listener: string): string {
    return this.addressOf(this.engine, listener)
  }

  addressOf(engine: RunningEngine, listener: string): string {
    const found = engine.status().listeners.find(({ name }) => name === listener)
    if (found === undefined) throw new Error(`no listener ${listener}`)
    return found.address
  }

  viewer(path: string, listener = 'web'): RawClient {
    const client = new RawClient(this.address(listener)).get(path)
    this.#clients.push(client)
    return client
  }

  node(id: string): ReturnType<RunningEngine['status']>['pipelines'][number]['nodes'][number] {
    const found = this.engine
      .status()
      .pipelines.flatMap(({ nodes }) => nodes)
      .find((node) => node.id === id)
    if (found === undefined) throw new Error(`no node ${id}`)
    return found
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.close()
    await this.#engine?.stop('test')
    await rm(this.folder, { recursive: true, force: true })
  }
}

/** `main` (a file) -> `check` -> `gops` -> `ts` at /live.ts. */
export function liveYaml(
  more: { readonly main?: string; readonly ts?: string; readonly drain?: string; readonly listener?: string } = {},
): string {
  const listener = more.listener ?? 'web'
  return `
version: 1
engine: { api: { address: "127.0.0.1:0" }, stateDir: state, drain: ${more.drain ?? '5s'} }
listeners: { web: { address: "127.0.0.1:0" } }
services: { metrics: { type: prometheus, listener: api, path: /metrics } }
pipelines:
  one:
    inputs:
      main: { type: file, path: main.ts, ${more.main ?? 'loop: true'} }
    transforms:
      check: { type: ts-validate, from: main }
      gops: { type: gop, from: check }
    outputs:
      ts: { type: http-ts, from: gops, listener: ${listener}, path: /live.ts${more.ts === undefined ? '' : `, ${more.ts}`} }
`
}

/** Counts the resources that keep the process alive and that an engine could leave behind, by name. */
export function activeResources(): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const name of process.getActiveResourcesInfo()) {
    if (/^(TCP|Timeout|FSEvent|StatWatcher)/.test(name)) counts[name] = (counts[name] ?? 0) + 1
  }
  return counts
}

export const QUIET_LOG = pino({ level: 'silent' })
