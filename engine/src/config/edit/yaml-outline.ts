// What a document says, without its layout: an edit is compared with what it was to change. Aliases stay aliases, so
// nothing is expanded.
import { isAlias, isMap, isScalar, isSeq } from 'yaml'

export type Outline =
  | { readonly kind: 'map'; readonly anchor: string | undefined; readonly entries: ReadonlyMap<string, Outline> }
  | { readonly kind: 'list'; readonly anchor: string | undefined; readonly items: readonly Outline[] }
  | { readonly kind: 'alias'; readonly name: string }
  | { readonly kind: 'value'; readonly anchor: string | undefined; readonly value: unknown }

/** Of a node of a document whose depth is bounded. */
export function outlineOf(node: unknown): Outline {
  if (isAlias(node)) return { kind: 'alias', name: node.source }
  if (isMap(node)) {
    const entries = node.items.map((pair) => [keyName(pair.key), outlineOf(pair.value)] as const)
    return { kind: 'map', anchor: node.anchor, entries: new Map(entries) }
  }
  if (isSeq(node)) return { kind: 'list', anchor: node.anchor, items: node.items.map(outlineOf) }
  if (isScalar(node)) return { kind: 'value', anchor: node.anchor, value: node.value }
  return { kind: 'value', anchor: undefined, value: null }
}

/** The text of a key; `<<` for a merge key. */
export function keyName(key: unknown): string {
  if (!isScalar(key)) return ''
  return typeof key.value === 'string' ? key.value : (key.source ?? '')
}

/** The outline with the value at the path patched, as RFC 7396 says. */
export function patchOutline(outline: Outline, path: readonly string[], patch: unknown): Outline {
  const [step, ...rest] = path
  if (step === undefined) return patched(outline, patch)
  if (outline.kind !== 'map') return outline
  const inner = outline.entries.get(step)
  if (inner === undefined) return outline
  return { ...outline, entries: new Map(outline.entries).set(step, patchOutline(inner, rest, patch)) }
}

/** The values of a patch where there is nothing yet: RFC 7396 leaves out what is null in an object. */
export function withoutNulls(value: unknown): unknown {
  if (!isObject(value)) return value
  const kept = Object.entries(value).filter(([, inner]) => inner !== null)
  return Object.fromEntries(kept.map(([name, inner]) => [name, withoutNulls(inner)]))
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function patched(outline: Outline, patch: unknown): Outline {
  if (!isObject(patch)) return { ...plainOutline(patch), ...anchorOf(outline) }
  if (outline.kind !== 'map') return { ...plainOutline(withoutNulls(patch)), ...anchorOf(outline) }
  const entries = new Map(outline.entries)
  for (const [name, value] of Object.entries(patch)) {
    const before = entries.get(name)
    if (value === null) entries.delete(name)
    else entries.set(name, before === undefined ? plainOutline(withoutNulls(value)) : patched(before, value))
  }
  return { ...outline, entries }
}

function anchorOf(outline: Outline): { readonly anchor: string | undefined } {
  return { anchor: outline.kind === 'alias' ? undefined : outline.anchor }
}

function plainOutline(value: unknown): Exclude<Outline, { readonly kind: 'alias' }> {
  if (Array.isArray(value)) return { kind: 'list', anchor: undefined, items: value.map(plainOutline) }
  if (!isObject(value)) return { kind: 'value', anchor: undefined, value }
  const entries = Object.entries(value).map(([name, inner]) => [name, plainOutline(inner)] as const)
  return { kind: 'map', anchor: undefined, entries: new Map(entries) }
}
