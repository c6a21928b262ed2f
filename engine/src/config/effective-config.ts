// The effective configuration in the form of a configuration file: all files in one, variables filled in, defaults
// written out, paths absolute, secrets and the values in queries of URLs as ***.
import { stringify } from 'yaml'
import { AUTH_SCHEMAS, type AuthType, PROVIDER_SCHEMA } from '../access/auth-schema.js'
import type { Graph, ListenerSettings, NodeSettings, ProviderSettings } from '../graph/graph.js'
import { DURATION_UNITS, RATE_UNITS, renderAmount } from '../plugin/amounts.js'
import type { Definition } from '../plugin/contract.js'
import { maskUrlQueries } from '../graph/mask-url-queries.js'
import { PIPELINE_KINDS, SECTION_OF } from '../plugin/node-kinds.js'
import { writeOptions } from '../plugin/write-options.js'
import { listenerSchema } from './section/listener-schema.js'
import { writeRecorder } from './section/recorder-settings.js'
import { writePublishSettings } from './section/publish-settings.js'
import { ENGINE_SCHEMA } from './section/settings.js'
import { API_LISTENER, listenerNodeId, nodeName, renderPortRef } from '../graph/node-id.js'

const UNKNOWN = 'unknown: a variable or a secret is not set'

/** Plain data that may be shown. It passes `check` unless there are masked values in it. */
export function effectiveConfig(graph: Graph): unknown {
  return maskUrlQueries(comparedConfig(graph))
}

/** The same with the values in queries of URLs, except those that are secrets by their names: what configurations differ in. */
export function comparedConfig(graph: Graph): unknown {
  const { engine, listeners, auth = [], services, pipelines, secrets } = graph
  const { drainMs, programs, ...settings } = engine
  const listenerEntries = listeners
    // The address of the listener that always exists belongs to the section engine.
    .filter(({ name, address }) => name !== API_LISTENER || address !== engine.api.address)
    .map((listener) => listenerOf(listener, services))
  const config = {
    version: 1,
    engine: writeOptions(ENGINE_SCHEMA, { ...settings, ...programs, drain: drainMs }),
    ...section('listeners', listenerEntries),
    ...section('auth', auth.map(providerOf)),
    ...section('services', services.filter(({ definition }) => definition.kind === 'service').map(entryOf)),
    pipelines: Object.fromEntries(
      pipelines.map(({ name, description, nodes }) => {
        const sections = Object.assign(
          {},
          ...PIPELINE_KINDS.map((kind) => {
            const ofKind = nodes.filter(({ definition }) => definition.kind === kind)
            return section(SECTION_OF[kind], ofKind.map(entryOf))
          }),
        ) as object
        return [name, description === '' ? sections : { description, ...sections }] as const
      }),
    ),
  }
  return secrets.maskValue(config)
}

/** One node as its file would have it, defaults written out. Secrets are not masked. */
export function effectiveNode(node: NodeSettings): unknown {
  return entryOf(node)[1]
}

/** Renders the configuration as a YAML file. */
export function renderConfigYaml(config: unknown): string {
  return stringify(config, { lineWidth: 120, aliasDuplicateObjects: false })
}

function listenerOf(
  { name, at: _, ...settings }: ListenerSettings,
  services: readonly NodeSettings[],
): readonly [name: string, listener: unknown] {
  const node = services.find(({ id }) => id === listenerNodeId(name))
  if (node?.definition.kind !== 'listener') return [name, writeOptions(listenerSchema(settings.protocol), settings)]
  const { definition, options } = node
  const socket = writeOptions(listenerSchema(definition.protocol, definition.transport), settings)
  return [name, { ...(socket as object), ...(optionsOf(node.definition, options) as object) }]
}

function optionsOf(definition: Definition, options: unknown): unknown {
  return options === undefined ? { options: UNKNOWN } : writeOptions(definition.options, options)
}

function entryOf(node: NodeSettings): readonly [name: string, node: unknown] {
  const { id, definition, options, from, description, timeline, batchMs, probeMs, maxBytesPerS, recorder, publish } =
    node
  const names = from.map(renderPortRef)
  const written = optionsOf(definition, options)
  const own = {
    type: definition.type,
    ...(names.length === 0 ? {} : { from: names.length === 1 ? names[0] : names }),
    ...(description === '' ? {} : { description }),
    ...(definition.kind === 'input'
      ? {
          timeline,
          batch: renderAmount(batchMs, DURATION_UNITS),
          probe: renderAmount(probeMs, DURATION_UNITS),
        }
      : {}),
    ...(maxBytesPerS === undefined ? {} : { maxRate: renderAmount(maxBytesPerS * 8, RATE_UNITS) }),
    ...(recorder === undefined ? {} : { recorder: writeRecorder(recorder) }),
    ...writePublishSettings(publish),
  }
  return [nodeName(id), { ...own, ...(written as object) }]
}

function providerOf(provider: ProviderSettings): readonly [name: string, provider: unknown] {
  const { name, type, options, definition, actions, protocols } = provider
  const schema = definition?.options ?? AUTH_SCHEMAS[type as AuthType]
  const scope = writeOptions(PROVIDER_SCHEMA, { actions, protocols }) as object
  return [name, { type, ...scope, ...(writeOptions(schema, options) as object) }]
}

function section(name: string, entries: readonly (readonly [string, unknown])[]): Readonly<Record<string, unknown>> {
  return entries.length === 0 ? {} : { [name]: Object.fromEntries(entries) }
}
