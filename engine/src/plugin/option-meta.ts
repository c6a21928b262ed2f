// Describes an option by its schema alone: description, reload class, default. The generated tables, the checks of
// `define*` and the help of error messages read it.
import type { ReloadClass, ReloadWhen } from './reload-class.js'
import { coreOf, defOf, kindOf, layersOf } from './option-kind.js'
import type { Schema } from './option-kind.js'

export interface OptionMeta {
  /** Empty if there is none. */
  readonly description: string
  readonly reload: ReloadClass
  readonly unit: string
}

export interface OptionRow extends OptionMeta {
  /** `clients.max`; `urls[].host` inside a list, `users.*` in a map with free keys. */
  readonly path: string
  /** Name of the option kind, or of what a plain zod schema accepts. */
  readonly kind: string
  /** For messages: `20ms to 100ms`; empty if there are no bounds. */
  readonly range: string
  /** In YAML form; undefined if there is none. */
  readonly default: string | undefined
  readonly required: boolean
  readonly losesViewers?: true
  readonly reloadWhen?: readonly ReloadWhen[]
}

interface WrittenMeta extends OptionMeta {
  readonly losesViewers: boolean
  readonly reloadWhen: readonly ReloadWhen[]
  /** Of a group: keys that users may expect in it, and what to write instead. */
  readonly instead: Readonly<Record<string, string>>
}

/** Names of plain zod schemas, which have no option kind. */
const PLAIN_NAMES: Readonly<Record<string, string>> = { object: 'group', string: 'text', boolean: 'flag' }

interface Place {
  readonly path: string
  /** Inherited from the enclosing group. */
  readonly reload: ReloadClass
}

/** Description, reload class (by default `swap`) and unit, found from the outermost wrapper inward. */
export function optionMeta(schema: Schema): OptionMeta {
  const { description = '', reload = 'swap', unit = '' } = metaOf(schema)
  return { description, reload, unit }
}

/** What to write instead of a key that the group does not have; undefined if it does not say that. */
export function writtenInstead(schema: Schema, key: string): string | undefined {
  const { instead = {} } = metaOf(schema)
  return Object.hasOwn(instead, key) ? instead[key] : undefined
}

/** A row for each option; groups that have a description come before their members. */
export function describeOptions(schema: Schema): readonly OptionRow[] {
  return members(schema, { path: '', reload: 'swap' })
}

function members(schema: Schema, at: Place): readonly OptionRow[] {
  const def = defOf(coreOf(schema))
  const inner = (step: string): Place => ({ ...at, path: at.path === '' ? step : `${at.path}.${step}` })
  switch (def.type) {
    case 'object':
      return Object.entries(def.shape ?? {}).flatMap(([key, option]) => rowsOf(option, inner(key)))
    case 'union':
      return firstOfEach((def.options ?? []).flatMap((option) => members(option, at)))
    case 'array':
      return def.element === undefined ? [] : members(def.element, { ...at, path: `${at.path}[]` })
    case 'record':
      return def.valueType === undefined ? [] : members(def.valueType, inner('*'))
    default:
      return []
  }
}

function rowsOf(schema: Schema, at: Place): readonly OptionRow[] {
  const meta = metaOf(schema)
  const { description = '', reload = at.reload, unit = '' } = meta
  const below = members(schema, { path: at.path, reload })
  if (below.length > 0 && description === '') return below
  const { text, required } = defaultOf(schema)
  const range = kindOf(coreOf(schema))?.range ?? ''
  const row = { path: at.path, kind: kindText(schema), range, description, reload, unit, default: text, required }
  const { losesViewers, reloadWhen } = meta
  return [
    {
      ...row,
      ...(losesViewers === true ? { losesViewers } : {}),
      ...(reloadWhen === undefined ? {} : { reloadWhen }),
    },
    ...below,
  ]
}

function metaOf(schema: Schema): Partial<WrittenMeta> {
  let found: Partial<WrittenMeta> = {}
  for (const layer of layersOf(schema)) {
    const meta = (layer as { meta?(): Readonly<Record<string, unknown>> | undefined }).meta?.()
    if (meta === undefined) continue
    const { description, reload, unit, losesViewers, reloadWhen, instead } = meta as Partial<WrittenMeta>
    found = {
      ...(description === undefined ? {} : { description }),
      ...(reload === undefined ? {} : { reload }),
      ...(unit === undefined ? {} : { unit }),
      ...(losesViewers === undefined ? {} : { losesViewers }),
      ...(reloadWhen === undefined ? {} : { reloadWhen }),
      ...(instead === undefined ? {} : { instead }),
      ...found,
    }
  }
  return found
}

function defaultOf(schema: Schema): { readonly text: string | undefined; readonly required: boolean } {
  const core = coreOf(schema)
  for (const layer of layersOf(schema)) {
    const { type, defaultValue } = defOf(layer)
    if (type === 'optional') return { text: undefined, required: false }
    if (type !== 'default' && type !== 'prefault') continue
    const render = type === 'default' ? kindOf(core)?.render : undefined
    return { text: render?.(defaultValue) ?? plainText(defaultValue), required: false }
  }
  return { text: undefined, required: true }
}

function plainText(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  const isGroup = typeof value === 'object' && value !== null && !Array.isArray(value)
  return isGroup && Object.keys(value).length === 0 ? undefined : JSON.stringify(value)
}

function kindText(schema: Schema): string {
  const core = coreOf(schema)
  const kind = kindOf(core)
  if (kind !== undefined) return kind.values === undefined ? kind.name : kind.values.join(' | ')
  const { type, element, valueType, entries, values, options } = defOf(core)
  if (type === 'array') return `list of ${partText(element)}`
  if (type === 'record') return `map of ${partText(valueType)}`
  if (type === 'enum') return Object.values(entries ?? {}).join(' | ')
  if (type === 'literal') return (values ?? []).join(' | ')
  if (type === 'union') return [...new Set((options ?? []).map((option) => kindText(option)))].join(' or ')
  return PLAIN_NAMES[type] ?? type
}

function partText(schema: Schema | undefined): string {
  return schema === undefined ? 'anything' : kindText(schema)
}

function firstOfEach(rows: readonly OptionRow[]): readonly OptionRow[] {
  return [...new Map([...rows].reverse().map((row) => [row.path, row])).values()].reverse()
}
