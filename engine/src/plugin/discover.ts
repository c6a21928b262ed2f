// Finds plugins and imports their definitions, in this order: what `plugins:` of the YAML names, the dependencies of the
// package.json nearest to the YAML, the dependencies of the package that started the engine. A dependency is a plugin if
// its package.json has the keyword `millrace-plugin`. Modules of definitions have no side effects.
import { existsSync, statSync } from 'node:fs'
import { dirname, isAbsolute, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Definition } from './contract.js'
import type { PluginErrorCode } from './plugin-errors.js'
import { findPackage, nearestPackage, readPackage } from './plugin-package.js'
import type { PluginPackage } from './plugin-package.js'
import { Registry } from './registry.js'

/** Version of the plugin contract: a plugin says in `millrace.api` which it was written for. */
export const PLUGIN_API = { major: 1, minor: 0 } as const

/** An entry of `plugins:`: the name of a package, or a path that starts with `./`, `../` or `/`. */
export interface PluginReference {
  readonly name: string
  /** Folder of the YAML file that names it. */
  readonly folder: string
}

export interface DiscoverRequest {
  readonly yamlFiles: readonly string[]
  readonly plugins: readonly PluginReference[]
  /** Folder of the package that started the engine. */
  readonly starterPackage: string | undefined
}

export interface PluginProblem {
  readonly code: PluginErrorCode
  readonly message: string
  /** The entry of `plugins:` behind it; else `listedIn` says which package.json has the dependency. */
  readonly reference?: PluginReference
  readonly listedIn?: string
  /** The dependency's name. */
  readonly dependency?: string
}

export interface Discovered {
  readonly registry: Registry
  readonly problems: readonly PluginProblem[]
}

type Where = Pick<PluginProblem, 'reference' | 'listedIn' | 'dependency'>

/** Never throws for what it finds: each problem is returned. */
export async function discoverPlugins(request: DiscoverRequest): Promise<Discovered> {
  const search = new Search()
  for (const reference of request.plugins) await search.named(reference, request.starterPackage)
  const listing = new Set<string>()
  for (const file of request.yamlFiles) {
    const nearest = nearestPackage(dirname(resolve(file)))
    if (nearest !== undefined) listing.add(nearest)
  }
  if (request.starterPackage !== undefined) listing.add(request.starterPackage)
  for (const folder of listing) await search.dependenciesOf(folder)
  return { registry: search.registry, problems: search.problems }
}

/** Whether `millrace.api` of a plugin allows this engine: `^1.0`, `1.0`, `1.x`, alternatives with `||`. */
export function fitsApi(range: string): boolean {
  return range.split('||').some((part) => {
    const match = /^(\^?)v?(\d{1,6})(?:\.(\d{1,6}|x|\*))?(?:\.(\d{1,6}|x|\*))?$/.exec(part.trim())
    if (match === null || Number(match[2]) !== PLUGIN_API.major) return false
    const minor = Number(match[3])
    if (Number.isNaN(minor)) return true
    return match[1] === '^' ? minor <= PLUGIN_API.minor : minor === PLUGIN_API.minor
  })
}

class Search {
  readonly registry = new Registry()
  readonly problems: PluginProblem[] = []
  /** What was found first wins: names of packages and paths of modules. */
  readonly #seen = new Set<string>()

  async named(reference: PluginReference, starterPackage: string | undefined): Promise<void> {
    const { name, folder } = reference
    if (isPath(name)) return this.#local(resolve(folder, name), reference)
    const places = starterPackage === undefined ? [folder] : [folder, starterPackage]
    const found = places.map((place) => findPackage(name, place)).find((place) => place !== undefined)
    if (found !== undefined) return this.#package(found, { reference })
    this.#problem('PLUGIN_NOT_FOUND', `plugin "${name}" is not installed in ${folder} or above`, { reference })
  }

