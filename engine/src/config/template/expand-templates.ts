// Expands the pipelines that use a template; nothing after this step knows of templates. Values that could not be
// filled in stay unresolved, so that what is missing is reported once.
import type { Problems } from '../report/diagnostic.js'
import { didYouMean } from '../report/did-you-mean.js'
import { fillTemplate, noteOf, withNote } from './fill-template.js'
import { overlayPipeline } from './overlay-pipeline.js'
import { mapOf, textOf } from '../source/read-section.js'
import { readTemplates, reportParameters, reportStreams, sizeOf } from './read-templates.js'
import type { Template } from './read-templates.js'
import { TimeSlice } from '../source/time-slice.js'
import { placeOf } from '../source/yaml-tree.js'
import type { YamlEntry, YamlMap, YamlScalar, YamlValue } from '../source/yaml-tree.js'

/** Values that all uses of templates may expand to. */
const MOST_FILLED = 50_000
const TEMPLATE = 'template'
const WITH = 'with'

/** The trees with every template expanded. `isWhole`: all files could be read, so an unknown template is a mistake. */
export async function expandTemplates(
  roots: readonly (YamlValue | undefined)[],
  isWhole: boolean,
  problems: Problems,
): Promise<readonly (YamlValue | undefined)[]> {
  const sections = roots.flatMap((root) => (root?.kind === 'map' ? (root.entries.get('templates') ?? []) : []))
  for (const root of roots) reportOutside(root, problems)
  const expander = new Expander(readTemplates(sections, problems), isWhole, problems)
  const expanded: (YamlValue | undefined)[] = []
  for (const root of roots) expanded.push(await expandRoot(root, expander))
  return expanded
}

async function expandRoot(root: YamlValue | undefined, expander: Expander): Promise<YamlValue | undefined> {
  const section = root?.kind === 'map' ? root.entries.get('pipelines') : undefined
  if (root?.kind !== 'map' || section?.value.kind !== 'map') return root
  const pipelines = new Map<string, YamlEntry>()
  const slice = new TimeSlice()
  for (const [name, entry] of section.value.entries) {
    pipelines.set(name, expander.expand(name, entry))
    await slice.yieldIfUsed()
  }
  const written = { ...section, value: { ...section.value, entries: pipelines } }
  return { ...root, entries: new Map(root.entries).set('pipelines', written) }
}

function reportOutside(root: YamlValue | undefined, problems: Problems): void {
  if (root?.kind !== 'map') return
  for (const [name, { value }] of root.entries) {
    if (name === 'templates') continue
    reportParameters(value, problems)
    // In pipelines it depends on their inputs.
    if (name !== 'pipelines') reportStreams(value, 'outside a pattern pipeline', problems)
  }
}

class Expander {
  readonly #templates: ReadonlyMap<string, Template | undefined>
  readonly #isWhole: boolean
  readonly #problems: Problems
  #filled = 0

  constructor(templates: ReadonlyMap<string, Template | undefined>, isWhole: boolean, problems: Problems) {
    this.#templates = templates
    this.#isWhole = isWhole
    this.#problems = problems
  }

