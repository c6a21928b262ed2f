// What must never be shown: finds the values of secrets in text, in the forms in which text carries them, and puts ***
// in their place. Values stay known when a reload takes them away, for they must not be shown either, until so many have
// come after them that they are forgotten.
import { createHash } from 'node:crypto'

const CENSORED = '***'
/** Shorter values are found in any text, so only a text that is such a value as a whole is masked. */
export const SHORTEST_MASKED = 4
/** Forms of values that are looked for; each costs a search through every line of the log. */
const MOST_FORMS = 3000
/** Forms that came from other masks: those of two configurations always have room, what runs and what is to come. */
const MOST_INCLUDED = 2 * MOST_FORMS
/** Data that goes deeper is not shown. */
const DEEPEST = 64

export class SecretMask {
  /** What is looked for in text: values as they are, those of 4 or more characters also as JSON and URLs write them. */
  readonly #own = new Set<string>()
  /** What other masks knew, the oldest first. */
  readonly #included = new Set<string>()
  readonly #hashes = new Map<string, string>()

  /** By the name of each secret the SHA-256 of its value, for comparing; never printed. */
  get hashes(): ReadonlyMap<string, string> {
    return this.#hashes
  }

  /** Adds a value that must not be shown; with a name, it is one of the section `secrets`. */
  add(value: string, name?: string): void {
    if (name !== undefined) this.#hashes.set(name, createHash('sha256').update(value).digest('hex'))
    if (value === '') return
    for (const form of formsOf(value)) if (this.#own.size < MOST_FORMS) this.#own.add(form)
  }

  /**
   * Knows from now on what the other knows; the hashes stay. Where that is too much, what was included longest ago is
   * forgotten: what must not be is included again.
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

  /** Whether a value that is looked for is in the text. */
  isIn(text: string): boolean {
    for (const forms of [this.#own, this.#included]) {
      if (forms.has(text)) return true
      for (const form of forms) if (form.length >= SHORTEST_MASKED && text.includes(form)) return true
    }
    return false
  }

  /** The text with *** in place of every value; the same text where there is none. */
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

  /** Plain data with every text in it masked, keys too; a number whose digits hold a value becomes text. */
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

  // Values that overlap, or are part of each other, are one range: nothing of either is left.
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
