// Copies the body of a template with the values of a pipeline in its placeholders. A text that is nothing but a
// placeholder becomes the value itself, with its type and place: mistakes in it are reported where the value was given.
// Everything else keeps its place in the template, with a note that names the pipeline. Inserted values are inert. The
// same code fills in `${stream}` for a copy of a pattern pipeline; until then it stays as it is.
import type { Place, Problems } from '../report/diagnostic.js'
import { positionOf } from '../report/diagnostic.js'
import { LONGEST_TEXT, STREAM } from '../source/interpolate.js'
import type { ParameterReference, Pattern } from '../source/interpolate.js'
import { isNull } from '../source/yaml-tree.js'
import type { YamlEntry, YamlMap, YamlScalar, YamlValue } from '../source/yaml-tree.js'

export interface Filling {
  /** By name of the parameter. */
  readonly values: ReadonlyMap<string, YamlEntry>
  /** Names the pipeline that the copy is for. By default places keep the note that they have. */
  readonly note?: string
  readonly problems: Problems
}

/** The body of a template for one pipeline. */
export function fillTemplate(body: YamlMap, filling: Filling): YamlMap {
  return fillMap(body, filling)
}

/** The value unchanged, with the note at its places. */
export function withNote(value: YamlValue, note: string): YamlValue {
  return fill(value, { values: new Map(), note, problems: undefined }) ?? value
}

interface PartialFilling extends Omit<Filling, 'problems'> {
  /** Undefined if there are no placeholders. */
  readonly problems: Problems | undefined
}

// Undefined if the parameter is null: the entry is left out.
function fill(value: YamlValue, filling: PartialFilling): YamlValue | undefined {
  if (value.kind === 'map') return fillMap(value, filling)
  if (value.kind === 'list') {
    const items = value.items.flatMap((item) => fill(item, filling) ?? [])
    return { ...value, place: noted(value.place, filling), items }
  }
  return value.pattern === undefined
    ? { ...value, place: noted(value.place, filling) }
    : fillText(value, value.pattern, filling)
}

function fillMap(map: YamlMap, filling: PartialFilling): YamlMap {
  const entries = new Map<string, YamlEntry>()
  for (const [name, { key, value }] of map.entries) {
    const filled = fill(value, filling)
    if (filled !== undefined) entries.set(name, { key: noted(key, filling), value: filled })
  }
  return { ...map, place: noted(map.place, filling), entries }
}

function fillText(scalar: YamlScalar, pattern: Pattern, filling: PartialFilling): YamlValue | undefined {
  const [only, ...more] = pattern.parts
  if (more.length === 0 && only !== undefined && typeof only !== 'string' && only.name !== STREAM) {
    const value = filling.values.get(only.name)?.value ?? unknown(scalar, filling)
    return isNull(value) ? undefined : value
  }
  const place = noted(scalar.place, filling)
  const filled = fillParts(pattern, filling)
  if (filled === undefined) {
    const message = `the text is longer than ${LONGEST_TEXT} characters with its parameters filled in`
    filling.problems?.report('CONFIG_INTERPOLATION', place, message, { help: 'shorten the values' })
    return unknown(scalar, filling)
  }
  const { parts, unresolved } = filled
  const [text = '', ...rest] = parts
  if (rest.length > 0 || typeof text !== 'string') {
    return { kind: 'scalar', place, value: null, unresolved: true, pattern: filled }
  }
  return { kind: 'scalar', place, value: unresolved ? null : text, unresolved }
}

/** Undefined if the text is too long. Texts next to each other become one. */
function fillParts(pattern: Pattern, filling: PartialFilling): Pattern | undefined {
  let { unresolved } = pattern
  let length = 0
  const parts: (string | ParameterReference)[] = []
  for (const part of pattern.parts) {
    const pieces = typeof part === 'string' ? [part] : partsOf(part, filling)
    unresolved ||= pieces === undefined
    for (const piece of pieces ?? []) {
      length += typeof piece === 'string' ? piece.length : 0
      append(parts, piece)
    }
    if (length > LONGEST_TEXT) return undefined
  }
  return { parts, unresolved }
}

function append(parts: (string | ParameterReference)[], piece: string | ParameterReference): void {
  const last = parts.at(-1)
  if (typeof piece === 'string' && typeof last === 'string') parts[parts.length - 1] = last + piece
  else parts.push(piece)
}

/** Undefined if it is unknown. The key of a stream stays until a copy fills it in. */
function partsOf(part: ParameterReference, filling: PartialFilling): Pattern['parts'] | undefined {
  const entry = filling.values.get(part.name)
  if (entry === undefined) return part.name === STREAM ? [part] : undefined
  const { value } = entry
  if (value.kind === 'scalar' && value.pattern?.unresolved === false) return value.pattern.parts
  const text = textOfPlaceholder(part, entry, filling)
  return text === undefined ? undefined : [text]
}

function textOfPlaceholder(
  { name, expression }: ParameterReference,
  { key, value }: YamlEntry,
  { problems }: PartialFilling,
): string | undefined {
  if (value.kind !== 'scalar') {
    const what = value.kind === 'map' ? 'a map' : 'a list'
    const message = `parameter "${name}" is ${what} and cannot be part of a text`
    problems?.report('CONFIG_WRONG_TYPE', key, message, {
      help: `${expression} is part of a longer text: set it to a single value`,
    })
    return undefined
  }
  if (value.unresolved) return undefined
  // 007 and 1.0 stay as written.
  const { place } = value
  if (typeof value.value === 'number') return place.file.text.slice(place.start, place.end)
  return value.value === null ? '' : String(value.value)
}

function unknown({ place }: YamlScalar, filling: PartialFilling): YamlScalar {
  return { kind: 'scalar', place: noted(place, filling), value: null, unresolved: true }
}

function noted(place: Place, { note }: PartialFilling): Place {
  return note === undefined ? place : { ...place, note }
}

/** The note on a mistake in a template: the pipeline that it affects. */
export function noteOf(pipeline: string, template: string, place: Place): string {
  const { file, line, column } = positionOf(place)
  return `pipeline "${pipeline}" (${file}:${line}:${column}) uses template "${template}"`
}
