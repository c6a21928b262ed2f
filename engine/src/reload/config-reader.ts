// Reads the configuration of a running engine repeatedly: always the same files with the same options, each time from
// one snapshot of the disk.
import { resolve } from 'node:path'
import type { Diagnostic } from '../config/report/diagnostic.js'
import type { LoadOptions } from '../config/load-config.js'
import type { Graph } from '../graph/graph.js'
import type { DiscoverRequest } from '../plugin/discover.js'
import { discoverPlugins } from '../plugin/discover.js'
import type { PluginCode } from '../plugin/plugin-code.js'
import { SourceSnapshot } from './source-snapshot.js'

/**
 * A file may name files that name further files; sources that have not settled after this many rounds keep changing.
 */
const MOST_ROUNDS = 8

/** The result of loading. */
export interface LoadedSources {
  /** Undefined if the diagnostics contain errors. */
  readonly graph?: Graph | undefined
  readonly diagnostics: readonly Diagnostic[]
  /** Absolute paths of files and folders that the result depends on, also if loading fails. By default the files. */
  readonly sources?: readonly string[] | undefined
}

export type LoadFiles = (files: readonly string[], options: LoadOptions) => Promise<LoadedSources>

export interface ConfigReading {
  readonly graph: Graph | undefined
  readonly diagnostics: readonly Diagnostic[]
  /** Equal for equal contents of all sources. */
  readonly hash: string
  /** The files that it was made from, as they were read, without those of `--env-file`. */
  readonly texts: ReadonlyMap<string, string>
}

export interface ConfigReaderSettings {
  /** As the caller named them. */
  readonly files: readonly string[]
  /** The options of `run`, without `contents`. */
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
  /** Shared with all readers of the same files. */
  readonly #code: Map<string, PluginCode>

  constructor({ files, options, load }: ConfigReaderSettings, code = new Map<string, PluginCode>()) {
    this.#code = code
    this.files = files
    this.options = options
    this.load = load
    this.#sources = this.#named()
  }

  /** Absolute paths that the last reading depends on; if it failed, also those of the reading before. */
  get sources(): readonly string[] {
    return this.#sources
  }

  /** Of the last reading; empty before the first. */
  get hash(): string {
    return this.#hash
  }

  /** A new reader of the same files, which has not read yet. `load`: by default as this one. */
  fresh(load: LoadFiles = this.load): ConfigReader {
    return new ConfigReader({ files: this.files, options: this.options, load }, this.#code)
  }

  /** Plugins that the last good reading names: their modules have been executed. */
  get plugins(): DiscoverRequest['plugins'] {
    return this.#plugins
  }

  /** Plugins whose modules a reading has executed or begun to execute, even if it failed. */
  get code(): readonly PluginCode[] {
    return [...this.#code.values()]
  }

  /** Loads what is on disk. `isFirst`: pipes may be read, which yield their contents only once. */
  async read(isFirst = false): Promise<ConfigReading> {
    let paths = this.#sources
    for (let round = 1; ; round++) {
      const snapshot = await SourceSnapshot.take(paths)
      const requested = new Set<string>()
      const { loaded, plugins } = await this.#load(snapshot.contents((path) => requested.add(path), isFirst))
      const found = [...new Set([...this.#named(), ...(loaded.sources ?? []), ...requested])]
      // After a failure, a source that the files named before, but not this time, may hold the correction.
      const all = loaded.graph === undefined ? [...new Set([...paths, ...found])] : found
      if (found.some((path) => !snapshot.has(path)) && round < MOST_ROUNDS) {
        paths = [...new Set([...paths, ...found])]
        continue
      }
      this.#sources = all
      this.#hash = snapshot.hashOf(all)
      if (loaded.graph !== undefined) this.#plugins = plugins
      return { ...loaded, graph: loaded.graph, hash: this.#hash, texts: this.#textsOf(snapshot, requested) }
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
        // An error that a module throws while others are imported, or before the reading is done, is its own.
        const onImport = (code: PluginCode): void => {
          if (!this.#code.has(keyOf(code))) this.#code.set(keyOf(code), code)
        }
        const found = await find({ ...request, onImport })
        for (const each of found.code ?? []) this.#code.set(keyOf(each), each)
        return found
      },
    })
    return { loaded, plugins }
  }

  #named(): readonly string[] {
    return [...new Set([...this.files, ...(this.options.envFiles ?? [])].map((name) => resolve(name)))]
  }

  /** Without env files: they contain passwords, and are read again each time. */
  #textsOf(snapshot: SourceSnapshot, requested: ReadonlySet<string>): ReadonlyMap<string, string> {
    const env = new Set((this.options.envFiles ?? []).map((name) => resolve(name)))
    const paths = [...requested].filter((path) => !env.has(path))
    return new Map(
      paths.flatMap((path) => {
        const text = snapshot.textOf(path)
        return text === undefined ? [] : [[path, text] as const]
      }),
    )
  }
}

function keyOf({ entry, name }: PluginCode): string {
  return entry ?? name
}
