// The forms in which a text can contain a secret.

/** Shorter values would be found in any text, so they are masked only as the whole text. */
export const SHORTEST_MASKED = 4

/** The value as it is, and as JSON and URLs encode it if it is long enough to be found inside other text. */
export function formsOf(value: string): readonly string[] {
  if (value.length < SHORTEST_MASKED) return [value]
  // Half of a surrogate pair has no form in a URL.
  const inUrl = /\p{Surrogate}/u.test(value) ? [] : [encodeURIComponent(value)]
  return [...new Set([value, JSON.stringify(value).slice(1, -1), ...inUrl])]
}
