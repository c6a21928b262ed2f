// The keys under which streams are published, and which of them an input takes. Keys come from the network: they become
// part of node ids, paths and labels, so some characters are never in one, whatever the configuration says.

/** The text in a configuration that stands for the key. */
export const STREAM_TEXT = '${stream}'
/** The keys that are taken where an input has no `keys`. */
const DEFAULT_KEYS = '[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}'
/** Characters. */
const LONGEST_KEY = 128
/** In UTF-8; with the name of its pipeline it can be the name of a folder, 255 bytes. */
const MOST_KEY_BYTES = 180
/** Characters of a regular expression for keys. */
const LONGEST_EXPRESSION = 256
/**
 * Quantifiers of a regular expression for keys. A match takes at most about `LONGEST_KEY` to this power divided by its
 * factorial steps, 350,000.
 */
const MOST_QUANTIFIERS = 3
/** A whole element of an expression: an escape, a class, or any other character but `(` and `)`. */
const ELEMENTS = /\\.|\[(?:\\.|[^\]\\])*\]|\{[0-9]*(?:,[0-9]*)?\}\??|[^()\\[\]{}]/gsu
const FIXED = /^\{[0-9]+\}$/
// Separators of paths and of queries, controls, white space, half characters; a leading dot is a hidden file, or `..`.
const NEVER = /[/\\?#%\s\p{C}]|^\.|^$/u

/** What an input takes; `streams` is `*`, a pattern with one `*`, or one key. */
export interface KeyRules {
  readonly streams: string
  /** A regular expression for whole keys; by default DEFAULT_KEYS. */
  readonly keys?: string | undefined
}

/** It takes more than one key. */
export function isStreamPattern(streams: string): boolean {
  return streams.includes('*')
}

/** Why a key is not taken; undefined if it is. */
export class KeyCheck {
  readonly #rules: KeyRules
  readonly #expression: RegExp

  /** The rules have been checked by `expressionProblem`. */
  constructor(rules: KeyRules) {
    this.#rules = rules
    this.#expression = wholeOf(rules.keys ?? DEFAULT_KEYS)
  }

  problemOf(key: string): string | undefined {
    if (key.length > LONGEST_KEY || new TextEncoder().encode(key).length > MOST_KEY_BYTES) {
      return `the key has more than ${LONGEST_KEY} characters, or ${MOST_KEY_BYTES} bytes`
    }
    if (NEVER.test(key)) return 'the key is empty, begins with a dot, or has characters that no key can have'
    if (!this.#expression.test(key)) return 'the key has characters that are not allowed here'
    return matchesStreams(this.#rules.streams, key) ? undefined : `the key is not one of ${this.#rules.streams}`
  }
}

/** Why the text cannot be a regular expression for keys; undefined if it can. */
export function expressionProblem(text: string): string | undefined {
  if (text === '' || text.length > LONGEST_EXPRESSION) return `must have 1 to ${LONGEST_EXPRESSION} characters`
  const elements: readonly string[] = text.match(ELEMENTS) ?? []
  if (elements.join('').length !== text.length) {
    return 'must be made of characters, classes such as [a-z], quantifiers and |, without groups'
  }
  const quantifiers = elements.filter((each) => /^[*+?]$|^\{/.test(each) && !FIXED.test(each))
  if (quantifiers.length > MOST_QUANTIFIERS) return `can have at most ${MOST_QUANTIFIERS} of * + ? {m,n}`
  try {
    wholeOf(text)
    return undefined
  } catch {
    return 'is not a regular expression'
  }
}

function wholeOf(text: string): RegExp {
  return new RegExp(`^(?:${text})$`, 'u')
}

function matchesStreams(streams: string, key: string): boolean {
  const at = streams.indexOf('*')
  if (at < 0) return streams === key
  const [head, tail] = [streams.slice(0, at), streams.slice(at + 1)]
  return key.length >= head.length + tail.length && key.startsWith(head) && key.endsWith(tail)
}
