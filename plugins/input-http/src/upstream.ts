// One URL of an input: what is asked for, with which headers, and the name that may be shown for it.
import { Buffer } from 'node:buffer'

/** As the options have it: `basic` with username and password, `bearer` with a token. */
export interface HttpAuth {
  readonly type: 'basic' | 'bearer'
  readonly username?: string | undefined
  readonly password?: string | undefined
  readonly token?: string | undefined
}

export interface Upstream {
  /** Without user and password. */
  readonly url: URL
  /** For logs, errors and status, and the target of back-off: no password, no query. Unique among those of an input. */
  readonly name: string
  /** For every server that a redirect leads to: nothing secret. Names in lower case. */
  readonly openHeaders: Readonly<Record<string, string>>
  /** For the origin of the URL only. */
  readonly ownHeaders: Readonly<Record<string, string>>
}

export interface UpstreamSettings {
  readonly urls: readonly string[]
  readonly headers: Readonly<Record<string, string>>
  readonly auth: HttpAuth | undefined
}

/** Of the headers of the configuration, those that go along to another origin: the others may be secrets. */
const OPEN_HEADERS = ['user-agent', 'accept', 'accept-language', 'referer']
const LONGEST_NAME = 200

export function readUpstreams({ urls, headers, auth }: UpstreamSettings): readonly Upstream[] {
  const own: Record<string, string> = {}
  const open: Record<string, string> = { 'user-agent': 'Millrace', accept: '*/*', 'accept-encoding': 'identity' }
  for (const [name, value] of Object.entries(headers)) {
    const key = name.toLowerCase()
    if (OPEN_HEADERS.includes(key)) open[key] = value
    else own[key] = value
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
      openHeaders: open,
      ownHeaders: authorization === undefined ? own : { ...own, authorization },
    }
  })
}

/** A URL as it may be shown: user, password, and the query, where tokens are, are left out. */
export function showUrl(url: URL): string {
  const query = url.search === '' ? '' : '?...'
  return `${`${url.protocol}//${url.host}${url.pathname}`.slice(0, LONGEST_NAME)}${query}`
}

/** The user and password of `http://user:password@host`; undefined where there are none. */
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
