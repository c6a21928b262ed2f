// Loads YAML files into a checked graph. The mistakes of all files are reported at once, and only a configuration
// without mistakes becomes a graph. Nothing is opened or bound here; plugin modules are imported for their definitions.
import { discoverPlugins } from '../plugin/discover.js'
import type { Discovered } from '../plugin/discover.js'
import { ProgramInspector } from '../processes/program-inspector.js'
import { findStarterPackage } from '../plugin/plugin-package.js'
import type { Registry } from '../plugin/registry.js'
import type { Graph, Pipeline } from '../graph/graph.js'
import { checkAddresses } from './section/check-addresses.js'
import { checkExclusive } from './section/check-exclusive.js'
import { checkOffers } from './section/check-offers.js'
import { checkWarnings } from './section/check-warnings.js'
import { checkFiles } from './section/check-files.js'
import { checkPrograms } from './section/check-programs.js'
import { checkListenerNames } from './section/check-listener-names.js'
import { Problems } from './report/diagnostic.js'
import type { Diagnostic } from './report/diagnostic.js'
import { type DraftNode, type DraftPipeline, titleOf } from './section/draft-node.js'
import { linkPipeline, settingsOf } from './section/link-nodes.js'
import { checkAuthNames, readAuth } from './section/read-auth.js'
import { readDefaults } from './section/read-defaults.js'
import { readEngine } from './section/read-engine.js'
import { copyingNodes } from './section/pattern-pipeline.js'
import type { CopySources } from './section/pattern-pipeline.js'
import { readPipelines, readServices } from './section/read-pipelines.js'
import { readPlugins, reportDiscovered } from './section/read-plugins.js'
import { checkKeys, mapOf } from './source/read-section.js'
import { readTrees, sectionsOf, sourceNames } from './read-trees.js'
import type { LoadOptions, Tree } from './read-trees.js'
import { TimeSlice } from './source/time-slice.js'
import { placeOf } from './source/yaml-tree.js'
import type { YamlEntry, YamlMap, YamlScalar, YamlValue } from './source/yaml-tree.js'

export type { LoadOptions }

const VERSION = 1
const ROOT_KEYS = [
  'version',
  'include',
  'engine',
  'listeners',
  'auth',
  'secrets',
  'defaults',
  'services',
  'plugins',
  'templates',
  'pipelines',
]

export interface LoadedConfig {
  /** Undefined if there is an error. */
  readonly graph?: Graph
  readonly diagnostics: readonly Diagnostic[]
  /**
   * Absolute paths of everything the result depends on, whether or not it exists or could be read: the files, those
   * that they include, the folders that `include` searches, and the files of secrets and variables.
   */
  readonly sources: readonly string[]
}

/** The graph, of use only without mistakes, and the nodes as they were read. */
interface Built {
  readonly graph: Graph
  readonly nodes: readonly DraftNode[]
}

/** A file that could be read as a map. */
interface Root extends Tree {
  readonly root: YamlMap
}

/** Reads and checks the files and merges them into one graph. Never throws because of their content. */
export async function loadConfig(files: readonly string[], options: LoadOptions): Promise<LoadedConfig> {
  const problems = new Problems()
  const names = [...new Set(files)]
  const read = await readTrees(names, options, problems.mask, problems)
  const roots = read.trees.flatMap((tree) => readRoot(tree, problems) ?? [])
  const { registry, code } = await findPlugins(roots, options, problems)
  const isWhole = read.isWhole && roots.length === read.trees.length
  const { graph, nodes } = await buildGraph(read.names, roots, isWhole, registry, problems)
  const { noEnv = false, listFolder, ignoresMissingFiles = noEnv || listFolder !== undefined } = options
  if (!ignoresMissingFiles) {
    await checkFiles(problems)
    const { inspector = new ProgramInspector(), ignoresMissingPrograms = false } = options
    if (!ignoresMissingPrograms) await checkPrograms(nodes, { named: graph.engine.programs ?? {}, inspector, problems })
  }
  const { sources } = read
  const diagnostics = problems.list(sourceNames([...new Set([...read.names, ...names])], options))
  if (problems.hasErrors) return { diagnostics, sources }
  return { graph: code === undefined ? graph : { ...graph, plugins: code }, diagnostics, sources }
}

