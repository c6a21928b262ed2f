// Writes parsed options in YAML form again: `10s` for 10000, defaults included.
import { coreOf, defOf, kindOf } from './option-kind.js'
import type { OptionKind, Schema } from './option-kind.js'

/** Shown instead of a secret. */
export const CENSORED_OPTION = '***'

/** The value that parses to `value`, if there is one: an option that a plugin has transformed stays as it is. */
export function writeOptions(schema: Schema, value: unknown): unknown {
  if (value === undefined || value === null) return value
  const core = coreOf(schema)
  const kind = kindOf(core)
  if (kind !== undefined) return writeKind(kind, value)
  const def = defOf(core)
  if (def.type === 'union') return writeUnion(def.options ?? [], value)
  if (Array.isArray(value)) {
    const list: readonly unknown[] = value
    return list.map((item, index) => writePart(def.element ?? def.items?.[index], item))
  }
  if (typeof value !== 'object') return value
  const entries = Object.entries(value).map(([key, member]) => {
    const part = def.type === 'record' ? def.valueType : def.shape?.[key]
    return [key, writePart(part, member)] as const
  })
  return Object.fromEntries(entries.filter(([, member]) => member !== undefined))
}

function writePart(schema: Schema | undefined, value: unknown): unknown {
  return schema === undefined ? value : writeOptions(schema, value)
}

function writeKind(kind: OptionKind, value: unknown): unknown {
  if (kind.name === 'secret') return CENSORED_OPTION
  // Counts and flags are the same in YAML and in code.
  if (kind.name === 'count' || kind.name === 'flag') return value
  return kind.render?.(value) ?? value
}

/** Uses the branch that parses its own output to the same value again. */
function writeUnion(branches: readonly Schema[], value: unknown): unknown {
  for (const branch of branches) {
    const written = writeOptions(branch, value)
    const result = branch._zod.run({ value: written, issues: [] }, { async: false })
    if (result instanceof Promise || result.issues.length > 0) continue
    if (JSON.stringify(result.value) === JSON.stringify(value)) return written
  }
  return value
}
