// What a StreamID asks for: the standard syntax of access control (libsrt's docs/features/access-control.md), the forms
// that other servers use, and what users paste by mistake.

import { REJECT } from './handshake/reject-code.js'

/** Publish sends a stream to us, request receives one. */
export type StreamMode = 'publish' | 'request'

export interface StreamId {
  /** Key `m`; undefined if the text has none. */
  readonly mode: StreamMode | undefined
  /** Key `r`, or the plain name. */
  readonly resource: string | undefined
  /** Key `s`. */
  readonly session: string | undefined
  /** Key `u`. */
  readonly user: string | undefined
  /** All keys of the standard syntax, in their order; unknown ones refuse nothing. */
  readonly keys: ReadonlyMap<string, string>
}

/** The text can't be understood; `reason` is for a log line, `code` for the answer. */
export interface RogueStreamId {
  readonly code: number
  readonly reason: string
}

const STANDARD = '#!::'
const NESTED = '#!:{'
const PREFIXES: readonly (readonly [string, StreamMode])[] = [
  ['publish:', 'publish'],
  ['read:', 'request'],
  ['request:', 'request'],
]
const PASSWORD = /^(?:publish|read|request):[^:?]*:[^:?]*:(.+)$/
const MAX_KEYS = 32
/** Keys, and parameters of pasted URLs, whose values are secret. */
const SECRET_KEYS: ReadonlySet<string> = new Set([
  ...['s', 'p', 'pass', 'password', 'passphrase', 'pwd', 'token', 'access_token', 'key', 'secret', 'sig', 'signature'],
])

/** Returns what the text asks for, or why it is refused. A missing or empty one asks for nothing. */
export function parseStreamId(text: string | undefined): StreamId | RogueStreamId {
  const decoded = decodeOnce(text ?? '')
  if (decoded === undefined) return rogue('it is not valid percent encoding')
  if (hasControlCharacter(decoded)) return rogue('it has control characters')
  if (decoded.startsWith(NESTED)) return rogue('nested keys `#!:{` are not supported')
  if (decoded.startsWith(STANDARD)) return parseStandard(decoded.slice(STANDARD.length))
  if (decoded.startsWith('#!')) return rogue('after `#!` there must be `::`')
  return parsePlain(decoded)
}

/** Whether the text was refused. */
export function isRogue(result: StreamId | RogueStreamId): result is RogueStreamId {
  return 'reason' in result
}

/**
 * The values in it that are secret, as far as names of keys tell; in the standard syntax, or behind a question mark. And
 * the password of `publish:name:user:password`, which other servers take.
 */
export function secretsOfStreamId(text: string): readonly string[] {
  const decoded = decodeOnce(text) ?? text
  const password = PASSWORD.exec(decoded)?.[1]
  if (password !== undefined) return [password]
  const isStandard = decoded.startsWith(STANDARD)
  const keys = isStandard ? decoded.slice(STANDARD.length).split(',') : decoded.split('?').slice(1).join('?').split('&')
  return keys.flatMap((pair) => {
    const at = pair.indexOf('=')
    return at > 0 && at < pair.length - 1 && SECRET_KEYS.has(pair.slice(0, at)) ? [pair.slice(at + 1)] : []
  })
}

/** Only what can be nothing else than a text encoded as a whole is decoded: other percent signs belong to names. */
function decodeOnce(text: string): string | undefined {
  if (!/^(%23!|%23%21|srt%3a)/i.test(text)) return text
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

function parseStandard(text: string): StreamId | RogueStreamId {
  const keys = new Map<string, string>()
  for (const pair of text.split(',')) {
    if (pair === '') continue
    const at = pair.indexOf('=')
    if (at <= 0) return rogue(`part ${keys.size + 1} is not key=value`)
    const key = pair.slice(0, at)
    if (keys.has(key)) return rogue(`the key \`${key.slice(0, 40)}\` stands twice`)
    if (keys.size >= MAX_KEYS) return rogue(`more than ${MAX_KEYS} keys`)
    keys.set(key, pair.slice(at + 1))
  }
  const mode = keys.get('m')
  if (mode !== undefined && mode !== 'publish' && mode !== 'request')
    return { code: REJECT.badMode, reason: `m=${mode.slice(0, 40)}: expected publish or request` }
  const resource = keys.get('r')
  if (resource === '') return { code: REJECT.badRequest, reason: 'r= is empty' }
  return {
    mode,
    resource,
    session: keys.get('s'),
    user: keys.get('u'),
    keys,
  }
}

function parsePlain(text: string): StreamId {
  const prefix = PREFIXES.find(([start]) => text.startsWith(start))
  const pasted = pathOf(text)
  const name = prefix === undefined ? (pasted ?? text) : text.slice(prefix[0].length)
  return {
    // A plain name asks for a stream; a pasted URL does not say what for.
    mode: prefix?.[1] ?? (name === '' || pasted !== undefined ? undefined : 'request'),
    resource: name === '' ? undefined : name,
    session: undefined,
    user: undefined,
    keys: new Map(),
  }
}

/** Of `srt://host/app/key?x` the path; undefined for other texts. */
function pathOf(text: string): string | undefined {
  return /^srt:\/\/[^/]*\/([^?]*)/i.exec(text)?.[1]
}

function hasControlCharacter(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code < 0x20 || code === 0x7f) return true
  }
  return false
}

function rogue(reason: string): RogueStreamId {
  return { code: REJECT.rogue, reason }
}
