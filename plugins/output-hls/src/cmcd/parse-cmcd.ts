// Common Media Client Data: what players say about themselves with each request (CTA-5004, and its second version
// CTA-5004-A). Keys and values as in structured fields (RFC 9651): `bl=5900,br=950,bs,sid="8ed7"`, `br=(950;v 128;a)`.

export interface CmcdReport {
  /** The player's own id of the playback; it chooses it. */
  readonly sid?: string
  readonly bufferMs?: number
  readonly bitrateKbps?: number
  readonly throughputKbps?: number
  /** The buffer has run empty since the last request. */
  readonly isStarved: boolean
}

/** Longer data is not from a player: its requests have a few hundred bytes. */
export const LONGEST_CMCD = 4096
const MOST_KEYS = 64
/** CTA-5004, table 1: a UUID is recommended, 64 characters are the most. */
const LONGEST_SID = 64
const MOST_NUMBERS = 16
const LARGEST = 1e9

const KEY = /^[a-z][a-z0-9._-]{0,63}/
const NUMBER = /^\d{1,12}(?:\.\d{1,3})?$/
const LIST = /^\(([^()]*)\)/
const STRING = /^"((?:[^"\\]|\\["\\])*)"/
/** RFC 9651, 3.3.4: a token. */
const WORD = /^[A-Za-z*][\w!#$%&'*+.^`|~:/-]*/
const PRINTABLE = /^[\x21-\x7e]+$/

/** Undefined if it says nothing of this. Never throws. */
export function parseCmcd(text: string): CmcdReport | undefined {
  if (text.length > LONGEST_CMCD) return undefined
  const values = new Map<string, string>()
  for (const member of splitMembers(text)) {
    const key = KEY.exec(member)?.[0]
    if (key === undefined) continue
    const rest = member.slice(key.length)
    if (rest === '') values.set(key, '')
    else if (rest.startsWith('=')) values.set(key, rest.slice(1))
    if (values.size >= MOST_KEYS) break
  }
  return reportOf(values)
}

function reportOf(values: ReadonlyMap<string, string>): CmcdReport | undefined {
  const sid = textOf(values.get('sid'))
  const [buffers, rates, speeds] = ['bl', 'br', 'mtp'].map((key) => numbersOf(values.get(key))) as [
    readonly number[],
    readonly number[],
    readonly number[],
  ]
  const starved = values.get('bs')
  const isStarved = starved !== undefined && starved !== '?0' && starved !== 'false'
  if (sid === undefined && buffers.length + rates.length + speeds.length === 0 && !isStarved) return undefined
  return {
    ...(sid === undefined ? {} : { sid }),
    // Of several media, the one whose buffer is the shortest stalls first.
    ...(buffers.length === 0 ? {} : { bufferMs: Math.min(...buffers) }),
    ...(rates.length === 0 ? {} : { bitrateKbps: rates.reduce((sum, rate) => sum + rate, 0) }),
    ...(speeds.length === 0 ? {} : { throughputKbps: Math.max(...speeds) }),
    isStarved,
  }
}

/** At commas outside of strings and lists. */
function splitMembers(text: string): readonly string[] {
  const members: string[] = []
  let from = 0
  let isQuoted = false
  let depth = 0
  for (let at = 0; at <= text.length; at++) {
    const letter = text[at]
    if (isQuoted && letter === '\\') at++
    else if (letter === '"') isQuoted = !isQuoted
    else if (!isQuoted && letter === '(') depth++
    else if (!isQuoted && letter === ')') depth = Math.max(0, depth - 1)
    if (at < text.length && (letter !== ',' || isQuoted || depth > 0)) continue
    members.push(text.slice(from, at).trim())
    from = at + 1
    if (members.length >= MOST_KEYS) break
  }
  return members
}

/** A number, or a list of numbers; parameters of each are left out. Empty if there is anything else. */
function numbersOf(value: string | undefined): readonly number[] {
  if (value === undefined) return []
  const inner = value.startsWith('(') ? LIST.exec(value)?.[1] : value
  const items = inner?.trim().split(/ +/, MOST_NUMBERS) ?? ['']
  const numbers = items.map((item) => item.split(';', 1)[0] ?? '')
  if (!numbers.every((number) => NUMBER.test(number))) return []
  return numbers.map((number) => Math.min(Number(number), LARGEST))
}

/** A string of RFC 9651, 3.3.3, or a word; for an id, so without spaces. */
function textOf(value: string | undefined): string | undefined {
  if (value === undefined) return undefined
  const text = STRING.exec(value)?.[1]?.replaceAll(/\\(["\\])/g, '$1') ?? WORD.exec(value)?.[0] ?? ''
  return text.length <= LONGEST_SID && PRINTABLE.test(text) ? text : undefined
}
