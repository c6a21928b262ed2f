// The JSON Schema (draft-07) of options, for editors: it describes values as written in the YAML, before parsing, and
// accepts text that contains `${`. Descriptions and defaults are found through zod's wrappers.
import { z } from 'zod'
import { defOf, kindOf, coreOf, layersOf } from './option-kind.js'
import type { OptionKindName, Schema } from './option-kind.js'
import { optionMeta } from './option-meta.js'

export type JsonSchema = Readonly<Record<string, unknown>>

/** Text with an interpolation, which is checked once it is filled in. */
export const INTERPOLATED_TEXT: JsonSchema = { type: 'string', pattern: '\\$\\{' }

const INTERPOLATED = '\\$\\{'

/** What editors report for text that does not have the form of its kind. */
const FORMS: Readonly<Partial<Record<OptionKindName, string>>> = {
  count: 'must be a whole number',
  flag: 'must be true or false',
  duration: 'must be a duration with its unit, such as 500ms, 2s, 5m or 1h',
  size: 'must be a size with its unit, such as 188B, 64KiB or 32MiB',
  rate: 'must be a bit rate with its unit, such as 800kb/s or 4Mb/s',
  eventRate: 'must be a number of events per time, such as 20/s or 5/m',
  address: 'must be an address and a port, such as 127.0.0.1:8000, 0.0.0.0:8000 or [::]:8000',
}

/** Accepts everything if JSON Schema can't express the schema (one that contains itself). */
export function optionJsonSchema(schema: Schema): JsonSchema {
  try {
    const json = z.toJSONSchema(schema as z.ZodType, {
      target: 'draft-07',
      io: 'input',
      unrepresentable: 'any',
      cycles: 'throw',
      override: ({ zodSchema, jsonSchema }) => amend(zodSchema, jsonSchema),
    })
    const { $schema: _, ...rest } = json as Readonly<Record<string, unknown>>
    return rest
  } catch {
    return {}
  }
}

function amend(schema: Schema, json: Record<string, unknown>): void {
  const { description } = optionMeta(schema)
  if (description !== '') json['description'] = description
  delete json['reload']
  delete json['unit']
  delete json['instead']
  const value = defaultOf(schema)
  if (value !== undefined) json['default'] = value
  else if (isGroup(json['default'])) delete json['default']
  // zod's own wrapper around a kind repeats the pattern of the kind; the pattern of a plain schema has to allow `${`.
  if (typeof json['pattern'] === 'string' && !json['pattern'].includes(INTERPOLATED)) {
    json['pattern'] = `${json['pattern']}|${INTERPOLATED}`
  }
  delete json['format']
  addFormMessages(schema, json)
  if (defOf(schema).type === 'enum' && json['anyOf'] === undefined) {
    json['anyOf'] = [{ enum: json['enum'] }, INTERPOLATED_TEXT]
    delete json['enum']
    delete json['type']
  }
}

function addFormMessages(schema: Schema, json: Record<string, unknown>): void {
  const kind = kindOf(coreOf(schema))
  const patternErrorMessage = kind === undefined ? undefined : FORMS[kind.name]
  if (patternErrorMessage === undefined) return
  if (typeof json['pattern'] === 'string') json['patternErrorMessage'] = patternErrorMessage
  if (!Array.isArray(json['anyOf'])) return
  // If no branch matches, editors report the first one: it has to be that of the form, not that of a bare 0.
  const branches = (json['anyOf'] as readonly JsonSchema[]).toSorted(
    (a, b) => Number('const' in a) - Number('const' in b),
  )
  const isAmount = branches.some((branch) => 'const' in branch)
  const messages = { patternErrorMessage, ...(isAmount ? { errorMessage: patternErrorMessage } : {}) }
  json['anyOf'] = branches.map((branch) => ('pattern' in branch ? { ...branch, ...messages } : branch))
}

/** In YAML form; undefined for a group, whose members have defaults of their own. */
function defaultOf(schema: Schema): unknown {
  for (const layer of layersOf(schema)) {
    const { type, defaultValue } = defOf(layer)
    if (type !== 'default' && type !== 'prefault') continue
    const kind = kindOf(coreOf(schema))
    const isText = type === 'default' && typeof defaultValue === 'number' && kind?.name !== 'count'
    if (isGroup(defaultValue)) return undefined
    return isText ? (kind?.render?.(defaultValue) ?? defaultValue) : defaultValue
  }
  return undefined
}

function isGroup(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
