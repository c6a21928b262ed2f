// Reads a YAML 1.2 file into a tree with places. Aliases share their value, so nothing is ever expanded; the number of
// values that they stand for is counted and bounded.
import { isAlias, isMap, isScalar, isSeq, LineCounter } from 'yaml'
import type { Alias, Document, Node, Pair, ParsedNode, Scalar, YAMLMap } from 'yaml'
import { positionOf } from '../report/diagnostic.js'
import type { Place, Problems, SourceText } from '../report/diagnostic.js'
import { interpolate } from './interpolate.js'
import type { Values } from './interpolate.js'
import { composeYaml } from './compose-yaml.js'
import type { Uncomposed } from './compose-yaml.js'
import { reportSyntax } from '../report/syntax-errors.js'
import type { YamlEntry, YamlMap, YamlScalar, YamlValue } from './yaml-tree.js'

/** Values that all aliases of a file may stand for. */
const MOST_ALIASED = 20_000
const DEEPEST = 64

export interface ParsedYaml {
  readonly file: SourceText
  /** Undefined if syntax errors leave no document that can be trusted. */
  readonly document: Pick<Document, 'contents'> | undefined
}

/** The messages for a text that was not composed. */
const UNCOMPOSED: Readonly<Record<Uncomposed['why'], readonly [message: string, help: string]>> = {
  depth: ['the document is nested too deeply', 'a pipeline needs five levels'],
  pieces: ['the file is longer than a configuration needs to be', 'split it with include, or use templates'],
  length: ['a text longer than 64 KiB begins here', 'is a quote not closed?'],
}

/** Parses a text. `from`: the offset at which the YAML begins; what is before it is ignored. */
export async function parseYaml(
  source: Pick<SourceText, 'name' | 'path' | 'text'>,
  problems: Problems,
  from = 0,
): Promise<ParsedYaml> {
  const lines = new LineCounter()
  const file: SourceText = { ...source, lines }
  const text = from === 0 ? source.text : `${' '.repeat(from)}${source.text.slice(from)}`
  const document = await composeYaml(text, lines)
  if ('why' in document) {
    const [message, help] = UNCOMPOSED[document.why]
    const place = { file, start: document.at, end: document.at + 1 }
    problems.report('CONFIG_SYNTAX', place, message, { help })
    return { file, document: undefined }
  }
  const usable = reportSyntax(document, file, problems)
  return { file, document: usable ? document : undefined }
}

/** The tree of a document with its values filled in; undefined if there is no document. */
export function readYaml({ file, document }: ParsedYaml, values: Values, problems: Problems): YamlValue | undefined {
  if (document === undefined) return undefined
  return new TreeReader(file, values, problems).read(document.contents as Node | null, undefined, 0)
}

class TreeReader {
  readonly #file: SourceText
  readonly #values: Values
  readonly #problems: Problems
  readonly #anchors = new Map<string, YamlValue>()
  /** Number of values in a value, aliases expanded. */
  readonly #sizes = new Map<YamlValue, number>()
  #aliased = 0

  constructor(file: SourceText, values: Values, problems: Problems) {
    this.#file = file
    this.#values = values
    this.#problems = problems
  }

  read(node: Node | ParsedNode | null | undefined, fallback: Place | undefined, depth: number): YamlValue {
    const place = this.#place(node, fallback)
    if (depth > DEEPEST) {
      this.#problems.report('CONFIG_SYNTAX', place, `the document is nested more than ${DEEPEST} levels deep`)
      return nothing(place)
    }
    if (isAlias(node)) return this.#alias(node, place)
    const value = this.#value(node, place, depth)
    this.#sizes.set(value, sizeOf(value, this.#sizes))
    const anchor = isScalar(node) || isMap(node) || isSeq(node) ? node.anchor : undefined
    if (anchor !== undefined) this.#anchors.set(anchor, value)
    return value
  }

