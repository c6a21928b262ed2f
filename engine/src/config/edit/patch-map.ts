// A JSON merge patch (RFC 7396) of a YAML map as replacements of ranges of its text, so that every other byte of the file
// stays: comments, order, quotes, anchors. What is not written in the map itself is refused.
import { isAlias, isMap, isScalar, isSeq } from 'yaml'
import type { Document, Node, Pair, YAMLMap } from 'yaml'
import { isDeepStrictEqual } from 'node:util'
import { renderKey, renderValue } from './render-value.js'
import { isObject, keyName, outlineOf, patchOutline, withoutNulls } from './yaml-outline.js'

/** Aliases that are followed to find where a value comes from. */
const MOST_STEPS = 50
const INTERPOLATION = '${'

export interface Splice {
  readonly start: number
  readonly end: number
  readonly text: string
}

/** Why a value cannot be edited where it is, and the offset at which it really is. */
export interface Elsewhere {
  readonly option: string
  readonly why: string
  readonly at: number
}

export interface MapPatch {
  readonly text: string
  readonly document: Document
  readonly map: YAMLMap
  readonly patch: Readonly<Record<string, unknown>>
  /** Whether something else provides an option that the map does not have; its reason, or undefined. */
  readonly providedElsewhere?: ((path: readonly string[]) => Elsewhere | undefined) | undefined
}

/** In the order of the text; none overlaps another. */
export function patchMap(request: MapPatch): readonly Splice[] | Elsewhere {
  const patcher = new MapPatcher(request)
  patcher.patch(request.map, request.patch, [])
  return patcher.refused ?? patcher.splices.sort((a, b) => a.start - b.start || a.end - b.end)
}

/** The text with all replacements. */
export function splice(text: string, splices: readonly Splice[]): string {
  let [out, at] = ['', 0]
  for (const { start, end, text: inserted } of splices) {
    out += text.slice(at, start) + inserted
    at = end
  }
  return out + text.slice(at)
}

type YamlPair = Pair<unknown, Node | null>

class MapPatcher {
  readonly splices: Splice[] = []
  refused: Elsewhere | undefined
  readonly #request: MapPatch
  readonly #newline: string

  constructor(request: MapPatch) {
    this.#request = request
    this.#newline = request.text.includes('\r\n') ? '\r\n' : '\n'
  }

  patch(map: YAMLMap, patch: Readonly<Record<string, unknown>>, path: readonly string[]): void {
    const pairs = pairsOf(map)
    const removed = new Set<YamlPair>()
    const added: (readonly [name: string, value: unknown])[] = []
    for (const [name, value] of Object.entries(patch)) {
      const pair = pairs.find((one) => keyName(one.key) === name)
      if (pair === undefined) {
        const elsewhere = this.#mergedFrom(map, [...path, name]) ?? this.#request.providedElsewhere?.([...path, name])
        if (elsewhere !== undefined) this.refused ??= elsewhere
        else if (value !== null) added.push([name, withoutNulls(value)])
      } else if (value === null) {
        this.#refuseForeign(pair, [...path, name])
        removed.add(pair)
      } else this.#change(pair, value, [...path, name], isFlow(map))
    }
    const kept = pairs.filter((pair) => !removed.has(pair))
    if (kept.length === 0 && removed.size > 0) this.#replaceAll(map, added)
    else {
      this.#remove(map, removed)
      this.#add(map, kept.at(-1), added)
    }
  }

