// Masks secrets: finds their values in text, in the forms in which text contains them, and replaces them with ***.
// Values that a reload removes stay masked, since they must not be shown either; when there are too many values, the
// oldest of these are forgotten.
import { createHash } from 'node:crypto'
import { FormIndex } from './form-index.js'
import type { HiddenValues } from './hidden-values.js'
import { CUT_MARK } from '../plugin/cut-text.js'
import { type SecretRange, secretRanges } from './named-secrets.js'
import { formsOf } from './secret-forms.js'

const CENSORED = '***'
/** Forms of values to search for, by what they take of memory: some 500 bytes each. */
const MOST_FORMS = 30_000
/** Deeper data is not shown. */
const DEEPEST = 64

export class SecretMask {
  readonly #most: number
  /** Forms from other masks: there is always room for those of two configurations, the running and the next one. */
  readonly #mostIncluded: number
  /** Forms to search for: values as they are, and those of 4 or more characters also as JSON and URLs encode them. */
  readonly #own = new FormIndex()
  /** Forms from other masks, oldest first. */
  readonly #included = new FormIndex()
  /** Texts that have secrets by their names, of other masks too, oldest first: these are masked in them alone. */
  readonly #texts = new Map<string, readonly SecretRange[]>()
  readonly #textIndex = new FormIndex()
  readonly #hashes = new Map<string, string>()
  readonly #values = new Map<string, string>()
  /** What nodes hide at run time. */
  #hidden: HiddenValues | undefined

  /** `mostForms`: forms of values to search for. */
  constructor(mostForms = MOST_FORMS) {
    this.#most = mostForms
    this.#mostIncluded = 2 * mostForms
  }

  /** The SHA-256 of each secret's value, by name, for comparison; never printed. */
  get hashes(): ReadonlyMap<string, string> {
    return this.#hashes
  }

  /** The value of a secret of the section `secrets`; undefined if there is none of that name. Never printed. */
  secretOf(name: string): string | undefined {
    return this.#values.get(name)
  }

  /** Also masks what nodes hide from now on. So does every mask that includes this one. */
  follow(hidden: HiddenValues): void {
    this.#hidden = hidden
  }

  /** Adds a value that must not be shown; `name`: that of a secret of the section `secrets`. */
  add(value: string, name?: string): void {
    if (name !== undefined) {
      this.#hashes.set(name, createHash('sha256').update(value).digest('hex'))
      this.#values.set(name, value)
    }
    if (value === '') return
    for (const form of formsOf(value)) if (this.#own.size < this.#most) this.#own.add(form)
  }

  /** In this text, such as a URL, secrets are masked that are found by their names, wherever it appears. */
  addIn(text: string): void {
    const ranges = secretRanges(text)
    if (ranges.length > 0 && this.#texts.size < this.#most) this.#setText(text, ranges)
  }

  /**
   * Also masks what the other mask does; the hashes stay the same. If there are too many forms, those that were
   * included longest ago are forgotten: include a mask again to keep its forms.
   */
  include(other: SecretMask): void {
    this.#hidden ??= other.#hidden
    this.#includeTexts(other)
    for (const form of other.#included) if (this.#included.size < this.#mostIncluded) this.#included.add(form)
    for (const form of other.#own) {
      this.#included.delete(form)
      this.#included.add(form)
    }
    for (const form of this.#included) {
      if (this.#included.size <= this.#mostIncluded) return
      this.#included.delete(form)
    }
  }

  /** Whether the text contains a masked value. */
  isIn(text: string): boolean {
    for (const forms of this.#all()) {
      if (forms.has(text)) return true
      let isFound = false
      forms.find(text, () => (isFound = true))
      if (isFound) return true
    }
    return this.#textRanges(text).length > 0 || this.#cutRanges(text).length > 0
  }

  /** The text with *** in place of every value; unchanged if there is none. */
  mask(text: string): string {
    if (this.#all().some((forms) => forms.has(text))) return CENSORED
    if (!this.isIn(text)) return text
    let out = ''
    let done = 0
    for (const [start, end] of this.#ranges(text)) {
      out += text.slice(done, start) + CENSORED
      done = end
    }
    return out + text.slice(done)
  }

  /** Plain data with all text masked, keys too; a number whose digits contain a value becomes text. */
  maskValue(value: unknown, depth = 0): unknown {
    if (typeof value === 'string') return this.mask(value)
    if (typeof value === 'number' || typeof value === 'bigint') {
      const text = String(value)
      const masked = this.mask(text)
      return masked === text ? value : masked
    }
    if (typeof value !== 'object' || value === null) return value
    if (depth > DEEPEST) return CENSORED
    if (Array.isArray(value)) return value.map((item) => this.maskValue(item, depth + 1))
    const entries = Object.entries(value).map(
      ([key, item]) => [this.mask(key), this.maskValue(item, depth + 1)] as const,
    )
    return Object.fromEntries(entries)
  }

  #includeTexts(other: SecretMask): void {
    // It may be this one.
    for (const [text, ranges] of [...other.#texts]) {
      this.#texts.delete(text)
      this.#setText(text, ranges)
    }
    for (const text of this.#texts.keys()) {
      if (this.#texts.size <= this.#mostIncluded) return
      this.#texts.delete(text)
      this.#textIndex.delete(text)
    }
  }

  #setText(text: string, ranges: readonly SecretRange[]): void {
    this.#texts.set(text, ranges)
    this.#textIndex.add(text)
  }

  #textRanges(text: string): [start: number, end: number][] {
    const found: [number, number][] = []
    this.#textIndex.find(text, (at, end) => {
      for (const [from, to] of this.#texts.get(text.slice(at, end)) ?? []) found.push([at + from, at + to])
      return false
    })
    return found
  }

  #all(): readonly FormIndex[] {
    const { forms } = this.#hidden ?? {}
    return forms === undefined || forms.size === 0 ? [this.#own, this.#included] : [this.#own, this.#included, forms]
  }

  // What is left of a value in front of a mark: as much of its beginning as there is.
  #cutRanges(text: string): [start: number, end: number][] {
    const found: [number, number][] = []
    for (let at = text.indexOf(CUT_MARK); at !== -1; at = text.indexOf(CUT_MARK, at + 1)) {
      const most = Math.max(...this.#all().map((forms) => forms.restBefore(text, at)))
      if (most > 0) found.push([at - most, at])
    }
    return found
  }

  // Values that overlap or contain each other form one range, so that no part of either is left.
  #ranges(text: string): readonly (readonly [start: number, end: number])[] {
    const found = [...this.#cutRanges(text), ...this.#textRanges(text)]
    for (const forms of this.#all()) forms.find(text, (start, end) => found.push([start, end]) === 0)
    found.sort(([a], [b]) => a - b)
    const merged: [number, number][] = []
    for (const range of found) {
      const last = merged.at(-1)
      if (last !== undefined && range[0] < last[1]) last[1] = Math.max(last[1], range[1])
      else merged.push(range)
    }
    return merged
  }
}
