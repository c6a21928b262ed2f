// Generates what comes from the code: deploy/systemd/millrace.service, docs/errors.md, docs/metrics.md, docs/plugin-api.md, docs/nodes,
// and the marked regions of docs/access.md, docs/listeners.md, docs/hot-reload.md, docs/plugin-tests.md, docs/dashboard.md and of each
// plugin's README. Reads compiled code, so build first.
// `--check` writes nothing, and fails naming the files that are stale.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { format, resolveConfig } from 'prettier'
import {
  nodePageName,
  renderDashboardKeys,
  renderErrorsPage,
  renderHlsRules,
  renderMetricsPage,
  renderNodeIndex,
  renderNodePage,
  renderPluginRegions,
  renderReloadRegion,
  renderSettingsRegions,
} from './docs-pages.mjs'
import { fail } from './prepare.mjs'
import { renderPluginApi } from './plugin-api.mjs'
import { ROOT, listFiles, listPlugins } from './repository.mjs'

const CHECK = process.argv.includes('--check')

const { DEFINITION_KINDS } = await load('engine/dist/plugin/node-kinds.js')

const plugins = await Promise.all(listPlugins().map(loadPlugin))
const engine = { name: '@millrace/engine', errors: await loadErrors('engine') }

const stale = []
await put('docs/errors.md', renderErrorsPage([engine, ...plugins]))
await put('docs/metrics.md', renderMetricsPage(await loadEngineMetrics(), plugins))
for (const plugin of plugins) {
  const path = join(plugin.folder, 'README.md')
  await put(path, fillRegions(path, renderPluginRegions(plugin, plugin.describeOptions)))
}
await putHlsRules()
await putPluginApi()
await putSuites()
await putSettings()
await putAccess()
await putReload()
await putNodes()
await putDashboard()
await putUnit()
if (CHECK && stale.length > 0) fail(`stale, run \`npm run build && npm run docs\`: ${stale.join(' ')}`)

/** The systemd unit of an engine that is installed globally. */
async function putUnit() {
  const { systemdUnit } = await load('engine/dist/cli/systemd-unit.js')
  const first = 'As root, after `npm install --global millrace`:'
  await put('deploy/systemd/millrace.service', systemdUnit({ folder: '/etc/millrace', command: 'engine', first }))
}

/** The rules of `engine probe`. */
async function putHlsRules() {
  const { RULE_GROUPS, TS_PLAYERS } = await load('media/dist/hls/index.js')
  await put('docs/hls-rules.md', renderHlsRules(RULE_GROUPS, TS_PLAYERS))
}

/** The contract of plugins. */
async function putPluginApi() {
  const { PLUGIN_API } = await load('engine/dist/plugin/api-version.js')
  await put('docs/plugin-api.md', renderPluginApi(`${PLUGIN_API.major}.${PLUGIN_API.minor}`))
}

/** The keys of the dashboard. */
async function putDashboard() {
  const { COMMAND_TABLE } = await load('tui/dist/index.js')
  const path = 'docs/dashboard.md'
  await put(path, fillRegions(path, { keys: renderDashboardKeys(COMMAND_TABLE) }))
}

/** What the contract kit checks, by kind. */
async function putSuites() {
  const path = 'docs/plugin-tests.md'
  const { nodeSuite } = await load('engine/dist/testing/contract/node-suite.js')
  const suites = { node: { ...nodeSuite, stress: [] } }
  for (const kind of DEFINITION_KINDS) {
    const { [`${kind}Suite`]: suite } = await load(`engine/dist/testing/contract/${kind}-suite.js`)
    const isOwn = (check) => !Object.values(nodeSuite).flat().includes(check)
    const parts = Object.entries(suite).map(([part, checks]) => [part, checks.filter(isOwn)])
    suites[kind] = Object.fromEntries(parts)
  }
  const regions = Object.entries(suites).map(([kind, suite]) => [kind, renderSuite(suite)])
  await put(path, fillRegions(path, Object.fromEntries(regions)))
}

function renderSuite(suite) {
  return Object.entries(suite)
    .flatMap(([part, checks]) => checks.map(({ title }) => `- **${part}**: ${title}`))
    .join('\n')
}

