// Inspects option schemas regardless of which copy of zod made them: the kind of an option, and what is inside its
// wrappers.
import type { z } from 'zod'

export type OptionKindName =
  | 'count'
  | 'flag'
  | 'duration'
  | 'size'
  | 'rate'
  | 'eventRate'
  | 'url'
  | 'path'
  | 'secret'
  | 'text'
  | 'choice'
  | 'listener'
  | 'auth'
  | 'address'

export interface OptionKind {
  readonly name: OptionKindName
  /** The words of a choice. */
  readonly values?: readonly string[]
  /** The protocol that the listener has to speak; only for a `listener`. */
  readonly protocol?: string
  /** What the path names has to be there; only for a `path`. */
  readonly exists?: 'required' | 'expected'
  /** What the path names must not be of the other kind, if it is there; only for a `path`. */
  readonly is?: 'file' | 'folder'
  /** A number is read as it is written in the file; only for a `text`. */
  readonly asWritten?: true
  /** Parameters of the query whose values are secret; only for a `url`. */
  readonly secretParameters?: readonly string[]
  /** What of this value is secret; only for a `text` and a `url`. By default nothing of a text is. */
  secretParts?(value: string): readonly string[]
  /** Whether this value may stand in a file as it is; only for a `secret`. By default none may: `check` warns. */
  mayBePlain?(value: string): boolean
  /** The declared bounds, for messages: `20ms to 100ms`, `at least 1`. */
  readonly range?: string
  /** The YAML text of a value. By default the value as JSON. */
  render?(value: unknown): string
}

export type Schema = z.core.$ZodType

/** The parts of zod's definition objects that are read here; which ones exist depends on `type`. */
export interface SchemaDef {
  readonly type: string
  readonly innerType?: Schema
  readonly in?: Schema
  readonly out?: Schema
  readonly getter?: () => Schema
  readonly shape?: Readonly<Record<string, Schema>>
  readonly catchall?: Schema
  readonly element?: Schema
  readonly valueType?: Schema
  readonly items?: readonly Schema[]
  readonly options?: readonly Schema[]
  readonly values?: readonly unknown[]
  readonly entries?: Readonly<Record<string, unknown>>
  readonly defaultValue?: unknown
}

/** Registered, so that two copies of the engine agree. */
const KIND = Symbol.for('millrace.optionKind')

export function defOf(schema: Schema): SchemaDef {
  return schema._zod.def as unknown as SchemaDef
}

/** Marks the innermost schema of an option kind. */
export function markKind(schema: Schema, kind: OptionKind): void {
  Object.defineProperty(schema._zod.def, KIND, { value: kind })
}

/** The option kind of an innermost schema; undefined for a plain zod schema. */
export function kindOf(core: Schema): OptionKind | undefined {
  return (defOf(core) as { readonly [KIND]?: OptionKind })[KIND]
}

/** The schema and what it wraps, outermost first: default, optional, nullable, pipe and the like. */
export function layersOf(schema: Schema): readonly [Schema, ...Schema[]] {
  const layers: [Schema, ...Schema[]] = [schema]
  for (let next = inside(schema); next !== undefined; next = inside(next)) layers.push(next)
  return layers
}

/** The schema inside all wrappers. */
export function coreOf(schema: Schema): Schema {
  return layersOf(schema).at(-1) ?? schema
}

/** The keys of an object schema, or of all objects of a union. */
export function keysOf(schema: Schema): readonly string[] {
  const { type, shape, options } = defOf(coreOf(schema))
  if (type === 'object') return Object.keys(shape ?? {})
  return type === 'union' ? [...new Set((options ?? []).flatMap((option) => keysOf(option)))] : []
}

/** The schema of the value at a path; undefined where there is none. */
export function schemaAt(schema: Schema, path: readonly PropertyKey[]): Schema | undefined {
  const [key, ...rest] = path
  if (key === undefined) return schema
  const def = defOf(coreOf(schema))
  if (def.type === 'union') {
    const branches = (def.options ?? []).map((option) => schemaAt(option, path))
    return branches.find((branch) => branch !== undefined)
  }
  const name = String(key)
  const own = def.shape !== undefined && Object.hasOwn(def.shape, name) ? def.shape[name] : undefined
  const next = own ?? def.element ?? (def.type === 'record' ? def.valueType : def.items?.[Number(key)])
  return next === undefined ? undefined : schemaAt(next, rest)
}

function inside(schema: Schema): Schema | undefined {
  const def = defOf(schema)
  if (def.type === 'lazy') return def.getter?.()
  if (def.type !== 'pipe') return def.type === 'promise' ? undefined : def.innerType
  // z.preprocess puts the transform first; the part that can be described is behind it.
  return def.in !== undefined && defOf(def.in).type === 'transform' ? def.out : def.in
}
