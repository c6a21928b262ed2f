// Ordinary requests with authorization first: the handler sees only admitted ones, and who sent them.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { headerOf } from '../listen/raw-headers.js'
import { respondText } from '../listen/request-dispatch.js'
import type { NamedListener } from '../listen/route-claims.js'
import type { RequestHandler } from '../listen/route-table.js'
import type { Visit } from '../listen/stream-handler.js'
import type { AccessDecision, Auth, ExchangeableCredential } from '../plugin/auth.js'
import type { AdmittedSession, HttpHandler, HttpVisit, MountOptions, SessionRequest } from '../plugin/http-routes.js'
import { authorize, type Denial } from './authorize.js'
import { allowOrigin, answerPreflight } from './cross-origin.js'
import { denialSentence } from './denial-sentences.js'

export interface AuthorizedMount {
  readonly listener: Pick<NamedListener, 'name' | 'protocol'>
  readonly auth: Auth | undefined
  /** Id of the node that mounts it, which a reload may rename. */
  owner(): string
  /** Its access providers and origins are read at each request. */
  readonly options: Pick<MountOptions, 'auth' | 'audience' | 'cors' | 'methods' | 'sessions' | 'place'>
  /** `sessions` of the options. By default there are none. */
  readonly findSession?: FindSession
}

/** Throws what the node throws. */
export type FindSession = (request: SessionRequest) => AdmittedSession | undefined

interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly visit: Visit
}

/** RFC 9110, 11.6.1 requires a challenge; no browser asks for a password because of this one. */
const SESSION_CHALLENGE = 'Session realm="millrace"'
const BAD_REQUEST = 400
const UNAUTHORIZED = 401

export function authorizeRequests(mount: AuthorizedMount, handle: HttpHandler): RequestHandler {
  const { listener, auth, owner, options, findSession } = mount
  const answer = (decision: AccessDecision, { request, response, visit }: Exchange): unknown => {
    if (decision.allowed) {
      // The client may have gone while its password was checked.
      if (response.destroyed) return decision.giveBack?.()
      if (decision.giveBack !== undefined) giveBackUnserved(response, decision.giveBack)
      return handle(request, response, admittedVisit(mount, visit, decision))
    }
    if (response.destroyed) return
    const { who } = admittedVisit(mount, visit, { user: undefined })
    const denial = withHint(decision, options.sessions?.hint)
    options.audience?.refuse(who, denial.reason, denial.status)
    deny(response, denial, options.sessions?.hint)
  }
  return (request, response, visit) => {
    const isAllowed = allowOrigin(response, options.cors ?? [], visit.headers)
    if (isAllowed && request.method === 'OPTIONS') return answerPreflight(response, visit.headers, options.methods)
    const names = options.auth ?? []
    const session = names.length === 0 ? undefined : findSession?.(sessionRequest(visit))
    if (session !== undefined) return handle(request, response, admittedVisit(mount, visit, session, session))
    const decision = authorize(auth, { names, protocol: listener.protocol, owner: owner() }, visit)
    const exchange = { request, response, visit }
    if (decision instanceof Promise) return decision.then((late) => answer(late, exchange))
    return answer(decision, exchange)
  }
}

/** What the admission has used up can be used again if the client was refused all the same. */
function giveBackUnserved(response: ServerResponse, giveBack: () => void): void {
  response.once('close', () => {
    if (!response.headersSent || response.statusCode >= BAD_REQUEST) giveBack()
  })
}

function admittedVisit(
  { listener, options }: AuthorizedMount,
  { client, address, path, query, headers }: Visit,
  { user, credential }: { readonly user: string | undefined; readonly credential?: ExchangeableCredential },
  session?: AdmittedSession,
): HttpVisit {
  const agent = headerOf(headers, 'user-agent') ?? ''
  const { protocol, name } = listener
  const who = { protocol, listener: name, client, address, user, agent, place: options.place ?? path }
  const visit = { client, address, user, path, query, who }
  if (session !== undefined) return { ...visit, session }
  return credential === undefined ? visit : { ...visit, credential }
}

function sessionRequest({ address, path, query, headers }: Visit): SessionRequest {
  return { address, path, query, header: (name) => headerOf(headers, name) }
}

/** Where sessions are known, a client without one, and without credentials, can get one. */
function withHint(denial: Denial, hint: string | undefined): Denial {
  if (hint === undefined || denial.reason !== 'no-credentials' || denial.status === UNAUTHORIZED) return denial
  return { ...denial, status: UNAUTHORIZED, headers: { 'WWW-Authenticate': SESSION_CHALLENGE } }
}

function deny(response: ServerResponse, denial: Denial, hint: string | undefined): void {
  const sentence = denial.reason === 'no-credentials' && hint !== undefined ? hint : denialSentence(denial)
  respondText(response, denial.status, sentence, { ...denial.headers, 'Cache-Control': 'no-store' })
}