function readRoot({ file, root, isIncluded }: Tree, problems: Problems): Root | undefined {
  const start = { file, start: 0, end: 1 }
  const map = mapOf({ key: start, value: isBlank(root) ? { ...root, unresolved: false } : root }, 'the file', problems)
  if (map === undefined) return undefined
  checkKeys(map, ROOT_KEYS, 'the file', problems)
  const version = map.entries.get('version')
  if (version === undefined) {
    if (!isIncluded) problems.report('CONFIG_VERSION', start, 'the file does not state its format version')
  } else if (!isVersion(version)) {
    const message = `this engine reads format version ${VERSION}`
    problems.report('CONFIG_VERSION', placeOf(version), message, { help: `write version: ${VERSION}` })
  }
  return { file, root: map, isIncluded }
}

async function findPlugins(roots: readonly Root[], options: LoadOptions, problems: Problems): Promise<Discovered> {
  const references = readPlugins(sectionsOf(roots, 'plugins'), problems)
  const discover = options.plugins ?? discoverPlugins
  const discovered = await discover({
    yamlFiles: roots.map(({ file }) => file.path),
    plugins: references,
    starterPackage: findStarterPackage(),
  })
  reportDiscovered(discovered, references, problems)
  return discovered
}

async function buildGraph(
  files: readonly string[],
  roots: readonly Root[],
  isWhole: boolean,
  registry: Registry,
  problems: Problems,
): Promise<Built> {
  const [first] = roots
  const defaults = readDefaults(sectionsOf(roots, 'defaults'), registry, problems)
  const sections = [sectionsOf(roots, 'engine'), sectionsOf(roots, 'listeners')] as const
  const sockets = readEngine(...sections, first?.file, { registry, defaults, problems })
  const auth = readAuth(sectionsOf(roots, 'auth'), { isWhole, registry, problems })
  const services = readServices(sectionsOf(roots, 'services'), { registry, defaults, problems })
  const drafts = await readPipelines(sectionsOf(roots, 'pipelines'), { registry, defaults, problems })
  if (isWhole && first !== undefined && drafts.length === 0) reportEmpty(roots, first, problems)
  const pipelines: Pipeline[] = []
  const slice = new TimeSlice()
  for (const pipeline of drafts) {
    const linked = linkPipeline({ pipeline, pipelines: drafts, registry, problems })
    pipelines.push(withCopies(linked, pipeline, { registry, defaults, mask: problems.mask }))
    await slice.yieldIfUsed()
  }
  await slice.yieldNow()
  const nodes = [...services, ...drafts.flatMap((pipeline: DraftPipeline) => pipeline.nodes)]
  // A file that could not be read may declare the listener.
  const naming = nodes.map(({ kind, name, listeners }) => ({ title: titleOf(kind, name), listeners }))
  if (isWhole) checkListenerNames([...naming, ...auth.naming], sockets.protocols, problems)
  if (isWhole) checkAuthNames(nodes, auth, problems)
  checkAddresses(sockets.listeners, nodes, problems)
  checkExclusive(nodes, problems)
  checkOffers(nodes, problems)
  checkWarnings(nodes, sockets.listeners, sockets.nodes, problems)
  const graph = {
    files,
    engine: sockets.engine,
    listeners: sockets.listeners.map(({ settings }) => settings),
    auth: auth.settings,
    services: [...sockets.nodes, ...services].flatMap((node) => settingsOf(node, problems.mask) ?? []),
    pipelines,
    secrets: problems.mask,
  }
  return { graph, nodes: [...sockets.nodes, ...nodes] }
}

function withCopies(linked: Pipeline, { pattern }: DraftPipeline, sources: CopySources): Pipeline {
  if (pattern === undefined) return linked
  const nodes = copyingNodes(linked, pattern.map, sources)
  return { ...linked, nodes, pattern: { input: pattern.input.id } }
}

function reportEmpty(roots: readonly Root[], first: Root, problems: Problems): void {
  const [section] = sectionsOf(roots, 'pipelines')
  // Entries with mistakes have been reported already.
  if (section !== undefined && section.value.kind === 'map' && section.value.entries.size > 0) return
  if (section !== undefined && section.value.kind !== 'map' && !isBlank(section.value)) return
  const place = section?.key ?? { file: first.file, start: 0, end: 1 }
  problems.report('CONFIG_EMPTY', place, 'the configuration has no pipeline')
}

function isBlank(value: YamlValue): value is YamlScalar {
  return value.kind === 'scalar' && value.value === null
}

function isVersion({ value }: YamlEntry): boolean {
  return value.kind === 'scalar' && (value.unresolved || value.value === VERSION)
}
