// Finds plugins and imports their definitions. Modules of definitions have no side effects.
import { pathToFileURL } from 'node:url'
import type { AnyDefinition } from './auth-definition.js'
import { findPlugins } from './find-plugins.js'
import type { DiscoverRequest, FoundPlugin, PluginProblem, Where } from './find-plugins.js'
import { codeOf, printCode } from './plugin-code.js'
import type { PluginCode } from './plugin-code.js'
import type { PluginErrorCode } from './plugin-errors.js'
import { Registry } from './registry.js'
import { messageOf } from '../errors.js'

export type { DiscoverRequest, PluginProblem, PluginReference } from './find-plugins.js'

export interface Discovered {
  readonly registry: Registry
  readonly problems: readonly PluginProblem[]
  /** For each plugin that was imported. By default nothing is known. */
  readonly code?: readonly PluginCode[]
}

/** The definitions that a module exports, or why it exports none. */
export interface ImportedPlugin {
  readonly definitions: readonly AnyDefinition[]
  readonly problems: readonly PluginProblem[]
}

/** Never throws because of what it finds: each problem is returned. */
export async function discoverPlugins(request: DiscoverRequest): Promise<Discovered> {
  const { found, problems } = await findPlugins(request)
  const registry = new Registry()
  const faults = [...problems]
  const code: PluginCode[] = []
  for (const plugin of found) {
    const print = await printCode(plugin)
    const place = { entry: plugin.entry, folder: plugin.package?.folder }
    request.onImport?.({ ...codeOf(plugin.name, print, []), ...place })
    const imported = await importPlugin(plugin)
    code.push({ ...codeOf(plugin.name, print, imported.definitions), ...place })
    faults.push(...imported.problems)
    for (const definition of imported.definitions) {
      const present = registry.add(definition, plugin.name)
      if (present !== undefined) faults.push(duplicate(definition, present.origin, plugin))
    }
  }
  return { registry, problems: faults, code }
}

/** Runs the module of a plugin. */
export async function importPlugin({ entry, name, where }: FoundPlugin): Promise<ImportedPlugin> {
  const refuse = (code: PluginErrorCode, message: string): ImportedPlugin => ({
    definitions: [],
    problems: [problem(code, message, where)],
  })
  let exported: unknown
  try {
    const module = (await import(pathToFileURL(entry).href)) as { readonly default?: unknown }
    exported = module.default
  } catch (error) {
    return refuse('PLUGIN_IMPORT', `plugin "${name}" fails to load: ${messageOf(error)}`)
  }
  const all: readonly unknown[] = Array.isArray(exported) ? exported : [exported]
  const definitions = all.filter(isDefinition)
  if (definitions.length === all.length) return { definitions, problems: [] }
  return { ...refuse('PLUGIN_INVALID', `plugin "${name}" exports something that is not a definition`), definitions }
}

/** Kinds that have nothing of their own to look at. */
const PLAIN_KINDS: ReadonlySet<unknown> = new Set(['input', 'service', 'auth'])

/** Duck-typed, since a plugin may bring its own copies of the engine and of zod. */
function isDefinition(value: unknown): value is AnyDefinition {
  if (typeof value !== 'object' || value === null) return false
  const { kind, type, options, open, examples, consumes, ports, transport, provides } = value as Readonly<
    Record<string, unknown>
  >
  if (typeof type !== 'string' || typeof open !== 'function' || !Array.isArray(examples) || !isSchema(options)) {
    return false
  }
  if (PLAIN_KINDS.has(kind)) return true
  if (kind === 'listener') return (transport === 'tcp' || transport === 'udp') && typeof provides === 'symbol'
  return Array.isArray(consumes) && (kind === 'output' || (kind === 'transform' && arePorts(ports)))
}

function arePorts(ports: unknown): boolean {
  return Array.isArray(ports) || typeof ports === 'function'
}

function isSchema(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'safeParse' in value && '_zod' in value
}

function duplicate({ kind, type }: AnyDefinition, owner: string, { name, where }: FoundPlugin): PluginProblem {
  const owners = owner === name ? `twice by "${name}"` : `by "${owner}" and by "${name}"`
  return problem('PLUGIN_DUPLICATE_TYPE', `${kind} "${type}" is provided ${owners}`, where)
}

function problem(code: PluginErrorCode, message: string, where: Where): PluginProblem {
  return { code, message, ...where }
}
