// The section `templates:` of all files: pipelines with placeholders, and the parameters that fill them. Mistakes in a
// template are reported where they are written, whether or not a pipeline uses it.
import type { Place, Problems } from '../report/diagnostic.js'
import { didYouMean } from '../report/did-you-mean.js'
import { PARAMETER_NAME, STREAM } from '../source/interpolate.js'
import { PIPELINE_KEYS, checkKeys, mapOf, namedEntries } from '../source/read-section.js'
import { isNull } from '../source/yaml-tree.js'
import type { YamlEntry, YamlMap, YamlValue } from '../source/yaml-tree.js'

const PARAMETERS = 'parameters'
const PARAMETER_KEYS = ['description', 'default']
/** Characters of text that count as one more value. */
const TEXT_PER_VALUE = 64

export interface Template {
  readonly name: string
  /** What its pipelines are based on. */
  readonly body: YamlMap
  /** With their defaults; undefined for a required parameter. */
  readonly parameters: ReadonlyMap<string, YamlEntry | undefined>
  /** The parameter of each placeholder; one that fills several is listed several times. */
  readonly placeholders: readonly string[]
  /** The number of values in the body. */
  readonly size: number
}

/** By name; undefined for one that is not a map, which is reported. */
export function readTemplates(
  sections: readonly YamlEntry[],
  problems: Problems,
): ReadonlyMap<string, Template | undefined> {
  const named = namedEntries(sections, 'templates', 'template', problems)
  return new Map(named.map(([name, entry]) => [name, readTemplate(name, entry, problems)]))
}

/** Reports each parameter that is used outside a template, where nothing fills it in. */
export function reportParameters(value: YamlValue, problems: Problems): void {
  for (const { expression, place } of placeholdersOf(value)) {
    const help = 'parameters only work in templates; an environment variable is ${NAME}'
    problems.report('CONFIG_INTERPOLATION', place, `${expression} is used outside a template`, { help })
  }
}

/** Reports each `${stream}` where no key of a published stream can fill it in. `why`: completes the message. */
export function reportStreams(value: YamlValue, why: string, problems: Problems): void {
  for (const { expression, place } of placeholdersOf(value, (name) => name === STREAM)) {
    const help = 'it is the key of a published stream: give an input of the pipeline streams: "*"'
    problems.report('CONFIG_INTERPOLATION', place, `${expression} is used ${why}`, { help })
  }
}

/** The number of values in it; a long text counts as several. */
export function sizeOf(value: YamlValue): number {
  if (value.kind === 'list') return value.items.reduce((sum, item) => sum + sizeOf(item), 1)
  if (value.kind === 'map') return [...value.entries.values()].reduce((sum, entry) => sum + sizeOf(entry.value), 1)
  return typeof value.value === 'string' ? 1 + Math.floor(value.value.length / TEXT_PER_VALUE) : 1
}

function readTemplate(name: string, entry: YamlEntry, problems: Problems): Template | undefined {
  const title = `template "${name}"`
  const map = mapOf(entry, title, problems)
  if (map === undefined) return undefined
  checkKeys(map, [PARAMETERS, ...PIPELINE_KEYS], title, problems)
  const declared = map.entries.get(PARAMETERS)
  const parameters = declared === undefined ? new Map() : readParameters(declared, title, problems)
  const body = { ...map, entries: new Map([...map.entries].filter(([key]) => key !== PARAMETERS)) }
  const placeholders = [...placeholdersOf(body)]
  for (const placeholder of placeholders) {
    if (parameters.has(placeholder.name)) continue
    const help =
      didYouMean(placeholder.name, [...parameters.keys()], 'its parameters') ??
      `declare it: parameters: { ${placeholder.name}: {} }`
    problems.report('CONFIG_UNKNOWN_PARAMETER', placeholder.place, `${title} has no parameter "${placeholder.name}"`, {
      help,
    })
  }
  const used = new Set(placeholders.map((placeholder) => placeholder.name))
  for (const [parameter, { key }] of parameters) {
    if (used.has(parameter)) continue
    const message = `nothing in ${title} uses the parameter "${parameter}"`
    problems.report('CONFIG_UNUSED_PARAMETER', key, message, { severity: 'warning' })
  }
  const defaults = new Map([...parameters].map(([key, { fallback }]) => [key, fallback] as const))
  return {
    name,
    body,
    parameters: defaults,
    placeholders: placeholders.map((placeholder) => placeholder.name),
    size: sizeOf(body),
  }
}

interface Parameter {
  readonly key: Place
  readonly fallback: YamlEntry | undefined
}

function readParameters(section: YamlEntry, owner: string, problems: Problems): ReadonlyMap<string, Parameter> {
  const found = new Map<string, Parameter>()
  const map = mapOf(section, `"parameters" of ${owner}`, problems)
  for (const [name, entry] of map?.entries ?? []) {
    reportParameters(entry.value, problems)
    if (!PARAMETER_NAME.test(name)) {
      const help = 'begin with a lowercase letter, and use letters, digits and hyphens'
      problems.report('CONFIG_BAD_ID', entry.key, `"${name.slice(0, 64)}" is not a valid name for a parameter`, {
        help,
      })
    }
    found.set(name, { key: entry.key, fallback: fallbackOf(name, entry, owner, problems) })
  }
  return found
}

// A map describes the parameter; anything else is its default.
function fallbackOf(name: string, entry: YamlEntry, owner: string, problems: Problems): YamlEntry | undefined {
  const { value } = entry
  if (isNull(value)) return undefined
  if (value.kind !== 'map') return entry
  checkKeys(value, PARAMETER_KEYS, `parameter "${name}" of ${owner}`, problems)
  return value.entries.get('default')
}

interface Placeholder {
  readonly name: string
  readonly expression: string
  readonly place: Place
}

function* placeholdersOf(
  value: YamlValue,
  isWanted: (name: string) => boolean = (name) => name !== STREAM,
): Generator<Placeholder> {
  if (value.kind === 'list') for (const item of value.items) yield* placeholdersOf(item, isWanted)
  else if (value.kind === 'map')
    for (const entry of value.entries.values()) yield* placeholdersOf(entry.value, isWanted)
  else {
    for (const part of value.pattern?.parts ?? []) {
      if (typeof part !== 'string' && isWanted(part.name)) {
        yield { ...part, place: placeWithin(value.place, part.expression) }
      }
    }
  }
}

function placeWithin(place: Place, expression: string): Place {
  const at = place.file.text.slice(place.start, place.end).indexOf(expression)
  const start = place.start + at
  return at === -1 ? place : { ...place, start, end: start + expression.length }
}
