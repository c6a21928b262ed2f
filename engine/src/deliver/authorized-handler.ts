// The door of a live path with a guard in front: who is not let in takes no place and costs no more than an answer.
import type { Duplex } from 'node:stream'
import type { AccessDecision, AccessRequest, Auth } from '../plugin/auth.js'
import type { StreamAnswer, StreamHandler, Visit } from '../listen/stream-handler.js'
import type { RoutePath } from './route-paths.js'

/** Longer names of software are cut; each viewer keeps its own. */
const MAX_USER_AGENT_LENGTH = 256

const DENIED: Denial = { allowed: false, reason: 'address', status: 403, headers: {} }

/** Who was let in, and by which path. */
export interface Admission {
  readonly routePath: RoutePath
  readonly user: string | undefined
  readonly userAgent: string
}

export type Denial = Extract<AccessDecision, { readonly allowed: false }>

/** What is behind the guard. */
export interface AuthorizedRoute {
  readonly options: { readonly auth?: readonly string[] }
  admit(socket: Duplex, visit: Visit, admission: Admission): void
  deny(socket: Duplex, visit: Visit, denial: Denial, admission: Admission): void
  answerHead(address: string, routePath: RoutePath): StreamAnswer
  answerDenied(denial: Denial): StreamAnswer
}

export class AuthorizedHandler implements StreamHandler {
  readonly #route: AuthorizedRoute
  readonly #auth: Auth | undefined
  readonly #routePath: RoutePath

  /** Without `auth` a route that names providers lets nobody in. */
  constructor(route: AuthorizedRoute, auth: Auth | undefined, routePath: RoutePath) {
    this.#route = route
    this.#auth = auth
    this.#routePath = routePath
  }

  serve(socket: Duplex, visit: Visit): void {
    const userAgent = copyOf(headerOf(visit.headers, 'user-agent') ?? '')
    const routePath = this.#routePath
    const settle = (decision: AccessDecision): void => {
      // While a password was checked, the client may have gone.
      if (socket.destroyed) return
      if (decision.allowed) this.#route.admit(socket, visit, { user: decision.user, userAgent, routePath })
      else this.#route.deny(socket, visit, decision, { user: undefined, userAgent, routePath })
    }
    const decision = this.#decide(visit)
    if (decision instanceof Promise) void decision.then(settle)
    else settle(decision)
  }

  head(visit: Visit): StreamAnswer | Promise<StreamAnswer> {
    const answer = (decision: AccessDecision): StreamAnswer =>
      decision.allowed ? this.#route.answerHead(visit.address, this.#routePath) : this.#route.answerDenied(decision)
    const decision = this.#decide(visit)
    return decision instanceof Promise ? decision.then(answer) : answer(decision)
  }

  #decide({ address, query, headers }: Visit): AccessDecision | Promise<AccessDecision> {
    const { auth: names = [] } = this.#route.options
    const { path } = this.#routePath
    if (names.length === 0) return { allowed: true, user: undefined }
    const request: AccessRequest = { address, path, query, authorization: headerOf(headers, 'authorization') }
    try {
      return this.#auth?.check(names, request) ?? DENIED
    } catch {
      // A name that is not declared, which the configuration does not let through.
      return DENIED
    }
  }
}

/** Several of one name are one list, RFC 9110 section 5.3, which no credentials are. */
function headerOf(rawHeaders: readonly string[], name: string): string | undefined {
  let found: string | undefined
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    if (rawHeaders[at]?.toLowerCase() !== name) continue
    found = found === undefined ? rawHeaders[at + 1] : `${found}, ${rawHeaders[at + 1]}`
  }
  return found
}

/** A part of a text keeps all of it in memory. */
function copyOf(text: string): string {
  return Buffer.from(text.slice(0, MAX_USER_AGENT_LENGTH), 'latin1').toString('latin1')
}
