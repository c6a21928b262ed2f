// Finds plugins without running any of them, in this order: those that `plugins:` of the YAML names, dependencies of
// the package.json nearest to the YAML, dependencies of the package that started the engine. A dependency is a plugin
// if its package.json has the keyword `millrace-plugin`; with `millrace-plugins`, its dependencies are looked at.
import { existsSync, statSync } from 'node:fs'
import { dirname, isAbsolute, resolve } from 'node:path'
import { checkPackage } from './check-package.js'
import type { PluginCode } from './plugin-code.js'
import type { PluginErrorCode } from './plugin-errors.js'
import { findPackage, isCommonJs, nearestPackage, readPackage } from './plugin-package.js'
import type { PluginPackage } from './plugin-package.js'
import { messageOf } from '../errors.js'

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
  /** Called just before the module of a plugin is imported: its code may throw from then on. By default nothing. */
  onImport?(code: PluginCode): void
}

export interface PluginProblem {
  readonly code: PluginErrorCode
  readonly message: string
  /** The plugin works nevertheless, even if the YAML names it. By default it does not. */
  readonly severity?: 'warning'
  /** The entry of `plugins:` that caused it; if there is none, `listedIn` is the package.json with the dependency. */
  readonly reference?: PluginReference
  readonly listedIn?: string
  /** The dependency's name. */
  readonly dependency?: string
}

/** Where a plugin was found. */
export type PluginPlace = 'yaml' | 'beside' | 'starter'

export type Where = Pick<PluginProblem, 'reference' | 'listedIn' | 'dependency'>

export interface FoundPlugin {
  /** The package's name, or the path as written in the YAML. */
  readonly name: string
  readonly place: PluginPlace
  readonly where: Where
  /** Absolute path of its module. */
  readonly entry: string
  /** Undefined for a module that the YAML names by path. */
  readonly package: PluginPackage | undefined
}

export interface FoundPlugins {
  /** Plugins that this engine can load. */
  readonly found: readonly FoundPlugin[]
  readonly problems: readonly PluginProblem[]
}

/** Never throws because of what it finds: each problem is returned. */
export async function findPlugins(request: DiscoverRequest): Promise<FoundPlugins> {
  const search = new Search()
  for (const reference of request.plugins) await search.named(reference, request.starterPackage)
  const beside = request.yamlFiles.flatMap((file) => nearestPackage(dirname(resolve(file))) ?? [])
  for (const folder of new Set(beside)) await search.dependenciesOf(folder, 'beside')
  const { starterPackage } = request
  if (starterPackage !== undefined && !beside.includes(starterPackage)) {
    await search.dependenciesOf(starterPackage, 'starter')
  }
  return search
}

class Search implements FoundPlugins {
  readonly found: FoundPlugin[] = []
  readonly problems: PluginProblem[] = []
  /** Names of packages and paths of modules; the first one found wins. */
  readonly #seen = new Set<string>()

  async named(reference: PluginReference, starterPackage: string | undefined): Promise<void> {
    const { name, folder } = reference
    if (isPath(name)) return this.#local(resolve(folder, name), reference)
    const places = starterPackage === undefined ? [folder] : [folder, starterPackage]
    const found = places.map((place) => findPackage(name, place)).find((place) => place !== undefined)
    if (found !== undefined) return this.#package(found, 'yaml', { reference })
    this.#problem('PLUGIN_NOT_FOUND', `plugin "${name}" is not installed in ${folder} or above`, { reference })
  }

  async dependenciesOf(folder: string, place: PluginPlace): Promise<void> {
    const listing = await this.#read(folder, {})
    for (const dependency of listing?.dependencies ?? []) {
      if (listing === undefined || this.#seen.has(dependency)) continue
      const found = findPackage(dependency, listing.folder)
      // npm reports missing dependencies; a node that needs one is reported as an unknown type.
      if (found === undefined) continue
      if (await this.#isCollection(found)) await this.dependenciesOf(found, place)
      else await this.#package(found, place, { listedIn: listing.file, dependency })
    }
  }

  /** A package that brings plugins, such as `millrace`. Its dependencies are looked at once. */
  async #isCollection(folder: string): Promise<boolean> {
    const found = await readPackage(folder).catch(() => undefined)
    return found?.isCollection === true && this.#isNew(found.folder)
  }

  async #local(path: string, reference: PluginReference): Promise<void> {
    const { name } = reference
    if (!existsSync(path)) {
      return this.#problem('PLUGIN_NOT_FOUND', `plugin "${name}" does not exist`, { reference })
    }
    if (statSync(path).isDirectory()) return this.#package(path, 'yaml', { reference })
    if (this.#isNew(path))
      await this.#add({ name, place: 'yaml', where: { reference }, entry: path, package: undefined })
  }

  async #package(folder: string, place: PluginPlace, where: Where): Promise<void> {
    const found = await this.#read(folder, where)
    if (found === undefined || (where.reference === undefined && !found.isPlugin)) return
    if (!this.#isNew(found.name)) return
    const faults = await checkPackage(found)
    for (const { code, message, severity } of faults) {
      this.problems.push({ code, message, ...where, ...(severity === undefined ? {} : { severity }) })
    }
    if (faults.some(({ severity }) => severity !== 'warning')) return
    const { name, entry } = found
    if (this.#isNew(entry)) await this.#add({ name, place, where, entry, package: found })
  }

  async #add(found: FoundPlugin): Promise<void> {
    const { name, entry, where } = found
    try {
      if (!existsSync(entry)) {
        this.#problem('PLUGIN_IMPORT', `plugin "${name}" has no ${entry}`, where)
      } else if (await isCommonJs(entry)) {
        this.#problem('PLUGIN_COMMONJS', `plugin "${name}" is a CommonJS module: ${entry}`, where)
      } else this.found.push(found)
    } catch (error) {
      this.#problem('PLUGIN_IMPORT', `plugin "${name}" cannot be read: ${messageOf(error)}`, where)
    }
  }

  async #read(folder: string, where: Where): Promise<PluginPackage | undefined> {
    try {
      return await readPackage(folder)
    } catch (error) {
      const message = `cannot read ${folder}/package.json: ${messageOf(error)}`
      this.#problem('PLUGIN_PACKAGE_JSON', message, { listedIn: `${folder}/package.json`, ...where })
      return undefined
    }
  }

  #isNew(name: string): boolean {
    const isNew = !this.#seen.has(name)
    this.#seen.add(name)
    return isNew
  }

  #problem(code: PluginErrorCode, message: string, where: Where): void {
    this.problems.push({ code, message, ...where })
  }
}

function isPath(name: string): boolean {
  return name === '.' || name === '..' || name.startsWith('./') || name.startsWith('../') || isAbsolute(name)
}
