// Reads the configuration of a running engine again and again: always the same files with the same options, each time
// from one snapshot of the disk.
import { resolve } from 'node:path'
import type { Diagnostic } from '../config/report/diagnostic.js'
import type { LoadOptions } from '../config/load-config.js'
import type { Graph } from '../graph/graph.js'
import type { DiscoverRequest } from '../plugin/discover.js'
import { discoverPlugins } from '../plugin/discover.js'
import type { PluginCode } from '../plugin/plugin-code.js'
import { SourceSnapshot } from './source-snapshot.js'

/** A file may name files that name files; who is still not done then keeps changing. */
const MOST_ROUNDS = 8

/** What loading gives. */
export interface LoadedSources {
  /** Undefined where there are errors among the diagnostics. */
  readonly graph?: Graph | undefined
  readonly diagnostics: readonly Diagnostic[]
  /** Absolute paths of files and folders that the result depends on, also where loading fails. By default the files. */
  readonly sources?: readonly string[] | undefined
}

export type LoadFiles = (files: readonly string[], options: LoadOptions) => Promise<LoadedSources>

export interface ConfigReading {
  readonly graph: Graph | undefined
  readonly diagnostics: readonly Diagnostic[]
  /** The same for the same contents of all sources. */
  readonly hash: string
  /** The files that it was made of, without those of `--env-file`, as they were read. */
  readonly texts: ReadonlyMap<string, string>
}

export interface ConfigReaderSettings {
  /** As they were named. */
  readonly files: readonly string[]
  /** Those of `run`; without `contents`. */
  readonly options: LoadOptions
  readonly load: LoadFiles
}

export class ConfigReader {
  readonly files: readonly string[]
  readonly options: LoadOptions
  readonly load: LoadFiles
  #sources: readonly string[]
  #hash = ''
  #plugins: DiscoverRequest['plugins'] = []
  /** Shared with readers of the same. */
  readonly #code: Map<string, PluginCode>

  constructor({ files, options, load }: ConfigReaderSettings, code = new Map<string, PluginCode>()) {
    this.#code = code
    this.files = files
    this.options = options
    this.load = load
    this.#sources = this.#named()
  }

  /** Absolute paths of what the last reading depends on; what the one before did as well, where the last one failed. */
  get sources(): readonly string[] {
    return this.#sources
  }

  /** Of the last reading; the empty text before. */
  get hash(): string {
    return this.#hash
  }

  /** A reader of the same that has not read yet. */
  again(): ConfigReader {
    return new ConfigReader(this, this.#code)
  }

  /** Plugins that the last good reading has by name: their modules have been run. */
  get plugins(): DiscoverRequest['plugins'] {
    return this.#plugins
  }

  /** Plugins whose modules have been run by a reading, whatever came of it. */
  get code(): readonly PluginCode[] {
    return [...this.#code.values()]
  }

  /** Loads what is on disk. `isFirst`: pipes may be read, which give what they have only once. */
  async read(isFirst = false): Promise<ConfigReading> {
    let paths = this.#sources
    for (let round = 1; ; round++) {
      const snapshot = await SourceSnapshot.take(paths)
      const asked = new Set<string>()
      const { loaded, plugins } = await this.#load(snapshot.contents((path) => asked.add(path), isFirst))
      const found = [...new Set([...this.#named(), ...(loaded.sources ?? []), ...asked])]
      // Where loading fails, what the files did not get to name may be what mends it.
      const all = loaded.graph === undefined ? [...new Set([...paths, ...found])] : found
      if (found.some((path) => !snapshot.has(path)) && round < MOST_ROUNDS) {
        paths = [...new Set([...paths, ...found])]
        continue
      }
      this.#sources = all
      this.#hash = snapshot.hashOf(all)
      if (loaded.graph !== undefined) this.#plugins = plugins
      return { ...loaded, graph: loaded.graph, hash: this.#hash, texts: this.#textsOf(snapshot, asked) }
    }
  }

  async #load(contents: NonNullable<LoadOptions['contents']>): Promise<{
    loaded: LoadedSources
    plugins: DiscoverRequest['plugins']
  }> {
    const find = this.options.plugins ?? discoverPlugins
    let plugins: DiscoverRequest['plugins'] = []
    const loaded = await this.load(this.files, {
      ...this.options,
      contents,
      plugins: async (request) => {
        plugins = request.plugins
        const found = await find(request)
        for (const each of found.code ?? []) this.#code.set(each.entry ?? each.name, each)
        return found
      },
    })
    return { loaded, plugins }
  }

  #named(): readonly string[] {
    return [...new Set([...this.files, ...(this.options.envFiles ?? [])].map((name) => resolve(name)))]
  }

  /** Without env files: they are where passwords are kept, and are read again. */
  #textsOf(snapshot: SourceSnapshot, asked: ReadonlySet<string>): ReadonlyMap<string, string> {
    const env = new Set((this.options.envFiles ?? []).map((name) => resolve(name)))
    const paths = [...asked].filter((path) => !env.has(path))
    return new Map(
      paths.flatMap((path) => {
        const text = snapshot.textOf(path)
        return text === undefined ? [] : [[path, text] as const]
      }),
    )
  }
}
