// The sessions of people who have signed in at the status page with the token of the control API. A browser sends a cookie
// where it can't send a token; the cookie is a random value, of which only a digest is kept, and it ends.
//   Other sites   never send it (SameSite=Strict); a request must also come from a page of this server, by its
//                 Sec-Fetch-Site, and one that changes something must say so in its Origin.
//   Scripts       can't read it (HttpOnly).
//   Other engines on this machine have cookies of their own: cookies are not kept apart by port, so the name is.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '../plugin/tokens.js'

/** The one that has not been used for longest ends when there would be more. */
const MOST_SESSIONS = 100
const LASTS_MS = 12 * 3600_000
const SECRET_BYTES = 32
const COOKIE_VALUE = /^[\w-]{43}$/

interface Session {
  /** What is being answered to it, and ends with it. */
  readonly responses: Set<ServerResponse>
  readonly end: Disposable
}

/** What identifies the browser of a request. */
export interface CookieHeaders {
  readonly host: string | undefined
  readonly cookie: string | undefined
}

export class PageSessions {
  readonly #token: Buffer
  readonly #clock: Clock
  /** By digest of the cookie, the one used last at the end. */
  readonly #sessions = new Map<string, Session>()

  constructor(token: string, clock: Clock) {
    this.#token = digestOf(token)
    this.#clock = clock
  }

  /** The header Set-Cookie of a new session; undefined if the token is wrong. */
  open(token: string, host: string | undefined, isSecure: boolean): string | undefined {
    if (!timingSafeEqual(digestOf(token), this.#token)) return undefined
    for (const [oldest] of this.#sessions) {
      if (this.#sessions.size < MOST_SESSIONS) break
      this.#end(oldest)
    }
    const value = randomBytes(SECRET_BYTES).toString('base64url')
    const key = keyOf(value)
    const end = this.#clock.after(LASTS_MS, () => this.#end(key))
    this.#sessions.set(key, { responses: new Set(), end })
    return cookieText(host, value, LASTS_MS / 1000, isSecure)
  }

  has(headers: CookieHeaders): boolean {
    return this.#find(headers) !== undefined
  }

  /**
   * Whether the request is from a page of this server with a session. `response` ends with the session, by default
   * nothing does.
   */
  admits(request: IncomingMessage, isWriting: boolean, response?: ServerResponse): boolean {
    const site = request.headers['sec-fetch-site']
    if (site !== undefined && site !== 'same-origin' && site !== 'none') return false
    // The caller has compared it with Host.
    if (isWriting && request.headers.origin === undefined) return false
    const { host, cookie } = request.headers
    const found = this.#find({ host, cookie })
    if (found === undefined) return false
    if (response === undefined) return true
    found.responses.add(response)
    response.once('close', () => found.responses.delete(response))
    return true
  }

  /** Ends the session, and returns the header Set-Cookie that removes its cookie. */
  close(headers: CookieHeaders, isSecure: boolean): string {
    const value = valueOf(headers)
    if (value !== undefined) this.#end(keyOf(value))
    return cookieText(headers.host, '', 0, isSecure)
  }

  #find(headers: CookieHeaders): Session | undefined {
    const value = valueOf(headers)
    if (value === undefined) return undefined
    const key = keyOf(value)
    const session = this.#sessions.get(key)
    if (session === undefined) return undefined
    this.#sessions.delete(key)
    this.#sessions.set(key, session)
    return session
  }

  #end(key: string): void {
    const session = this.#sessions.get(key)
    if (session === undefined) return
    this.#sessions.delete(key)
    session.end[Symbol.dispose]()
    // Streams. What has not been answered yet is: the request that ends the session is among it.
    for (const response of session.responses) if (response.headersSent) response.destroy()
  }
}

function cookieText(host: string | undefined, value: string, seconds: number, isSecure: boolean): string {
  const secure = isSecure ? '; Secure' : ''
  return `${nameOf(host)}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Strict${secure}`
}

function nameOf(host = ''): string {
  const port = /:(\d{1,5})$/.exec(host)?.[1]
  return port === undefined ? 'millrace' : `millrace_${port}`
}

function valueOf({ host, cookie = '' }: CookieHeaders): string | undefined {
  const start = `${nameOf(host)}=`
  const own = cookie.split(/; */).find((pair) => pair.startsWith(start))
  const value = own?.slice(start.length)
  return value !== undefined && COOKIE_VALUE.test(value) ? value : undefined
}

/** A map finds by content: the time that takes tells about the digest, not about the cookie. */
function keyOf(value: string): string {
  return digestOf(value).toString('base64')
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
