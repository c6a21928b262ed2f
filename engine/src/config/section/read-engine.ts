// The sections `engine:` and `listeners:` of all files. The listener `api` always exists: unless it is declared, its
// address is `engine.api.address`.
import { dirname } from 'node:path'
import type { EngineSettings } from '../../graph/graph.js'
import type { PlacedListener } from './check-addresses.js'
import { checkOptions } from './check-options.js'
import { positionOf } from '../report/diagnostic.js'
import type { Place, Problems, SourceText } from '../report/diagnostic.js'
import { mapOf, namedEntries } from '../source/read-section.js'
import type { DraftNode } from './draft-node.js'
import { HTTP_PROTOCOL } from './listener-schema.js'
import { readListener } from './read-listener.js'
import type { ListenerSources } from './read-listener.js'
import { ENGINE_SCHEMA, engineSettings } from './settings.js'
import type { EngineOptions } from './settings.js'
import { locate } from '../source/yaml-tree.js'
import type { YamlEntry } from '../source/yaml-tree.js'
import { API_LISTENER } from '../../graph/node-id.js'

export interface EngineSections {
  readonly engine: EngineSettings
  readonly listeners: readonly PlacedListener[]
  /** The nodes of listeners by plugins. */
  readonly nodes: readonly DraftNode[]
  /** The protocols of all declared listeners, with or without mistakes, and of `api`; undefined if it is not known. */
  readonly protocols: ReadonlyMap<string, string | undefined>
}

/** Reads both sections. If no file could be read, returns the defaults, which are then never used. */
export function readEngine(
  engines: readonly YamlEntry[],
  listeners: readonly YamlEntry[],
  firstFile: SourceText | undefined,
  sources: ListenerSources,
): EngineSections {
  const { problems } = sources
  const folder = dirname(firstFile?.path ?? '.')
  const options = engines.map((entry) => engineOptions(entry, folder, problems))
  const [first, ...more] = engines
  for (const { key } of more) {
    const at = first === undefined ? '' : positionOf(first.key).file
    problems.report('CONFIG_DUPLICATE_SECTION', key, `"engine" is already set in ${at}`)
  }
  const settings = engineSettings(options[0] ?? defaultOptions(folder))
  const named = namedEntries(listeners, 'listeners', 'listener', problems)
  const drafts = named.map(([name, entry]) => readListener(name, entry, sources))
  const placed = drafts.flatMap(({ settings: own, place, transport }) =>
    own ? [{ settings: own, place, transport }] : [],
  )
  const found = {
    nodes: drafts.flatMap(({ node, settings: own }) => (node && own ? [node] : [])),
    protocols: new Map([
      [API_LISTENER, HTTP_PROTOCOL],
      ...drafts.map(({ name, protocol }) => [name, protocol] as const),
    ]),
  }
  const written = first === undefined ? undefined : addressPlace(first)
  const declared = named.find(([name]) => name === API_LISTENER)
  if (declared === undefined) {
    const place = written ?? first?.key ?? startOf(firstFile)
    return { engine: settings, listeners: withApi(settings, place, placed), ...found }
  }
  if (written !== undefined) {
    const help = 'keep either engine.api.address or the listener "api"'
    problems.report('CONFIG_DUPLICATE_ID', written, 'the address of the listener "api" is set twice', { help })
  }
  const api = placed.find((listener) => listener.settings.name === API_LISTENER)
  const address = api?.settings.address ?? settings.api.address
  return { engine: { ...settings, api: { ...settings.api, address } }, listeners: placed, ...found }
}

// By default, `stateDir` is a folder beside the first file.
function engineOptions(entry: YamlEntry, folder: string, problems: Problems): EngineOptions | undefined {
  const map = mapOf(entry, '"engine"', problems)
  if (map === undefined) return undefined
  const request = { schema: ENGINE_SCHEMA, map, otherKeys: [], place: entry.key, title: '"engine"', folder }
  const { ok, options } = checkOptions(request, problems)
  return ok ? (options as EngineOptions) : undefined
}

function defaultOptions(folder: string): EngineOptions {
  return ENGINE_SCHEMA.parse({ stateDir: `${folder}/.millrace` })
}

function withApi(
  engine: EngineSettings,
  place: Place | undefined,
  placed: readonly PlacedListener[],
): readonly PlacedListener[] {
  if (place === undefined) return placed
  const { address } = engine.api
  const settings = { name: API_LISTENER, protocol: HTTP_PROTOCOL, address, at: positionOf(place) }
  return [{ settings, place, transport: 'tcp' }, ...placed]
}

function addressPlace({ value, key }: YamlEntry): Place | undefined {
  const found = locate(value, ['api', 'address'], key)
  return found.isThere ? found.place : undefined
}

function startOf(file: SourceText | undefined): Place | undefined {
  return file === undefined ? undefined : { file, start: 0, end: 1 }
}
