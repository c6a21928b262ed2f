// Finds secrets in text, so that a text costs about the same with one secret and with thousands: forms are looked up by
// their ends, since tokens often begin alike, and what a cut has left of them by their first characters.
import { SHORTEST_MASKED } from './secret-forms.js'

/** The least of a value that is masked where a text was cut. */
const SHORTEST_REST = 2
/** Forms as long as this are looked up by so many of their last characters, shorter ones by four. */
const LONG_END = 8
const FACTOR = 0x0100_0193
/** So few are looked for one by one, which is faster. */
const FEW = 32

export class FormIndex {
  /** In the order in which they were added. */
  readonly #forms = new Set<string>()
  readonly #byEnd = [new Buckets<number>(), new Buckets<number>()] as const
  readonly #byStart = new Buckets<string>()
  #longest = 0

  get size(): number {
    return this.#forms.size
  }

  has(form: string): boolean {
    return this.#forms.has(form)
  }

  [Symbol.iterator](): Iterator<string> {
    return this.#forms.values()
  }

  add(form: string): void {
    if (this.#forms.has(form)) return
    this.#forms.add(form)
    if (form.length < SHORTEST_MASKED) return
    this.#longest = Math.max(this.#longest, form.length)
    const length = endLength(form)
    this.#byEnd[indexOf(length)].add(endHash(form, form.length, length), form)
    this.#byStart.add(form.slice(0, SHORTEST_REST), form)
  }

  delete(form: string): void {
    if (!this.#forms.delete(form) || form.length < SHORTEST_MASKED) return
    const length = endLength(form)
    this.#byEnd[indexOf(length)].delete(endHash(form, form.length, length), form)
    this.#byStart.delete(form.slice(0, SHORTEST_REST), form)
  }

  /** Calls `found` with the start and the end of each form in the text, until it returns true. */
  find(text: string, found: (start: number, end: number) => boolean): void {
    if (this.#forms.size <= FEW) this.#findEach(text, found)
    else if (!this.#findByEnd(SHORTEST_MASKED, text, found)) this.#findByEnd(LONG_END, text, found)
  }

  #findEach(text: string, found: (start: number, end: number) => boolean): void {
    for (const form of this.#forms) {
      if (form.length < SHORTEST_MASKED) continue
      for (let at = text.indexOf(form); at !== -1; at = text.indexOf(form, at + 1)) {
        if (found(at, at + form.length)) return
      }
    }
  }

  #findByEnd(length: number, text: string, found: (start: number, end: number) => boolean): boolean {
    const buckets = this.#byEnd[indexOf(length)]
    if (buckets.isEmpty) return false
    for (let end = length; end <= text.length; end++) {
      for (const form of buckets.get(endHash(text, end, length)) ?? []) {
        const start = end - form.length
        if (start >= 0 && text.startsWith(form, start) && found(start, end)) return true
      }
    }
    return false
  }

  /** How much of the beginning of a form ends there: the most of any form; 0 if it is less than two characters. */
  restBefore(text: string, end: number): number {
    for (let length = Math.min(this.#longest - 1, end); length >= SHORTEST_REST; length--) {
      const start = end - length
      for (const form of this.#byStart.get(text.slice(start, start + SHORTEST_REST)) ?? []) {
        if (form.length > length && form.startsWith(text.slice(start, end))) return length
      }
    }
    return 0
  }
}

/** Forms by a key that many may share. */
class Buckets<Key> {
  readonly #forms = new Map<Key, Set<string>>()

  get isEmpty(): boolean {
    return this.#forms.size === 0
  }

  get(key: Key): ReadonlySet<string> | undefined {
    return this.#forms.get(key)
  }

  add(key: Key, form: string): void {
    const forms = this.#forms.get(key)
    if (forms === undefined) this.#forms.set(key, new Set([form]))
    else forms.add(form)
  }

  delete(key: Key, form: string): void {
    const forms = this.#forms.get(key)
    forms?.delete(form)
    if (forms?.size === 0) this.#forms.delete(key)
  }
}

function endLength(form: string): number {
  return form.length >= LONG_END ? LONG_END : SHORTEST_MASKED
}

function indexOf(length: number): 0 | 1 {
  return length === LONG_END ? 1 : 0
}

function endHash(text: string, end: number, length: number): number {
  let hash = length
  for (let at = end - length; at < end; at++) hash = Math.imul(hash ^ text.charCodeAt(at), FACTOR)
  return hash
}
