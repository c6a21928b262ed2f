// What of a call may be secret: name, query and credentials. Servers repeat them in their errors, whole, in parts or cut.

const CENSORED = '***'
/** Shorter parts are hidden only where they are whole words: `a` is in many. */
const SHORTEST_ANYWHERE = 4
/** So much of the beginning of a part is hidden, too: servers cut what they repeat. */
const SHORTEST_CUT = 8
const WORD = /[\p{L}\p{N}_]/u

export interface SecretCall {
  readonly app: string
  readonly tcUrl: string
  readonly name: string
  readonly credentials?: { readonly user: string; readonly password: string }
}

/** The text with *** in place of every part of the call that may be secret. The app's path stays. */
export function hideParts(text: string, call: SecretCall): string {
  let out = ''
  const parts = listParts(call)
  for (let at = 0; at < text.length;) {
    const length = Math.max(0, ...parts.map((part) => hiddenLength(text, at, part)))
    out += length > 0 ? CENSORED : text[at]
    at += Math.max(1, length)
  }
  return out
}

function listParts({ app, tcUrl, name, credentials }: SecretCall): string[] {
  const [path, ...queries] = name.split('?')
  const segments = [path ?? '', ...(path ?? '').split('/')]
  const values = [...queries, queryOf(app), queryOf(tcUrl)].flatMap((query) => [
    query,
    ...query.split(/[&?]/).map((pair) => pair.slice(pair.indexOf('=') + 1)),
  ])
  const { user = '', password = '' } = credentials ?? {}
  const forms = [...segments, ...values, user, password].flatMap((part) => [part, decoded(part), encoded(part)])
  return [...new Set(forms)].filter((part) => part !== '')
}

function queryOf(text: string): string {
  const mark = text.indexOf('?')
  return mark < 0 ? '' : text.slice(mark + 1)
}

/** How much of the text from there on is the part; 0 if it is something else. */
function hiddenLength(text: string, at: number, part: string): number {
  let length = 0
  while (length < part.length && sameLetter(text[at + length], part[length])) length++
  if (length < Math.min(part.length, SHORTEST_CUT)) return 0
  if (part.length >= SHORTEST_ANYWHERE) return length
  return isWord(text[at - 1]) || isWord(text[at + length]) ? 0 : length
}

function sameLetter(a: string | undefined, b: string | undefined): boolean {
  return a === b || a?.toLowerCase() === b?.toLowerCase()
}

function isWord(letter: string | undefined): boolean {
  return letter !== undefined && WORD.test(letter)
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function encoded(text: string): string {
  try {
    return encodeURIComponent(decoded(text))
  } catch {
    return text
  }
}
