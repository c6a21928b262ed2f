// Answers requests for the paths of an output, each by its kind.
import type { AdmittedSession, SessionRequest } from '@millrace/engine/plugin'
import { DVR } from '../history/long-uris.js'
import { presentedCredentials } from '../viewers/credential-query.js'
import type { Grant, Grants } from '../viewers/grants.js'
import { grantFolder, grantsOfCookies, type Located } from '../viewers/granted-paths.js'
import { type Exchange, type HttpExchange, respondText } from './exchange.js'
import { type HandlerParts, isEntrance, type RequestKind } from './request-kind.js'
import { REQUEST_KINDS } from './request-kinds.js'

export interface RequestHandlerParts extends HandlerParts {
  readonly grants: Grants
}

const EVERYBODY: AdmittedSession = { user: undefined }
const TOO_MANY = 'max-grants'

export class RequestHandler {
  readonly #parts: RequestHandlerParts

  constructor(parts: RequestHandlerParts) {
    this.#parts = parts
  }

  /** To whom a request belongs that was admitted before. Undefined: its credentials have to be checked. */
  sessionOf(request: SessionRequest, { grant, name }: Located): AdmittedSession | undefined {
    const given = grant === undefined ? undefined : this.#parts.grants.find(grant, request.address)
    if (given !== undefined) return given
    if (kindOf(name, request.query)?.isOpen?.(this.#parts.settings) === true) return EVERYBODY
    const { query, address, header } = request
    const presented = presentedCredentials({ query, authorization: header('authorization') })
    if (!isEntrance(name) || presented === undefined) return this.#grantOfCookie(request)
    // Whoever asks for the path anew, with other credentials, may be somebody else.
    return this.#parts.grants.again(presented, address)
  }

  answer(http: HttpExchange, { grant: text, name, fileName }: Located): unknown {
    if (isOther(http)) return refuseMethod(http)
    const grant = this.#grantOf(http, text)
    if (grant === TOO_MANY) return respondText(http, 503, 'refused: there are too many sessions')
    if (isEntrance(name) && grant !== undefined) this.#remember(http, grant)
    const toFolder = text === undefined ? '' : '../'
    const toGrant = grant === undefined || grant.text === text ? '' : toFolder + grantFolder(grant.text)
    const { request, response, visit } = http
    const asked = name === DVR ? DVR : fileName
    const exchange: Exchange = { request, response, visit, grant, toFolder, toGrant, fileName: asked }
    return kindOf(name, visit.query)?.answer(exchange, name, this.#parts)
  }

  #grantOf({ visit }: HttpExchange, text: string | undefined): Grant | undefined | typeof TOO_MANY {
    const { grants } = this.#parts
    const { session, credential, address, user } = visit
    if (session !== undefined) return isGrant(session) ? session : undefined
    if (credential === undefined) return text === undefined ? undefined : grants.find(text, address)
    const grant = grants.exchange({ credential, address, user })
    if (grant !== undefined) return grant
    this.#parts.viewers.refuse(visit.who, TOO_MANY, 503)
    return TOO_MANY
  }

  #remember({ request, visit }: HttpExchange, grant: Grant): void {
    const { authorization } = request.headers
    const presented =
      visit.credential === undefined ? undefined : presentedCredentials({ query: visit.query, authorization })
    if (presented !== undefined) this.#parts.grants.remember(grant, presented, visit.address)
  }

  #grantOfCookie({ address, header }: SessionRequest): Grant | undefined {
    for (const text of grantsOfCookies(header('cookie'))) {
      const grant = this.#parts.grants.find(text, address)
      if (grant !== undefined) return grant
    }
    return undefined
  }
}

function kindOf(name: string, query: string): RequestKind | undefined {
  return REQUEST_KINDS.find((kind) => kind.has(name, query))
}

/** The engine returns what `sessionOf` has found. */
function isGrant(session: AdmittedSession): session is Grant {
  return 'text' in session
}

function isOther({ request }: HttpExchange): boolean {
  return request.method !== 'GET' && request.method !== 'HEAD'
}

function refuseMethod(exchange: HttpExchange): void {
  exchange.response.setHeader('Allow', 'GET, HEAD')
  respondText(exchange, 405, 'Method not allowed')
}