/** The tables of options that the engine itself reads: listeners, its own settings, and the keys of every input. */
async function putSettings() {
  const { ENGINE_SCHEMA } = await load('engine/dist/config/section/settings.js')
  const { listenerSchema } = await load('engine/dist/config/section/listener-schema.js')
  const { INPUT_SCHEMA, PUBLISHED_SCHEMA } = await load('engine/dist/config/section/engine-keys.js')
  const { describeOptions } = await load('engine/dist/plugin/index.js')
  const path = 'docs/listeners.md'
  const schemas = {
    listener: listenerSchema('http'),
    'stream-listener': listenerSchema('any', 'tcp'),
    'datagram-listener': listenerSchema('any', 'udp'),
    engine: ENGINE_SCHEMA,
    input: INPUT_SCHEMA,
  }
  await put(path, fillRegions(path, renderSettingsRegions(schemas, describeOptions)))
  const published = 'docs/pattern-pipelines.md'
  await put(published, fillRegions(published, renderSettingsRegions({ published: PUBLISHED_SCHEMA }, describeOptions)))
}

/** The tables of auth providers: their own options, and those that all have. */
async function putAccess() {
  const { AUTH_SCHEMAS, PROVIDER_SCHEMA } = await load('engine/dist/access/auth-schema.js')
  const { describeOptions } = await load('engine/dist/plugin/index.js')
  const path = 'docs/access.md'
  const regions = renderSettingsRegions({ provider: PROVIDER_SCHEMA, ...AUTH_SCHEMAS }, describeOptions)
  await put(path, fillRegions(path, regions))
}

/** The table of options by reload class. */
async function putReload() {
  const { ENGINE_SCHEMA } = await load('engine/dist/config/section/settings.js')
  const { listenerSchema } = await load('engine/dist/config/section/listener-schema.js')
  const { describeOptions } = await load('engine/dist/plugin/index.js')
  const owners = [
    { name: '`engine:`', schema: ENGINE_SCHEMA },
    { name: '`listeners:`', schema: listenerSchema('http') },
    ...sortNodes().map(({ definition }) => ({
      name: `${definition.kind} [${definition.type}](nodes/${nodePageName(definition)})`,
      schema: definition.options,
    })),
  ]
  const path = 'docs/hot-reload.md'
  await put(path, fillRegions(path, { options: renderReloadRegion(owners, describeOptions) }))
}

/** A page for each node and an index; removes pages of nodes that no longer exist. */
async function putNodes() {
  const { inputSchemaOf } = await load('engine/dist/config/section/engine-keys.js')
  const { listenerSchema } = await load('engine/dist/config/section/listener-schema.js')
  const { PROVIDER_SCHEMA } = await load('engine/dist/access/auth-schema.js')
  const { describeOptions } = await load('engine/dist/plugin/index.js')
  const nodes = sortNodes()
  const ofProviders = describeOptions(PROVIDER_SCHEMA)
  for (const node of nodes) {
    const { kind, type, transport } = node.definition
    const schema = kind === 'listener' ? listenerSchema(type, transport) : inputSchemaOf(node.definition)
    const rows = kind === 'auth' ? ofProviders : engineRows(node.definition, describeOptions(schema))
    await put(join('docs/nodes', nodePageName(node.definition)), renderNodePage(node, describeOptions, rows))
  }
  await put('docs/nodes/README.md', renderNodeIndex(nodes))
  const wanted = new Set(['README.md', ...nodes.map(({ definition }) => nodePageName(definition))])
  for (const path of listFiles('docs/nodes', (file) => !wanted.has(basename(file)))) {
    if (CHECK) stale.push(path)
    else rmSync(join(ROOT, path))
  }
}

/** Every node with its plugin, by kind, then by type. */
function sortNodes() {
  return plugins
    .flatMap((plugin) => plugin.definitions.map((definition) => ({ definition, plugin })))
    .sort(({ definition: a }, { definition: b }) => {
      return DEFINITION_KINDS.indexOf(a.kind) - DEFINITION_KINDS.indexOf(b.kind) || (a.type < b.type ? -1 : 1)
    })
}

