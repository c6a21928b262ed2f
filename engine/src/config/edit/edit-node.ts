// Finds where a node is written among the texts of a configuration, and applies a JSON merge patch to its options there.
import { isAlias, isMap, LineCounter } from 'yaml'
import type { Document, Node, Pair, YAMLMap } from 'yaml'
import { isDeepStrictEqual } from 'node:util'
import { PIPELINE_KINDS, SECTION_OF } from '../../plugin/node-kinds.js'
import { SERVICES } from '../../graph/node-id.js'
import { composeYaml } from '../source/compose-yaml.js'
import { editError } from './edit-errors.js'
import { patchMap, splice } from './patch-map.js'
import type { Elsewhere } from './patch-map.js'
import { keyName, outlineOf, patchOutline } from './yaml-outline.js'

export interface NodeEdit {
  /** `pipeline/node`, or `services/name`. */
  readonly node: string
  readonly patch: Readonly<Record<string, unknown>>
}

/** A file of the configuration. */
export interface EditedText {
  /** As it is called in messages. */
  readonly name: string
  /** Absolute. */
  readonly path: string
  readonly text: string
}

export interface EditedFile extends EditedText {
  /** Of the node, from 1. */
  readonly line: number
  /** The text with the edit. */
  readonly after: string
}

interface Source extends EditedText {
  readonly document: Document.Parsed
  readonly lines: LineCounter
}

/** Where a path leads in a file. */
interface Found {
  readonly source: Source
  /** The part of the path that is written there. */
  readonly depth: number
  readonly pair: Pair<unknown, Node | null> | undefined
}

/** Throws an error of `editError`. The texts have no mistakes. */
export async function editNode(texts: readonly EditedText[], { node, patch }: NodeEdit): Promise<EditedFile> {
  const sources = await composeAll(texts)
  const { source, path, map, at } = findNode(sources, node)
  const found = patchMap({
    text: source.text,
    document: source.document,
    map,
    patch,
    providedElsewhere: (option) => findInTemplate(sources, path, option),
  })
  if (!Array.isArray(found)) throw elsewhere(source, node, found as Elsewhere)
  const after = splice(source.text, found)
  await verify(source, after, path, patch)
  return { name: source.name, path: source.path, text: source.text, line: lineOf(source, at), after }
}

async function composeAll(texts: readonly EditedText[]): Promise<readonly Source[]> {
  const sources: Source[] = []
  for (const each of texts) {
    const lines = new LineCounter()
    const document = await composeYaml(each.text, lines)
    if (!('why' in document)) sources.push({ ...each, document, lines })
  }
  return sources
}

interface FoundNode {
  readonly source: Source
  readonly path: readonly string[]
  readonly map: YAMLMap
  readonly at: number
}

function findNode(sources: readonly Source[], id: string): FoundNode {
  const paths = pathsOf(id)
  for (const path of paths) {
    for (const source of sources) {
      const { depth, pair } = find(source, path)
      if (depth !== path.length || pair === undefined) continue
      const at = startOf(pair)
      if (isMap(pair.value)) return { source, path, map: pair.value, at }
      const why = isAlias(pair.value) ? `is the alias *${pair.value.source}` : 'is not written as a map'
      throw editError('EDIT_ELSEWHERE', `${place(source, at)}: ${id} ${why}`, { at: place(source, at) })
    }
  }
  throw notWritten(sources, paths, id)
}

/** The node exists, but comes from a template, an alias or `<<`. */
function notWritten(sources: readonly Source[], paths: readonly (readonly string[])[], id: string): Error {
  for (const path of paths) {
    const template = findInTemplate(sources, path, [])
    if (template !== undefined) return editError('EDIT_ELSEWHERE', `${template.why}: ${id}`, { at: template.place })
  }
  const deepest = paths
    .flatMap((path) => sources.map((source) => find(source, path)))
    .reduce<Found | undefined>((best, found) => (found.depth > (best?.depth ?? 0) ? found : best), undefined)
  if (deepest?.pair === undefined) {
    return editError(
      'EDIT_ELSEWHERE',
      `${id} is written in none of the files: it comes from a --set flag, or from a pipe`,
    )
  }
  const at = place(deepest.source, startOf(deepest.pair))
  return editError('EDIT_ELSEWHERE', `${at}: ${id} comes through << or an alias here`, { at })
}

interface InTemplate extends Elsewhere {
  readonly place: string
}

/** Where the template of the pipeline has a node (`option` empty) or an option of it. */
function findInTemplate(
  sources: readonly Source[],
  path: readonly string[],
  option: readonly string[],
): InTemplate | undefined {
  const [section, pipeline = '', ...rest] = path
  if (section !== 'pipelines') return undefined
  for (const source of sources) {
    const uses = find(source, [section, pipeline, 'template'])
    const name = uses.depth === 3 ? (uses.pair?.value as { value?: unknown } | null)?.value : undefined
    if (typeof name !== 'string') continue
    for (const from of sources) {
      const wanted = ['templates', name, ...rest, ...option]
      const { depth, pair } = find(from, wanted)
      if (depth !== wanted.length || pair === undefined) continue
      const where = place(from, startOf(pair))
      return { option: option.join('.'), why: `comes from the template "${name}", ${where}`, at: -1, place: where }
    }
  }
  return undefined
}

function find(source: Source, path: readonly string[]): Found {
  let map: unknown = source.document.contents
  let pair: Pair<unknown, Node | null> | undefined
  for (const [depth, step] of path.entries()) {
    const next = isMap(map)
      ? (map.items as readonly Pair<unknown, Node | null>[]).find((one) => keyName(one.key) === step)
      : undefined
    if (next === undefined) return { source, depth, pair }
    pair = next
    map = next.value
  }
  return { source, depth: path.length, pair }
}

function pathsOf(id: string): readonly (readonly string[])[] {
  const [owner = '', name = ''] = id.split('/', 2)
  if (owner === SERVICES) return [[SERVICES, name]]
  return PIPELINE_KINDS.map((kind) => ['pipelines', owner, SECTION_OF[kind], name])
}

/** The new text must say what was asked for, and nothing else. */
async function verify(
  source: Source,
  after: string,
  path: readonly string[],
  patch: Readonly<Record<string, unknown>>,
): Promise<void> {
  const document = await composeYaml(after, new LineCounter())
  const isSame =
    !('why' in document) &&
    document.errors.length === 0 &&
    isDeepStrictEqual(outlineOf(document.contents), patchOutline(outlineOf(source.document.contents), path, patch))
  if (!isSame) throw editError('EDIT_LAYOUT', `${source.name} is written in a way that cannot be edited safely`)
}

function elsewhere(source: Source, node: string, { option, why, at }: Elsewhere): Error {
  // A template has told its own place.
  if (at < 0) return editError('EDIT_ELSEWHERE', `"${option}" of ${node} ${why}`)
  const where = place(source, at)
  return editError('EDIT_ELSEWHERE', `${where}: "${option}" of ${node} ${why}`, { at: where })
}

function startOf({ key }: Pair<unknown, Node | null>): number {
  return (key as Node | null)?.range?.[0] ?? 0
}

function lineOf({ lines }: Source, at: number): number {
  return Math.max(1, lines.linePos(at).line)
}

function place(source: Source, at: number): string {
  const { line, col } = source.lines.linePos(at)
  return `${source.name}:${Math.max(1, line)}:${Math.max(1, col)}`
}
