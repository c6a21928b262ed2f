// One URL of an input, its request headers, and a name for it that is safe to show.
import { Buffer } from 'node:buffer'

/** As in the options: `basic` with username and password, `bearer` with a token. */
export interface HttpAuth {
  readonly type: 'basic' | 'bearer'
  readonly username?: string | undefined
  readonly password?: string | undefined
  readonly token?: string | undefined
}

export interface Upstream {
  /** Without user and password. */
  readonly url: URL
  /** For logs, errors and status, and the key of back-off: no password, no query. Unique within an input. */
  readonly name: string
  /** For every server, also after a redirect: nothing secret. Names in lower case. */
  readonly publicHeaders: Readonly<Record<string, string>>
  /** For the origin of the URL only. */
  readonly originHeaders: Readonly<Record<string, string>>
}

export interface UpstreamSettings {
  readonly urls: readonly string[]
  readonly headers: Readonly<Record<string, string>>
  readonly auth: HttpAuth | undefined
}

/** Configured headers that are also sent to another origin; all others may be secrets. */
const PUBLIC_HEADERS = ['user-agent', 'accept', 'accept-language', 'referer']
const MAX_NAME_LENGTH = 200

export function readUpstreams({ urls, headers, auth }: UpstreamSettings): readonly Upstream[] {
  const origin: Record<string, string> = {}
  const shared: Record<string, string> = { 'user-agent': 'Millrace', accept: '*/*', 'accept-encoding': 'identity' }
  for (const [name, value] of Object.entries(headers)) {
    const key = name.toLowerCase()
    if (PUBLIC_HEADERS.includes(key)) shared[key] = value
    else origin[key] = value
  }
  const names = new Map<string, number>()
  return urls.map((text) => {
    const url = new URL(text)
    const authorization = renderAuth(auth ?? readUserInfo(url))
    const shown = showUrl(url)
    const count = (names.get(shown) ?? 0) + 1
    names.set(shown, count)
    return {
      url: withoutUserInfo(url),
      name: count === 1 ? shown : `${shown} (${count})`,
      publicHeaders: shared,
      originHeaders: authorization === undefined ? origin : { ...origin, authorization },
    }
  })
}

/** A URL that is safe to show: without user, password, and the query, which may hold a token. */
export function showUrl(url: URL): string {
  const query = url.search === '' ? '' : '?...'
  return `${`${url.protocol}//${url.host}${url.pathname}`.slice(0, MAX_NAME_LENGTH)}${query}`
}

/** The user and password of `http://user:password@host`; undefined if there are none. */
export function readUserInfo({ username, password }: URL): HttpAuth | undefined {
  if (username === '' && password === '') return undefined
  return { type: 'basic', username: decode(username), password: decode(password) }
}

/** RFC 7617 section 2, RFC 6750 section 2.1. */
export function renderAuth(auth: HttpAuth | undefined): string | undefined {
  if (auth === undefined) return undefined
  const { type, username = '', password = '', token = '' } = auth
  return type === 'bearer' ? `Bearer ${token}` : `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}

export function withoutUserInfo(url: URL): URL {
  const bare = new URL(url)
  bare.username = ''
  bare.password = ''
  bare.hash = ''
  return bare
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
