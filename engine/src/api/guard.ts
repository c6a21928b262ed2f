// Decides who may use the control API. A page in a browser on this machine can reach 127.0.0.1, directly or through a
// name that it makes resolve there (DNS rebinding), so a local address alone grants nothing:
//   Host    must name this server: the address of the connection, a bound address, localhost, or `engine.api.hosts`;
//           a name of the attacker's never does. Ports are not compared, so that forwarded ports work.
//   Origin  must be this server, if a browser sends one.
//   token   is always needed for methods that change something; for others unless the client is on this machine: the
//           connection is local, no proxy has made it for somebody else, and if a browser has, not for the page of
//           another server (Sec-Fetch-Site). `engine.api.readToken: always` asks those too. In place of the token a
//           browser may have a session of the status page, whose files and whose sign-in need none.
//   type    of a body that changes something must be JSON, which a form on a foreign page can't send.
import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type ApiErrorCode, respondError } from './api-errors.js'
import type { PageSessions } from '../status-page/page-sessions.js'
import { isPageRequest } from '../status-page/status-page.js'
import { hostOf, isLoopback, plainAddress } from './host-name.js'
import { SESSION_PATH } from './session-routes.js'

/** Paths for health checks: they need no token, and accept any Host. */
export const OPEN_PATHS: ReadonlySet<string> = new Set(['/healthz', '/readyz'])

const READING_METHODS: ReadonlySet<string | undefined> = new Set(['GET', 'HEAD', 'OPTIONS'])
/** Set by a proxy in front: the connection is local, the client is not. Each brings others of its own. */
const PROXY_HEADER =
  /^(?:forwarded|via|cdn-loop|front-end-https|x-(?:forwarded|original|rewrite|envoy|amzn|arr|appengine|azure|cluster|sucuri)(?:-.*)?|(?:x-)?(?:url-)?scheme|x-(?:real|remote|proxyuser)-.*|x-host|forwarded-.*|(?:.*-)?(?:client|connecting|real|user|remote)-?(?:ip|addr|address)|cf-.*|true-client-.*)$/
const BEARER = /^Bearer +([A-Za-z0-9._~+/=-]+) *$/i
const JSON_MEDIA_TYPE = /^application\/json *(?:;|$)/i

export interface GuardSettings {
  readonly token: string
  /** By default nobody can sign in. */
  readonly sessions?: PageSessions
  /**
   * Names, besides addresses and localhost, by which clients may address the API: `engine.api.hosts`, with or without
   * port.
   */
  readonly hosts: readonly string[]
  /** `always`: clients on this machine need the token to read, too. By default they do not. */
  readonly readToken?: 'remote' | 'always' | undefined
  /** `host:port` each, as currently bound; called for each request. */
  boundAddresses(): readonly string[]
}

export interface Guard {
  /** True if the request may proceed; otherwise it has been answered. Open paths always proceed. */
  (request: IncomingMessage, response: ServerResponse): boolean
  /** Whether this request may read the status; decides whether /readyz gives reasons. */
  mayRead(request: IncomingMessage): boolean
  /** Whether this request has the token, or a session in its place. */
  hasToken(request: IncomingMessage): boolean
}

interface Refusal {
  readonly code: ApiErrorCode
  readonly message: string
  readonly headers?: Readonly<Record<string, string>>
}

/** The guard of everything on the listener `api`, to be called before any of its handlers. */
export function guardOf(settings: GuardSettings): Guard {
  const isToken = tokenCheck(settings.token)
  const named = new Set(['localhost', ...settings.hosts.map((host) => hostOf(host) ?? '')])

  function namesThisServer(host: string, request: IncomingMessage): boolean {
    if (named.has(host) || isLoopback(host)) return true
    // An address can't be made to resolve elsewhere: the one that the connection was made to is acceptable.
    if (host === plainAddress(request.socket.localAddress ?? '')) return true
    return settings.boundAddresses().some((address) => hostOf(address) === host)
  }

  function refuseReading(request: IncomingMessage, response?: ServerResponse): Refusal | undefined {
    const host = hostOf(request.headers.host ?? '')
    if (host === undefined || !namesThisServer(host, request)) {
      return { code: 'API_HOST_REFUSED', message: 'the header Host does not name this server' }
    }
    if (isForeign(request.headers.origin, request.headers.host)) {
      return { code: 'API_ORIGIN_REFUSED', message: 'the header Origin names another server' }
    }
    if (settings.readToken !== 'always' && !isWriting(request) && isLocal(request)) return undefined
    if (isToken(request.headers.authorization) || needsNothing(request)) return undefined
    if (settings.sessions?.admits(request, isWriting(request), response) === true) return undefined
    return {
      code: 'API_TOKEN_NEEDED',
      message: 'this request needs the token of the control API',
      headers: { 'www-authenticate': 'Bearer realm="millrace"' },
    }
  }

  function refuse(request: IncomingMessage, response: ServerResponse): Refusal | undefined {
    const refusal = refuseReading(request, response)
    if (refusal !== undefined || !isWriting(request)) return refusal
    if (JSON_MEDIA_TYPE.test(request.headers['content-type'] ?? '')) return undefined
    return { code: 'API_JSON_NEEDED', message: 'the body must be JSON' }
  }

  function guard(request: IncomingMessage, response: ServerResponse): boolean {
    if (!isWriting(request) && OPEN_PATHS.has(pathOf(request))) return true
    const refusal = refuse(request, response)
    if (refusal === undefined) return true
    respondError(response, refusal.code, refusal.message, refusal.headers)
    return false
  }
  return Object.assign(guard, {
    mayRead: (request: IncomingMessage) => refuseReading(request) === undefined,
    hasToken: (request: IncomingMessage) =>
      isToken(request.headers.authorization) || settings.sessions?.admits(request, isWriting(request)) === true,
  })
}

/** Without its query. */
export function pathOf(request: IncomingMessage): string {
  return (request.url ?? '').split('?', 1)[0] ?? ''
}

function isWriting({ method }: IncomingMessage): boolean {
  return !READING_METHODS.has(method)
}

/** The files of the status page, and the request that signs in, which checks the token itself. */
function needsNothing(request: IncomingMessage): boolean {
  const path = pathOf(request)
  return isPageRequest(request.method, path) || (request.method === 'POST' && path === SESSION_PATH)
}

/** The client is on this machine, as far as can be told. */
function isLocal(request: IncomingMessage): boolean {
  for (const name in request.headers) if (PROXY_HEADER.test(name)) return false
  const site = request.headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return false
  return isLoopback(plainAddress(request.socket.localAddress ?? ''))
}

/** Same host and port as the request itself, whose Host has been checked; the scheme may differ behind a proxy. */
function isForeign(origin: string | undefined, host: string | undefined): boolean {
  if (origin === undefined) return false
  const url = URL.canParse(origin) ? new URL(origin) : undefined
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) return true
  const own = `${url.protocol}//${host ?? ''}`
  return !URL.canParse(own) || new URL(own).host !== url.host
}

/** Digests are compared, in constant time, so that neither length nor content of the token leak through timing. */
function tokenCheck(token: string): (authorization: string | undefined) => boolean {
  const expected = digest(token)
  return (authorization) => {
    const given = BEARER.exec(authorization ?? '')?.[1]
    return given !== undefined && timingSafeEqual(digest(given), expected)
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
