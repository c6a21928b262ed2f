// What must never be shown: finds the values of secrets in text, in the forms in which text carries them, and puts ***
// in their place. Values stay known for as long as the mask lives: what a reload takes away must not be shown either.
import { createHash } from 'node:crypto'

export const CENSORED = '***'
/** Shorter values are found in any text, so only a text that is such a value as a whole is masked. */
export const SHORTEST_MASKED = 4
/** Values that are looked for; each costs a search through every line of the log. */
const MOST_VALUES = 1000
/** Data that goes deeper is not shown. */
const DEEPEST = 64

export class SecretMask {
  /** What is looked for in text: values of 4 or more characters, as they are and as JSON and URLs write them. */
  readonly #forms = new Set<string>()
  readonly #short = new Set<string>()
  readonly #hashes = new Map<string, string>()

  /** By the name of each secret the SHA-256 of its value, for comparing; never printed. */
  get hashes(): ReadonlyMap<string, string> {
    return this.#hashes
  }

  /** Adds a value that must not be shown; with a name, it is one of the section `secrets`. */
  add(value: string, name?: string): void {
    if (name !== undefined) this.#hashes.set(name, createHash('sha256').update(value).digest('hex'))
    if (value === '') return
    if (value.length < SHORTEST_MASKED) {
      this.#short.add(value)
      return
    }
    if (this.#forms.size >= MOST_VALUES * 3) return
    for (const form of formsOf(value)) this.#forms.add(form)
  }

  /** Knows from now on what the other knows; the hashes stay. */
  include(other: SecretMask): void {
    for (const form of other.#forms) this.#forms.add(form)
    for (const value of other.#short) this.#short.add(value)
  }

  /** Whether a value that is looked for is in the text. */
  isIn(text: string): boolean {
    if (this.#short.has(text)) return true
    for (const form of this.#forms) if (text.includes(form)) return true
    return false
  }

  /** The text with *** in place of every value; the same text where there is none. */
  mask(text: string): string {
    if (this.#short.has(text)) return CENSORED
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
    for (const form of this.#forms) {
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
  // Half of a surrogate pair has no form in a URL.
  const inUrl = /\p{Surrogate}/u.test(value) ? [] : [encodeURIComponent(value)]
  return [...new Set([value, JSON.stringify(value).slice(1, -1), ...inUrl])]
}
