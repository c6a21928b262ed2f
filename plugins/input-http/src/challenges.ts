// Challenges of a 401 response, RFC 9110 section 11.6.1: several in one header, in several headers, or both.

export interface Challenge {
  /** In lower case. */
  readonly scheme: string
  /** Names in lower case, values without quotes. */
  readonly parameters: ReadonlyMap<string, string>
}

const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y
const VALUE = /[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))/y
const MAX_CHALLENGES = 16

/** `values`: of the WWW-Authenticate headers, untrusted. What is not a challenge is skipped. */
export function parseChallenges(values: readonly string[]): readonly Challenge[] {
  const found: { readonly scheme: string; readonly parameters: Map<string, string> }[] = []
  for (const text of values) {
    let at = 0
    while (at < text.length && found.length <= MAX_CHALLENGES) {
      TOKEN.lastIndex = at
      const token = TOKEN.exec(text)?.[0]
      if (token === undefined) {
        at++
        continue
      }
      at += token.length
      VALUE.lastIndex = at
      const value = VALUE.exec(text)
      if (value === null) {
        found.push({ scheme: token.toLowerCase(), parameters: new Map() })
        continue
      }
      at += value[0].length
      const { parameters } = found.at(-1) ?? {}
      parameters?.set(token.toLowerCase(), value[1]?.replaceAll(/\\(.)/g, '$1') ?? value[2] ?? '')
    }
  }
  return found.slice(0, MAX_CHALLENGES)
}