  #value(node: Node | null | undefined, place: Place, depth: number): YamlValue {
    if (isMap(node)) return this.#map(node, place, depth)
    if (isSeq(node)) {
      const items = node.items.map((item) => this.read(item as Node | null, place, depth + 1))
      return { kind: 'list', place, items }
    }
    return isScalar(node) ? this.#scalar(node, place) : { ...nothing(place), unresolved: false }
  }

  #scalar(node: Scalar, place: Place): YamlScalar {
    const { value } = node
    if (typeof value === 'number' && node.source !== undefined) {
      return { kind: 'scalar', place, value, unresolved: false, source: node.source }
    }
    if (typeof value === 'number' || typeof value === 'boolean' || value === null) {
      return { kind: 'scalar', place, value, unresolved: false }
    }
    // The parser turns a value of `<<` into a symbol; here it is text like any other.
    const written = typeof value === 'string' ? value : (node.source ?? '')
    const { text, problems, unresolved, pattern } = interpolate(written, this.#values)
    for (const { code, message, help, expression } of problems) {
      const at = this.#file.text.slice(place.start, place.end).indexOf(expression)
      const start = at === -1 ? place.start : place.start + at
      const found = at === -1 ? place : { file: this.#file, start, end: start + expression.length }
      this.#problems.report(code, found, message, { help })
    }
    return { kind: 'scalar', place, value: text, unresolved, ...(pattern === undefined ? {} : { pattern }) }
  }

  #map(node: YAMLMap, place: Place, depth: number): YamlMap {
    const entries = new Map<string, YamlEntry>()
    const merged: YamlValue[] = []
    for (const pair of node.items as readonly Pair<Node, Node | null>[]) {
      const key = this.#place(pair.key, place)
      const name = this.#keyName(pair.key, key)
      if (name === undefined) continue
      const value = this.read(pair.value, key, depth + 1)
      if (isMergeKey(pair.key)) merged.push(...(value.kind === 'list' ? value.items : [value]))
      else this.#add(entries, name, { key, value })
    }
    for (const from of merged) this.#merge(entries, from)
    return { kind: 'map', place, entries }
  }

  #add(entries: Map<string, YamlEntry>, name: string, entry: YamlEntry): void {
    const first = entries.get(name)
    if (first === undefined) {
      entries.set(name, entry)
      return
    }
    const message = `the key "${name}" is already in this map, on line ${positionOf(first.key).line}`
    this.#problems.report('CONFIG_SYNTAX', entry.key, message, { help: 'remove or rename one of the two' })
  }

  #merge(entries: Map<string, YamlEntry>, from: YamlValue): void {
    if (from.kind !== 'map') {
      if (from.kind === 'list' || !from.unresolved) {
        this.#problems.report('CONFIG_SYNTAX', from.place, '<< takes a map, or a list of maps')
      }
      return
    }
    for (const [name, entry] of from.entries) if (!entries.has(name)) entries.set(name, entry)
  }

  #keyName(key: Node | null, place: Place): string | undefined {
    if (isMergeKey(key)) return '<<'
    if (!isScalar(key) || key.value === null) {
      this.#problems.report('CONFIG_SYNTAX', place, 'a key must be a word')
      return undefined
    }
    const name = typeof key.value === 'string' ? key.value : (key.source ?? '')
    if (name !== '__proto__') return name
    this.#problems.report('CONFIG_UNKNOWN_KEY', place, 'the key "__proto__" is not allowed')
    return undefined
  }

  #alias(node: Alias, place: Place): YamlValue {
    const value = this.#anchors.get(node.source)
    if (value === undefined) {
      const message = `there is no anchor &${node.source} before this alias`
      const help = 'define the anchor above, or put a text that begins with * in double quotes'
      this.#problems.report('CONFIG_UNQUOTED', place, message, { help })
      return nothing(place)
    }
    this.#aliased += this.#sizes.get(value) ?? 1
    if (this.#aliased <= MOST_ALIASED) return value
    // Reported once: every further alias would repeat it.
    if (this.#aliased < Infinity) {
      this.#problems.report('CONFIG_ALIASES', place, `the aliases expand to more than ${MOST_ALIASED} values`)
    }
    this.#aliased = Infinity
    return nothing(place)
  }

  #place(node: Node | ParsedNode | null | undefined, fallback: Place | undefined): Place {
    const range = node?.range
    if (range === undefined || range === null) return fallback ?? { file: this.#file, start: 0, end: 1 }
    return { file: this.#file, start: range[0], end: Math.max(range[0] + 1, range[1]) }
  }
}

function nothing(place: Place): YamlScalar {
  return { kind: 'scalar', place, value: null, unresolved: true }
}

function isMergeKey(key: Node | null): boolean {
  return isScalar(key) && key.type === 'PLAIN' && key.source === '<<'
}

function sizeOf(value: YamlValue, sizes: ReadonlyMap<YamlValue, number>): number {
  if (value.kind === 'scalar') return 1
  const parts = value.kind === 'list' ? value.items : [...value.entries.values()].map((entry) => entry.value)
  return parts.reduce((sum, part) => sum + (sizes.get(part) ?? 1), 1)
}