/** Rows of the keys that the engine reads on a node. */
function engineRows({ kind, inlets }, own) {
  const described = own.filter(({ path }) => ['input', 'listener'].includes(kind) || path === 'description')
  if (inlets === undefined) return described
  const from = {
    path: 'from',
    kind: inlets === 'many' ? 'id, id.port, or a list of them' : 'id or id.port',
    range: '',
    required: true,
    description: 'The nodes of the same pipeline that it reads.',
    reload: 'swap',
  }
  return [from, ...described]
}

async function loadPlugin({ folder, manifest }) {
  const { default: exported } = await load(join(folder, 'dist/index.js'))
  const { describeOptions } = await load('engine/dist/plugin/index.js')
  const errors = await loadErrors(folder)
  return { folder, name: manifest.name, definitions: [exported].flat(), errors, describeOptions }
}

/** All rows of the error tables that a package exports: results of `defineErrors`, and tables named `..._ERRORS`. */
async function loadErrors(folder) {
  const sources = listFiles(join(folder, 'src'), (path) => /^(.*-)?errors\.ts$/.test(basename(path)))
  const modules = await Promise.all(sources.map((path) => load(path.replace('/src/', '/dist/').replace(/ts$/, 'js'))))
  return modules
    .flatMap((module) => Object.entries(module))
    .flatMap(([name, value]) => Object.entries(value?.table ?? (name.endsWith('_ERRORS') ? value : {})))
    .map(([code, row]) => ({ code, ...row }))
}

/** Declarations of all metrics of the engine itself: those of every node, and those of a registry without nodes. */
async function loadEngineMetrics() {
  const { MetricsRegistry } = await load('engine/dist/observe/metrics-registry.js')
  const { withDefaultMetrics } = await load('engine/dist/observe/default-metrics.js')
  const { addProcessMetrics } = await load('engine/dist/observe/process-metrics.js')
  const { EventLoopLag } = await load('engine/dist/observe/event-loop-lag.js')
  const { CORE_METRICS, CORE_HISTOGRAMS, RELOAD_HISTOGRAM } = await load('engine/dist/observe/core-metrics.js')
  const declared = []
  class DeclaringRegistry extends MetricsRegistry {
    add(declaration, labels, read) {
      declared.push({ ...declaration, labels: Object.keys(labels) })
      return super.add(declaration, labels, read)
    }
    addUnprefixed(declaration) {
      declared.push(declaration)
    }
    adopt({ name, type, help, labelNames }) {
      declared.push({ name, kind: type, help, labels: labelNames })
    }
  }
  const registry = withDefaultMetrics(new DeclaringRegistry())
  addProcessMetrics(registry)
  new EventLoopLag().addTo(registry, { every: () => undefined })
  const ofNodes = CORE_HISTOGRAMS.map((one) => ({ ...one, kind: 'histogram', labels: ['pipeline', 'node', 'type'] }))
  const histograms = [...ofNodes, { ...RELOAD_HISTOGRAM, kind: 'histogram' }]
  return [...CORE_METRICS, ...histograms, ...declared.sort((a, b) => (a.name < b.name ? -1 : 1))]
}

async function load(path) {
  if (!existsSync(join(ROOT, path))) fail(`${path} does not exist: build first`)
  return import(pathToFileURL(join(ROOT, path)).href)
}

/** The file with the text between `<!-- generated:NAME -->` and `<!-- /generated:NAME -->` replaced. */
function fillRegions(path, regions) {
  if (!existsSync(join(ROOT, path))) fail(`${path} does not exist`)
  const before = readFileSync(join(ROOT, path), 'utf8')
  return Object.entries(regions).reduce((text, [name, body]) => {
    const region = new RegExp(`(<!-- generated:${name} -->)[^]*?(<!-- /generated:${name} -->)`)
    if (!region.test(text)) fail(`${path} has no region <!-- generated:${name} --> ... <!-- /generated:${name} -->`)
    return text.replace(region, (_, open, close) => `${open}\n\n${body}\n\n${close}`)
  }, before)
}

async function put(path, text) {
  const file = join(ROOT, path)
  const wanted = path.endsWith('.md') ? await format(text, { ...(await resolveConfig(file)), filepath: file }) : text
  const found = existsSync(file) ? readFileSync(file, 'utf8') : ''
  if (found === wanted) return
  if (CHECK) stale.push(path)
  else {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, wanted)
    console.log(`written: ${path}`)
  }
}
