// One entry of the section `listeners:`. The protocol `http` is the engine's own; the node of any other one is defined by
// a plugin, whose options stand beside the keys that the engine reads.
import { dirname } from 'node:path'
import type { ListenerSettings } from '../../graph/graph.js'
import { API_LISTENER, listenerNodeId } from '../../graph/node-id.js'
import type { Definition } from '../../plugin/contract.js'
import { keysOf } from '../../plugin/option-kind.js'
import type { Registry } from '../../plugin/registry.js'
import { positionOf } from '../report/diagnostic.js'
import type { Place, Problems } from '../report/diagnostic.js'
import { didYouMean } from '../report/did-you-mean.js'
import { mapOf, textOf } from '../source/read-section.js'
import { placeOf } from '../source/yaml-tree.js'
import type { YamlEntry, YamlMap } from '../source/yaml-tree.js'
import { checkOptions } from './check-options.js'
import type { DraftNode } from './draft-node.js'
import { HTTP_PROTOCOL, type ListenerOptions, listenerSchema } from './listener-schema.js'
import type { Defaults } from './read-defaults.js'

export interface ListenerSources {
  readonly registry: Registry
  readonly defaults: Defaults
  readonly problems: Problems
}

export interface DraftListener {
  readonly name: string
  readonly place: Place
  /** Undefined if it is not known. */
  readonly protocol: string | undefined
  readonly transport: 'tcp' | 'udp'
  /** Undefined if it has mistakes. */
  readonly settings: ListenerSettings | undefined
  /** Undefined for `http`. */
  readonly node: DraftNode | undefined
}

/** Reads a listener as far as possible. */
export function readListener(name: string, entry: YamlEntry, sources: ListenerSources): DraftListener {
  const { registry, problems } = sources
  const title = `listener "${name}"`
  const unknown = {
    name,
    place: entry.key,
    protocol: undefined,
    transport: 'tcp',
    settings: undefined,
    node: undefined,
  } as const
  const map = mapOf(entry, title, problems)
  if (map === undefined) return unknown
  const written = map.entries.get('protocol')
  const protocol =
    written === undefined ? HTTP_PROTOCOL : textOf(written.value, placeOf(written), `"protocol" of ${title}`, problems)
  if (protocol === undefined) return unknown
  if (protocol === HTTP_PROTOCOL) return httpListener(name, entry, map, title, problems)
  const place = written === undefined ? entry.key : placeOf(written)
  if (name === API_LISTENER) {
    const help = 'give the other protocol a listener of its own'
    problems.report('CONFIG_WRONG_VALUE', place, `${title} serves the control API and speaks http`, { help })
    return unknown
  }
  const definition = registry.find('listener', protocol)
  if (definition?.kind === 'listener') return pluginListener(name, entry, map, definition, sources)
  const help = didYouMean(protocol, [HTTP_PROTOCOL, ...registry.types('listener')], 'known protocols')
  problems.report('CONFIG_UNKNOWN_TYPE', place, `there is no listener of protocol "${protocol}"`, { help })
  return unknown
}

function httpListener(name: string, entry: YamlEntry, map: YamlMap, title: string, problems: Problems): DraftListener {
  const schema = listenerSchema(HTTP_PROTOCOL)
  const request = { schema, map, otherKeys: [], place: entry.key, title, folder: '' }
  const { ok, options } = checkOptions(request, problems)
  const settings = ok ? settingsOf(name, HTTP_PROTOCOL, options, entry) : undefined
  return { name, place: entry.key, protocol: HTTP_PROTOCOL, transport: 'tcp', settings, node: undefined }
}

function pluginListener(
  name: string,
  entry: YamlEntry,
  own: YamlMap,
  definition: Extract<Definition, { readonly kind: 'listener' }>,
  { defaults, problems }: ListenerSources,
): DraftListener {
  const { protocol, transport } = definition
  const title = `listener "${name}"`
  const schema = listenerSchema(protocol, transport)
  const engineKeys = keysOf(schema)
  const map = defaults.applyTo(own, definition)
  const shared = { map, place: entry.key, title }
  const foreign = [...map.entries.keys()].filter((key) => !engineKeys.includes(key))
  const socket = checkOptions({ ...shared, schema, otherKeys: foreign, folder: '' }, problems)
  const folder = dirname(entry.key.file.path)
  const checked = checkOptions({ ...shared, schema: definition.options, otherKeys: engineKeys, folder }, problems)
  const node: DraftNode = {
    id: listenerNodeId(name),
    name,
    kind: 'listener',
    place: entry.key,
    definition,
    ...checked,
    from: [],
    fromIsList: false,
    description: '',
    was: undefined,
    ports: [],
    publish: undefined,
    pattern: undefined,
    timeline: 'continuous',
    batchMs: 0,
    maxBytesPerS: undefined,
    recorder: undefined,
    probeMs: 0,
  }
  const settings = socket.ok ? settingsOf(name, protocol, socket.options, entry) : undefined
  return { name, place: entry.key, protocol, transport, settings, node }
}

function settingsOf(name: string, protocol: string, options: unknown, { key }: YamlEntry): ListenerSettings {
  return { ...(options as ListenerOptions), name, protocol, at: positionOf(key) }
}
