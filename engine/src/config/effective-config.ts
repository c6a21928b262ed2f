// The configuration that applies, in the form of a configuration file: all files in one, variables filled in, defaults
// said, paths absolute, secrets as ***.
import { stringify } from 'yaml'
import { AUTH_SCHEMAS, type AuthSettings } from '../access/auth-schema.js'
import type { Graph, NodeSettings } from '../graph/graph.js'
import { DURATION_UNITS, renderAmount } from '../plugin/amounts.js'
import type { NodeKind } from '../plugin/contract.js'
import { writeOptions } from '../plugin/write-options.js'
import { API_LISTENER, ENGINE_SCHEMA, LISTENER_SCHEMA } from './section/settings.js'

const MAIN_PORT = 'out'
const UNKNOWN = 'not known: a variable or a secret that is not set'

/** Plain data. `check` finds nothing wrong in it unless there are secrets. */
export function effectiveConfig(graph: Graph): unknown {
  const { engine, listeners, auth = [], services, pipelines, secrets } = graph
  const { drainMs, ...settings } = engine
  const sockets = listeners
    // The address of the listener that is always there stands in the section engine.
    .filter(({ name, address }) => name !== API_LISTENER || address !== engine.api.address)
    .map(({ name, at: _, ...listener }) => [name, writeOptions(LISTENER_SCHEMA, listener)] as const)
  const config = {
    version: 1,
    engine: writeOptions(ENGINE_SCHEMA, { ...settings, drain: drainMs }),
    ...section('listeners', sockets),
    ...section('auth', auth.map(providerOf)),
    ...section('services', services.map(entryOf)),
    pipelines: Object.fromEntries(
      pipelines.map(({ name, description, nodes }) => {
        const of = (kind: NodeKind): readonly (readonly [string, unknown])[] =>
          nodes.filter(({ definition }) => definition.kind === kind).map(entryOf)
        const sections = {
          ...section('inputs', of('input')),
          ...section('transforms', of('transform')),
          ...section('outputs', of('output')),
        }
        return [name, description === '' ? sections : { description, ...sections }] as const
      }),
    ),
  }
  return secrets.maskValue(config)
}

/** As a file. */
export function renderConfigYaml(config: unknown): string {
  return stringify(config, { lineWidth: 120, aliasDuplicateObjects: false })
}

function entryOf(node: NodeSettings): readonly [name: string, node: unknown] {
  const { id, definition, options, from, description, timeline, batchMs } = node
  const names = from.map((source) => {
    const name = nameOf(source.node)
    return source.port === MAIN_PORT ? name : `${name}.${source.port}`
  })
  const written = options === undefined ? { options: UNKNOWN } : writeOptions(definition.options, options)
  const own = {
    type: definition.type,
    ...(names.length === 0 ? {} : { from: names.length === 1 ? names[0] : names }),
    ...(description === '' ? {} : { description }),
    ...(definition.kind === 'input' ? { timeline, batch: renderAmount(batchMs, DURATION_UNITS) } : {}),
  }
  return [nameOf(id), { ...own, ...(written as object) }]
}

function providerOf({ name, type, options }: AuthSettings): readonly [name: string, provider: unknown] {
  return [name, { type, ...(writeOptions(AUTH_SCHEMAS[type], options) as object) }]
}

function section(name: string, entries: readonly (readonly [string, unknown])[]): Readonly<Record<string, unknown>> {
  return entries.length === 0 ? {} : { [name]: Object.fromEntries(entries) }
}

/** Without the pipeline. */
function nameOf(id: string): string {
  return id.slice(id.indexOf('/') + 1)
}
