// The section `auth:` of all files, and the names by which nodes and other providers refer to its entries.
import { dirname } from 'node:path'
import { AUTH_SCHEMAS, DEFAULT_ACTIONS, isAuthType, PROVIDER_SCHEMA } from '../../access/auth-schema.js'
import type { ProviderSettings } from '../../graph/graph.js'
import type { AccessAction } from '../../plugin/auth.js'
import { AUTH_KEYS, type AuthDefinition } from '../../plugin/auth-definition.js'
import type { Registry } from '../../plugin/registry.js'
import { checkOptions, type OptionsRequest, type PlacedName } from './check-options.js'
import { positionOf, type Problems } from '../report/diagnostic.js'
import { didYouMean } from '../report/did-you-mean.js'
import type { NamesListeners } from './check-listener-names.js'
import { type DraftNode, titleOf } from './draft-node.js'
import { mapOf, namedEntries, textOf } from '../source/read-section.js'
import { placeOf, type YamlEntry, type YamlMap } from '../source/yaml-tree.js'

/** The type of a provider that combines others. */
const ALL_OF = 'all'

export interface Providers {
  readonly settings: readonly ProviderSettings[]
  /** Names of all declared providers, with or without mistakes. */
  readonly names: readonly string[]
  /** The listeners that they name. */
  readonly naming: readonly NamesListeners[]
}

export interface AuthSources {
  /** All files could be read, so an unknown name is a mistake. */
  readonly isWhole: boolean
  readonly registry: Registry
  readonly problems: Problems
}

export function readAuth(entries: readonly YamlEntry[], { isWhole, registry, problems }: AuthSources): Providers {
  const named = namedEntries(entries, 'auth', 'auth', problems)
  const read = named.map(([name, entry]) => readProvider(name, entry, registry, problems))
  const names = named.map(([name]) => name)
  const combined = read.flatMap(({ type, title }) => (type === ALL_OF ? [title] : []))
  for (const { title, parts } of read) {
    for (const part of parts) {
      if (isWhole) checkName(title, part, names, problems)
      if (!combined.includes(titleOfProvider(part.name))) continue
      const help = 'name its providers instead'
      problems.report(
        'CONFIG_WRONG_VALUE',
        part.place,
        `${title} combines "${part.name}", which is itself of type all`,
        {
          help,
        },
      )
    }
  }
  return { settings: read.flatMap(({ settings }) => settings ?? []), names, naming: read }
}

/** Reports nodes that name a provider that does not exist, or that admits to nothing the node does. */
export function checkAuthNames(nodes: readonly DraftNode[], known: Providers, problems: Problems): void {
  for (const node of nodes) {
    const title = titleOf(node.kind, node.name)
    const action = node.kind === 'input' ? 'publish' : 'read'
    for (const named of node.auth) {
      checkName(title, named, known.names, problems)
      const unfit = known.settings.filter(({ name }) => name === named.name && !admits(name, action, known.settings))
      for (const { name } of unfit) reportUnfit(title, { name, place: named.place }, action, problems)
    }
  }
}

/** Whether the provider, or each part of a combined one, is for this action. */
function admits(name: string, action: AccessAction, all: readonly ProviderSettings[]): boolean {
  const provider = all.find((each) => each.name === name)
  // Its mistakes have been reported.
  if (provider === undefined) return true
  const isCombined = provider.type === ALL_OF
  const { actions = isCombined ? undefined : DEFAULT_ACTIONS } = provider
  if (actions?.includes(action) === false) return false
  const parts = isCombined ? (provider.options as { readonly of: readonly string[] }).of : []
  return parts.every((part) => admits(part, action, all))
}

function reportUnfit(title: string, { name, place }: PlacedName, action: AccessAction, problems: Problems): void {
  const who = { publish: 'publishers', read: 'viewers' }[action]
  const help = `add ${action} to the actions of "${name}" (actions: [read, publish] admits both), or of the parts that it combines, if it is meant to admit ${who}`
  const message = `${title} names the auth provider "${name}", which does not admit ${who}`
  problems.report('CONFIG_AUTH_ACTION', place, message, { help })
}

interface ReadProvider extends NamesListeners {
  readonly type: string | undefined
  readonly parts: readonly PlacedName[]
  readonly settings: ProviderSettings | undefined
}

function readProvider(name: string, entry: YamlEntry, registry: Registry, problems: Problems): ReadProvider {
  const title = titleOfProvider(name)
  const nothing = { title, type: undefined, parts: [], listeners: [], settings: undefined }
  const map = mapOf(entry, title, problems)
  if (map === undefined) return nothing
  const typeEntry = map.entries.get('type')
  const types = [...Object.keys(AUTH_SCHEMAS), ...registry.types('auth')]
  if (typeEntry === undefined) {
    const help = didYouMean('', types, 'types')
    problems.report('CONFIG_MISSING_KEY', entry.key, `${title} needs a type`, { help })
    return nothing
  }
  const type = textOf(typeEntry.value, placeOf(typeEntry), `"type" of ${title}`, problems)
  if (type === undefined) return nothing
  const definition = isAuthType(type) ? undefined : registry.find('auth', type)
  const schema = isAuthType(type) ? AUTH_SCHEMAS[type] : definition?.options
  if (schema === undefined) {
    const help = didYouMean(type, types, 'types')
    problems.report('CONFIG_WRONG_VALUE', placeOf(typeEntry), `there is no auth type "${type}"`, { help })
    return nothing
  }
  const request = { place: entry.key, title, folder: dirname(entry.key.file.path) }
  const checked = checkOptions({ schema, map, otherKeys: AUTH_KEYS, ...request }, problems)
  const scope = readScope(map, Object.keys(PROVIDER_SCHEMA.shape), request, problems)
  const isGood = checked.ok && scope !== undefined
  const settings = isGood ? settingsOf({ name, type, definition, ...scope }, checked.options, entry) : undefined
  return { title, type, parts: checked.auth, listeners: checked.listeners, settings }
}

type ProviderScope = Partial<Pick<ProviderSettings, 'actions' | 'protocols'>>

/** The keys that the engine reads on every provider; undefined if there is a mistake in them. */
function readScope(
  map: YamlMap,
  own: readonly string[],
  request: Pick<OptionsRequest, 'place' | 'title' | 'folder'>,
  problems: Problems,
): ProviderScope | undefined {
  const foreign = [...map.entries.keys()].filter((key) => !own.includes(key))
  const { ok, options } = checkOptions({ schema: PROVIDER_SCHEMA, map, otherKeys: foreign, ...request }, problems)
  return ok ? (options as ProviderScope) : undefined
}

function settingsOf(
  {
    name,
    type,
    definition,
    actions,
    protocols,
  }: ProviderScope & {
    readonly name: string
    readonly type: string
    readonly definition: AuthDefinition | undefined
  },
  options: unknown,
  entry: YamlEntry,
): ProviderSettings {
  return {
    ...{ name, type, options, at: positionOf(entry.key) },
    ...(definition === undefined ? {} : { definition }),
    ...(actions === undefined ? {} : { actions }),
    ...(protocols === undefined ? {} : { protocols }),
  }
}

function checkName(title: string, { name, place }: PlacedName, known: readonly string[], problems: Problems): void {
  if (known.includes(name)) return
  const help = didYouMean(name, known, 'declared under auth')
  problems.report('CONFIG_UNKNOWN_AUTH', place, `${title} names the auth provider "${name}", which does not exist`, {
    help,
  })
}

function titleOfProvider(name: string): string {
  return `auth "${name}"`
}
