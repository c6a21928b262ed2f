// The section `auth:` of all files, and the names by which nodes and other providers refer to it.
import { AUTH_SCHEMAS, type AuthSettings, isAuthType } from '../../access/auth-schema.js'
import { checkOptions, type NamedListener } from './check-options.js'
import { positionOf, type Problems } from '../report/diagnostic.js'
import { didYouMean } from '../report/did-you-mean.js'
import { type DraftNode, titleOf } from './draft.js'
import { mapOf, namedEntries, textOf } from '../source/read-section.js'
import { placeOf, type YamlEntry } from '../source/yaml-tree.js'

/** The type whose providers are made of others. */
const CONJUNCTION = 'all'

export interface Providers {
  readonly settings: readonly AuthSettings[]
  /** Of all that are declared, with or without mistakes. */
  readonly names: readonly string[]
}

/** `isWhole`: all files could be read, so that a name that is not there is a mistake. */
export function readAuth(entries: readonly YamlEntry[], isWhole: boolean, problems: Problems): Providers {
  const named = namedEntries(entries, 'auth', 'auth', problems)
  const read = named.map(([name, entry]) => readProvider(name, entry, problems))
  const names = named.map(([name]) => name)
  const conjunctions = read.flatMap(({ type, title }) => (type === CONJUNCTION ? [title] : []))
  for (const { title, parts } of read) {
    for (const part of parts) {
      if (isWhole) checkName(title, part, names, problems)
      if (!conjunctions.includes(titleOfProvider(part.name))) continue
      const help = 'name its parts instead'
      problems.report('CONFIG_WRONG_VALUE', part.place, `${title} is made of "${part.name}", which is of type all`, {
        help,
      })
    }
  }
  return { settings: read.flatMap(({ settings }) => settings ?? []), names }
}

/** Reports the names that nodes give and nobody has. */
export function checkAuthNames(nodes: readonly DraftNode[], known: readonly string[], problems: Problems): void {
  for (const node of nodes) {
    for (const named of node.auth) checkName(titleOf(node.kind, node.name), named, known, problems)
  }
}

interface ReadProvider {
  readonly title: string
  readonly type: string | undefined
  readonly parts: readonly NamedListener[]
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
    problems.report('CONFIG_WRONG_VALUE', placeOf(typeEntry), `there is no type of auth "${type}"`, { help })
    return nothing
  }
  const schema = AUTH_SCHEMAS[type]
  const checked = checkOptions({ schema, map, otherKeys: ['type'], place: entry.key, title, folder: '' }, problems)
  // The schema is that of the type.
  const settings = { name, type, options: checked.options, at: positionOf(entry.key) } as AuthSettings
  return { title, type, parts: checked.auth, settings: checked.ok ? settings : undefined }
}

function checkName(title: string, { name, place }: NamedListener, known: readonly string[], problems: Problems): void {
  if (known.includes(name)) return
  const help = didYouMean(name, known, 'declared under auth')
  problems.report('CONFIG_UNKNOWN_AUTH', place, `${title} names the auth "${name}", which does not exist`, { help })
}

function titleOfProvider(name: string): string {
  return `auth "${name}"`
}
