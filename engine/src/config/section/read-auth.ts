// The section `auth:` of all files, and the names by which nodes and other providers refer to its entries.
import { AUTH_SCHEMAS, type AuthSettings, isAuthType } from '../../access/auth-schema.js'
import { checkOptions, type PlacedName } from './check-options.js'
import { positionOf, type Problems } from '../report/diagnostic.js'
import { didYouMean } from '../report/did-you-mean.js'
import { type DraftNode, titleOf } from './draft-node.js'
import { mapOf, namedEntries, textOf } from '../source/read-section.js'
import { placeOf, type YamlEntry } from '../source/yaml-tree.js'

/** The type of a provider that combines others. */
const ALL_OF = 'all'

export interface Providers {
  readonly settings: readonly AuthSettings[]
  /** Names of all declared providers, with or without mistakes. */
  readonly names: readonly string[]
}

/** `isWhole`: all files could be read, so an unknown name is a mistake. */
export function readAuth(entries: readonly YamlEntry[], isWhole: boolean, problems: Problems): Providers {
  const named = namedEntries(entries, 'auth', 'auth', problems)
  const read = named.map(([name, entry]) => readProvider(name, entry, problems))
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
  return { settings: read.flatMap(({ settings }) => settings ?? []), names }
}

/** Reports nodes that name a provider that does not exist. */
export function checkAuthNames(nodes: readonly DraftNode[], known: readonly string[], problems: Problems): void {
  for (const node of nodes) {
    for (const named of node.auth) checkName(titleOf(node.kind, node.name), named, known, problems)
  }
}

interface ReadProvider {
  readonly title: string
  readonly type: string | undefined
  readonly parts: readonly PlacedName[]
  readonly settings: AuthSettings | undefined
}

function readProvider(name: string, entry: YamlEntry, problems: Problems): ReadProvider {
  const title = titleOfProvider(name)
  const nothing = { title, type: undefined, parts: [], settings: undefined }
  const map = mapOf(entry, title, problems)
  if (map === undefined) return nothing
  const typeEntry = map.entries.get('type')
  const types = Object.keys(AUTH_SCHEMAS)
  if (typeEntry === undefined) {
    const help = didYouMean('', types, 'types')
    problems.report('CONFIG_MISSING_KEY', entry.key, `${title} needs a type`, { help })
    return nothing
  }
  const type = textOf(typeEntry.value, placeOf(typeEntry), `"type" of ${title}`, problems)
  if (type === undefined) return nothing
  if (!isAuthType(type)) {
    const help = didYouMean(type, types, 'types')
    problems.report('CONFIG_WRONG_VALUE', placeOf(typeEntry), `there is no auth type "${type}"`, { help })
    return nothing
  }
  const schema = AUTH_SCHEMAS[type]
  const checked = checkOptions({ schema, map, otherKeys: ['type'], place: entry.key, title, folder: '' }, problems)
  // The schema belongs to the type.
  const settings = { name, type, options: checked.options, at: positionOf(entry.key) } as AuthSettings
  return { title, type, parts: checked.auth, settings: checked.ok ? settings : undefined }
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
