// Masks secrets: finds their values in text, in the forms in which text contains them, and replaces them with ***.
// Values that a reload removes stay masked, since they must not be shown either; when there are too many values, the
// oldest of these are forgotten.
import { createHash } from 'node:crypto'

const CENSORED = '***'
/** Shorter values would be found in any text, so they are masked only as the whole text. */
export const SHORTEST_MASKED = 4
/** Forms of values to search for; each costs a search through every line of the log. */
const MOST_FORMS = 3000
/** Forms from other masks: there is always room for those of two configurations, the running and the next one. */
const MOST_INCLUDED = 2 * MOST_FORMS
/** Deeper data is not shown. */
const DEEPEST = 64

export class SecretMask {
  /** Forms to search for: values as they are, and those of 4 or more characters also as JSON and URLs encode them. */
  readonly #own = new Set<string>()
  /** Forms from other masks, oldest first. */
  readonly #included = new Set<string>()
  readonly #hashes = new Map<string, string>()

  /** The SHA-256 of each secret's value, by name, for comparison; never printed. */
  get hashes(): ReadonlyMap<string, string> {
    return this.#hashes
  }

  /** Adds a value that must not be shown; `name`: that of a secret of the section `secrets`. */
  add(value: string, name?: string): void {
    if (name !== undefined) this.#hashes.set(name, createHash('sha256').update(value).digest('hex'))
    if (value === '') return
    for (const form of formsOf(value)) if (this.#own.size < MOST_FORMS) this.#own.add(form)
  }

  /**
   * Also masks what the other mask does; the hashes stay the same. If there are too many forms, those that were
   * included longest ago are forgotten: include a mask again to keep its forms.
   */
  include(other: SecretMask): void {
    for (const form of other.#included) if (this.#included.size < MOST_INCLUDED) this.#included.add(form)
    for (const form of other.#own) {
      this.#included.delete(form)
      this.#included.add(form)
    }
    for (const form of this.#included) {
      if (this.#included.size <= MOST_INCLUDED) return
      this.#included.delete(form)
    }
  }

  /** Whether the text contains a masked value. */
  isIn(text: string): boolean {
    for (const forms of [this.#own, this.#included]) {
      if (forms.has(text)) return true
      for (const form of forms) if (form.length >= SHORTEST_MASKED && text.includes(form)) return true
    }
    return false
  }

  /** The text with *** in place of every value; unchanged if there is none. */
  mask(text: string): string {
    if (this.#own.has(text) || this.#included.has(text)) return CENSORED
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

  // Values that overlap or contain each other form one range, so that no part of either is left.
  #ranges(text: string): readonly (readonly [start: number, end: number])[] {
    const found: [number, number][] = []
    for (const form of [...this.#own, ...this.#included]) {
      if (form.length < SHORTEST_MASKED) continue
      for (let at = text.indexOf(form); at !== -1; at = text.indexOf(form, at + 1)) found.push([at, at + form.length])
    }
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

function formsOf(value: string): readonly string[] {
  if (value.length < SHORTEST_MASKED) return [value]
  // Half of a surrogate pair has no form in a URL.
  const inUrl = /\p{Surrogate}/u.test(value) ? [] : [encodeURIComponent(value)]
  return [...new Set([value, JSON.stringify(value).slice(1, -1), ...inUrl])]
}
