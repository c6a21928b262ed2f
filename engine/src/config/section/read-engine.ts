// The sections `engine:` and `listeners:` of all files. The listener `api` always exists: unless it is declared, its
// address is `engine.api.address`.
import { dirname } from 'node:path'
import type { EngineSettings } from '../../graph/graph.js'
import type { PlacedListener } from './check-exclusive.js'
import { checkOptions } from './check-options.js'
import { positionOf } from '../report/diagnostic.js'
import type { Place, Problems, SourceText } from '../report/diagnostic.js'
import { mapOf, namedEntries } from '../source/read-section.js'
import { ENGINE_SCHEMA, engineSettings, LISTENER_SCHEMA } from './settings.js'
import type { EngineOptions, ListenerOptions } from './settings.js'
import { locate } from '../source/yaml-tree.js'
import type { YamlEntry } from '../source/yaml-tree.js'
import { API_LISTENER } from '../../graph/node-id.js'

export interface EngineSections {
  readonly engine: EngineSettings
  readonly listeners: readonly PlacedListener[]
  /** Names of all declared listeners, with or without mistakes, and `api`. */
  readonly names: readonly string[]
}

/** Reads both sections. If no file could be read, returns the defaults, which are then never used. */
export function readEngine(
  engines: readonly YamlEntry[],
  listeners: readonly YamlEntry[],
  firstFile: SourceText | undefined,
  problems: Problems,
): EngineSections {
  const folder = dirname(firstFile?.path ?? '.')
  const options = engines.map((entry) => engineOptions(entry, folder, problems))
  const [first, ...more] = engines
  for (const { key } of more) {
    const at = first === undefined ? '' : positionOf(first.key).file
    problems.report('CONFIG_DUPLICATE_SECTION', key, `"engine" is already set in ${at}`)
  }
  const settings = engineSettings(options[0] ?? defaultOptions(folder))
  const named = namedEntries(listeners, 'listeners', 'listener', problems)
  const placed = named.flatMap(([name, entry]) => readListener(name, entry, problems) ?? [])
  const names = [...new Set([API_LISTENER, ...named.map(([name]) => name)])]
  const written = first === undefined ? undefined : addressPlace(first)
  const declared = named.find(([name]) => name === API_LISTENER)
  if (declared === undefined) {
    const place = written ?? first?.key ?? startOf(firstFile)
    return { engine: settings, listeners: withApi(settings, place, placed), names }
  }
  if (written !== undefined) {
    const help = 'keep either engine.api.address or the listener "api"'
    problems.report('CONFIG_DUPLICATE_ID', written, 'the address of the listener "api" is set twice', { help })
  }
  const api = placed.find((listener) => listener.settings.name === API_LISTENER)
  const address = api?.settings.address ?? settings.api.address
  return { engine: { ...settings, api: { ...settings.api, address } }, listeners: placed, names }
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

function readListener(name: string, entry: YamlEntry, problems: Problems): PlacedListener | undefined {
  const title = `listener "${name}"`
  const map = mapOf(entry, title, problems)
  if (map === undefined) return undefined
  const request = { schema: LISTENER_SCHEMA, map, otherKeys: [], place: entry.key, title, folder: '' }
  const { ok, options } = checkOptions(request, problems)
  if (!ok) return undefined
  return { settings: { name, ...(options as ListenerOptions), at: positionOf(entry.key) }, place: entry.key }
}

function withApi(
  engine: EngineSettings,
  place: Place | undefined,
  placed: readonly PlacedListener[],
): readonly PlacedListener[] {
  if (place === undefined) return placed
  const { address } = engine.api
  return [{ settings: { name: API_LISTENER, protocol: 'http', address, at: positionOf(place) }, place }, ...placed]
}

function addressPlace({ value, key }: YamlEntry): Place | undefined {
  const found = locate(value, ['api', 'address'], key)
  return found.isThere ? found.place : undefined
}

function startOf(file: SourceText | undefined): Place | undefined {
  return file === undefined ? undefined : { file, start: 0, end: 1 }
}
