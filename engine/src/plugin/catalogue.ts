// Describes the installed plugins from their manifests: no code of a plugin is run. A plugin without a
// manifest (a module that the YAML names by path, a plugin that is not built) is imported if the caller allows it.
import { readFile } from 'node:fs/promises'
import { findPlugins } from './find-plugins.js'
import type { DiscoverRequest, FoundPlugin, PluginPlace, PluginProblem } from './find-plugins.js'
import { importPlugin } from './discover.js'
import { makeManifest } from './make-manifest.js'
import { describeDefinition, manifestSchema, renderManifest } from './manifest.js'
import type { DescribedDefinition, Manifest } from './manifest.js'
import { DEFINITION_KINDS } from './node-kinds.js'
import { messageOf } from '../errors.js'

/** No manifest is larger. */
const LONGEST_MANIFEST = 4 * 1024 * 1024

export interface CataloguedPlugin {
  readonly name: string
  readonly version: string
  readonly api: string
  readonly place: PluginPlace
  /** Its folder, or the path of its module. */
  readonly path: string
  /** Undefined if nothing is known about it. */
  readonly manifest: Manifest | undefined
}

export interface Catalogue {
  readonly plugins: readonly CataloguedPlugin[]
  readonly problems: readonly PluginProblem[]
}

export interface CatalogueOptions {
  /** `describe` imports plugins without a manifest; `verify` imports all and compares. By default nothing is run. */
  readonly run?: 'describe' | 'verify'
}

/** A type and the plugin that provides it. */
export interface Offered {
  readonly definition: DescribedDefinition
  readonly plugin: CataloguedPlugin
}

/** Never throws because of what it finds: each problem is returned. */
export async function readCatalogue(request: DiscoverRequest, options: CatalogueOptions = {}): Promise<Catalogue> {
  const { found, problems } = await findPlugins(request)
  const faults = [...problems]
  const plugins: CataloguedPlugin[] = []
  for (const plugin of found) {
    const { manifest, problem } = await manifestOf(plugin, options)
    if (problem !== undefined) faults.push({ ...problem, ...plugin.where })
    const { name, place, entry, package: owner } = plugin
    const { version = '', api = '' } = owner ?? {}
    plugins.push({ name, version, api, place, path: owner?.folder ?? entry, manifest })
  }
  return { plugins, problems: faults }
}

/** By kind, then by type. */
export function offeredBy({ plugins }: Catalogue): readonly Offered[] {
  return plugins
    .flatMap((plugin) => (plugin.manifest?.definitions ?? []).map((definition) => ({ definition, plugin })))
    .sort(({ definition: a }, { definition: b }) => {
      return DEFINITION_KINDS.indexOf(a.kind) - DEFINITION_KINDS.indexOf(b.kind) || (a.type < b.type ? -1 : 1)
    })
}

interface Outcome {
  readonly manifest: Manifest | undefined
  readonly problem?: Pick<PluginProblem, 'code' | 'message' | 'severity'>
}

async function manifestOf(plugin: FoundPlugin, { run }: CatalogueOptions): Promise<Outcome> {
  const { name, package: owner } = plugin
  if (owner === undefined) return run === undefined ? { manifest: undefined } : importLocal(plugin)
  const problem = (message: string): NonNullable<Outcome['problem']> => ({
    code: 'PLUGIN_MANIFEST',
    message: `plugin "${name}": ${message}`,
    ...(run === 'verify' ? {} : { severity: 'warning' }),
  })
  const written = await readManifest(owner.manifest)
  if (typeof written === 'string') {
    if (run === undefined) return { manifest: undefined, problem: problem(written) }
  } else if (run !== 'verify') return { manifest: written }
  try {
    const manifest = await makeManifest(owner)
    if (typeof written === 'string') {
      return { manifest, problem: problem(run === 'verify' ? written : `${written}; its code was run instead`) }
    }
    const isSame = renderManifest(written) === renderManifest(manifestSchema.parse(manifest))
    return isSame ? { manifest } : { manifest, problem: problem('the manifest differs from the code') }
  } catch (error) {
    return { manifest: undefined, problem: problem(messageOf(error)) }
  }
}

/** Resolves to the reason, as text, if there is none. */
async function readManifest(path: string | undefined): Promise<Manifest | string> {
  if (path === undefined) return 'its package.json names no manifest'
  try {
    const text = await readFile(path, 'utf8')
    if (text.length > LONGEST_MANIFEST) return `the manifest ${path} is too large`
    const result = manifestSchema.safeParse(JSON.parse(text))
    return result.success ? result.data : `the manifest ${path} does not have the expected form`
  } catch (error) {
    return `the manifest ${path} cannot be read (${messageOf(error)})`
  }
}

async function importLocal(plugin: FoundPlugin): Promise<Outcome> {
  const { definitions, problems } = await importPlugin(plugin)
  const [problem] = problems
  if (problem !== undefined) return { manifest: undefined, problem }
  const described = definitions.map(describeDefinition)
  return { manifest: { api: '', package: plugin.name, version: '', definitions: described, errors: [] } }
}
