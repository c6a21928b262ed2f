// An engine in this process: a configuration in its own folder, run with the real plugins.
import type { EngineStatus, NodeStatus } from '@millrace/engine/api'
import type { Graph, RunningEngine } from '@millrace/engine'
import type { Definition } from '@millrace/engine/plugin'
import { createLog, discoverPlugins, loadConfig, renderText, startEngine } from '@millrace/engine'
import { Recording } from '../e2e/kit/recording.js'
import { REPOSITORY_ROOT } from '../e2e/kit/repository-root.js'
import { TempFolder } from '../e2e/kit/temp-folder.js'

/** Formats every line and writes none. */
export const SILENT_LOG: ReturnType<typeof createLog> = createLog({
  level: 'trace',
  stream: { write: () => undefined },
})

export class TestEngine implements AsyncDisposable {
  readonly folder: TempFolder
  readonly #viewers: Recording[] = []
  #engine: RunningEngine | undefined

  readonly #definitions: readonly Definition[]

  private constructor(folder: TempFolder, definitions: readonly Definition[]) {
    this.folder = folder
    this.#definitions = definitions
  }

  /** `definitions`: in addition to the real plugins. */
  static async create(definitions: readonly Definition[] = []): Promise<TestEngine> {
    return new TestEngine(await TempFolder.make(), definitions)
  }

  get engine(): RunningEngine {
    if (this.#engine === undefined) throw new Error('not started')
    return this.#engine
  }

  get #status(): EngineStatus {
    return this.engine.status()
  }

  async load(yaml: string): Promise<Graph> {
    const file = await this.folder.write('test.yaml', yaml)
    const { graph, diagnostics } = await loadConfig([file], {
      env: {},
      plugins: async (request) => {
        const discovered = await discoverPlugins({ ...request, starterPackage: REPOSITORY_ROOT })
        for (const definition of this.#definitions) discovered.registry.add(definition, 'the test')
        return discovered
      },
    })
    if (graph === undefined) throw new Error(renderText(diagnostics))
    return graph
  }

  async start(yaml: string, log = SILENT_LOG): Promise<RunningEngine> {
    const graph = await this.load(yaml)
    this.#engine = await startEngine(graph, { log })
    return this.#engine
  }

  /** `host:port` of a listener. */
  address(listener: string): string {
    const found = this.#status.listeners.find(({ name }) => name === listener)
    if (found === undefined) throw new Error(`no listener ${listener}`)
    return found.address
  }

  /** Connects a viewer, which is closed with the engine. */
  viewer(path: string, listener = 'web'): Recording {
    const viewer = new Recording(`http://${this.address(listener)}${path}`)
    this.#viewers.push(viewer)
    return viewer
  }

  /** Connects a viewer; resolves when it has received this much of the stream. */
  async watch(path: string, sizeBytes: number, listener?: string): Promise<Recording> {
    const viewer = this.viewer(path, listener)
    await viewer.reader.until(({ bodyBytes }) => bodyBytes >= sizeBytes)
    return viewer
  }

  /** The status that a viewer of this path receives. */
  async statusOf(path: string): Promise<number> {
    const { reader } = this.viewer(path)
    const { status } = await reader.until((report) => report.status !== 0)
    await reader[Symbol.asyncDispose]()
    return status
  }

  /** `id` is `pipeline/node`. */
  node(id: string): NodeStatus {
    const found = this.#status.pipelines.flatMap(({ nodes }) => nodes).find((node) => node.id === id)
    if (found === undefined) throw new Error(`no node ${id}`)
    return found
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const viewer of this.#viewers) await viewer[Symbol.asyncDispose]()
    await this.#engine?.stop('test')
    await this.folder[Symbol.asyncDispose]()
  }
}
