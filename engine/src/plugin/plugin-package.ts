// Packages on disk, as far as needed to find plugins: the folder of a name, the contents of package.json, the file to
// import. Node's own resolution can't be used: it hides package.json behind `exports`, and starts from its own file.
import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { readFile, realpath } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { isRecord } from './is-record.js'

/** No package.json that a person wrote is longer. */
const LONGEST_PACKAGE_JSON = 4 * 1024 * 1024
const PLUGIN_KEYWORD = 'millrace-plugin'
const COLLECTION_KEYWORD = 'millrace-plugins'
/** Conditions of `exports` that apply, as for an import by Node. */
const CONDITIONS = ['import', 'node', 'module-sync', 'default']
/** A statement that only an ES module can have, at the beginning of a line. */
const MODULE_SYNTAX = /^\s*(?:import\s*[\w{*'"]|export\s*[\w{*])/m

export interface PluginPackage {
  readonly folder: string
  readonly file: string
  readonly name: string
  /** Empty if there is none. */
  readonly version: string
  readonly isPlugin: boolean
  /** It brings plugins: its dependencies. */
  readonly isCollection: boolean
  /** `millrace.api`. */
  readonly api: string | undefined
  /** Absolute path of the file that `millrace.manifest` names. */
  readonly manifest: string | undefined
  /** Absolute path of the module of `.`. */
  readonly entry: string
  /** Names in `peerDependencies` that are not optional. */
  readonly peers: readonly string[]
  /** Names in `dependencies` and `optionalDependencies`. */
  readonly dependencies: readonly string[]
}

/** The folder of an installed package, looked up as Node does: in node_modules of this folder and those above. */
export function findPackage(name: string, from: string): string | undefined {
  return above(from, (folder) => {
    const candidate = join(folder, 'node_modules', name)
    return existsSync(join(candidate, 'package.json')) ? candidate : undefined
  })
}

/** The nearest folder, this one or above, that has a package.json. */
export function nearestPackage(from: string): string | undefined {
  return above(from, (folder) => (existsSync(join(folder, 'package.json')) ? folder : undefined))
}

/**
 * The folder of the package that started the engine: the one whose command runs, if it brings plugins; else the one that
 * the engine is installed in. Undefined if there is none.
 */
export function findStarterPackage(): string | undefined {
  const own = nearestPackage(dirname(fileURLToPath(import.meta.url)))
  const started = packageOfCommand()
  if (started !== undefined && started !== own && bringsPlugins(started)) return started
  return own === undefined ? undefined : nearestPackage(dirname(own))
}

function packageOfCommand(): string | undefined {
  try {
    // npm links commands.
    return nearestPackage(dirname(realpathSync(process.argv[1] ?? '')))
  } catch {
    return undefined
  }
}

function bringsPlugins(folder: string): boolean {
  try {
    const json: unknown = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    return isRecord(json) && Array.isArray(json['keywords']) && json['keywords'].includes(COLLECTION_KEYWORD)
  } catch {
    return false
  }
}

/** Reads the package.json of a folder. Throws if it can't be read or parsed. */
export async function readPackage(folder: string): Promise<PluginPackage> {
  const real = await realpath(folder)
  const file = join(real, 'package.json')
  const text = await readFile(file, 'utf8')
  if (text.length > LONGEST_PACKAGE_JSON) throw new Error('the file is too large')
  const json: unknown = JSON.parse(text)
  if (!isRecord(json)) throw new Error('it is not a JSON object')
  const { name, version, keywords } = json
  const { api, manifest } = isRecord(json['millrace']) ? json['millrace'] : {}
  return {
    folder: real,
    file,
    name: typeof name === 'string' ? name : real,
    version: typeof version === 'string' ? version : '',
    isPlugin: Array.isArray(keywords) && keywords.includes(PLUGIN_KEYWORD),
    isCollection: Array.isArray(keywords) && keywords.includes(COLLECTION_KEYWORD),
    api: typeof api === 'string' ? api : undefined,
    manifest: typeof manifest === 'string' ? join(real, manifest) : undefined,
    entry: join(real, entryOf(json)),
    peers: keysOf(json['peerDependencies']).filter((peer) => !isOptionalPeer(json, peer)),
    dependencies: [...keysOf(json['dependencies']), ...keysOf(json['optionalDependencies'])],
  }
}

/** Whether Node treats a module as CommonJS: by its extension, by the package around it, or else by its syntax. */
export async function isCommonJs(path: string): Promise<boolean> {
  if (!path.endsWith('.js')) return path.endsWith('.cjs')
  const enclosing = nearestPackage(dirname(path))
  const json: unknown =
    enclosing === undefined ? {} : JSON.parse(await readFile(join(enclosing, 'package.json'), 'utf8'))
  if (isRecord(json) && json['type'] === 'module') return false
  if (isRecord(json) && json['type'] === 'commonjs') return true
  return !MODULE_SYNTAX.test(await readFile(path, 'utf8'))
}

function isOptionalPeer(json: Readonly<Record<string, unknown>>, peer: string): boolean {
  const all = json['peerDependenciesMeta']
  const one = isRecord(all) ? all[peer] : undefined
  return isRecord(one) && one['optional'] === true
}

function entryOf(json: Readonly<Record<string, unknown>>): string {
  const { exports, main } = json
  const root = isRecord(exports) && '.' in exports ? exports['.'] : exports
  return targetOf(root) ?? (typeof main === 'string' ? main : 'index.js')
}

function targetOf(target: unknown): string | undefined {
  if (typeof target === 'string') return target
  if (!isRecord(target)) return undefined
  for (const [condition, inner] of Object.entries(target)) {
    const found = CONDITIONS.includes(condition) ? targetOf(inner) : undefined
    if (found !== undefined) return found
  }
  return undefined
}

function above(from: string, look: (folder: string) => string | undefined): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const found = look(folder)
    if (found !== undefined) return found
    if (dirname(folder) === folder) return undefined
  }
}

function keysOf(value: unknown): readonly string[] {
  return isRecord(value) ? Object.keys(value) : []
}
