// `--set path=value`: an option on the command line replaces the one in the file. The flag is a source of its own, so
// that mistakes in it are shown at the flag. Trees are shared (aliases) and never changed: each map along the path is
// copied.
import { resolve } from 'node:path'
import type { Place, Problems, SourceText } from '../report/diagnostic.js'
import { didYouMean } from '../report/did-you-mean.js'
import type { Values } from './interpolate.js'
import { parseYaml, readYaml } from './read-yaml.js'
import type { ParsedYaml } from './read-yaml.js'
import { isNull } from './yaml-tree.js'
import type { YamlEntry, YamlMap, YamlValue } from './yaml-tree.js'

/** Named entries: a flag can add a whole one, but a path cannot lead into one that does not exist. */
const NAMED: readonly (readonly [depth: number, section: string, what: string])[] = [
  [1, 'pipelines', 'pipeline'],
  [3, 'pipelines', 'node'],
  [1, 'services', 'service'],
  [1, 'listeners', 'listener'],
  [1, 'auth', 'provider'],
]

interface Step {
  readonly name: string
  readonly place: Place
}

export interface Flag {
  readonly parsed: ParsedYaml
  readonly path: readonly Step[]
}

/** Parses the flags; `--set 1` is the first. Malformed flags are reported and left out. */
export async function parseFlags(texts: readonly string[], problems: Problems): Promise<readonly Flag[]> {
  const flags = await Promise.all(texts.map((text, index) => parseFlag(text, flagName(index), problems)))
  return flags.filter((flag) => flag !== undefined)
}

/** How a flag is named in diagnostics. */
export function flagName(index: number): string {
  return `--set ${index + 1}`
}

/** The trees with the values of the flags in place. `isWhole`: all files could be read, so a path must exist. */
export function setValues(
  trees: readonly (YamlValue | undefined)[],
  flags: readonly Flag[],
  values: Values,
  isWhole: boolean,
  problems: Problems,
): readonly (YamlValue | undefined)[] {
  const changed = [...trees]
  for (const { parsed, path } of flags) {
    const value = readYaml(parsed, values, problems)
    const index = value === undefined ? undefined : chooseTree(changed, path, isWhole, problems)
    const tree = index === undefined ? undefined : changed[index]
    if (value === undefined || index === undefined || tree?.kind !== 'map') continue
    changed[index] = setAt(tree, path, value, problems)
  }
  return changed
}

async function parseFlag(text: string, name: string, problems: Problems): Promise<Flag | undefined> {
  const equals = text.indexOf('=')
  const parsed = await parseYaml(
    { name, path: resolve(name), text },
    problems,
    equals === -1 ? text.length : equals + 1,
  )
  const { file } = parsed
  const all = { file, start: 0, end: Math.max(1, equals === -1 ? text.length : equals) }
  const path = equals === -1 ? [] : stepsOf(text.slice(0, equals), file)
  const applied = stepAppliedEarlier(path)
  if (applied !== undefined) {
    const help = 'set the option itself: --set pipelines.live.outputs.ts.path=/live.ts'
    problems.report('CONFIG_SET', applied.place, `${name} is too late to change "${applied.name}"`, { help })
    return undefined
  }
  if (path.length > 0 && path.every((step) => step.name !== '' && step.name !== '__proto__')) return { parsed, path }
  const message = equals === -1 ? `${name} has no = between path and value` : `the path of ${name} is not valid`
  problems.report('CONFIG_SET', all, message)
  return undefined
}

/** Flags are applied after included files and templates have been resolved, so they cannot change those. */
function stepAppliedEarlier(path: readonly Step[]): Step | undefined {
  const [section, , key] = path
  if (section?.name === 'include' || section?.name === 'templates') return section
  return section?.name === 'pipelines' && (key?.name === 'template' || key?.name === 'with') ? key : undefined
}

function stepsOf(text: string, file: SourceText): readonly Step[] {
  let start = 0
  return text.split('.').map((name) => {
    const place = { file, start, end: Math.max(start + 1, start + name.length) }
    start += name.length + 1
    return { name, place }
  })
}

