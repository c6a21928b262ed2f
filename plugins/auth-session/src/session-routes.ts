// The requests for sessions: `{path}/{stream}/sessions`, and below it one session. Everything needs the bearer token of
// the stream (RFC 6750).
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock, HttpVisit } from '@millrace/engine/plugin'
import type { GuessLimit } from './guess-limit.js'
import type { Session, SessionStore } from './session-store.js'
import { isStreamName } from './options.js'
import type { Grant, StreamTokens } from './stream-tokens.js'

export const METHODS = ['GET', 'HEAD', 'POST', 'DELETE', 'OPTIONS']

const ALL_METHODS = ['GET', 'HEAD', 'POST', 'OPTIONS']
const ONE_METHODS = ['GET', 'HEAD', 'DELETE', 'OPTIONS']
const SESSIONS = 'sessions'
const REALM = 'Bearer realm="millrace"'
const CROWDED_RETRY_SECONDS = 10

/** What the path names; `session` undefined: all of the stream. */
interface Target {
  readonly stream: string
  readonly session: string | undefined
}

interface Answer {
  readonly status: number
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export interface SessionRoutesParts {
  readonly clock: Clock
  readonly sessions: SessionStore
  readonly guesses: GuessLimit
  /** The newest ones. */
  tokens(): StreamTokens
  /** A session was created. */
  onCreated(): void
}

export class SessionRoutes {
  refused = 0
  readonly #parts: SessionRoutesParts

  constructor(parts: SessionRoutesParts) {
    this.#parts = parts
  }

  /** `path`: where it is mounted. */
  respond(path: string, request: IncomingMessage, response: ServerResponse, visit: HttpVisit): void {
    const { status, body, headers = {} } = this.#answer(path, request, visit)
    if (status >= 400) this.refused++
    // No request needs a body; one that has some ends the connection instead of being read.
    const close = hasBody(request) ? { Connection: 'close' } : {}
    const text = body === undefined ? '' : `${JSON.stringify(body)}\n`
    const type = text === '' ? {} : { 'Content-Type': 'application/json' }
    const length = status === 204 ? {} : { 'Content-Length': String(Buffer.byteLength(text)) }
    response.writeHead(status, { 'Cache-Control': 'no-store', ...type, ...length, ...close, ...headers }).end(text)
  }

  #answer(path: string, { method = '', headers }: IncomingMessage, visit: HttpVisit): Answer {
    const target = targetOf(visit.path.slice(path.length))
    if (target === undefined) return problem(404, 'nothing is here')
    const { stream, session } = target
    if (!isStreamName(stream)) return problem(400, 'this is not the name of a stream')
    const allowed = session === undefined ? ALL_METHODS : ONE_METHODS
    const allow = { Allow: allowed.join(', ') }
    if (method === 'OPTIONS') return { status: 204, headers: allow }
    if (!allowed.includes(method)) return problem(405, 'this method is not allowed', allow)
    const grant = this.#grantOf(stream, headers.authorization, visit.address)
    if ('status' in grant) return grant
    if (session !== undefined) return this.#answerOne(grant, session, method)
    return method === 'POST' ? this.#create(grant) : this.#list(grant)
  }

  #grantOf(stream: string, authorization: string | undefined, address: string): Grant | Answer {
    const { clock, guesses, tokens } = this.#parts
    const waitMs = guesses.waitMs(address, clock.nowMs())
    if (waitMs > 0) return problem(429, 'too many wrong tokens', { 'Retry-After': String(Math.ceil(waitMs / 1000)) })
    if (!tokens().has(stream)) return problem(404, 'there is no such stream')
    const token = /^Bearer +([A-Za-z0-9._~+/-]+=*) *$/i.exec(authorization ?? '')?.[1]
    if (token === undefined) return problem(401, 'a bearer token is needed', { 'WWW-Authenticate': REALM })
    const grant = tokens().check(stream, token)
    if (grant === 'other')
      return problem(403, 'the token is for another stream', {
        'WWW-Authenticate': `${REALM}, error="insufficient_scope"`,
      })
    if (grant !== 'unknown') return grant
    guesses.record(address, clock.nowMs())
    return problem(401, 'the token is wrong', { 'WWW-Authenticate': `${REALM}, error="invalid_token"` })
  }

  #create(grant: Grant): Answer {
    const { clock, sessions, onCreated } = this.#parts
    const session = sessions.create(grant, clock.nowMs())
    if (session === undefined)
      return problem(429, 'there are too many sessions', { 'Retry-After': String(CROWDED_RETRY_SECONDS) })
    onCreated()
    return { status: 201, body: { resource_id: grant.stream, session_id: session.id } }
  }

  #list(grant: Grant): Answer {
    const { clock, sessions } = this.#parts
    const listed = sessions.listOf(grant, clock.nowMs()).map((session) => this.#shown(session))
    return { status: 200, body: { resource_id: grant.stream, sessions: listed } }
  }

  #answerOne(grant: Grant, id: string, method: string): Answer {
    const { clock, sessions } = this.#parts
    const session = sessions.find(grant, id, clock.nowMs())
    if (session === undefined) return problem(404, 'there is no such session')
    if (method !== 'DELETE') return { status: 200, body: { resource_id: grant.stream, ...this.#shown(session) } }
    sessions.delete(session)
    return { status: 204 }
  }

  #shown({ id, grant: { action }, expiresAtMs, address }: Session) {
    const modes = { publish: ['publish'], read: ['request'] }
    return {
      session_id: id,
      modes: action === undefined ? ['publish', 'request'] : modes[action],
      state: address === undefined ? 'unused' : 'used',
      expires_at: new Date(this.#parts.clock.wallMs(expiresAtMs)).toISOString(),
    }
  }
}

/** Undefined: there is nothing. `rest` begins with a slash. */
function targetOf(rest: string): Target | undefined {
  const [, stream = '', word, session, ...more] = rest.split('/')
  if (word !== SESSIONS || session === '' || more.length > 0) return undefined
  return { stream, session }
}

function problem(status: number, error: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, body: { error }, headers }
}

/** Of HTTP/1; a stream of HTTP/2 ends alone. */
function hasBody({ httpVersionMajor, headers }: IncomingMessage): boolean {
  if (httpVersionMajor !== 1) return false
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0'
}