  expand(name: string, entry: YamlEntry): YamlEntry {
    if (entry.value.kind !== 'map') return entry
    const { entries } = entry.value
    const own: YamlMap = { ...entry.value, entries: new Map(entries) }
    const uses = entries.get(TEMPLATE)
    const given = entries.get(WITH)
    const rest = { ...own, entries: new Map([...entries].filter(([key]) => key !== TEMPLATE && key !== WITH)) }
    if (uses === undefined) {
      if (given !== undefined) this.#reportNoTemplate(name, given)
      return { ...entry, value: rest }
    }
    const template = this.#find(name, uses)
    if (template === undefined) return { ...entry, value: unresolved(entry) }
    const note = noteOf(name, template.name, entry.key)
    const written = this.#valuesOf(name, entry, template, given)
    if (this.#isTooMuch(template, written, uses)) return { ...entry, value: unresolved(entry) }
    const values = new Map([...written].map(([key, value]) => [key, noteDefault(template, key, value, note)]))
    const body = fillTemplate(template.body, { values, note, problems: this.#problems })
    return { ...entry, value: overlayPipeline(body, rest) }
  }

  #find(pipeline: string, uses: YamlEntry): Template | undefined {
    const place = placeOf(uses)
    const name = textOf(uses.value, place, `"${TEMPLATE}" of pipeline "${pipeline}"`, this.#problems)
    if (name === undefined) return undefined
    if (!this.#templates.has(name) && this.#isWhole) {
      const help = didYouMean(name, [...this.#templates.keys()], 'templates')
      const message = `pipeline "${pipeline}" uses the template "${name}", which does not exist`
      this.#problems.report('CONFIG_UNKNOWN_TEMPLATE', place, message, { help })
    }
    return this.#templates.get(name)
  }

  #valuesOf(
    pipeline: string,
    entry: YamlEntry,
    { name, parameters }: Template,
    given: YamlEntry | undefined,
  ): ReadonlyMap<string, YamlEntry> {
    const title = `"${WITH}" of pipeline "${pipeline}"`
    const map = given === undefined ? undefined : mapOf(given, title, this.#problems)
    const values = new Map<string, YamlEntry>()
    for (const [parameter, value] of map?.entries ?? []) {
      if (parameters.has(parameter)) {
        values.set(parameter, value)
        continue
      }
      const help = didYouMean(parameter, [...parameters.keys()], 'its parameters')
      const message = `template "${name}" has no parameter "${parameter}"`
      this.#problems.report('CONFIG_UNKNOWN_PARAMETER', value.key, message, { help })
    }
    for (const [parameter, fallback] of parameters) {
      if (values.has(parameter)) continue
      if (fallback !== undefined) values.set(parameter, fallback)
      // A `with` that is not a map has been reported already.
      else if (given === undefined || map !== undefined) this.#reportMissing(pipeline, entry, name, parameter)
    }
    return values
  }

  #reportMissing(pipeline: string, { key }: YamlEntry, template: string, parameter: string): void {
    const message = `pipeline "${pipeline}" does not set the parameter "${parameter}" of template "${template}"`
    const help = `add it: ${WITH}: { ${parameter}: ... }`
    this.#problems.report('CONFIG_MISSING_PARAMETER', key, message, { help })
  }

  #reportNoTemplate(pipeline: string, { key }: YamlEntry): void {
    const message = `pipeline "${pipeline}" has "${WITH}" but no "${TEMPLATE}"`
    const help = 'name the template that the parameters are for'
    this.#problems.report('CONFIG_MISSING_KEY', key, message, { help })
  }

  #isTooMuch({ size, placeholders }: Template, values: ReadonlyMap<string, YamlEntry>, uses: YamlEntry): boolean {
    // Reported once: every further use would repeat it.
    if (this.#filled > MOST_FILLED) return true
    const sizes = new Map([...new Set(placeholders)].map((name) => [name, sizeOfEntry(values.get(name))]))
    this.#filled += placeholders.reduce((sum, name) => sum + (sizes.get(name) ?? 1), size)
    if (this.#filled <= MOST_FILLED) return false
    const message = `the templates expand to more than ${MOST_FILLED} values`
    this.#problems.report('CONFIG_ALIASES', placeOf(uses), message, { help: 'use fewer or smaller templates' })
    return true
  }
}

/**
 * A default is written in the template, so it gets the note; a value that a pipeline sets is written in the pipeline.
 */
function noteDefault({ parameters, placeholders }: Template, name: string, entry: YamlEntry, note: string): YamlEntry {
  const isShown = parameters.get(name) === entry && placeholders.includes(name)
  return isShown ? { ...entry, value: withNote(entry.value, note) } : entry
}

function sizeOfEntry(entry: YamlEntry | undefined): number {
  return entry === undefined ? 1 : sizeOf(entry.value)
}

function unresolved({ value }: YamlEntry): YamlScalar {
  return { kind: 'scalar', place: value.place, value: null, unresolved: true }
}
