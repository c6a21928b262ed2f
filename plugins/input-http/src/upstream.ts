// One URL of an input, its request headers, and a name for it that is safe to show.
import { Buffer } from 'node:buffer'
import { readHttpUrl, showUrl } from './http-url.js'
import type { HttpUrl, Login } from './http-url.js'

/** As in the options: `basic` and `digest` with username and password, `bearer` with a token. */
interface HttpAuth {
  readonly type: 'basic' | 'digest' | 'bearer'
  readonly username?: string | undefined
  readonly password?: string | undefined
  readonly token?: string | undefined
}

export interface Upstream extends Omit<HttpUrl, 'login'> {
  /** For logs, errors and status, and the key of back-off: no password, no query. Unique within an input. */
  readonly name: string
  /** For every server, also after a redirect: nothing secret. Names in lower case. */
  readonly publicHeaders: Readonly<Record<string, string>>
  /** For the origin of the URL only. */
  readonly originHeaders: Readonly<Record<string, string>>
  /** What answers a challenge of type Digest at the origin of the URL. */
  readonly digestLogin: Login | undefined
  /** What no error may show, even if the upstream repeats it. */
  readonly secrets: readonly string[]
}

export interface UpstreamSettings {
  readonly urls: readonly string[]
  readonly headers: Readonly<Record<string, string>>
  readonly auth: HttpAuth | undefined
}

/** Configured headers that are also sent to another origin; all others may be secrets. */
const PUBLIC_HEADERS = ['user-agent', 'accept', 'accept-language', 'referer']

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
    const read = readHttpUrl(text)
    if (read === undefined) throw new TypeError('the options let a URL pass that is none')
    const { url, target, login } = read
    const authorization = auth === undefined ? renderBasic(login) : renderAuth(auth)
    const shown = showUrl(url)
    const count = (names.get(shown) ?? 0) + 1
    names.set(shown, count)
    return {
      url,
      target,
      name: count === 1 ? shown : `${shown} (${count})`,
      publicHeaders: shared,
      originHeaders: authorization === undefined ? origin : { ...origin, authorization },
      digestLogin: auth === undefined ? login : loginOf(auth),
      secrets: [
        ...[login?.password, auth?.password, auth?.token, authorization?.split(' ')[1]],
        ...Object.values(origin),
      ].filter((text) => text !== undefined),
    }
  })
}

/** RFC 7617 section 2. */
export function renderBasic(login: Login | undefined): string | undefined {
  if (login === undefined) return undefined
  return `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}`
}

/** What is sent unasked; RFC 6750 section 2.1. */
function renderAuth(auth: HttpAuth): string | undefined {
  const { type, username = '', password = '', token = '' } = auth
  if (type === 'digest') return undefined
  return type === 'bearer' ? `Bearer ${token}` : renderBasic({ username, password })
}

function loginOf({ type, username = '', password = '' }: HttpAuth): Login | undefined {
  return type === 'digest' ? { username, password } : undefined
}
