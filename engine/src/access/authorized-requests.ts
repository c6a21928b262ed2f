// Ordinary requests with authorization first: the handler sees only admitted ones, and who sent them.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { headerOf } from '../listen/raw-headers.js'
import { respondText } from '../listen/request-dispatch.js'
import type { NamedListener } from '../listen/route-claims.js'
import type { RequestHandler } from '../listen/route-table.js'
import type { Visit } from '../listen/stream-handler.js'
import type { Who } from '../plugin/audience.js'
import type { AccessDecision, Auth } from '../plugin/auth.js'
import type { HttpHandler, MountOptions } from '../plugin/http-routes.js'
import { authorize, type Denial } from './authorize.js'

const TEXTS: Readonly<Record<number, string>> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  429: 'Too many requests',
  503: 'Service unavailable',
}

export interface AuthorizedMount {
  readonly listener: Pick<NamedListener, 'name' | 'protocol'>
  readonly auth: Auth | undefined
  /** Id of the node that mounts it, which a reload may rename. */
  owner(): string
  /** Its access providers are read at each request. */
  readonly options: Pick<MountOptions, 'auth' | 'audience'>
}

export function authorizeRequests(
  { listener, auth, owner, options }: AuthorizedMount,
  handle: HttpHandler,
): RequestHandler {
  const answer = (
    decision: AccessDecision,
    [request, response, visit]: readonly [IncomingMessage, ServerResponse, Visit],
  ): unknown => {
    // The client may have gone while its password was checked.
    if (response.destroyed) return
    const { client, address, path, query, headers } = visit
    const user = decision.allowed ? decision.user : undefined
    const agent = headerOf(headers, 'user-agent') ?? ''
    const who: Who = {
      ...{ protocol: listener.protocol, listener: listener.name, client, address },
      ...{ user, agent, place: path },
    }
    if (decision.allowed) return handle(request, response, { client, address, user, path, query, who })
    options.audience?.refuse(who, decision.reason, decision.status)
    deny(response, decision)
  }
  return (request, response, visit) => {
    const requested = { names: options.auth ?? [], protocol: listener.protocol, owner: owner() }
    const decision = authorize(auth, requested, visit)
    if (decision instanceof Promise) return decision.then((late) => answer(late, [request, response, visit]))
    return answer(decision, [request, response, visit])
  }
}

function deny(response: ServerResponse, { status, headers, why }: Denial): void {
  const text = TEXTS[status] ?? 'Refused'
  const more = { ...headers, 'Cache-Control': 'no-store' }
  respondText(response, status, why === undefined ? text : `${text}: ${why}`, more)
}
