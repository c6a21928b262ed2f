// A copy of what a template says, with a pipeline's values in its gaps. A text that is nothing but a gap becomes the
// value itself, with its type and its place: what is wrong with it is reported where it was given. Everything else keeps
// its place in the template, with a note of the pipeline. What comes in is inert.
import type { Place, Problems } from '../report/diagnostic.js'
import { positionOf } from '../report/diagnostic.js'
import { LONGEST_TEXT } from '../source/interpolate.js'
import type { ParameterReference, Pattern } from '../source/interpolate.js'
import { isNull } from '../source/yaml-tree.js'
import type { YamlEntry, YamlMap, YamlScalar, YamlValue } from '../source/yaml-tree.js'

export interface Filling {
  /** By parameter. */
  readonly values: ReadonlyMap<string, YamlEntry>
  /** Which pipeline it is for. */
  readonly note: string
  readonly problems: Problems
}

/** The body of a template for one pipeline. */
export function fillTemplate(body: YamlMap, filling: Filling): YamlMap {
  return fillMap(body, filling)
}

/** The value as it is, with the note. */
export function withNote(value: YamlValue, note: string): YamlValue {
  return fill(value, { values: new Map(), note, problems: undefined }) ?? value
}

interface Gaps extends Omit<Filling, 'problems'> {
  /** Undefined where there are no gaps. */
  readonly problems: Problems | undefined
}

// Undefined: a parameter is null, and nothing is to stand there.
function fill(value: YamlValue, gaps: Gaps): YamlValue | undefined {
  if (value.kind === 'map') return fillMap(value, gaps)
  if (value.kind === 'list') {
    const items = value.items.flatMap((item) => fill(item, gaps) ?? [])
    return { ...value, place: noted(value.place, gaps), items }
  }
  return value.pattern === undefined
    ? { ...value, place: noted(value.place, gaps) }
    : fillText(value, value.pattern, gaps)
}

function fillMap(map: YamlMap, gaps: Gaps): YamlMap {
  const entries = new Map<string, YamlEntry>()
  for (const [name, { key, value }] of map.entries) {
    const filled = fill(value, gaps)
    if (filled !== undefined) entries.set(name, { key: noted(key, gaps), value: filled })
  }
  return { ...map, place: noted(map.place, gaps), entries }
}

function fillText(scalar: YamlScalar, pattern: Pattern, gaps: Gaps): YamlValue | undefined {
  const [only, ...more] = pattern.parts
  if (more.length === 0 && only !== undefined && typeof only !== 'string') {
    const value = gaps.values.get(only.name)?.value ?? unknown(scalar, gaps)
    return isNull(value) ? undefined : value
  }
  let { unresolved } = pattern
  let text = ''
  for (const part of pattern.parts) {
    const piece = typeof part === 'string' ? part : textOfGap(part, gaps)
    unresolved ||= piece === undefined
    text += piece ?? ''
    if (text.length <= LONGEST_TEXT) continue
    const message = `the text is longer than ${LONGEST_TEXT} characters with its parameters in place`
    gaps.problems?.report('CONFIG_INTERPOLATION', noted(scalar.place, gaps), message, { help: 'shorten the values' })
    return unknown(scalar, gaps)
  }
  return { kind: 'scalar', place: noted(scalar.place, gaps), value: unresolved ? null : text, unresolved }
}

function textOfGap({ name, expression }: ParameterReference, { values, problems }: Gaps): string | undefined {
  const entry = values.get(name)
  if (entry === undefined) return undefined
  const { key, value } = entry
  if (value.kind !== 'scalar') {
    const what = value.kind === 'map' ? 'a map' : 'a list'
    const message = `parameter "${name}" is ${what}, and cannot be a part of a text`
    problems?.report('CONFIG_WRONG_TYPE', key, message, {
      help: `${expression} stands in a longer text: give it a word`,
    })
    return undefined
  }
  if (value.unresolved) return undefined
  // 007 and 1.0 stay what was written.
  const { place } = value
  if (typeof value.value === 'number') return place.file.text.slice(place.start, place.end)
  return value.value === null ? '' : String(value.value)
}

function unknown({ place }: YamlScalar, gaps: Gaps): YamlScalar {
  return { kind: 'scalar', place: noted(place, gaps), value: null, unresolved: true }
}

function noted(place: Place, { note }: Gaps): Place {
  return { ...place, note }
}

/** What is said with a mistake in a template: for which pipeline it is one. */
export function noteOf(pipeline: string, template: string, place: Place): string {
  const { file, line, column } = positionOf(place)
  return `pipeline "${pipeline}" (${file}:${line}:${column}) uses template "${template}"`
}