  #change(pair: YamlPair, value: unknown, path: readonly string[], inFlow: boolean): void {
    const { value: node } = pair
    if (isObject(value) && isMap(node)) return this.patch(node, value, path)
    this.#refuseForeign(pair, path)
    const before = outlineOf(node)
    if (isDeepStrictEqual(before, patchOutline(before, [], value))) return
    const keyEnd = (pair.key as Node | null)?.range?.[1] ?? 0
    const [start, rangeEnd] = node?.range ?? [keyEnd, keyEnd]
    const end = this.#endOf(node, rangeEnd)
    const rendered = this.#render(node, start, withoutNulls(value), inFlow)
    const between = this.#request.text.slice(keyEnd, start)
    // A block begins on a line of its own, and its replacement behind the key, unless a comment or an anchor is there.
    const isMoved = !rendered.startsWith('- ') && /^ *:\s*\n\s*$/.test(between)
    if (start === end) this.#insertAfterColon(keyEnd, rendered)
    else if (isMoved) this.splices.push({ start: keyEnd, end, text: `: ${rendered}` })
    else this.splices.push({ start, end, text: rendered })
  }

  /** Nothing is written behind the key, but there may be a comment. */
  #insertAfterColon(keyEnd: number, rendered: string): void {
    const at = this.#afterColon(keyEnd)
    this.splices.push({ start: at, end: at, text: ` ${rendered}` })
  }

  #afterColon(keyEnd: number): number {
    const colon = /^ *:/.exec(this.#request.text.slice(keyEnd, keyEnd + 100))
    return keyEnd + (colon?.[0].length ?? 0)
  }

  /** A block list stays one. */
  #render(node: Node | null, start: number, value: unknown, inFlow: boolean): string {
    if (!isSeq(node) || isFlow(node) || !Array.isArray(value) || value.length === 0) return renderValue(value, inFlow)
    const indent = ' '.repeat(start - lineStart(this.#request.text, start))
    return value.map((item) => `- ${renderValue(item, true)}`).join(`${this.#newline}${indent}`)
  }

  /** The value comes from a variable, or from an anchor elsewhere. */
  #refuseForeign(pair: YamlPair, path: readonly string[]): void {
    const { value } = pair
    const option = path.join('.')
    const [start, end] = value?.range ?? [startOf(pair), startOf(pair)]
    if (isAlias(value)) {
      const at = value.resolve(this.#request.document)?.range?.[0] ?? start
      this.refused ??= { option, why: `is the alias *${value.source}`, at }
    } else if (this.#request.text.slice(start, end).includes(INTERPOLATION))
      this.refused ??= { option, why: 'has a variable, a secret or a parameter in it', at: start }
  }

  /** Where `<<` finds the last step of the path. */
  #mergedFrom(map: YAMLMap, path: readonly string[]): Elsewhere | undefined {
    const found = this.#findMerged(map, path.at(-1) ?? '', { steps: MOST_STEPS })
    return found === undefined ? undefined : { option: path.join('.'), why: 'comes through <<', at: found }
  }

  #findMerged(map: YAMLMap, name: string, left: { steps: number }): number | undefined {
    for (const source of mergedMaps(map, this.#request.document)) {
      left.steps -= 1
      const own = pairsOf(source).find((one) => keyName(one.key) === name)
      if (own !== undefined) return startOf(own)
      const at = left.steps < 0 ? undefined : this.#findMerged(source, name, left)
      if (at !== undefined) return at
    }
    return undefined
  }

  #replaceAll(map: YAMLMap, added: readonly (readonly [string, unknown])[]): void {
    const [start, end] = map.range ?? [0, 0]
    const text = renderValue(Object.fromEntries(added), true)
    this.splices.push({ start, end: this.#endOf(map, end), text })
  }

  #remove(map: YAMLMap, removed: ReadonlySet<YamlPair>): void {
    const pairs = pairsOf(map)
    pairs.forEach((pair, index) => {
      if (!removed.has(pair)) return
      const [start, end] = [startOf(pair), this.#pairEnd(pair)]
      if (!isFlow(map)) return void this.splices.push({ ...this.#lines(start, end), text: '' })
      const next = pairs[index + 1]
      const isAtEnd = pairs.slice(index).every((one) => removed.has(one))
      const previous = pairs[index - 1]
      // With the comma behind it; those at the end, with the comma before them.
      if (!isAtEnd && next !== undefined) this.#removeWithComma({ start, end }, { start: end, end: startOf(next) })
      else if (previous === undefined) this.splices.push({ start, end, text: '' })
      else this.#removeWithComma({ start, end }, { start: this.#pairEnd(previous), end: start })
    })
  }

  /** `between`: what separates the pair from the next one or the previous one. A comment there stays. */
  #removeWithComma(pair: Omit<Splice, 'text'>, between: Omit<Splice, 'text'>): void {
    const { text } = this.#request
    const isPlain = /^[ \t]*,[ \t]*$/.test(text.slice(between.start, between.end))
    if (isPlain) {
      const [start, end] = [Math.min(pair.start, between.start), Math.max(pair.end, between.end)]
      return void this.splices.push({ start, end, text: '' })
    }
    const comma = text.indexOf(',', between.start)
    this.splices.push({ ...pair, text: '' }, { start: comma, end: comma + 1, text: '' })
  }

  #add(map: YAMLMap, last: YamlPair | undefined, added: readonly (readonly [string, unknown])[]): void {
    if (added.length === 0) return
    const flow = isFlow(map)
    const written = added.map(([name, value]) => `${renderKey(name)}: ${renderValue(value, flow)}`)
    const [start, end] = map.range ?? [0, 0]
    if (last === undefined) {
      this.splices.push({ start, end, text: `{ ${added.map(entryInFlow).join(', ')} }` })
      return
    }
    const at = this.#pairEnd(last)
    if (flow) return void this.splices.push({ start: at, end: at, text: written.map((one) => `, ${one}`).join('') })
    const { text } = this.#request
    const first = startOf(map.items[0] as YamlPair)
    const indent = ' '.repeat(first - lineStart(text, first))
    const lines = written.map((one) => `${indent}${one}`)
    const lineEnd = this.#lines(startOf(last), at).end
    const isEnded = lineEnd > 0 && text[lineEnd - 1] === '\n'
    const joined = lines.join(this.#newline)
    const inserted = isEnded ? `${joined}${this.#newline}` : `${this.#newline}${joined}`
    this.splices.push({ start: lineEnd, end: lineEnd, text: inserted })
  }

  /** The whole lines of a pair of a block map, with a comment behind it. */
  #lines(start: number, end: number): { readonly start: number; readonly end: number } {
    const { text } = this.#request
    const next = text.indexOf('\n', end)
    return { start: lineStart(text, start), end: next === -1 ? text.length : next + 1 }
  }

  #pairEnd({ key, value }: YamlPair): number {
    const keyEnd = (key as Node | null)?.range?.[1] ?? 0
    const [start, end] = value?.range ?? [keyEnd, keyEnd]
    return start === end ? this.#afterColon(keyEnd) : this.#endOf(value, end)
  }

  /** The end of what is written of a value: the range of a block collection goes on to the next token. */
  #endOf(node: unknown, end: number): number {
    if (isMap(node) && !isFlow(node)) {
      const last = pairsOf(node).at(-1)
      return last === undefined ? end : this.#pairEnd(last)
    }
    if (isSeq(node) && !isFlow(node)) {
      const last = node.items.at(-1) as Node | null | undefined
      return last === undefined || last === null ? end : this.#endOf(last, last.range?.[1] ?? end)
    }
    if (!isScalar(node) || node.type === undefined || !node.type.startsWith('BLOCK_')) return end
    const start = node.range?.[0] ?? end
    return start + this.#request.text.slice(start, end).trimEnd().length
  }
}

/** The maps that `<<` names, in their order. */
function mergedMaps(map: YAMLMap, document: Document): readonly YAMLMap[] {
  const merges = pairsOf(map).filter(({ key }) => keyName(key) === '<<')
  const named = merges.flatMap(({ value }) => (isSeq(value) ? (value.items as readonly unknown[]) : [value]))
  return named.map((one) => (isAlias(one) ? one.resolve(document) : one)).filter((one) => isMap(one))
}

function pairsOf(map: YAMLMap): readonly YamlPair[] {
  return map.items as readonly YamlPair[]
}

function entryInFlow([name, value]: readonly [string, unknown]): string {
  return `${renderKey(name)}: ${renderValue(value, true)}`
}

function startOf({ key }: YamlPair): number {
  return (key as Node | null)?.range?.[0] ?? 0
}

function lineStart(text: string, at: number): number {
  return text.lastIndexOf('\n', at - 1) + 1
}

function isFlow(node: unknown): boolean {
  return (isMap(node) || isSeq(node)) && node.flow === true
}
