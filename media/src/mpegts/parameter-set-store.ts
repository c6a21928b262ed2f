// The parameter sets of a video stream in force, and which of them came with the current access unit: a decoder that
// starts there has not seen the others.
import { classOfKey } from './picture-rules.js'
import type { PictureRules } from './picture-rules.js'
import { LONG_PREFIX } from './start-code.js'

/** Bounds for damaged streams; real ones have a handful, of some hundred bytes. */
const MAX_SETS = 64
const MAX_BYTES = 16 * 1024

interface StoredSet {
  readonly key: number
  readonly parent: number
  bytes: Uint8Array
  /** Number of the access unit that brought it last. */
  unit: number
}

export class ParameterSetStore {
  /** In the order in which a decoder needs them. */
  #sets: StoredSet[] = []
  #bytes = 0
  #unit = 0
  /** Incremented with every set that is new or another one. */
  changes = 0
  /** The access unit has brought the set that configures the decoder. */
  bringsConfiguration = false

  /** The next sets belong to another access unit. */
  beginUnit(): void {
    this.#unit++
    this.bringsConfiguration = false
  }

  /** Takes a set of the current access unit. Copies it if it is new, which is rare. */
  put(rules: PictureRules, unit: Uint8Array, length: number): void {
    const key = rules.setKey(unit, length)
    if (key < 0) return
    this.bringsConfiguration ||= classOfKey(key) === rules.neededClasses[0]
    const known = this.#sets.find((set) => set.key === key)
    if (known !== undefined && isSame(known.bytes, unit, length)) {
      known.unit = this.#unit
      return
    }
    this.changes++
    if (known !== undefined) this.#drop((set) => set === known || (set.parent === key && set.unit !== this.#unit))
    const parent = rules.setParent(unit, length)
    while (this.#sets.length >= MAX_SETS || this.#bytes + length > MAX_BYTES) this.#dropOldest(parent)
    const set = { key, parent, bytes: unit.slice(0, length), unit: this.#unit }
    this.#bytes += length
    const at = this.#sets.findIndex((other) => other.key > key)
    this.#sets.splice(at < 0 ? this.#sets.length : at, 0, set)
  }

  /** A decoder has everything that it needs, from this access unit or from earlier ones. */
  hasAll({ neededClasses }: PictureRules): boolean {
    for (const needed of neededClasses) if (!this.#sets.some(({ key }) => classOfKey(key) === needed)) return false
    return true
  }

  /** The sets of a class, without start codes. */
  ofClass(setClass: number): Uint8Array[] {
    return this.#sets.filter(({ key }) => classOfKey(key) === setClass).map(({ bytes }) => bytes)
  }

  /** The current access unit has brought them all, or there are none. */
  get isComplete(): boolean {
    for (const set of this.#sets) if (set.unit !== this.#unit) return false
    return true
  }

  /** The sets that the current access unit has not brought, and before each its start code. */
  missing(): Uint8Array[] {
    const missing = this.#sets.filter(({ unit }) => unit !== this.#unit)
    return missing.flatMap(({ bytes }) => [LONG_PREFIX, bytes])
  }

  /** All sets, without start codes. */
  all(): Uint8Array[] {
    return this.#sets.map(({ bytes }) => bytes)
  }

  /** No set is dropped that another one, or the new one with this `parent`, refers to. */
  #dropOldest(parent: number): void {
    const isNeeded = ({ key }: StoredSet): boolean => key === parent || this.#sets.some((set) => set.parent === key)
    let oldest: StoredSet | undefined
    for (let at = this.#sets.length - 1; at >= 0; at--) {
      const set = this.#sets[at]!
      if ((oldest === undefined || set.unit < oldest.unit) && !isNeeded(set)) oldest = set
    }
    const dropped = oldest ?? this.#sets.at(-1)
    this.#drop((set) => set === dropped)
  }

  #drop(isDropped: (set: StoredSet) => boolean): void {
    this.#sets = this.#sets.filter((set) => !isDropped(set))
    this.#bytes = this.#sets.reduce((sum, { bytes }) => sum + bytes.length, 0)
  }
}

function isSame(stored: Uint8Array, unit: Uint8Array, length: number): boolean {
  if (stored.length !== length) return false
  for (let at = 0; at < length; at++) if (stored[at] !== unit[at]) return false
  return true
}