// Index of the tree that contains most of the path; of the first tree if none contains its beginning.
function chooseTree(
  trees: readonly (YamlValue | undefined)[],
  path: readonly Step[],
  isWhole: boolean,
  problems: Problems,
): number | undefined {
  const depths = trees.map((tree) => (tree?.kind === 'map' ? depthOf(tree, path) : -1))
  const deepest = Math.max(...depths)
  if (deepest === -1) return undefined
  const index = depths.indexOf(deepest)
  const [section] = path
  const stop = NAMED.find(([depth, name]) => name === section?.name && depth === deepest && path.length > depth + 1)
  const step = path[deepest]
  if (stop === undefined || step === undefined) return index
  if (isWhole) reportMissing(stop[2], step, trees, path.slice(0, deepest), problems)
  return undefined
}

function reportMissing(
  what: string,
  step: Step,
  trees: readonly (YamlValue | undefined)[],
  before: readonly Step[],
  problems: Problems,
): void {
  const known = trees.flatMap((tree) => {
    const parent = tree === undefined ? undefined : valueAt(tree, before)
    return parent?.kind === 'map' ? [...parent.entries.keys()] : []
  })
  const message = `the path of ${step.place.file.name} does not exist: there is no ${what} "${step.name}"`
  problems.report('CONFIG_SET', step.place, message, { help: didYouMean(step.name, known, `${what}s`) })
}

function valueAt(tree: YamlValue, path: readonly Step[]): YamlValue | undefined {
  let value: YamlValue | undefined = tree
  for (const { name } of path) value = value?.kind === 'map' ? value.entries.get(name)?.value : undefined
  return value
}

function depthOf(tree: YamlMap, path: readonly Step[]): number {
  let value: YamlValue | undefined = tree
  let depth = 0
  for (const { name } of path) {
    value = value.kind === 'map' ? value.entries.get(name)?.value : undefined
    if (value === undefined) break
    depth += 1
  }
  return depth
}

function setAt(map: YamlMap, path: readonly Step[], value: YamlValue, problems: Problems): YamlMap {
  const [step, ...rest] = path
  if (step === undefined) return map
  const before = map.entries.get(step.name)
  const entry = rest.length === 0 ? { key: step.place, value } : entryOn(step, before, rest, value, problems)
  return entry === undefined ? map : { ...map, entries: new Map(map.entries).set(step.name, entry) }
}

function entryOn(
  step: Step,
  before: YamlEntry | undefined,
  rest: readonly Step[],
  value: YamlValue,
  problems: Problems,
): YamlEntry | undefined {
  const { key, value: inner } = before ?? { key: step.place, value: undefined }
  if (inner === undefined || isNull(inner)) {
    const empty: YamlMap = { kind: 'map', place: step.place, entries: new Map() }
    return { key, value: setAt(empty, rest, value, problems) }
  }
  if (inner.kind === 'map') return { key, value: setAt(inner, rest, value, problems) }
  if (inner.kind === 'list') {
    const items = setItem(inner.items, rest, value, problems)
    return items === undefined ? undefined : { key, value: { ...inner, items } }
  }
  // A value that could not be read has been reported already.
  if (inner.unresolved) return before
  const message = `the path of ${step.place.file.name} does not exist: "${step.name}" is a plain value`
  problems.report('CONFIG_SET', step.place, message)
  return undefined
}

function setItem(
  items: readonly YamlValue[],
  path: readonly Step[],
  value: YamlValue,
  problems: Problems,
): readonly YamlValue[] | undefined {
  const [step, ...rest] = path
  const item = step === undefined || !/^\d{1,4}$/.test(step.name) ? undefined : items[Number(step.name)]
  if (step === undefined || item === undefined) {
    const last = items.length - 1
    const help =
      last < 0 ? 'set the whole list: --set path=[a, b]' : `use an index from 0 to ${last}, or set the whole list`
    const message = `the path of ${step?.place.file.name ?? ''} does not exist: the list has no item "${step?.name ?? ''}"`
    if (step !== undefined) problems.report('CONFIG_SET', step.place, message, { help })
    return undefined
  }
  if (rest.length === 0) return items.with(Number(step.name), value)
  const entry = entryOn(step, { key: item.place, value: item }, rest, value, problems)
  return entry === undefined ? undefined : items.with(Number(step.name), entry.value)
}