  async dependenciesOf(folder: string): Promise<void> {
    const listing = await this.#read(folder, {})
    for (const dependency of listing?.dependencies ?? []) {
      if (listing === undefined || this.#seen.has(dependency)) continue
      const found = findPackage(dependency, listing.folder)
      // npm says what is missing among dependencies; a node that needs it is reported as an unknown type.
      if (found !== undefined) await this.#package(found, { listedIn: listing.file, dependency })
    }
  }

  async #local(path: string, reference: PluginReference): Promise<void> {
    if (!existsSync(path)) {
      return this.#problem('PLUGIN_NOT_FOUND', `plugin "${reference.name}" does not exist`, { reference })
    }
    if (statSync(path).isDirectory()) return this.#package(path, { reference })
    await this.#import(path, reference.name, { reference })
  }

  async #package(folder: string, where: Where): Promise<void> {
    const found = await this.#read(folder, where)
    if (found === undefined || (where.reference === undefined && !found.isPlugin)) return
    if (this.#seen.has(found.name)) return
    this.#seen.add(found.name)
    const { name, api } = found
    const expected = `^${PLUGIN_API.major}.${PLUGIN_API.minor}`
    if (api === undefined) {
      return this.#problem('PLUGIN_API', `plugin "${name}" has no "millrace": { "api": "${expected}" }`, where)
    }
    if (!fitsApi(api)) {
      const offered = `${PLUGIN_API.major}.${PLUGIN_API.minor}`
      return this.#problem('PLUGIN_API', `plugin "${name}" wants API ${api}, this engine has ${offered}`, where)
    }
    await this.#import(found.entry, name, where)
  }

  async #read(folder: string, where: Where): Promise<PluginPackage | undefined> {
    try {
      return await readPackage(folder)
    } catch (error) {
      const message = `cannot read ${folder}/package.json: ${textOf(error)}`
      this.#problem('PLUGIN_PACKAGE_JSON', message, { listedIn: `${folder}/package.json`, ...where })
      return undefined
    }
  }

  async #import(path: string, origin: string, where: Where): Promise<void> {
    if (this.#seen.has(path)) return
    this.#seen.add(path)
    let exported: unknown
    try {
      const module = (await import(pathToFileURL(path).href)) as { readonly default?: unknown }
      exported = module.default
    } catch (error) {
      return this.#problem('PLUGIN_IMPORT', `plugin "${origin}" fails to load: ${textOf(error)}`, where)
    }
    const definitions: readonly unknown[] = Array.isArray(exported) ? exported : [exported]
    for (const definition of definitions) this.#register(definition, origin, where)
  }

  #register(definition: unknown, origin: string, where: Where): void {
    if (!isDefinition(definition)) {
      return this.#problem('PLUGIN_INVALID', `plugin "${origin}" exports something that is no definition`, where)
    }
    const present = this.registry.add(definition, origin)
    if (present === undefined) return
    const what = `${definition.kind} "${definition.type}"`
    const owners = present.origin === origin ? `twice by "${origin}"` : `by "${present.origin}" and by "${origin}"`
    this.#problem('PLUGIN_DUPLICATE_TYPE', `${what} is provided ${owners}`, where)
  }

  #problem(code: PluginErrorCode, message: string, where: Where): void {
    this.problems.push({ code, message, ...where })
  }
}

/** Duck-typed, since a plugin may bring its own copies of the engine and of zod. */
export function isDefinition(value: unknown): value is Definition {
  if (typeof value !== 'object' || value === null) return false
  const { kind, type, options, open, examples, consumes, ports } = value as Readonly<Record<string, unknown>>
  if (typeof type !== 'string' || typeof open !== 'function' || !Array.isArray(examples) || !isSchema(options)) {
    return false
  }
  if (kind === 'input' || kind === 'service') return true
  return Array.isArray(consumes) && (kind === 'output' || (kind === 'transform' && Array.isArray(ports)))
}

function isSchema(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'safeParse' in value && '_zod' in value
}

function isPath(name: string): boolean {
  return name.startsWith('./') || name.startsWith('../') || isAbsolute(name)
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
