// The stream handler of a live path, with authorization first: a denied client occupies no viewer slot and costs no
// more than a response.
import type { Duplex } from 'node:stream'
import { authorize, type Denial } from '../access/authorize.js'
import { headerOf } from '../listen/raw-headers.js'
import type { AccessDecision, Auth } from '../plugin/auth.js'
import type { StreamAnswer, StreamHandler, Visit } from '../listen/stream-handler.js'
import type { RoutePath } from './route-paths.js'

/** The outcome of the authorization, and the path that was requested. */
export interface Admission {
  readonly routePath: RoutePath
  readonly user: string | undefined
  readonly userAgent: string
  /** Called if the client receives nothing. */
  readonly giveBack?: () => void
}

/** The route behind the authorization. */
export interface AuthorizedRoute {
  readonly options: { readonly id: string; readonly auth?: readonly string[] }
  admit(socket: Duplex, visit: Visit, admission: Admission): void
  deny(socket: Duplex, visit: Visit, denial: Denial, admission: Admission): void
  answerHead(address: string, routePath: RoutePath): StreamAnswer
  answerDenied(denial: Denial): StreamAnswer
  answerPreflight(asked: string | undefined): StreamAnswer | undefined
}

export class AuthorizedHandler implements StreamHandler {
  readonly #route: AuthorizedRoute
  readonly #auth: Auth | undefined
  readonly #routePath: RoutePath

  /** Without `auth` a route that names providers admits no one. */
  constructor(route: AuthorizedRoute, auth: Auth | undefined, routePath: RoutePath) {
    this.#route = route
    this.#auth = auth
    this.#routePath = routePath
  }

  serve(socket: Duplex, visit: Visit): void {
    const userAgent = headerOf(visit.headers, 'user-agent') ?? ''
    const routePath = this.#routePath
    const settle = (decision: AccessDecision): void => {
      const giveBack = decision.allowed ? decision.giveBack : undefined
      // The client may have gone while its password was checked.
      if (socket.destroyed) giveBack?.()
      else if (decision.allowed) {
        this.#route.admit(socket, visit, { user: decision.user, userAgent, routePath, ...(giveBack && { giveBack }) })
      } else this.#route.deny(socket, visit, decision, { user: undefined, userAgent, routePath })
    }
    const decision = this.#decide(visit)
    if (decision instanceof Promise) void decision.then(settle)
    else settle(decision)
  }

  head(visit: Visit): StreamAnswer | Promise<StreamAnswer> {
    const answer = (decision: AccessDecision): StreamAnswer => {
      if (!decision.allowed) return this.#route.answerDenied(decision)
      decision.giveBack?.()
      return this.#route.answerHead(visit.address, this.#routePath)
    }
    const decision = this.#decide(visit)
    return decision instanceof Promise ? decision.then(answer) : answer(decision)
  }

  preflight({ headers }: Visit): StreamAnswer | undefined {
    return this.#route.answerPreflight(headerOf(headers, 'access-control-request-headers'))
  }

  #decide(visit: Visit): AccessDecision | Promise<AccessDecision> {
    const { id: owner, auth: names = [] } = this.#route.options
    return authorize(this.#auth, { names, owner, protocol: this.#routePath.listener.protocol }, visit)
  }
}
