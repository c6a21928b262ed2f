// Where two values of the same options differ, each place with its declared reload class. Options are plain data, but a
// schema may have turned them into something else: that is compared as a whole.
import { isDeepStrictEqual } from 'node:util'
import type { ReloadClass } from '../plugin/contract.js'
import type { OptionPlace, ReloadClasses } from './reload-classes.js'
import { strongestClass } from './reload-classes.js'

/** Anything deeper is compared as a whole. */
const DEEPEST = 64

export interface OptionDifference {
  readonly path: string
  readonly steps: readonly PropertyKey[]
  readonly reload: ReloadClass
  readonly before: unknown
  readonly after: unknown
}

interface Pair {
  readonly before: unknown
  readonly after: unknown
  readonly at: OptionPlace
}

/**
 * One difference for each option that differs: members of groups and entries of maps one by one, lists of plain values
 * as a whole. A group that exists on one side only differs in its members.
 */
export function diffOptions(classes: ReloadClasses, before: unknown, after: unknown): readonly OptionDifference[] {
  return differences(classes, { before, after, at: classes.root() })
}

function differences(classes: ReloadClasses, pair: Pair): readonly OptionDifference[] {
  const { before, after, at } = pair
  if (Object.is(before, after)) return []
  const isOneSided = before === undefined || after === undefined
  if ((at.isEntry && isOneSided) || !isComparedByParts(pair)) {
    return isObject(before) && isObject(after) && isDeepStrictEqual(before, after) ? [] : [whole(classes, pair)]
  }
  const found = partsOf(classes, pair).flatMap((part) => differences(classes, part))
  return found.length === 0 && isOneSided ? [whole(classes, pair)] : found
}

function isComparedByParts({ before, after, at }: Pair): boolean {
  if (at.steps.length > DEEPEST) return false
  if (Array.isArray(before) && Array.isArray(after)) {
    return before.length === after.length && [...before, ...after].every(isPlainObject)
  }
  return (isPlainObject(before) || before === undefined) && (isPlainObject(after) || after === undefined)
}

function whole(classes: ReloadClasses, pair: Pair): OptionDifference {
  const { before, after, at } = pair
  const reload = strongestClass([at.reload, ...classesBelow(classes, pair)])
  return { path: at.path, steps: at.steps, reload, before, after }
}

/** Classes of the options that differ anywhere below. */
function classesBelow(classes: ReloadClasses, pair: Pair): readonly ReloadClass[] {
  if (pair.at.steps.length > DEEPEST || (!isObject(pair.before) && !isObject(pair.after))) return []
  return partsOf(classes, pair).flatMap((part) => {
    if (isDeepStrictEqual(part.before, part.after)) return []
    const below = classesBelow(classes, part)
    return below.length > 0 ? below : [part.at.reload]
  })
}

/** The parts that may differ. */
function partsOf(classes: ReloadClasses, { before, after, at }: Pair): readonly Pair[] {
  if (Array.isArray(before) || Array.isArray(after)) {
    const old: readonly unknown[] = Array.isArray(before) ? before : []
    const next: readonly unknown[] = Array.isArray(after) ? after : []
    return Array.from({ length: Math.max(old.length, next.length) }, (_, index) => {
      return { before: old[index], after: next[index], at: classes.element(at, index) }
    })
  }
  const old = isPlainObject(before) ? before : {}
  const next = isPlainObject(after) ? after : {}
  return [...new Set([...Object.keys(old), ...Object.keys(next)])].flatMap((key) => {
    const pair = { before: ownOf(old, key), after: ownOf(next, key) }
    // Maps may be large, and most of their entries are unchanged.
    return Object.is(pair.before, pair.after) ? [] : [{ ...pair, at: classes.member(at, key) }]
  })
}

function ownOf(record: Readonly<Record<string, unknown>>, key: string): unknown {
  return Object.hasOwn(record, key) ? record[key] : undefined
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

/** Options may hold instances of classes; those are compared as a whole. */
function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (!isObject(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
