// Walks option values along with their schema, before they are parsed: this is how the configuration makes paths
// absolute and finds the names of listeners.
import type { OptionKind, Schema } from './option-kind.js'
import { coreOf, defOf, kindOf, layersOf } from './option-kind.js'
import { isRecord } from './is-record.js'

/** Called for each value that has an option kind; what it returns replaces the value. */
export type Visit = (kind: OptionKind, value: unknown, path: readonly PropertyKey[]) => unknown

/**
 * Returns the value with the replacements of `visit`. Missing values are visited with their default, and stay missing
 * unless the visit changes them. If nothing changes, the same value is returned.
 */
export function visitOptions(schema: Schema, value: unknown, visit: Visit, path: readonly PropertyKey[] = []): unknown {
  const given = value === undefined ? defaultOf(schema) : value
  if (given === undefined) return undefined
  const visited = visitGiven(coreOf(schema), given, visit, path)
  return visited === given ? value : visited
}

function visitGiven(core: Schema, value: unknown, visit: Visit, path: readonly PropertyKey[]): unknown {
  const kind = kindOf(core)
  if (kind !== undefined) return visit(kind, value, path)
  const def = defOf(core)
  if (def.type === 'union') {
    // A URL that is not valid can hold secrets all the same.
    const isUrl = (option: Schema): boolean => kindOf(coreOf(option))?.name === 'url'
    const branch = def.options?.find((option) => accepts(option, value)) ?? def.options?.find(isUrl)
    return branch === undefined ? value : visitOptions(branch, value, visit, path)
  }
  if (Array.isArray(value)) {
    const list: readonly unknown[] = value
    const elementOf = (index: number): Schema | undefined => def.element ?? def.items?.[index]
    const visited = list.map((item, index) => visitPart(elementOf(index), item, visit, [...path, index]))
    return visited.some((item, index) => item !== list[index]) ? visited : value
  }
  return isRecord(value) ? visitMembers(core, value, visit, path) : value
}

function visitMembers(
  core: Schema,
  value: Readonly<Record<string, unknown>>,
  visit: Visit,
  path: readonly PropertyKey[],
): unknown {
  const def = defOf(core)
  const keys = def.type === 'record' ? Object.keys(value) : Object.keys(def.shape ?? {})
  const changed: Record<string, unknown> = {}
  for (const key of keys) {
    const before = Object.hasOwn(value, key) ? value[key] : undefined
    const after = visitPart(def.type === 'record' ? def.valueType : def.shape?.[key], before, visit, [...path, key])
    if (after !== before) changed[key] = after
  }
  return Object.keys(changed).length === 0 ? value : { ...value, ...changed }
}

function visitPart(schema: Schema | undefined, value: unknown, visit: Visit, path: readonly PropertyKey[]): unknown {
  return schema === undefined ? value : visitOptions(schema, value, visit, path)
}

function defaultOf(schema: Schema): unknown {
  for (const layer of layersOf(schema)) {
    const { type, defaultValue } = defOf(layer)
    if (type === 'default' || type === 'prefault') return defaultValue
  }
  return undefined
}

function accepts(schema: Schema, value: unknown): boolean {
  const result = schema._zod.run({ value, issues: [] }, { async: false })
  return !(result instanceof Promise) && result.issues.length === 0
}
